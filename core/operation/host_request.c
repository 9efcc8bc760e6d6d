#include "core/operation/host_request_inside.h"

#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/encoding.h"
#include "core/operation/login.h"
#include "core/operation/password_policy.h"
#include "core/operation/vault.h"
#include "core/store/host_sql.h"

struct job {
	struct core *core;
	const struct caller *caller;
	const struct host_request *request;
	struct host_answer *answer;
	struct login_result result;
};

static enum status
decide(struct job *job, enum host_decision decision, const char *reason)
{
	return host_answer_decide(job->answer, decision, reason);
}

/* What the person typed was out of bounds: that denies.  Everything else is the machinery's. */
static enum status
settle(struct job *job, enum status st)
{
	if (st == STATUS_INVALID || st == STATUS_CONFLICT)
		return decide(job, HOST_DENY, status_name(st));
	return st == STATUS_NOT_FOUND ? decide(job, HOST_UNKNOWN_USER, status_name(st)) : st;
}

/* A verdict that is no grant. */
static enum status
refuse(struct job *job)
{
	const char *reason = job->result.reason;
	enum host_decision decision = HOST_DENY;

	if (job->result.verdict == VERDICT_THROTTLED)
		decision = HOST_THROTTLED;
	else if (strcmp(reason, "unknown_login") == 0)
		decision = HOST_UNKNOWN_USER;
	else if (strcmp(reason, "not_enrolled") == 0)
		decision = HOST_NOT_ENROLLED;
	job->answer->retry_after_s = job->result.retry_after_s > 0 ? job->result.retry_after_s : 0;
	return decide(job, decision, reason);
}

static enum status
grant(struct job *job, bool must_change)
{
	job->answer->must_change = must_change;
	return decide(job, HOST_ALLOW, job->result.reason);
}

/* --- factors ---------------------------------------------------------------------------------------------------------- */

static enum status
check_password(struct job *job, enum login_demand demand)
{
	const struct login_attempt attempt = { .login = bytes_of(job->request->user),
	    .password = bytes_of(job->request->password), .demand = demand };
	enum status st = login_password(job->core, job->caller, &attempt, &job->result);

	job->answer->password_right = st == STATUS_OK && (job->result.verdict == VERDICT_CHALLENGE ||
	    job->result.verdict == VERDICT_CHANGE_REQUIRED || job->result.verdict == VERDICT_GRANTED ||
	    strcmp(job->result.reason, "not_enrolled") == 0);
	return st;
}

static enum status
verify_password(struct job *job)
{
	enum status st = check_password(job, LOGIN_PASSWORD_ONLY);

	if (st != STATUS_OK)
		return settle(job, st);
	if (job->result.verdict == VERDICT_GRANTED || job->result.verdict == VERDICT_CHANGE_REQUIRED)
		return grant(job, job->result.verdict == VERDICT_CHANGE_REQUIRED);
	return refuse(job);
}

static enum status
verify_code(struct job *job, bool must_change)
{
	enum status st = login_otp(job->core, job->caller, bytes_of(job->request->user), job->request->code, &job->result);

	if (st != STATUS_OK)
		return settle(job, st);
	return job->result.verdict == VERDICT_GRANTED ? grant(job, must_change) : refuse(job);
}

/* The code behind the password.  A grant counts only with both: aal 2. */
static enum status
verify_challenge(struct job *job)
{
	char challenge[TOKEN_TEXT_BYTES];
	enum status st;

	memcpy(challenge, job->result.challenge, sizeof challenge);
	st = login_code(job->core, job->caller, challenge, job->request->code, false, &job->result);
	secret_wipe(challenge, sizeof challenge);
	if (st != STATUS_OK)
		return settle(job, st);
	return job->result.verdict == VERDICT_GRANTED && job->result.aal == 2 ? grant(job, false) : refuse(job);
}

/* The password was wrong, or there is none: the code step is gone through all the same, or a quick answer would say so. */
static enum status
refuse_password(struct job *job)
{
	struct login_result decoy;
	enum status st = login_code_decoy(job->core, job->caller, job->request->code, &decoy);

	login_result_wipe(&decoy);
	return st == STATUS_OK || st == STATUS_INVALID ? refuse(job) : st;
}

static enum status
verify_both(struct job *job)
{
	enum status st = check_password(job, LOGIN_ALL_FACTORS);

	if (st != STATUS_OK)
		return settle(job, st);
	switch (job->result.verdict) {
	case VERDICT_CHALLENGE:
		return verify_challenge(job);
	case VERDICT_CHANGE_REQUIRED:           /* a password that must change opens no challenge, but the code is due */
		return verify_code(job, true);
	case VERDICT_GRANTED:
		return decide(job, HOST_NOT_ENROLLED, "not_enrolled");
	case VERDICT_DENIED:
		return refuse_password(job);
	case VERDICT_THROTTLED:                 /* before the password was looked at */
	default:
		return refuse(job);
	}
}

static enum status
verify_factors(struct job *job, enum host_factors factors)
{
	if (factors == HOST_OTP)
		return verify_code(job, false);
	return factors == HOST_PASSWORD ? verify_password(job) : verify_both(job);
}

/* The work of a login, for somebody who does not exist. */
static enum status
decoy(struct job *job)
{
	char name[UUID_TEXT_BYTES], password[UUID_TEXT_BYTES];
	const struct host_request *real = job->request;
	const struct host_request nobody = { .operation = HOST_VERIFY, .user = name, .password = password, .code = "000000" };
	enum status st;

	if ((st = entropy_uuid(name)) != STATUS_OK || (st = entropy_uuid(password)) != STATUS_OK)
		return st;
	job->request = &nobody;
	st = verify_factors(job, real->factors);
	job->request = real;
	if (st == STATUS_OK && (job->answer->decision == HOST_ALLOW || job->answer->decision == HOST_UNKNOWN_USER))
		return decide(job, HOST_DENY, "decoy");
	return st;
}

/* A name that is not its own canonical form is another user of the host, and none of Counterfoil's: letting it in would let
 * alice be Alice.  It costs what a wrong password costs. */
static enum status
verify(struct job *job)
{
	const struct host_request *request = job->request;
	enum status st;

	if (!text_is_canonical_login(request->user)) {
		st = decoy(job);
		return st == STATUS_OK && job->answer->decision == HOST_DENY ?
		    decide(job, HOST_UNKNOWN_USER, "unknown_login") : st;
	}
	return verify_factors(job, request->factors);
}

/* --- the account ------------------------------------------------------------------------------------------------------ */

/* False: it was decided, or *st says what failed. */
static bool
find_account(struct job *job, struct account_status *out, enum status *st)
{
	*st = !text_is_canonical_login(job->request->user) ? STATUS_INVALID :
	    account_status(job->core, job->caller, bytes_of(job->request->user), out);
	if (*st == STATUS_INVALID || (*st == STATUS_OK && (!out->known || strcmp(out->state, "erased") == 0))) {
		*st = decide(job, HOST_UNKNOWN_USER, "unknown_login");
		return false;
	}
	return *st == STATUS_OK;
}

static enum status
look(struct job *job)
{
	struct account_status account;
	enum status st;

	if (!find_account(job, &account, &st))
		return st;
	job->answer->enrolled = account.second_factor;
	job->answer->training_due_at_s = account.training_due_at_s;
	if (strcmp(account.state, "disabled") == 0)
		return decide(job, HOST_EXPIRED, "disabled");
	if (!account.is_active)
		return decide(job, HOST_LOCKED, account.state);
	return account.must_change ? decide(job, HOST_CHANGE_REQUIRED, "must_change") : decide(job, HOST_ALLOW, "active");
}

static enum status
change(struct job *job)
{
	struct password_change_result result;
	struct account_status account;
	enum status st;

	if (!find_account(job, &account, &st))
		return st;
	st = account_change_password(job->core, job->caller, account.account_id, bytes_of(job->request->password),
	    bytes_of(job->request->new_password), &result);
	if (st == STATUS_INVALID && result.refusal.reason != NULL)
		return decide(job, HOST_PASSWORD_REFUSED, result.refusal.reason);
	if (st != STATUS_OK)
		return settle(job, st);
	job->answer->retry_after_s = result.retry_after_s;
	if (result.verdict == VERDICT_GRANTED)
		return decide(job, HOST_ALLOW, "changed");
	return decide(job, result.verdict == VERDICT_THROTTLED ? HOST_THROTTLED : HOST_DENY, verdict_name(result.verdict));
}

/* A host's word that the password was right is not enough. */
static enum status
enroll_start(struct job *job, const struct account_status *account)
{
	enum status st = check_password(job, LOGIN_ALL_FACTORS);

	if (st != STATUS_OK)
		return settle(job, st);
	return job->answer->password_right ?
	    host_enroll_start(job->core, job->caller, job->request, account, job->answer) : refuse(job);
}

static enum status
enroll(struct job *job)
{
	struct account_status account;
	enum status st;

	if (!find_account(job, &account, &st))
		return st;
	return job->request->operation == HOST_ENROLL_START ? enroll_start(job, &account) :
	    host_enroll_confirm(job->core, job->caller, job->request, &account, job->answer);
}

/* --- sessions --------------------------------------------------------------------------------------------------------- */

/* STATUS_INVALID: no login of Counterfoil's. */
static enum status
digest_login(const struct job *job, const char *name, uint8_t out[static DIGEST_BYTES])
{
	char canonical[TEXT_LOGIN_MAX_BYTES + 1];

	if (!text_is_canonical_login(name))
		return STATUS_INVALID;
	return vault_login(job->core, REALM_STAFF, bytes_of(name), canonical, out);
}

/* The trail names nobody in clear: another login goes in by its digest.  root is the same on every host, and nobody's own. */
static enum status
name_target(struct job *job, char out[static 2 * DIGEST_BYTES + 1])
{
	const char *target = job->request->target;
	uint8_t digest[DIGEST_BYTES];
	enum status st;

	out[0] = '\0';
	if (target == NULL || strcmp(target, job->request->user) == 0)
		return STATUS_OK;
	if (strcmp(target, "root") == 0) {
		memcpy(out, "root", sizeof "root");
		return STATUS_OK;
	}
	st = digest_login(job, target, digest);
	if (st == STATUS_OK)
		encoding_hex(vault_digest_view(digest), out);
	return st == STATUS_INVALID ? STATUS_OK : st;
}

static enum status
record_session(struct job *job, const char *kind)
{
	char target[2 * DIGEST_BYTES + 1];
	struct host_session session = { .kind = kind, .tty = job->request->tty };
	uint8_t digest[DIGEST_BYTES];
	struct caller_bound bound;
	enum status st;

	if ((st = digest_login(job, job->request->user, digest)) == STATUS_OK)
		session.login_digest = vault_digest_view(digest);
	else if (st != STATUS_INVALID)
		return st;
	if ((st = name_target(job, target)) != STATUS_OK)
		return st;
	session.target = target[0] != '\0' ? target : NULL;
	if ((st = caller_bind(job->core, job->caller, &bound)) != STATUS_OK || (st = host_sql_session(job->core->db,
	    &bound.db, &session, &job->core->throttles[REALM_STAFF], &job->answer->retry_after_s)) != STATUS_OK)
		return st;
	return job->answer->retry_after_s > 0 ? decide(job, HOST_THROTTLED, "throttled") : decide(job, HOST_ALLOW, kind);
}

/* --- the interface ---------------------------------------------------------------------------------------------------- */

bool
host_request_is_complete(const struct host_request *request)
{
	switch (request->operation) {
	case HOST_VERIFY:
		return (request->factors == HOST_OTP || request->password != NULL) &&
		    (request->factors == HOST_PASSWORD || request->code != NULL);
	case HOST_CHANGE:
		return request->password != NULL && request->new_password != NULL;
	case HOST_ENROLL_START:
		return request->password != NULL && request->enroll_code != NULL;
	case HOST_ENROLL_CONFIRM:
		return request->enroll_code != NULL && request->factor_id != NULL && request->code_before != NULL &&
		    request->code != NULL;
	case HOST_BREAKGLASS:
		return request->fact != NULL;
	case HOST_DECOY:
	case HOST_LOOK:
	case HOST_SESSION_OPEN:
	case HOST_SESSION_CLOSE:
		return true;
	default:
		return false;
	}
}

static enum status
record_fact(struct job *job)
{
	enum status st = breakglass_trail_record(job->core, job->caller, bytes_of(job->request->user), job->request->fact);

	return st == STATUS_OK ? decide(job, HOST_ALLOW, "recorded") : settle(job, st);
}

static enum status
dispatch(struct job *job)
{
	switch (job->request->operation) {
	case HOST_VERIFY:
		return verify(job);
	case HOST_DECOY:
		return decoy(job);
	case HOST_LOOK:
		return look(job);
	case HOST_CHANGE:
		return change(job);
	case HOST_ENROLL_START:
	case HOST_ENROLL_CONFIRM:
		return enroll(job);
	case HOST_SESSION_OPEN:
		return record_session(job, "session_opened");
	case HOST_SESSION_CLOSE:
		return record_session(job, "session_closed");
	case HOST_BREAKGLASS:
		return record_fact(job);
	default:
		return STATUS_INTERNAL;
	}
}

static void
fail(struct host_answer *answer)
{
	host_answer_wipe(answer);
	(void)host_answer_decide(answer, HOST_DENY, "failed");
}

static enum status
decide_anew(struct job *job)
{
	enum status st = dispatch(job);

	login_result_wipe(&job->result);
	if (st != STATUS_OK)
		fail(job->answer);
	return st;
}

/* --- once, however often it comes ------------------------------------------------------------------------------------- */

/* False: a word that is no decision's.  What OUT has to show it keeps where the decision is the same. */
static bool
take_decided(const struct host_decided *decided, struct host_answer *out)
{
	for (int decision = HOST_DENY; decision <= HOST_ALLOW; decision++)
		if (strcmp(decided->decision, host_decision_name((enum host_decision)decision)) == 0) {
			if (out->decision != (enum host_decision)decision)
				host_answer_wipe(out);
			out->password_right = decided->password_right;
			out->must_change = decided->must_change;
			out->retry_after_s = decided->retry_after_s;
			(void)host_answer_decide(out, (enum host_decision)decision, decided->reason);
			return true;
		}
	return false;
}

/* What was shown once is kept nowhere: for a reply that was lost the work is done again, and what it brought is void. */
static bool
is_kept(const struct host_request *request, const struct host_decided *decided)
{
	return (request->operation != HOST_ENROLL_START && request->operation != HOST_ENROLL_CONFIRM) ||
	    (strcmp(decided->decision, "enroll_started") != 0 && strcmp(decided->decision, "allow") != 0);
}

static enum status
remember(struct job *job, const struct db_caller *caller)
{
	const struct host_answer *answer = job->answer;
	struct host_decided decided = { .password_right = answer->password_right, .must_change = answer->must_change,
	    .retry_after_s = answer->retry_after_s };
	enum status st;

	(void)snprintf(decided.decision, sizeof decided.decision, "%s", host_decision_name(answer->decision));
	(void)snprintf(decided.reason, sizeof decided.reason, "%s", answer->reason);
	if ((st = host_sql_finish(job->core->db, caller, &decided)) == STATUS_OK && !take_decided(&decided, job->answer))
		st = STATUS_INTERNAL;
	if (st != STATUS_OK)
		fail(job->answer);
	return st;
}

static enum status
decide_once(struct job *job)
{
	struct host_decided before;
	uint8_t digest[DIGEST_BYTES];
	struct caller_bound bound;
	enum status st;

	if ((st = vault_digest(job->core, REALM_STAFF, "host_request", job->request->body, digest)) != STATUS_OK ||
	    (st = caller_bind(job->core, job->caller, &bound)) != STATUS_OK ||
	    (st = host_sql_begin(job->core->db, &bound.db, vault_digest_view(digest), &before)) != STATUS_OK)
		return st;
	if (before.known && is_kept(job->request, &before))
		return take_decided(&before, job->answer) ? STATUS_OK : STATUS_INTERNAL;
	if ((st = decide_anew(job)) != STATUS_OK || before.known)
		return st;
	return remember(job, &bound.db);
}

/* --- the ticket for an outage ----------------------------------------------------------------------------------------- */

/* A code was right behind a key: two factors.  A host that has no key of its own has no id to bind it to. */
static bool
earns_ticket(const struct job *job)
{
	const struct caller *caller = job->caller;

	return job->request->wants_ticket && job->answer->decision == HOST_ALLOW && job->request->operation == HOST_VERIFY &&
	    job->request->factors == HOST_OTP && caller->key_id[0] != '\0' && caller->user_agent != NULL &&
	    caller->service != NULL && strcmp(caller->service, "sshd") == 0;
}

/* Made anew for a question that comes again: it says the same. */
static enum status
sign_ticket(struct job *job)
{
	const struct offline_ticket_bound bound = { job->request->user, job->caller->key_id, job->caller->user_agent };
	int64_t now_s = clock_now_s(), life_s = core_policy(job->core, REALM_STAFF)->offline_ticket_ttl_s;
	const struct offline_ticket_life life = { now_s, now_s + life_s };
	uint8_t seed[OFFLINE_TICKET_SEED_BYTES];
	enum status st;

	if (life_s == 0 || !earns_ticket(job))
		return STATUS_OK;
	if ((st = offline_ticket_seed(job->core->keyring, seed)) == STATUS_OK)
		st = offline_ticket_sign(seed, &bound, &life, job->answer->ticket);
	secret_wipe(seed, sizeof seed);
	if (st != STATUS_OK)
		fail(job->answer);
	return st;
}

enum status
host_request_run(struct core *core, const struct caller *caller, const struct host_request *request,
    struct host_answer *out)
{
	struct job job = { .core = core, .caller = caller, .request = request, .answer = out };
	enum status st;

	*out = (struct host_answer){ .decision = HOST_DENY, .reason = "denied" };
	if (!host_request_is_complete(request))
		return STATUS_INVALID;
	st = request->body.data != NULL ? decide_once(&job) : decide_anew(&job);
	if (out->decision == HOST_PASSWORD_REFUSED)
		out->minimum_points = password_policy_minimum(core, REALM_STAFF);
	return st == STATUS_OK ? sign_ticket(&job) : st;
}
