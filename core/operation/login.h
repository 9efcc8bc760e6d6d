/* login.h: signing in: the password step, then the code step.  Two database calls each, none held during Argon2. */
#ifndef COUNTERFOIL_LOGIN_H
#define COUNTERFOIL_LOGIN_H

#include "core/operation/caller.h"
#include "core/operation/core.h"

#define LOGIN_FACTORS_MAX 2     /* kinds: "totp", "recovery_code" */
#define LOGIN_REASON_MAX  24

struct login_result {
	enum verdict verdict;                           /* zero denies */
	char account_id[UUID_TEXT_BYTES];               /* GRANTED, CHALLENGE, CHANGE_REQUIRED */
	char challenge[TOKEN_TEXT_BYTES];               /* CHALLENGE: the way to the code step */
	const char *factors[LOGIN_FACTORS_MAX];         /* CHALLENGE: what would satisfy it; constants */
	unsigned factor_count;
	char ticket[TOKEN_TEXT_BYTES];                  /* CHANGE_REQUIRED: single use, for account_use_ticket() */
	char session_id[UUID_TEXT_BYTES];               /* GRANTED to CALLER_CLIENT; hosts and operators get no session */
	char session_token[TOKEN_TEXT_BYTES];           /* with it: a secret; login_result_wipe() when sent */
	char device_token[TOKEN_TEXT_BYTES];            /* GRANTED: the token that a trusted device shows next; empty: none */
	int aal;                                        /* GRANTED: 1 or 2; a trusted device does not raise it */
	const char *amr[3];                             /* GRANTED: RFC 8176 names: "pwd", "otp", "mfa"; constants */
	unsigned amr_count;
	int64_t auth_time_s, expires_at_s;              /* seconds since the epoch */
	int64_t hold_until_s;                           /* GRANTED: after a recovery, the shop delays what moves money; 0 */
	int64_t retry_after_s;                          /* THROTTLED: at least 1 */
	int recovery_codes_left;                        /* after a recovery code was used; -1 otherwise */
	char reason[LOGIN_REASON_MAX];                  /* for logs and PAM, never for a reply: a word such as
	                                                 * "wrong_password", "unknown_login", "no_password", "locked",
	                                                 * "disabled", "not_enrolled", "wrong_code", "code_replayed",
	                                                 * "challenge_unknown", "throttled", "granted" */
};

void login_result_wipe(struct login_result *result);

enum login_demand {
	LOGIN_ALL_FACTORS = 0,
	LOGIN_PASSWORD_ONLY     /* CALLER_HOST only: its PAM service asks for no second factor; anybody else's is ignored */
};

struct login_attempt {
	struct bytes login, password;   /* as typed */
	const char *device_token;       /* of a trusted device, or NULL; a wrong one counts like none */
	enum login_demand demand;
};

/* The password step.  A decoy costs what a real account costs.
 * STATUS_INVALID: login or password has no canonical form (text.h).
 * Otherwise the verdict: DENIED, THROTTLED, CHALLENGE, CHANGE_REQUIRED, or GRANTED where no factor is due. */
enum status login_password(struct core *core, const struct caller *caller, const struct login_attempt *attempt,
    struct login_result *out) NODISCARD;

/* The code step: CODE is a TOTP code or a recovery code as typed.  An unknown, expired, used or exhausted challenge
 * is DENIED.  REMEMBER_DEVICE: the owner wants this device to be trusted; a recovery code or a realm without trusted
 * devices grants none.
 * STATUS_INVALID: CODE has neither shape, or CHALLENGE is not a token; no try is burnt. */
enum status login_code(struct core *core, const struct caller *caller, const char *challenge, const char *code,
    bool remember_device, struct login_result *out) NODISCARD;

/* The work of a wrong code, behind a password that was wrong: nothing is counted, nothing stays, and it is DENIED.  So a
 * host that sends both cannot tell by the time which of them was wrong.  STATUS_INVALID: CODE has neither shape. */
enum status login_code_decoy(struct core *core, const struct caller *caller, const char *code,
    struct login_result *out) NODISCARD;

/* A code without a password, behind another factor that the host has checked itself (an ssh key).  CALLER_HOST only,
 * else STATUS_FORBIDDEN.  STATUS_INVALID: CODE has neither shape, or LOGIN no canonical form. */
enum status login_otp(struct core *core, const struct caller *caller, struct bytes login, const char *code,
    struct login_result *out) NODISCARD;

#endif
