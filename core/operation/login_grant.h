/* login_grant.h: the one place that says GRANTED, and the code step that logins and step-ups share. */
#ifndef COUNTERFOIL_LOGIN_GRANT_H
#define COUNTERFOIL_LOGIN_GRANT_H

#include "core/operation/login.h"
#include "core/operation/vault.h"
#include "core/store/login_sql.h"

/* What was proven in this very request, and what SQL decided about it. */
struct login_proof {
	const char *verdict;                    /* SQL's word; only "granted" is one */
	const char *account_id;                 /* the account whose secret was verified */
	bool password, code;                    /* verified here, in C */
	bool code_after_password;               /* the challenge came from a password step */
	bool step_up;                           /* the challenge stands for one transaction: it opens no session */
	int64_t aal, auth_time_s, expires_at_s, hold_until_s;
	const char *session_id;                 /* CALLER_CLIENT: that of the session that SQL opened */
	const struct vault_token *session;
};

/* STATUS_OK: OUT is GRANTED.  STATUS_INTERNAL: a precondition does not hold, which cannot happen: OUT stays DENIED. */
enum status login_grant(const struct caller *caller, const struct login_proof *proof, struct login_result *out) NODISCARD;

/* The code step for a challenge of KIND, "login" or "step_up".  Outcomes as login_code(); ROW is written on STATUS_OK. */
enum status login_run_challenge(struct core *core, const struct caller *caller, const char *kind, const char *challenge,
    const char *code, bool remember_device, struct login_result *out, struct challenge_finish_row *row) NODISCARD;

/* A code from the hosted page whose token has PAGE_DIGEST, as proof for ENROLLMENT_PROOF_PURPOSE.  Outcomes as login_code(),
 * and STATUS_CONFLICT: the page is past its start.  OUT_PROOF is the digest of what was granted, for totp_start(). */
enum status login_page_proof(struct core *core, const struct caller *page, enum realm realm, struct bytes page_digest,
    const char *code, uint8_t out_proof[static DIGEST_BYTES], struct login_result *out) NODISCARD;

/* The words of SQL that grant nothing.  Anything unknown is DENIED. */
enum verdict login_refusal_of(const char *word);

#endif
