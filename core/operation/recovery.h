/* recovery.h: the way back for an owner who has lost everything: two different members of staff, a reason, a cooling-off
 * delay.  The owner is told at once, and a sign-in of theirs cancels it.  For the operator's command line. */
#ifndef COUNTERFOIL_RECOVERY_H
#define COUNTERFOIL_RECOVERY_H

#include "core/operation/login.h"

#define RECOVERY_REASON_MAX 256         /* characters, printable, at least one */

/* STAFF is each time the sign-in of the member of staff who acts: GRANTED with both factors (aal 2), in this process,
 * by login_password() and login_code(); anything else is STATUS_FORBIDDEN.  CALLER is CALLER_OPERATOR in the realm of the
 * account that is recovered. */

/* The first call asks, a second one by somebody else approves, and the delay begins.
 * STATUS_CONFLICT: the same person twice, or approved already.  STATUS_INVALID: REASON.  STATUS_NOT_FOUND: the account. */
struct recovery_step {
	bool approved;
	int64_t due_at_s;               /* approved: when it may be completed */
};
enum status recovery_request(struct core *core, const struct caller *caller, const char *account_id,
    const struct login_result *staff, const char *reason, struct recovery_step *out) NODISCARD;

/* STATUS_NOT_FOUND: nothing is asked for. */
enum status recovery_cancel(struct core *core, const struct caller *caller, const char *account_id,
    const struct login_result *staff) NODISCARD;

/* After the delay: the password, every factor, code, session and device go; the ticket is the way to a new password.
 * STATUS_CONFLICT: not approved, or the delay is not over.  STATUS_NOT_FOUND: nothing is asked for. */
enum status recovery_complete(struct core *core, const struct caller *caller, const char *account_id,
    const struct login_result *staff, char out_ticket[static TOKEN_TEXT_BYTES], int64_t *out_expires_at_s) NODISCARD;

/* What is asked for.  STATUS_NOT_FOUND: nothing. */
struct recovery_state {
	char reason[RECOVERY_REASON_MAX * 4 + 1];
	char requested_by[UUID_TEXT_BYTES], approved_by[UUID_TEXT_BYTES];       /* accounts; approved_by empty: not yet */
	int64_t requested_at_s, approved_at_s, due_at_s;                        /* 0: not yet */
};
enum status recovery_show(struct core *core, const struct caller *caller, const char *account_id,
    struct recovery_state *out) NODISCARD;

#endif
