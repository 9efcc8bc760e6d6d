/* enrollment_inside.h: what the API's way, the hosted page's and a staff host's to an authenticator share. */
#ifndef COUNTERFOIL_ENROLLMENT_INSIDE_H
#define COUNTERFOIL_ENROLLMENT_INSIDE_H

#include "core/operation/enrollment.h"
#include "core/operation/vault.h"

/* For whom something is bound: an account that a caller names, or the one that a page's token stands for; a host names it
 * and has an enrolment code besides. */
struct enrollment_who {
	struct caller_bound bound;
	enum realm realm;
	char account_id[UUID_TEXT_BYTES];
	bool has_token;
	uint8_t token_digest[DIGEST_BYTES];     /* has_token: of a page's token, or of the code */
};

/* STATUS_NOT_FOUND: ACCOUNT_ID is no UUID. */
enum status enrollment_by_account(const struct core *core, const struct caller *caller, const char *account_id,
    struct enrollment_who *out) NODISCARD;

/* As enrollment_start_totp() and enrollment_confirm_totp(); FACTOR_ID is NULL for a page.
 * PROOF_DIGEST is that of the proof; empty: none.  BEFORE is the code of the time step before CODE's; NULL: one code will do. */
enum status enrollment_start(struct core *core, const struct enrollment_who *who, const char *name,
    struct bytes proof_digest, struct totp_enrollment *out) NODISCARD;
enum status enrollment_confirm(struct core *core, const struct enrollment_who *who, const char *factor_id,
    const char *before, const char *code, struct totp_confirmation *out) NODISCARD;

/* A set of recovery codes that is not stored yet; secret_wipe() it. */
struct enrollment_codes {
	struct recovery_codes shown;
	uint8_t digests[RECOVERY_CODE_COUNT * DIGEST_BYTES];
};
enum status enrollment_make_codes(const struct core *core, enum realm realm, struct enrollment_codes *out) NODISCARD;

/* What SQL keeps of them; empty where none were made. */
struct bytes enrollment_code_digests(const struct enrollment_codes *codes);

#endif
