#include "core/operation/enrollment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/encoding.h"
#include "core/credential/totp.h"
#include "core/operation/enrollment_inside.h"
#include "core/operation/enrollment_label.h"
#include "core/store/factor_sql.h"

void
totp_enrollment_wipe(struct totp_enrollment *enrollment)
{
	secret_free(&enrollment->uri);
	secret_free(&enrollment->seed_base32);
	memset(enrollment, 0, sizeof *enrollment);
}

void
totp_confirmation_wipe(struct totp_confirmation *confirmation)
{
	secret_wipe(confirmation, sizeof *confirmation);
}

void
recovery_codes_join(const struct recovery_codes *codes, char out[static RECOVERY_CODES_TEXT_BYTES])
{
	size_t len = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < codes->count; i++)
		len += (size_t)snprintf(out + len, RECOVERY_CODES_TEXT_BYTES - len, "%s%s", i > 0 ? " " : "", codes->codes[i]);
}

void
recovery_codes_wipe(struct recovery_codes *codes)
{
	secret_wipe(codes, sizeof *codes);
}

enum status
enrollment_by_account(const struct core *core, const struct caller *caller, const char *account_id,
    struct enrollment_who *out)
{
	memset(out, 0, sizeof *out);
	out->realm = caller_realm(caller);
	(void)snprintf(out->account_id, sizeof out->account_id, "%s", account_id);
	return encoding_is_uuid(account_id) ? caller_bind(core, caller, &out->bound) : STATUS_NOT_FOUND;
}

static struct bytes
token_view(const struct enrollment_who *who)
{
	return (struct bytes){ who->has_token ? who->token_digest : NULL, who->has_token ? DIGEST_BYTES : 0 };
}

/* --- starting -------------------------------------------------------------------------------------------------------- */

/* A pending factor on its way to SQL. */
struct pending {
	char factor_id[UUID_TEXT_BYTES];
	struct secret *seed;
	struct db_bytes seed_sealed, name_sealed;
	int64_t seed_key_id, name_key_id;
};

static bool
name_fits(const char *name)
{
	size_t points = text_points(bytes_of(name));

	return points >= 1 && points <= FACTOR_NAME_MAX && text_is_printable(bytes_of(name));
}

static enum status
make_pending(const struct core *core, const struct enrollment_who *who, const char *name, struct pending *out)
{
	struct seal_place place = { who->realm, "factor.seed", out->factor_id, who->account_id };
	enum status st;

	if (name != NULL && !name_fits(name))
		return STATUS_INVALID;
	if ((st = entropy_uuid(out->factor_id)) != STATUS_OK ||
	    (st = secret_new(TOTP_SEED_BYTES, &out->seed)) != STATUS_OK ||
	    (st = entropy_fill(secret_data(out->seed), TOTP_SEED_BYTES)) != STATUS_OK ||
	    (st = vault_seal(core, &place, secret_view(out->seed), &out->seed_sealed, &out->seed_key_id)) != STATUS_OK)
		return st;
	place.column = "factor.name";
	return name == NULL ? STATUS_OK :
	    vault_seal(core, &place, bytes_of(name), &out->name_sealed, &out->name_key_id);
}

/* In place of what was offered, the one that a host began: the page shows the same seed. */
static enum status
take_begun(const struct core *core, const struct enrollment_who *who, const struct totp_start_row *row, struct pending *out)
{
	const struct seal_place place = { who->realm, "factor.seed", row->factor_id, who->account_id };

	if (row->factor_id[0] == '\0')
		return STATUS_OK;
	secret_free(&out->seed);
	memcpy(out->factor_id, row->factor_id, sizeof out->factor_id);
	return vault_open(core, &place, &row->seed_sealed, row->seed_key_id, &out->seed);
}

/* What is shown this once. */
static enum status
show(const struct core *core, const struct enrollment_who *who, const struct pending *pending,
    const struct totp_start_row *row, struct totp_enrollment *out)
{
	char login[TEXT_LOGIN_MAX_BYTES + 1];
	enum status st;

	st = vault_open_login(core, who->realm, who->account_id, &row->login_sealed, row->login_key_id, login);
	if (st != STATUS_OK ||
	    (st = enrollment_uri(core_policy(core, who->realm)->issuer, login, secret_view(pending->seed), &out->uri)) !=
	    STATUS_OK ||
	    (st = secret_new(ENCODING_BASE32_BYTES(TOTP_SEED_BYTES), &out->seed_base32)) != STATUS_OK)
		return st == STATUS_INVALID ? STATUS_INTERNAL : st;
	encoding_base32(secret_view(pending->seed), (char *)secret_data(out->seed_base32));
	memcpy(out->factor_id, pending->factor_id, sizeof out->factor_id);
	out->expires_at_s = row->expires_at_s;
	return STATUS_OK;
}

enum status
enrollment_start(struct core *core, const struct enrollment_who *who, const char *name, struct bytes proof_digest,
    struct totp_enrollment *out)
{
	const struct realm_policy *policy = core_policy(core, who->realm);
	bool proof_missing = false;
	struct totp_start_row row;
	struct pending pending;
	enum status st;

	memset(out, 0, sizeof *out);
	memset(&pending, 0, sizeof pending);
	if ((st = make_pending(core, who, name, &pending)) == STATUS_OK) {
		const struct totp_start in = {
			.account_id = who->account_id,
			.token_digest = token_view(who),
			.factor_id = pending.factor_id,
			.seed_sealed = vault_view(&pending.seed_sealed),
			.seed_key_id = pending.seed_key_id,
			.name_sealed = vault_view(&pending.name_sealed),
			.name_key_id = pending.name_key_id,
			.ttl_s = policy->pending_factor_ttl_s,
			.factors_max = policy->factors_max,
			.proof_digest = proof_digest,
			.proof_required = true,
			.limit = policy->throttle_enrollment_limit,
		};

		st = factor_sql_totp_start(core->db, &who->bound.db, &in, &core->throttles[who->realm], &row);
		if (st == STATUS_OK && row.proof_missing) {
			proof_missing = true;
			st = STATUS_FORBIDDEN;
		}
	}
	if (st == STATUS_OK && row.throttled_s > 0)
		out->retry_after_s = row.throttled_s;
	else if (st == STATUS_OK && (st = take_begun(core, who, &row, &pending)) == STATUS_OK)
		st = show(core, who, &pending, &row, out);
	if (st != STATUS_OK)
		totp_enrollment_wipe(out);
	out->proof_required = proof_missing;
	secret_free(&pending.seed);
	secret_wipe(&pending, sizeof pending);
	return st;
}

enum status
enrollment_start_totp(struct core *core, const struct caller *caller, const char *account_id, const char *name,
    const char *proof, struct totp_enrollment *out)
{
	struct bytes proof_digest = { NULL, 0 };
	uint8_t digest[DIGEST_BYTES];
	struct enrollment_who who;
	enum status st;

	memset(out, 0, sizeof *out);
	if ((st = enrollment_by_account(core, caller, account_id, &who)) != STATUS_OK)
		return st;
	/* a proof that has not a token's form proves nothing */
	if (proof != NULL && vault_token_digest(core, who.realm, "challenge", proof, digest) == STATUS_OK)
		proof_digest = vault_digest_view(digest);
	return enrollment_start(core, &who, name, proof_digest, out);
}

/* --- recovery codes -------------------------------------------------------------------------------------------------- */

enum status
enrollment_make_codes(const struct core *core, enum realm realm, struct enrollment_codes *out)
{
	uint8_t raw[RECOVERY_CODE_RAW_BYTES];
	enum status st = STATUS_OK;

	for (unsigned i = 0; i < RECOVERY_CODE_COUNT && st == STATUS_OK; i++) {
		if ((st = recovery_code_generate(out->shown.codes[i])) == STATUS_OK &&
		    (st = recovery_code_parse(out->shown.codes[i], raw)) == STATUS_OK)
			st = vault_digest(core, realm, "recovery", (struct bytes){ raw, sizeof raw },
			    out->digests + (size_t)i * DIGEST_BYTES);
	}
	out->shown.count = RECOVERY_CODE_COUNT;
	secret_wipe(raw, sizeof raw);
	return st == STATUS_INVALID ? STATUS_INTERNAL : st;
}

struct bytes
enrollment_code_digests(const struct enrollment_codes *codes)
{
	return (struct bytes){ codes->shown.count > 0 ? codes->digests : NULL, codes->shown.count > 0 ? sizeof codes->digests : 0 };
}

/* --- confirming ------------------------------------------------------------------------------------------------------ */

static enum status
match(const struct core *core, const struct enrollment_who *who, const struct totp_confirm_row *begun,
    const char *before, const char *code, int64_t *out_step)
{
	const struct seal_place place = { who->realm, "factor.seed", begun->factor_id, who->account_id };
	struct secret *seed = NULL;
	enum status st;

	if ((st = vault_open(core, &place, &begun->seed_sealed, begun->seed_key_id, &seed)) == STATUS_OK)
		st = before != NULL ? totp_match_pair(secret_view(seed), clock_now_s(), before, code, out_step) :
		    totp_match(secret_view(seed), clock_now_s(), TOTP_NO_STEP, code, out_step);
	secret_free(&seed);
	return st;
}

static enum status
finish(struct core *core, const struct enrollment_who *who, const struct totp_confirm_row *begun, int64_t step,
    struct totp_confirmation *out)
{
	bool matched = step != TOTP_NO_STEP, granted = false, issued = false;
	struct enrollment_codes codes;
	enum status st = STATUS_OK;

	memset(&codes, 0, sizeof codes);
	if (matched && begun->needs_recovery)
		st = enrollment_make_codes(core, who->realm, &codes);
	if (st == STATUS_OK) {
		const struct totp_confirm_finish in = {
			.account_id = who->account_id,
			.token_digest = token_view(who),
			.factor_id = begun->factor_id,
			.matched = matched,
			.step = step,
			.recovery_digests = enrollment_code_digests(&codes),
		};

		st = factor_sql_confirm_finish(core->db, &who->bound.db, &in, &granted, &issued);
	}
	if (st == STATUS_OK && matched && granted) {
		out->verdict = VERDICT_GRANTED;
		if (issued)
			out->codes = codes.shown;
	}
	secret_wipe(&codes, sizeof codes);
	return st;
}

enum status
enrollment_confirm(struct core *core, const struct enrollment_who *who, const char *factor_id, const char *before,
    const char *code, struct totp_confirmation *out)
{
	struct totp_confirm_row begun;
	int64_t step = TOTP_NO_STEP;
	enum status st;

	memset(out, 0, sizeof *out);
	if (!totp_is_code(code) || (before != NULL && !totp_is_code(before)))
		return STATUS_INVALID;
	st = factor_sql_confirm_begin(core->db, &who->bound.db, who->account_id, token_view(who), factor_id,
	    &core->throttles[who->realm], &begun);
	if (st != STATUS_OK)
		return st;
	if (begun.throttled_s > 0) {
		out->verdict = VERDICT_THROTTLED;
		out->retry_after_s = begun.throttled_s;
		return STATUS_OK;
	}
	if ((st = match(core, who, &begun, before, code, &step)) != STATUS_OK)
		return st == STATUS_INVALID ? STATUS_INTERNAL : st;
	return finish(core, who, &begun, step, out);
}

enum status
enrollment_confirm_totp(struct core *core, const struct caller *caller, const char *account_id, const char *factor_id,
    const char *code, struct totp_confirmation *out)
{
	struct enrollment_who who;
	enum status st;

	memset(out, 0, sizeof *out);
	if (!encoding_is_uuid(factor_id))
		return STATUS_NOT_FOUND;
	if ((st = enrollment_by_account(core, caller, account_id, &who)) == STATUS_OK)
		st = enrollment_confirm(core, &who, factor_id, NULL, code, out);
	return st;
}

/* --- what is bound --------------------------------------------------------------------------------------------------- */

static enum status
take_factor(const struct core *core, const struct enrollment_who *who, const struct factor_row *row, struct factor *out)
{
	const struct seal_place place = { who->realm, "factor.name", row->factor_id, who->account_id };
	struct secret *name = NULL;
	enum status st = STATUS_OK;

	memcpy(out->id, row->factor_id, sizeof out->id);
	(void)snprintf(out->kind, sizeof out->kind, "%.15s", row->kind);
	(void)snprintf(out->state, sizeof out->state, "%.15s", row->state);
	out->created_at_s = row->created_at_s;
	out->bound_at_s = row->bound_at_s;
	out->revoked_at_s = row->revoked_at_s;
	out->last_used_at_s = row->last_used_at_s;
	if (row->name_sealed.len == 0)
		return STATUS_OK;
	if ((st = vault_open(core, &place, &row->name_sealed, row->name_key_id, &name)) == STATUS_OK)
		(void)snprintf(out->name, sizeof out->name, "%.*s", (int)secret_view(name).len,
		    (const char *)secret_view(name).data);
	secret_free(&name);
	return st;
}

static enum status
take_factors(const struct core *core, const struct enrollment_who *who, const struct factor_row *rows, unsigned count,
    struct factor_list *out)
{
	enum status st = STATUS_OK;

	out->recovery_codes_left = (int)rows[0].recovery_left;
	if (rows[0].factor_id[0] == '\0')
		return STATUS_OK;
	if ((out->items = calloc(count, sizeof *out->items)) == NULL)
		return STATUS_NO_MEMORY;
	for (unsigned i = 0; i < count && st == STATUS_OK; i++)
		st = take_factor(core, who, &rows[i], &out->items[i]);
	out->count = count;
	return st;
}

void
factor_list_free(struct factor_list *list)
{
	free(list->items);
	*list = (struct factor_list){ NULL, 0, 0 };
}

enum status
enrollment_list(struct core *core, const struct caller *caller, const char *account_id, struct factor_list *out)
{
	struct factor_row *rows = NULL;
	struct enrollment_who who;
	unsigned count = 0;
	enum status st;

	*out = (struct factor_list){ NULL, 0, 0 };
	if ((st = enrollment_by_account(core, caller, account_id, &who)) != STATUS_OK ||
	    (st = factor_sql_list(core->db, &who.bound.db, who.account_id, &rows, &count)) != STATUS_OK)
		return st;
	if ((st = take_factors(core, &who, rows, count, out)) != STATUS_OK)
		factor_list_free(out);
	free(rows);
	return st;
}

enum status
enrollment_revoke(struct core *core, const struct caller *caller, const char *account_id, const char *factor_id)
{
	struct enrollment_who who;
	enum status st;

	if (!encoding_is_uuid(factor_id))
		return STATUS_NOT_FOUND;
	if ((st = enrollment_by_account(core, caller, account_id, &who)) == STATUS_OK)
		st = factor_sql_revoke(core->db, &who.bound.db, who.account_id, factor_id);
	return st;
}

enum status
enrollment_new_recovery_codes(struct core *core, const struct caller *caller, const char *account_id,
    struct recovery_codes *out)
{
	struct enrollment_who who;
	struct enrollment_codes codes;
	enum status st;

	memset(out, 0, sizeof *out);
	memset(&codes, 0, sizeof codes);
	if ((st = enrollment_by_account(core, caller, account_id, &who)) == STATUS_OK &&
	    (st = enrollment_make_codes(core, who.realm, &codes)) == STATUS_OK &&
	    (st = factor_sql_recovery_replace(core->db, &who.bound.db, who.account_id, enrollment_code_digests(&codes))) == STATUS_OK)
		*out = codes.shown;
	secret_wipe(&codes, sizeof codes);
	return st;
}
