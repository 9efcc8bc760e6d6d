/* login.h: signing in: the password step, then the code step.  Two database calls each, none held during Argon2. */
#ifndef COUNTERFOIL_LOGIN_H
#define COUNTERFOIL_LOGIN_H

#include "core/operation/caller.h"
#include "core/operation/core.h"

#define LOGIN_FACTORS_MAX 2     /* kinds: "totp", "recovery_code" */

struct login_result {
	enum verdict verdict;                           /* zero denies */
	char account_id[UUID_TEXT_BYTES];               /* GRANTED, CHALLENGE, CHANGE_REQUIRED */
	char challenge[TOKEN_TEXT_BYTES];               /* CHALLENGE: the way to the code step */
	const char *factors[LOGIN_FACTORS_MAX];         /* CHALLENGE: what would satisfy it; constants */
	unsigned factor_count;
	char ticket[TOKEN_TEXT_BYTES];                  /* CHANGE_REQUIRED: single use, for account_change_password() */
	char session_id[UUID_TEXT_BYTES];               /* GRANTED */
	char session_token[TOKEN_TEXT_BYTES];           /* GRANTED: a secret; login_result_wipe() when sent */
	int aal;                                        /* GRANTED: 1 or 2 */
	const char *amr[3];                             /* GRANTED: RFC 8176 names: "pwd", "otp", "mfa"; constants */
	unsigned amr_count;
	int64_t auth_time_s, expires_at_s;              /* seconds since the epoch */
	int64_t retry_after_s;                          /* THROTTLED: at least 1 */
	int recovery_codes_left;                        /* after a recovery code was used; -1 otherwise */
	const char *reason;                             /* for logs and PAM, never for a reply: a constant such as
	                                                 * "wrong_password", "unknown_login", "locked", "disabled",
	                                                 * "not_enrolled", "wrong_code", "code_replayed",
	                                                 * "challenge_unknown", "granted" */
};

void login_result_wipe(struct login_result *result);

/* The password step.  LOGIN and PASSWORD are as typed.  A decoy costs what a real account costs.
 * STATUS_INVALID: LOGIN or PASSWORD has no canonical form (text.h).
 * Otherwise the verdict: DENIED, THROTTLED, CHALLENGE, CHANGE_REQUIRED, or GRANTED where no factor is due. */
enum status login_password(struct core *core, const struct caller *caller, struct bytes login, struct bytes password,
    struct login_result *out) NODISCARD;

/* The code step: CODE is a TOTP code or a recovery code as typed.  An unknown, expired, used or exhausted challenge
 * is DENIED.  STATUS_INVALID: CODE has neither shape, or CHALLENGE is not a token; no try is burnt. */
enum status login_code(struct core *core, const struct caller *caller, const char *challenge, const char *code,
    struct login_result *out) NODISCARD;

#endif
