#include "core/operation/enroll_code.h"

#include <stdio.h>
#include <string.h>

#include "core/base/encoding.h"
#include "core/operation/enrollment_inside.h"
#include "core/store/enroll_code_sql.h"
#include "core/store/link_sql.h"

/* STATUS_INVALID: CODE has not the form of one. */
static enum status
digest_of(const struct core *core, enum realm realm, const char *code, uint8_t out[static DIGEST_BYTES])
{
	uint8_t raw[RECOVERY_CODE_RAW_BYTES];
	enum status st = recovery_code_parse(code, raw);

	if (st == STATUS_OK)
		st = vault_digest(core, realm, "enroll", (struct bytes){ raw, sizeof raw }, out);
	secret_wipe(raw, sizeof raw);
	return st;
}

enum status
enroll_code_issue(struct core *core, const struct caller *caller, const char *account_id,
    char out_code[static RECOVERY_CODE_TEXT_BYTES], int64_t *out_expires_at_s)
{
	struct enrollment_who who;
	uint8_t digest[DIGEST_BYTES];
	enum status st;

	if ((st = enrollment_by_account(core, caller, account_id, &who)) == STATUS_OK &&
	    (st = recovery_code_generate(out_code)) == STATUS_OK &&
	    (st = digest_of(core, who.realm, out_code, digest)) == STATUS_OK)
		st = enroll_code_sql_issue(core->db, &who.bound.db, account_id, vault_digest_view(digest),
		    core_policy(core, who.realm)->enroll_code_ttl_s, out_expires_at_s);
	if (st != STATUS_OK)
		secret_wipe(out_code, RECOVERY_CODE_TEXT_BYTES);
	return st;
}

/* --- at a host -------------------------------------------------------------------------------------------------------- */

static enum status
check(struct core *core, const struct enrollment_who *who, struct enroll_code_start *out)
{
	const struct bytes digest = { who->has_token ? who->token_digest : NULL, who->has_token ? DIGEST_BYTES : 0 };
	struct enroll_code_row row;
	enum status st = enroll_code_sql_check(core->db, &who->bound.db, who->account_id, digest,
	    &core->throttles[who->realm], &row);

	if (st != STATUS_OK)
		return st;
	(void)snprintf(out->reason, sizeof out->reason, "%s", row.reason);
	out->retry_after_s = row.throttled_s;
	if (row.throttled_s > 0)
		out->verdict = VERDICT_THROTTLED;
	else if (who->has_token && strcmp(row.reason, "granted") == 0)
		out->verdict = VERDICT_GRANTED;
	return STATUS_OK;
}

enum status
enroll_code_start(struct core *core, const struct caller *host, const char *account_id, const char *code,
    struct enroll_code_start *out)
{
	const struct bytes no_proof = { NULL, 0 };
	struct enrollment_who who;
	enum status st;

	memset(out, 0, sizeof *out);
	if ((st = enrollment_by_account(core, host, account_id, &who)) != STATUS_OK)
		return st;
	/* what has no form of a code is a wrong one, and counts */
	if ((st = digest_of(core, who.realm, code, who.token_digest)) != STATUS_OK && st != STATUS_INVALID)
		return st;
	who.has_token = st == STATUS_OK;
	if ((st = check(core, &who, out)) != STATUS_OK || out->verdict != VERDICT_GRANTED)
		return st;
	st = enrollment_start(core, &who, NULL, no_proof, &out->enrollment);
	out->retry_after_s = out->enrollment.retry_after_s;
	if (st != STATUS_OK || out->retry_after_s > 0)
		out->verdict = st == STATUS_OK ? VERDICT_THROTTLED : VERDICT_DENIED;
	return st;
}

enum status
enroll_code_link(struct core *core, const struct caller *host, const char *account_id, const char *code,
    const char *factor_id, char out_token[static TOKEN_TEXT_BYTES])
{
	struct enrollment_who who;
	struct vault_token token;
	int64_t expires_at_s;
	enum status st;

	if ((st = enrollment_by_account(core, host, account_id, &who)) != STATUS_OK ||
	    (st = digest_of(core, who.realm, code, who.token_digest)) != STATUS_OK ||
	    (st = vault_token_new(core, REALM_SERVICE, "link", &token)) != STATUS_OK)
		return st;
	st = link_sql_create_at_host(core->db, &who.bound.db, account_id, vault_digest_view(who.token_digest), factor_id,
	    vault_digest_view(token.digest), &expires_at_s);
	if (st == STATUS_OK)
		memcpy(out_token, token.text, TOKEN_TEXT_BYTES);
	vault_token_wipe(&token);
	return st;
}

enum status
enroll_code_confirm(struct core *core, const struct caller *host, const char *account_id, const char *code,
    const char *factor_id, const char *before, const char *totp, struct totp_confirmation *out)
{
	struct enrollment_who who;
	enum status st;

	memset(out, 0, sizeof *out);
	if (!encoding_is_uuid(factor_id))
		return STATUS_NOT_FOUND;
	if ((st = enrollment_by_account(core, host, account_id, &who)) != STATUS_OK ||
	    (st = digest_of(core, who.realm, code, who.token_digest)) != STATUS_OK)
		return st;
	who.has_token = true;
	return enrollment_confirm(core, &who, factor_id, before, totp, out);
}

enum status
enroll_code_confirm_again(struct core *core, const struct caller *host, const char *account_id, const char *factor_id,
    struct totp_confirmation *out)
{
	struct enrollment_codes codes;
	struct enrollment_who who;
	enum status st;

	memset(out, 0, sizeof *out);
	memset(&codes, 0, sizeof codes);
	if ((st = enrollment_by_account(core, host, account_id, &who)) == STATUS_OK &&
	    (st = enrollment_make_codes(core, who.realm, &codes)) == STATUS_OK &&
	    (st = enroll_code_sql_confirm_again(core->db, &who.bound.db, account_id, factor_id,
	    enrollment_code_digests(&codes))) == STATUS_OK) {
		out->verdict = VERDICT_GRANTED;
		out->codes = codes.shown;
	}
	secret_wipe(&codes, sizeof codes);
	return st;
}
