/* enrollment.h: binding authenticators to an account (NIST SP 800-63B-4 section 4.1). */
#ifndef COUNTERFOIL_ENROLLMENT_H
#define COUNTERFOIL_ENROLLMENT_H

#include "core/base/secret.h"
#include "core/base/text.h"
#include "core/credential/recovery_code.h"
#include "core/operation/caller.h"
#include "core/operation/core.h"

#define FACTOR_NAME_MAX 64      /* code points, printable */

/* What a start hands out, this once. */
struct totp_enrollment {
	char factor_id[UUID_TEXT_BYTES];
	struct secret *uri;             /* otpauth://..., NUL-terminated */
	struct secret *seed_base32;     /* 32 characters, NUL-terminated */
	int64_t expires_at_s;           /* pending until then */
	bool proof_required;            /* nothing was started: an authenticator that is there must be proven first */
	int64_t retry_after_s;          /* > 0: nothing was started: too many were for this account */
};
void totp_enrollment_wipe(struct totp_enrollment *enrollment);

struct recovery_codes {
	unsigned count;                 /* 0: none were issued, the account has some */
	char codes[RECOVERY_CODE_COUNT][RECOVERY_CODE_TEXT_BYTES];
};
void recovery_codes_wipe(struct recovery_codes *codes);

/* All of them on one line, a space between; empty where there are none. */
#define RECOVERY_CODES_TEXT_BYTES (RECOVERY_CODE_COUNT * RECOVERY_CODE_TEXT_BYTES)
void recovery_codes_join(const struct recovery_codes *codes, char out[static RECOVERY_CODES_TEXT_BYTES]);

/* What a confirmation comes to. */
struct totp_confirmation {
	enum verdict verdict;           /* GRANTED; DENIED: a wrong code, and the budget is counted; THROTTLED */
	int64_t retry_after_s;          /* THROTTLED: at least 1 */
	struct recovery_codes codes;    /* GRANTED, where the account had none left */
};
void totp_confirmation_wipe(struct totp_confirmation *confirmation);

struct factor {
	char id[UUID_TEXT_BYTES];
	char kind[16];                  /* "totp" */
	char state[16];                 /* pending | active | disabled | revoked */
	char name[FACTOR_NAME_MAX * 4 + 1];
	int64_t created_at_s, bound_at_s, revoked_at_s, last_used_at_s;        /* 0: never */
};
struct factor_list {
	struct factor *items;           /* free with factor_list_free() */
	unsigned count;
	int recovery_codes_left;
};
void factor_list_free(struct factor_list *list);

/* Start: a pending factor, which satisfies no login.  NAME may be NULL.
 * An account's first authenticator needs the caller's word alone.  A further one needs a fresh factor of those that are
 * there (standards R061): PROOF is the challenge of a step-up for ENROLLMENT_PROOF_PURPOSE that was granted, and is used
 * up; NULL: none.  The operator needs none.
 * STATUS_NOT_FOUND: no such account.  STATUS_CONFLICT: it is not active, or has too many factors.
 * STATUS_FORBIDDEN with out->proof_required: PROOF is missing or no good.
 * STATUS_OK with out->retry_after_s: nothing was started. */
#define ENROLLMENT_PROOF_PURPOSE "add_factor"
enum status enrollment_start_totp(struct core *core, const struct caller *caller, const char *account_id,
    const char *name, const char *proof, struct totp_enrollment *out) NODISCARD;

/* Confirm: a correct code activates the factor and consumes its step; recovery codes come along if there are none.
 * STATUS_INVALID: CODE is not 6 digits.  STATUS_CONFLICT: confirmed already, expired or revoked.  STATUS_NOT_FOUND. */
enum status enrollment_confirm_totp(struct core *core, const struct caller *caller, const char *account_id,
    const char *factor_id, const char *code, struct totp_confirmation *out) NODISCARD;

enum status enrollment_list(struct core *core, const struct caller *caller, const char *account_id,
    struct factor_list *out) NODISCARD;

/* Revoking wipes the seed and keeps the record.  STATUS_NOT_FOUND, or already revoked: STATUS_CONFLICT. */
enum status enrollment_revoke(struct core *core, const struct caller *caller, const char *account_id,
    const char *factor_id) NODISCARD;

/* A whole new set; the old one is dead.  STATUS_CONFLICT: the account has no active second factor. */
enum status enrollment_new_recovery_codes(struct core *core, const struct caller *caller, const char *account_id,
    struct recovery_codes *out) NODISCARD;

/* --- the hosted page ------------------------------------------------------------------------------------------ */

/* From a page of PAGE_ENROLLMENT, whose token is the credential; PAGE as in hosted_page.h, outcomes also those of
 * hosted_page_get(). */

struct page_start {
	enum verdict verdict;           /* of the proof, or THROTTLED: only GRANTED starts anything */
	int64_t retry_after_s;          /* THROTTLED: at least 1 */
	struct totp_enrollment enrollment;      /* totp_enrollment_wipe() it */
};

/* Works once; a second call is STATUS_CONFLICT, so that going back shows no secret.  PROOF_CODE is a code of an
 * authenticator that is there, or a recovery code; NULL: none.
 * STATUS_INVALID: PROOF_CODE has neither shape.  STATUS_FORBIDDEN with enrollment.proof_required: there must be one. */
enum status enrollment_page_start(struct core *core, const struct caller *page, const char *page_token,
    const char *proof_code, struct page_start *out) NODISCARD;
enum status enrollment_page_confirm(struct core *core, const struct caller *page, const char *page_token,
    const char *code, struct totp_confirmation *out) NODISCARD;

#endif
