/* breakglass_store.h: the file of a host's break-glass codes: one holder at a time, every change durable before it counts.
 * The folder and the file are root's alone.  Whatever is wrong with either, nobody gets in with a code. */
#ifndef COUNTERFOIL_PAM_BREAKGLASS_STORE_H
#define COUNTERFOIL_PAM_BREAKGLASS_STORE_H

#include "core/base/config.h"
#include "core/credential/breakglass.h"

#define BREAKGLASS_HOST_NAME_BYTES 65   /* HOST_NAME_MAX of Linux and NUL */

struct breakglass_store {
	char path[256];
	int lock_fd;
	char host_name[BREAKGLASS_HOST_NAME_BYTES];
	struct breakglass *codes;       /* as the file has them, for the holder to change */
};

enum breakglass_hold {
	BREAKGLASS_FILE = 0,            /* read and change the file: for moments, never over a call to the service */
	BREAKGLASS_DELIVERY = 1         /* send reports: one at a time, so that none overtakes another */
};

/* Has this host a file of codes?  Tells nothing about whether it is any good. */
bool breakglass_store_exists(const char *directory);

/* Hold the file in DIRECTORY, and read it.  CREATE: make folder and file where they are missing.
 * STATUS_NOT_FOUND: there is none.  STATUS_INVALID: ERROR says what is wrong with the file, or with this host: it is
 * another's, damaged, or not root's alone.  STATUS_NO_MEMORY.  On failure nothing is held. */
enum status breakglass_store_open(const char *directory, bool create, struct breakglass_store *out,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

/* What CODES is now becomes what the file has, also after a crash.  STATUS_INVALID: ERROR says why not; then the change
 * must not count.  STATUS_NO_MEMORY. */
enum status breakglass_store_write(struct breakglass_store *store, char error[static CONFIG_ERROR_BYTES]) NODISCARD;

/* Gives the file to the next one. */
void breakglass_store_close(struct breakglass_store *store);

/* Hold the delivery of reports.  False: another one is at it, or it cannot be held.  *out_fd is for close(). */
bool breakglass_store_try_delivery(const char *directory, int *out_fd) NODISCARD;

#endif
