#include "core/operation/step_up.h"

#include <string.h>

#include "core/base/encoding.h"
#include "core/operation/login_grant.h"
#include "core/store/session_sql.h"

_Static_assert(STEP_UP_PURPOSE_MAX_BYTES == STEP_UP_PURPOSE_MAX, "the row holds every purpose");
_Static_assert(STEP_UP_DIGEST_MAX_BYTES <= DB_BYTES_MAX, "the row holds every digest");

bool
step_up_is_purpose(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= STEP_UP_PURPOSE_MAX_BYTES && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-.:") == len;
}

static bool
is_digest(const char *text)
{
	size_t len = strlen(text);

	for (const char *c = text; *c != '\0'; c++)
		if (*c <= 0x20 || *c >= 0x7f)
			return false;
	return len >= 1 && len <= STEP_UP_DIGEST_MAX_BYTES;
}

enum status
step_up_begin(struct core *core, const struct caller *caller, const char *account_id, const char *purpose,
    const char *digest, struct step_up *out)
{
	enum realm realm = caller_realm(caller);
	struct caller_bound bound;
	struct vault_token challenge;
	struct step_up_row row;
	enum status st;

	memset(out, 0, sizeof *out);
	if (!step_up_is_purpose(purpose) || (digest != NULL && !is_digest(digest)))
		return STATUS_INVALID;
	if (!encoding_is_uuid(account_id))
		return STATUS_NOT_FOUND;
	if ((st = caller_bind(core, caller, &bound)) != STATUS_OK ||
	    (st = vault_token_new(core, realm, "challenge", &challenge)) != STATUS_OK)
		return st;
	st = session_sql_step_up_begin(core->db, &bound.db, account_id, vault_digest_view(challenge.digest), purpose,
	    bytes_of(digest), core_policy(core, realm)->challenge_ttl_s, &row);
	if (st == STATUS_OK) {
		memcpy(out->challenge, challenge.text, sizeof out->challenge);
		out->expires_at_s = row.expires_at_s;
		if (row.has_totp)
			out->factors[out->factor_count++] = "totp";
		if (row.has_recovery)
			out->factors[out->factor_count++] = "recovery_code";
	}
	vault_token_wipe(&challenge);
	return st;
}

enum status
step_up_code(struct core *core, const struct caller *caller, const char *challenge, const char *code,
    struct step_up_result *out)
{
	struct challenge_finish_row row;
	enum status st;

	memset(out, 0, sizeof *out);
	st = login_run_challenge(core, caller, "step_up", challenge, code, false, &out->login, &row);
	if (st != STATUS_OK || out->login.verdict != VERDICT_GRANTED)
		return st;
	memcpy(out->purpose, row.purpose, sizeof out->purpose);
	if (row.transaction_digest.len < sizeof out->digest)
		memcpy(out->digest, row.transaction_digest.data, row.transaction_digest.len);
	return STATUS_OK;
}
