/* step_up.h: a fresh second factor for one purpose: a payment, a new address, another authenticator.
 * Bound to the purpose and to a digest of the transaction, used up by it, and good for no sign-in. */
#ifndef COUNTERFOIL_STEP_UP_H
#define COUNTERFOIL_STEP_UP_H

#include "core/operation/login.h"

#define STEP_UP_PURPOSE_MAX_BYTES 64    /* a-z 0-9 _ - . : */
#define STEP_UP_DIGEST_MAX_BYTES  128   /* printable ASCII without spaces: what the shop calls its transaction */

bool step_up_is_purpose(const char *text);

struct step_up {
	char challenge[TOKEN_TEXT_BYTES];
	const char *factors[LOGIN_FACTORS_MAX];         /* constants */
	unsigned factor_count;
	int64_t expires_at_s;
};

/* DIGEST may be NULL.  STATUS_INVALID: PURPOSE or DIGEST is out of bounds.  STATUS_NOT_FOUND: no such account.
 * STATUS_CONFLICT: it is not active, or has no second factor; wrong codes may have disabled its authenticators: a recovery
 * code is then good for the purpose add_factor alone. */
enum status step_up_begin(struct core *core, const struct caller *caller, const char *account_id, const char *purpose,
    const char *digest, struct step_up *out) NODISCARD;

struct step_up_result {
	struct login_result login;                      /* the verdict, for whom, when; no session */
	char purpose[STEP_UP_PURPOSE_MAX_BYTES + 1];    /* GRANTED: what the code was given for */
	char digest[STEP_UP_DIGEST_MAX_BYTES + 1];      /* GRANTED: empty: none */
};

/* As login_code(). */
enum status step_up_code(struct core *core, const struct caller *caller, const char *challenge, const char *code,
    struct step_up_result *out) NODISCARD;

#endif
