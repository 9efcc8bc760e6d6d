/* login_code.c: the code step: after a password, or (on a host) behind an ssh key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/credential/recovery_code.h"
#include "core/credential/totp.h"
#include "core/operation/login_grant.h"
#include "core/store/login_sql.h"

struct step {
	struct core *core;
	const struct caller *caller;
	enum realm realm;
	struct caller_bound bound;
	const char *code;
	bool after_password, step_up, remember_device;
	bool is_decoy;                  /* behind a wrong password: whatever comes of it denies */
	bool is_decoy_due;              /* a refused begin is followed by a finish, as a wrong code is */
	uint8_t challenge_digest[DIGEST_BYTES], recovery_digest[DIGEST_BYTES];
	struct challenge_begin_row *rows;       /* the first carries the outcome of begin */
	unsigned row_count;
	const struct challenge_begin_row *matched;      /* the factor whose code it is; NULL: none */
	int64_t matched_step;
	bool has_recovery;
	struct vault_token session, device;
	char session_id[UUID_TEXT_BYTES], device_id[UUID_TEXT_BYTES];
};

#define DECOY "decoy"           /* SQL's word, for a kind of challenge and in the place of familiarity */

/* --- what was typed -------------------------------------------------------------------------------------------------- */

static enum status
take_code(struct step *step, const char *code)
{
	uint8_t raw[RECOVERY_CODE_RAW_BYTES];
	enum status st;

	step->code = code;
	if (totp_is_code(code))
		return STATUS_OK;
	if ((st = recovery_code_parse(code, raw)) != STATUS_OK)
		return st;
	st = vault_digest(step->core, step->realm, "recovery", (struct bytes){ raw, sizeof raw }, step->recovery_digest);
	step->has_recovery = st == STATUS_OK;
	secret_wipe(raw, sizeof raw);
	return st;
}

/* Is the code this factor's, now or a step ago?  Whether the step was used before is SQL's to say, in the statement that
 * uses it up. */
static enum status
match_factor(struct step *step, const struct challenge_begin_row *row, int64_t now_s)
{
	const struct seal_place place = { step->realm, "factor.seed", row->factor_id, step->rows[0].account_id };
	int64_t found = TOTP_NO_STEP;
	struct secret *seed = NULL;
	enum status st;

	if ((st = vault_open(step->core, &place, &row->seed_sealed, row->seed_key_id, &seed)) != STATUS_OK)
		return st;
	if ((st = totp_match(secret_view(seed), now_s, TOTP_NO_STEP, step->code, &found)) == STATUS_OK &&
	    found != TOTP_NO_STEP && (step->matched == NULL || found > row->last_step)) {
		step->matched = row;
		step->matched_step = found;
	}
	secret_free(&seed);
	return st == STATUS_INVALID ? STATUS_INTERNAL : st;     /* the shape was looked at: it is the seed */
}

/* A decoy has no factor: one that nobody ever saw, so that there is a seed to open and a code to compare. */
static enum status
invent_factor(struct step *step)
{
	struct challenge_begin_row *row = &step->rows[0];
	const struct seal_place place = { step->realm, "factor.seed", row->factor_id, row->account_id };
	uint8_t seed[TOTP_SEED_BYTES];
	enum status st;

	if ((st = entropy_uuid(row->account_id)) == STATUS_OK && (st = entropy_uuid(row->factor_id)) == STATUS_OK &&
	    (st = entropy_fill(seed, sizeof seed)) == STATUS_OK)
		st = vault_seal(step->core, &place, (struct bytes){ seed, sizeof seed }, &row->seed_sealed, &row->seed_key_id);
	secret_wipe(seed, sizeof seed);
	return st;
}

static enum status
match(struct step *step)
{
	int64_t now_s = clock_now_s();
	enum status st = step->is_decoy ? invent_factor(step) : STATUS_OK;

	for (unsigned i = 0; i < step->row_count && st == STATUS_OK && !step->has_recovery; i++)
		if (step->rows[i].factor_id[0] != '\0')
			st = match_factor(step, &step->rows[i], now_s);
	return st;
}

/* --- what comes of it ------------------------------------------------------------------------------------------------ */

static enum status
prepare_tokens(struct step *step)
{
	enum status st;

	if ((step->matched == NULL && !step->has_recovery) || step->caller->kind != CALLER_CLIENT || step->step_up)
		return STATUS_OK;
	if ((st = entropy_uuid(step->session_id)) != STATUS_OK ||
	    (st = vault_token_new(step->core, step->realm, "session", &step->session)) != STATUS_OK)
		return st;
	if (!step->remember_device)
		return STATUS_OK;
	if ((st = entropy_uuid(step->device_id)) != STATUS_OK)
		return st;
	return vault_token_new(step->core, step->realm, "device", &step->device);
}

static struct bytes
view_if(bool there, const uint8_t *digest)
{
	return (struct bytes){ there ? digest : NULL, there ? DIGEST_BYTES : 0 };
}

static enum status
finish(struct step *step, struct challenge_finish_row *row)
{
	const struct challenge_begin_row *begun = &step->rows[0];
	bool has_session = step->session.text[0] != '\0', has_device = step->device.text[0] != '\0';
	const struct challenge_finish in = {
		.challenge_digest = vault_digest_view(step->challenge_digest),
		.account_id = begun->account_id[0] != '\0' ? begun->account_id : NULL,
		.familiar = begun->familiar,
		.factor_id = step->matched != NULL ? step->matched->factor_id : NULL,
		.step = step->matched_step,
		.recovery_digest = view_if(step->has_recovery, step->recovery_digest),
		.session_id = has_session ? step->session_id : NULL,
		.session_digest = view_if(has_session, step->session.digest),
		.device_id = has_device ? step->device_id : NULL,
		.device_digest = view_if(has_device, step->device.digest),
	};

	return login_sql_challenge_finish(step->core->db, &step->bound.db, &in, &step->core->logins[step->realm], row);
}

static enum status
conclude(const struct step *step, const struct challenge_finish_row *row, struct login_result *out)
{
	/* a step that begin already showed as used up proves nothing, whatever SQL may say */
	bool fresh = step->matched != NULL && step->matched_step > step->matched->last_step;
	const struct login_proof proof = {
		.verdict = row->verdict, .account_id = step->rows[0].account_id, .code = fresh || step->has_recovery,
		.code_after_password = step->after_password, .step_up = step->step_up, .aal = row->aal, .auth_time_s = row->auth_time_s,
		.expires_at_s = row->expires_at_s, .hold_until_s = row->hold_until_s, .session_id = step->session_id,
		.session = &step->session,
	};

	(void)snprintf(out->reason, sizeof out->reason, "%s", row->reason);
	out->recovery_codes_left = -1;
	if (step->is_decoy || strcmp(row->verdict, "granted") != 0)
		return STATUS_OK;       /* DENIED, as OUT began */
	if (step->has_recovery)
		out->recovery_codes_left = (int)row->recovery_left;
	if (row->device)
		memcpy(out->device_token, step->device.text, sizeof out->device_token);
	return login_grant(step->caller, &proof, out);
}

/* From the rows of begin to the end. */
static enum status
run(struct step *step, struct login_result *out, struct challenge_finish_row *row)
{
	const struct challenge_begin_row *begun = &step->rows[0];
	enum status st;

	if (begun->reason[0] != '\0' || begun->throttled_s > 0) {
		(void)snprintf(out->reason, sizeof out->reason, "%s", begun->reason);
		out->verdict = begun->throttled_s > 0 ? VERDICT_THROTTLED : VERDICT_DENIED;
		out->retry_after_s = begun->throttled_s;
		if (!step->is_decoy_due || (out->verdict == VERDICT_THROTTLED && !step->after_password))
			return STATUS_OK;
		(void)snprintf(step->rows[0].familiar, sizeof step->rows[0].familiar, DECOY);
		return finish(step, row);
	}
	if ((st = match(step)) != STATUS_OK || (st = prepare_tokens(step)) != STATUS_OK ||
	    (st = finish(step, row)) != STATUS_OK)
		return st;
	return conclude(step, row, out);
}

static void
start(struct step *step, struct core *core, const struct caller *caller, struct login_result *out)
{
	memset(step, 0, sizeof *step);
	memset(out, 0, sizeof *out);
	out->recovery_codes_left = -1;
	step->core = core;
	step->caller = caller;
	step->realm = caller_realm(caller);
}

static enum status
end(struct step *step, enum status st, struct login_result *out)
{
	if (st != STATUS_OK) {
		secret_wipe(out, sizeof *out);
		out->recovery_codes_left = -1;
	}
	free(step->rows);
	secret_wipe(step, sizeof *step);
	return st;
}

enum status
login_run_challenge(struct core *core, const struct caller *caller, const char *kind, const char *challenge,
    const char *code, bool remember_device, struct login_result *out, struct challenge_finish_row *row)
{
	struct step step;
	enum status st;

	start(&step, core, caller, out);
	memset(row, 0, sizeof *row);
	step.step_up = strcmp(kind, "step_up") == 0;
	step.after_password = !step.step_up;
	step.is_decoy_due = caller->kind == CALLER_HOST;
	step.remember_device = remember_device;
	if ((st = caller_bind(core, caller, &step.bound)) == STATUS_OK && (st = take_code(&step, code)) == STATUS_OK &&
	    (st = vault_token_digest(core, step.realm, "challenge", challenge, step.challenge_digest)) == STATUS_OK &&
	    (st = login_sql_challenge_begin(core->db, &step.bound.db, vault_digest_view(step.challenge_digest), kind,
	    core_policy(core, step.realm)->challenge_tries, &core->throttles[step.realm], &step.rows, &step.row_count)) ==
	    STATUS_OK)
		st = run(&step, out, row);
	return end(&step, st, out);
}

enum status
login_code(struct core *core, const struct caller *caller, const char *challenge, const char *code,
    bool remember_device, struct login_result *out)
{
	struct challenge_finish_row row;

	return login_run_challenge(core, caller, "login", challenge, code, remember_device, out, &row);
}

enum status
login_code_decoy(struct core *core, const struct caller *caller, const char *code, struct login_result *out)
{
	struct challenge_finish_row row;
	struct vault_token challenge;
	struct step step;
	enum status st;

	start(&step, core, caller, out);
	step.is_decoy = true;
	if ((st = caller_bind(core, caller, &step.bound)) == STATUS_OK && (st = take_code(&step, code)) == STATUS_OK &&
	    (st = vault_token_new(core, step.realm, "challenge", &challenge)) == STATUS_OK) {
		memcpy(step.challenge_digest, challenge.digest, sizeof step.challenge_digest);
		vault_token_wipe(&challenge);
		st = login_sql_challenge_begin(core->db, &step.bound.db, vault_digest_view(step.challenge_digest), DECOY,
		    core_policy(core, step.realm)->challenge_tries, &core->throttles[step.realm], &step.rows, &step.row_count);
		if (st == STATUS_OK)
			st = run(&step, out, &row);
	}
	return end(&step, st, out);
}

enum status
login_otp(struct core *core, const struct caller *caller, struct bytes login, const char *code,
    struct login_result *out)
{
	char canonical[TEXT_LOGIN_MAX_BYTES + 1];
	uint8_t login_digest[DIGEST_BYTES];
	struct challenge_finish_row row;
	struct vault_token challenge;
	struct step step;
	enum status st;

	start(&step, core, caller, out);
	if (caller->kind != CALLER_HOST)
		return end(&step, STATUS_FORBIDDEN, out);
	step.is_decoy_due = true;       /* an unknown login takes as many calls as a known one */
	if ((st = caller_bind(core, caller, &step.bound)) == STATUS_OK && (st = take_code(&step, code)) == STATUS_OK &&
	    (st = vault_login(core, step.realm, login, canonical, login_digest)) == STATUS_OK &&
	    (st = vault_token_new(core, step.realm, "challenge", &challenge)) == STATUS_OK) {
		memcpy(step.challenge_digest, challenge.digest, sizeof step.challenge_digest);
		vault_token_wipe(&challenge);
		st = login_sql_otp_begin(core->db, &step.bound.db, vault_digest_view(login_digest),
		    vault_digest_view(step.challenge_digest), &core->throttles[step.realm], &step.rows, &step.row_count);
		if (st == STATUS_OK)
			st = run(&step, out, &row);
	}
	return end(&step, st, out);
}

enum status
login_page_proof(struct core *core, const struct caller *page, enum realm realm, struct bytes page_digest,
    const char *code, uint8_t out_proof[static DIGEST_BYTES], struct login_result *out)
{
	const struct realm_policy *policy = core_policy(core, realm);
	struct challenge_finish_row row;
	struct vault_token challenge;
	struct step step;
	enum status st;

	start(&step, core, page, out);
	step.realm = realm;
	step.step_up = true;
	if ((st = caller_bind_page(page, &step.bound)) == STATUS_OK && (st = take_code(&step, code)) == STATUS_OK &&
	    (st = vault_token_new(core, realm, "challenge", &challenge)) == STATUS_OK) {
		memcpy(step.challenge_digest, challenge.digest, sizeof step.challenge_digest);
		memcpy(out_proof, challenge.digest, DIGEST_BYTES);
		vault_token_wipe(&challenge);
		st = login_sql_page_proof_begin(core->db, &step.bound.db, page_digest,
		    vault_digest_view(step.challenge_digest), policy->challenge_ttl_s, &core->throttles[realm], &step.rows,
		    &step.row_count);
		if (st == STATUS_OK)
			st = run(&step, out, &row);
	}
	return end(&step, st, out);
}
