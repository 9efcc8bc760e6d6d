/* ticket_store.h: the newest offline ticket of each user, one small file each, in the folder "tickets" of the helper's run
 * directory, root's alone.  That folder is of memory and ends with the boot, on purpose: within one boot the clock that never
 * steps tells how old a ticket is, and a clock that was set back makes none younger.  A ticket is no secret. */
#ifndef COUNTERFOIL_PAM_TICKET_STORE_H
#define COUNTERFOIL_PAM_TICKET_STORE_H

#include "core/base/config.h"
#include "core/credential/offline_ticket.h"

#define TICKET_STORE_MAX 4096           /* users whose ticket is kept */

struct ticket_kept {
	char text[OFFLINE_TICKET_TEXT_BYTES];
	int64_t kept_at_s;              /* seconds of clock_monotonic_ms() */
};

/* KEPT in the place of what USER may have there.  NOW_S: of clock_now_s().
 * STATUS_OVERLOADED: TICKET_STORE_MAX others have one.  STATUS_INVALID: ERROR says what is wrong with folder or file. */
enum status ticket_store_write(const char *run_directory, const char *user, const struct ticket_kept *kept, int64_t now_s,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

/* STATUS_NOT_FOUND: there is none.  STATUS_INVALID: ERROR says what is wrong with folder or file. */
enum status ticket_store_read(const char *run_directory, const char *user, struct ticket_kept *out,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

void ticket_store_remove(const char *run_directory, const char *user);

/* Remove what no ticket can be any more: it was written longer ago than any lives.  How many are left. */
unsigned ticket_store_sweep(const char *run_directory, int64_t now_s);

#endif
