/* login.c: the password step. */
#include "core/operation/login.h"

#include <stdio.h>
#include <string.h>

#include "core/operation/hashing.h"
#include "core/operation/login_grant.h"
#include "core/store/login_sql.h"

/* Everything of one attempt; wiped as a whole. */
struct step {
	struct core *core;
	const struct caller *caller;
	enum realm realm;
	struct caller_bound bound;
	char canonical[TEXT_LOGIN_MAX_BYTES + 1];
	uint8_t login_digest[DIGEST_BYTES], device_digest[DIGEST_BYTES];
	bool has_device;
	struct login_begin_row begin;
	struct hashing_check check;
	struct slots_turn turn;
	struct vault_token challenge, session, ticket, next_device;
	char session_id[UUID_TEXT_BYTES];
};

/* --- before Argon2 --------------------------------------------------------------------------------------------------- */

static enum status
begin(struct step *step, const struct login_attempt *attempt)
{
	const struct bytes nothing = { NULL, 0 };
	enum status st;

	if ((st = vault_login(step->core, step->realm, attempt->login, step->canonical, step->login_digest)) != STATUS_OK)
		return st;
	step->has_device = attempt->device_token != NULL && vault_token_digest(step->core, step->realm, "device",
	    attempt->device_token, step->device_digest) == STATUS_OK;
	return login_sql_begin(step->core->db, &step->bound.db, vault_digest_view(step->login_digest),
	    step->has_device ? vault_digest_view(step->device_digest) : nothing, &step->core->throttles[step->realm],
	    &step->begin);
}

/* --- Argon2, with no connection held --------------------------------------------------------------------------------- */

/* The account's own hash, or the decoy of its realm.  One run either way. */
static enum status
verify(struct step *step, struct bytes password)
{
	static const struct db_bytes nothing;

	step->check.place = (struct seal_place){ step->realm, "account.password", step->begin.account_id,
	    step->begin.account_id };
	step->check.sealed = step->begin.reason[0] == '\0' ? &step->begin.password_sealed : &nothing;
	step->check.key_id = step->begin.password_key_id;
	return hashing_run(step->core, &step->turn, &step->check, password);
}

/* What a right password may lead to; SQL takes one of them.  To a host a wrong one must not be quicker. */
static enum status
prepare_tokens(struct step *step)
{
	enum status st;

	if (!step->check.matched && step->caller->kind != CALLER_HOST)
		return STATUS_OK;
	if ((st = vault_token_new(step->core, step->realm, "challenge", &step->challenge)) != STATUS_OK ||
	    (st = vault_token_new(step->core, step->realm, "ticket", &step->ticket)) != STATUS_OK)
		return st;
	if (step->has_device &&
	    (st = vault_token_new(step->core, step->realm, "device", &step->next_device)) != STATUS_OK)
		return st;
	if (step->caller->kind == CALLER_CLIENT &&
	    ((st = entropy_uuid(step->session_id)) != STATUS_OK ||
	    (st = vault_token_new(step->core, step->realm, "session", &step->session)) != STATUS_OK))
		return st;
	return STATUS_OK;
}

/* --- after it -------------------------------------------------------------------------------------------------------- */

static struct bytes
digest_or_null(const struct vault_token *token)
{
	return (struct bytes){ token->text[0] != '\0' ? token->digest : NULL, token->text[0] != '\0' ? DIGEST_BYTES : 0 };
}

static enum status
finish(struct step *step, enum login_demand demand, struct login_finish_row *row)
{
	const struct login_begin_row *begun = &step->begin;
	const struct login_finish in = {
		.account_id = begun->account_id[0] != '\0' ? begun->account_id : NULL,
		.login_digest = vault_digest_view(step->login_digest),
		.attempt = begun->attempt,
		.familiar = begun->familiar,
		.matched = step->check.matched,
		.reason = begun->reason[0] != '\0' ? begun->reason : NULL,
		.password_no = begun->password_no,
		.new_sealed = vault_view(&step->check.refreshed),
		.new_key_id = step->check.refreshed_key_id,
		.password_form = step->check.form,
		.challenge_digest = digest_or_null(&step->challenge),
		.session_id = step->session_id[0] != '\0' ? step->session_id : NULL,
		.session_digest = digest_or_null(&step->session),
		.ticket_digest = digest_or_null(&step->ticket),
		.device_digest = { step->has_device ? step->device_digest : NULL, step->has_device ? DIGEST_BYTES : 0 },
		.next_device_digest = digest_or_null(&step->next_device),
		.password_only = demand == LOGIN_PASSWORD_ONLY && step->caller->kind == CALLER_HOST,
	};

	return login_sql_finish(step->core->db, &step->bound.db, &in, &step->core->throttles[step->realm],
	    &step->core->logins[step->realm], row);
}

static void
refuse(const struct step *step, const struct login_finish_row *row, struct login_result *out)
{
	enum verdict verdict = step->check.matched ? login_refusal_of(row->verdict) : VERDICT_DENIED;

	out->verdict = verdict;
	if (verdict != VERDICT_CHALLENGE && verdict != VERDICT_CHANGE_REQUIRED)
		return;
	memcpy(out->account_id, step->begin.account_id, sizeof out->account_id);
	out->expires_at_s = row->expires_at_s;
	if (verdict == VERDICT_CHANGE_REQUIRED) {
		memcpy(out->ticket, step->ticket.text, sizeof out->ticket);
		return;
	}
	memcpy(out->challenge, step->challenge.text, sizeof out->challenge);
	if (row->has_totp)
		out->factors[out->factor_count++] = "totp";
	if (row->has_recovery)
		out->factors[out->factor_count++] = "recovery_code";
}

static enum status
conclude(const struct step *step, const struct login_finish_row *row, struct login_result *out)
{
	const struct login_proof proof = {
		.verdict = row->verdict, .account_id = step->begin.account_id, .password = step->check.matched,
		.aal = row->aal, .auth_time_s = row->auth_time_s, .expires_at_s = row->expires_at_s,
		.hold_until_s = row->hold_until_s, .session_id = step->session_id, .session = &step->session,
	};

	(void)snprintf(out->reason, sizeof out->reason, "%s", row->reason);
	if (strcmp(row->verdict, "granted") != 0) {
		refuse(step, row, out);
		return STATUS_OK;
	}
	if (row->device)
		memcpy(out->device_token, step->next_device.text, sizeof out->device_token);
	return login_grant(step->caller, &proof, out);
}

/* The step from begin to end; PASSWORD is in its normal form. */
static enum status
run(struct step *step, const struct login_attempt *attempt, struct bytes password, struct login_result *out)
{
	struct login_finish_row row;
	enum status st;

	if ((st = begin(step, attempt)) != STATUS_OK)
		return st;
	(void)snprintf(out->reason, sizeof out->reason, "%s", step->begin.reason);
	if (step->begin.throttled_s > 0) {
		out->verdict = VERDICT_THROTTLED;
		out->retry_after_s = step->begin.throttled_s;
		return STATUS_OK;
	}
	if ((st = verify(step, password)) != STATUS_OK || (st = prepare_tokens(step)) != STATUS_OK) {
		/* never looked at: it is no failure of its owner; should this fail too, it counts as one */
		(void)!login_sql_abandon(step->core->db, &step->bound.db, vault_digest_view(step->login_digest),
		    step->begin.attempt, step->begin.familiar, &step->core->throttles[step->realm]);
		return st;
	}
	if ((st = finish(step, attempt->demand, &row)) != STATUS_OK)
		return st;
	return conclude(step, &row, out);
}

enum status
login_password(struct core *core, const struct caller *caller, const struct login_attempt *attempt,
    struct login_result *out)
{
	struct step step;
	struct secret *password = NULL;
	size_t points;
	enum status st;

	memset(&step, 0, sizeof step);
	memset(out, 0, sizeof *out);
	out->recovery_codes_left = -1;
	step.core = core;
	step.caller = caller;
	step.realm = caller_realm(caller);
	if ((st = caller_bind(core, caller, &step.bound)) == STATUS_OK &&
	    (st = text_password(attempt->password, &password, &points)) == STATUS_OK &&
	    (st = hashing_enter(core, caller, step.realm, &step.turn)) == STATUS_OK) {
		st = run(&step, attempt, secret_view(password), out);
		hashing_leave(core, &step.turn, st == STATUS_OK && out->verdict == VERDICT_DENIED);
	}
	if (st != STATUS_OK) {
		secret_wipe(out, sizeof *out);  /* an error carries no verdict */
		out->recovery_codes_left = -1;
	}
	secret_free(&password);
	secret_wipe(&step, sizeof step);
	return st;
}
