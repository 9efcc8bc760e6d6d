/* staff.h: people who leave, and people who learn.  For the operator's command line. */
#ifndef COUNTERFOIL_STAFF_H
#define COUNTERFOIL_STAFF_H

#include "core/base/text.h"
#include "core/operation/caller.h"
#include "core/operation/core.h"

/* How much of each was taken: the proof. */
struct staff_offboarding { int64_t factors, sessions, devices, recovery_codes, at_s; };

/* Password, factors, codes, sessions and devices go at once, on every host, and the account is disabled.
 * REASON may be NULL.  STATUS_NOT_FOUND. */
enum status staff_offboard(struct core *core, const struct caller *caller, const char *account_id, const char *reason,
    struct staff_offboarding *out) NODISCARD;

/* A training is due at DUE_AT_S; COMPLETED: one was completed now.  STATUS_INVALID: DUE_AT_S is not positive. */
enum status staff_record_training(struct core *core, const struct caller *caller, const char *account_id, bool completed,
    int64_t due_at_s) NODISCARD;

struct staff_training {
	char account_id[UUID_TEXT_BYTES];
	char login[TEXT_LOGIN_MAX_BYTES + 1];
	char state[16];
	int64_t completed_at_s, due_at_s;       /* 0: never, none */
};
/* Everybody of the realm, who is due first comes first; free() *out. */
enum status staff_report_training(struct core *core, const struct caller *caller, struct staff_training **out,
    unsigned *out_count) NODISCARD;

#endif
