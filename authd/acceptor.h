/* acceptor.h: takes connections from listening sockets and deals them out to the threads of a libmicrohttpd daemon, in turn.
 * Left to themselves, the first of those threads to wake takes all that have come; and a thread answers look-ups one after
 * another. */
#ifndef COUNTERFOIL_AUTHD_ACCEPTOR_H
#define COUNTERFOIL_AUTHD_ACCEPTOR_H

#include <stdint.h>

#include "authd/connections.h"
#include "core/base/bytes.h"
#include "core/base/status.h"

#define ACCEPTOR_SOCKETS_MAX 2

struct MHD_Daemon;
struct acceptor;

struct acceptor_socket {
	int fd;                         /* listening, does not block; stays the caller's, who stops the acceptor first */
	struct MHD_Daemon *daemon;      /* without a listening socket of its own */
	struct connections *connections;        /* those of DAEMON */
	int64_t limit;                  /* so many at once; the others wait to be accepted */
};

/* At most ACCEPTOR_SOCKETS_MAX sockets.  STATUS_NO_MEMORY: out of memory, threads or descriptors. */
enum status acceptor_start(const struct acceptor_socket *sockets, unsigned count, struct acceptor **out) NODISCARD;

/* Take nothing new from now on.  NULL is fine. */
void acceptor_stop(struct acceptor **acceptor);

#endif
