/* address.h: "host:port", "[v6]:port" or "unix:/path" as a listening socket. */
#ifndef COUNTERFOIL_AUTHD_ADDRESS_H
#define COUNTERFOIL_AUTHD_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/config.h"
#include "core/base/status.h"

struct address {
	int fd;                 /* listening; the caller's to close */
	uint16_t port;          /* as bound; 0 on a Unix socket */
	bool loopback;          /* reachable from this machine alone */
	char path[108];         /* of a Unix socket, to be unlinked at the end; empty otherwise */
};

/* STATUS_INVALID: TEXT is no address.  STATUS_UNAVAILABLE: it cannot be bound now.  ERROR says why. */
enum status address_listen(const char *text, struct address *out, char error[static CONFIG_ERROR_BYTES]) NODISCARD;

/* Is TEXT an address that address_listen() could take?  Resolves, binds nothing. */
enum status address_check(const char *text, bool *out_loopback, char error[static CONFIG_ERROR_BYTES]) NODISCARD;

void address_close(struct address *address);

#endif
