/* enroll_code.h: binding the first authenticator of somebody of the staff at a PAM host, behind a password that the host
 * has just seen verified, with a code that an operator issued.  The code has the form of a recovery code. */
#ifndef COUNTERFOIL_ENROLL_CODE_H
#define COUNTERFOIL_ENROLL_CODE_H

#include "core/operation/enrollment.h"

/* Operator only.  The newest code alone counts; it ends with its time, with the authenticator that it binds, and with a
 * new password or a lock of the account.  STATUS_NOT_FOUND: no such account.  STATUS_CONFLICT: it is no active one of
 * the staff, or has an authenticator. */
enum status enroll_code_issue(struct core *core, const struct caller *caller, const char *account_id,
    char out_code[static RECOVERY_CODE_TEXT_BYTES], int64_t *out_expires_at_s) NODISCARD;

struct enroll_code_start {
	enum verdict verdict;           /* of the code: only GRANTED starts anything */
	int64_t retry_after_s;          /* THROTTLED: at least 1 */
	char reason[24];                /* for the log: "granted", "wrong_enroll_code", "enrolled_meanwhile", "locked"... */
	struct totp_enrollment enrollment;      /* totp_enrollment_wipe() it */
};

/* HOST is of kind CALLER_HOST.  A pending factor, in place of one that was pending; CODE, as typed, is still good after it.
 * STATUS_NOT_FOUND: no such account.  STATUS_CONFLICT: something of it changed this very moment. */
enum status enroll_code_start(struct core *core, const struct caller *host, const char *account_id, const char *code,
    struct enroll_code_start *out) NODISCARD;

/* A single-use link to the enrolment page for what HOST, which has a key, has begun: the page shows the same authenticator,
 * and binds no other.  Good until that lapses or CODE ends.  Only where the service's key is: a helper has none.
 * STATUS_CONFLICT: CODE or the factor is over. */
enum status enroll_code_link(struct core *core, const struct caller *host, const char *account_id, const char *code,
    const char *factor_id, char out_token[static TOKEN_TEXT_BYTES]) NODISCARD;

/* BEFORE and TOTP are the codes of two adjacent time steps: they activate the factor, and CODE is used up.
 * STATUS_INVALID: something has not its form.  STATUS_CONFLICT, STATUS_NOT_FOUND: CODE or the factor is over, or the
 * account got an authenticator elsewhere. */
enum status enroll_code_confirm(struct core *core, const struct caller *host, const char *account_id, const char *code,
    const char *factor_id, const char *before, const char *totp, struct totp_confirmation *out) NODISCARD;

/* The same request of HOST once more, which has a key, because its reply was lost: a set of recovery codes in place of the
 * one that nobody has seen.  STATUS_CONFLICT: it is not this request that bound FACTOR_ID, or it was over a minute ago. */
enum status enroll_code_confirm_again(struct core *core, const struct caller *host, const char *account_id,
    const char *factor_id, struct totp_confirmation *out) NODISCARD;

#endif
