#include "pam_module/backend.h"

#include <stdio.h>
#include <string.h>

#include "core/operation/account.h"
#include "core/operation/login.h"

struct job {
	struct core *core;
	struct caller caller;
	const struct wire_request *request;
	struct helper_reply *reply;
	struct login_result result;
};

/* --- from the core's words to the wire's ------------------------------------------------------------------------------ */

static void
set_failure(struct helper_reply *reply, enum status st, const char *detail)
{
	static const struct { enum status status; enum answer answer; } rows[] = {
		{ STATUS_INVALID, ANSWER_DENY },
		{ STATUS_NOT_FOUND, ANSWER_UNKNOWN_USER },
		{ STATUS_CONFLICT, ANSWER_DENY },
		{ STATUS_UNAUTHENTICATED, ANSWER_REFUSED },
		{ STATUS_FORBIDDEN, ANSWER_REFUSED },
		{ STATUS_UNAVAILABLE, ANSWER_UNAVAILABLE },
		{ STATUS_OVERLOADED, ANSWER_UNUSABLE },
		{ STATUS_NO_MEMORY, ANSWER_NO_MEMORY },
	};
	enum answer answer = ANSWER_INTERNAL;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].status == st)
			answer = rows[i].answer;
	helper_reply_set(reply, answer, status_name(st), detail);
}

/* A verdict that is no grant. */
static void
set_refusal(struct job *job)
{
	const char *reason = job->result.reason;
	enum answer answer = ANSWER_DENY;

	if (job->result.verdict == VERDICT_THROTTLED)
		answer = ANSWER_THROTTLED;
	else if (strcmp(reason, "unknown_login") == 0)
		answer = ANSWER_UNKNOWN_USER;
	else if (strcmp(reason, "not_enrolled") == 0)
		answer = ANSWER_NOT_ENROLLED;
	job->reply->wire.retry_after_s = (uint32_t)(job->result.retry_after_s > 0 ? job->result.retry_after_s : 0);
	helper_reply_set(job->reply, answer, reason, NULL);
}

static void
set_grant(struct job *job, bool must_change)
{
	job->reply->wire.must_change = must_change;
	helper_reply_set(job->reply, ANSWER_ALLOW, job->result.reason, NULL);
}

/* --- factors ---------------------------------------------------------------------------------------------------------- */

static enum status
check_password(struct job *job, enum login_demand demand)
{
	const struct login_attempt attempt = { .login = bytes_of(job->request->user),
	    .password = bytes_of(job->request->password), .demand = demand };
	enum status st = login_password(job->core, &job->caller, &attempt, &job->result);

	job->reply->wire.password_right = st == STATUS_OK && (job->result.verdict == VERDICT_CHALLENGE ||
	    job->result.verdict == VERDICT_CHANGE_REQUIRED || job->result.verdict == VERDICT_GRANTED ||
	    strcmp(job->result.reason, "not_enrolled") == 0);
	return st;
}

static void
verify_password(struct job *job)
{
	enum status st = check_password(job, LOGIN_PASSWORD_ONLY);

	if (st != STATUS_OK)
		set_failure(job->reply, st, NULL);
	else if (job->result.verdict == VERDICT_GRANTED || job->result.verdict == VERDICT_CHANGE_REQUIRED)
		set_grant(job, job->result.verdict == VERDICT_CHANGE_REQUIRED);
	else
		set_refusal(job);
}

static void
verify_code(struct job *job, bool must_change)
{
	enum status st = login_otp(job->core, &job->caller, bytes_of(job->request->user), job->request->code, &job->result);

	if (st != STATUS_OK)
		set_failure(job->reply, st, NULL);
	else if (job->result.verdict == VERDICT_GRANTED)
		set_grant(job, must_change);
	else
		set_refusal(job);
}

/* The code behind the password.  A grant counts only with both: aal 2. */
static void
verify_challenge(struct job *job)
{
	char challenge[TOKEN_TEXT_BYTES];
	enum status st;

	memcpy(challenge, job->result.challenge, sizeof challenge);
	st = login_code(job->core, &job->caller, challenge, job->request->code, false, &job->result);
	secret_wipe(challenge, sizeof challenge);
	if (st != STATUS_OK)
		set_failure(job->reply, st, NULL);
	else if (job->result.verdict == VERDICT_GRANTED && job->result.aal == 2)
		set_grant(job, false);
	else
		set_refusal(job);
}

static void
verify_both(struct job *job)
{
	enum status st = check_password(job, LOGIN_ALL_FACTORS);

	if (st != STATUS_OK)
		set_failure(job->reply, st, NULL);
	else if (job->result.verdict == VERDICT_CHALLENGE)
		verify_challenge(job);
	else if (job->result.verdict == VERDICT_CHANGE_REQUIRED)
		verify_code(job, true);         /* a password that must change opens no challenge, but the code is due */
	else if (job->result.verdict == VERDICT_GRANTED)
		helper_reply_set(job->reply, ANSWER_NOT_ENROLLED, "not_enrolled", NULL);
	else
		set_refusal(job);
}

/* The work of a login, for somebody who does not exist. */
static void
decoy(struct job *job)
{
	struct wire_request nobody = *job->request;
	char name[UUID_TEXT_BYTES], password[UUID_TEXT_BYTES];
	const struct wire_request *real = job->request;
	enum status st;

	if ((st = entropy_uuid(name)) != STATUS_OK || (st = entropy_uuid(password)) != STATUS_OK) {
		set_failure(job->reply, st, NULL);
		return;
	}
	nobody.user = name;
	nobody.password = password;
	nobody.code = "000000";
	job->request = &nobody;
	if (real->factors == WIRE_OTP)
		verify_code(job, false);
	else
		verify_both(job);
	job->request = real;
	if (job->reply->wire.answer == (uint32_t)ANSWER_ALLOW || job->reply->wire.answer == (uint32_t)ANSWER_UNKNOWN_USER)
		helper_reply_set(job->reply, ANSWER_DENY, "decoy", NULL);
}

/* A name that has no canonical form is nobody's, and costs what a wrong password costs. */
static void
verify(struct job *job)
{
	char canonical[TEXT_LOGIN_MAX_BYTES + 1];
	const struct wire_request *request = job->request;

	if ((request->factors != WIRE_OTP && request->password == NULL) ||
	    (request->factors != WIRE_PASSWORD && request->code == NULL)) {
		helper_reply_set(job->reply, ANSWER_INTERNAL, "incomplete", NULL);
		return;
	}
	if (text_canonical_login(bytes_of(request->user), canonical) != STATUS_OK) {
		decoy(job);
		if (job->reply->wire.answer == (uint32_t)ANSWER_DENY)
			helper_reply_set(job->reply, ANSWER_UNKNOWN_USER, "unknown_login", NULL);
	} else if (request->factors == WIRE_OTP)
		verify_code(job, false);
	else if (request->factors == WIRE_PASSWORD)
		verify_password(job);
	else
		verify_both(job);
}

/* --- the account ------------------------------------------------------------------------------------------------------ */

static void
set_state(struct helper_reply *reply, const struct account_status *account)
{
	reply->wire.enrolled = account->second_factor;
	if (account->training_due_at_s > 0 && account->training_due_at_s <= (int64_t)UINT32_MAX)
		reply->wire.training_due = (uint32_t)account->training_due_at_s;
	if (!account->known || strcmp(account->state, "erased") == 0)
		helper_reply_set(reply, ANSWER_UNKNOWN_USER, "unknown_login", NULL);
	else if (strcmp(account->state, "disabled") == 0)
		helper_reply_set(reply, ANSWER_EXPIRED, "disabled", NULL);
	else if (!account->is_active)
		helper_reply_set(reply, ANSWER_LOCKED, account->state, NULL);
	else if (account->must_change)
		helper_reply_set(reply, ANSWER_CHANGE_REQUIRED, "must_change", NULL);
	else
		helper_reply_set(reply, ANSWER_ALLOW, "active", NULL);
}

/* False: the reply is set. */
static bool
find_account(struct job *job, struct account_status *out)
{
	enum status st = account_status(job->core, &job->caller, bytes_of(job->request->user), out);

	if (st == STATUS_INVALID)
		helper_reply_set(job->reply, ANSWER_UNKNOWN_USER, "unknown_login", NULL);
	else if (st != STATUS_OK)
		set_failure(job->reply, st, NULL);
	return st == STATUS_OK;
}

static void
look(struct job *job)
{
	struct account_status account;

	if (find_account(job, &account))
		set_state(job->reply, &account);
}

static void
change(struct job *job)
{
	struct password_change_result result;
	struct account_status account;
	enum status st;

	if (job->request->password == NULL || job->request->new_password == NULL) {
		helper_reply_set(job->reply, ANSWER_INTERNAL, "incomplete", NULL);
		return;
	}
	if (!find_account(job, &account))
		return;
	if (!account.known) {
		helper_reply_set(job->reply, ANSWER_UNKNOWN_USER, "unknown_login", NULL);
		return;
	}
	st = account_change_password(job->core, &job->caller, account.account_id, bytes_of(job->request->password),
	    bytes_of(job->request->new_password), &result);
	if (st == STATUS_INVALID && result.refusal.reason != NULL)
		helper_reply_set(job->reply, ANSWER_PASSWORD_REFUSED, result.refusal.reason, NULL);
	else if (st != STATUS_OK)
		set_failure(job->reply, st, NULL);
	else if (result.verdict == VERDICT_GRANTED)
		helper_reply_set(job->reply, ANSWER_ALLOW, "changed", NULL);
	else
		helper_reply_set(job->reply, result.verdict == VERDICT_THROTTLED ? ANSWER_THROTTLED : ANSWER_DENY,
		    verdict_name(result.verdict), NULL);
}

/* --- the interface ---------------------------------------------------------------------------------------------------- */

static void
dispatch(struct job *job)
{
	switch (job->request->operation) {
	case WIRE_VERIFY:
		verify(job);
		break;
	case WIRE_DECOY:
		decoy(job);
		break;
	case WIRE_LOOK:
		look(job);
		break;
	case WIRE_CHANGE:
		change(job);
		break;
	default:
		helper_reply_set(job->reply, ANSWER_INTERNAL, "unknown_operation", NULL);
		break;
	}
}

/* The module's time budget over the file's own, where it is shorter. */
static struct core_settings
hurry(const struct core_settings *from, const struct wire_request *request)
{
	struct core_settings settings = *from;
	int64_t connect_s = request->connect_ms / 1000 > 0 ? request->connect_ms / 1000 : 1;

	if (settings.database_connect_timeout_s > connect_s)
		settings.database_connect_timeout_s = connect_s;
	if (settings.database_statement_timeout_ms > (int64_t)request->budget_ms)
		settings.database_statement_timeout_ms = request->budget_ms;
	return settings;
}

void
backend_postgresql(const struct helper_settings *settings, const struct wire_request *request,
    struct helper_reply *reply)
{
	struct job job = { .caller = { .kind = CALLER_HOST, .realm = REALM_STAFF, .source_ip = request->rhost,
	    .service = request->service }, .request = request, .reply = reply };
	const struct core_settings core = hurry(&settings->core, request);
	char error[CONFIG_ERROR_BYTES] = "";
	enum status st;

	wire_id_text(request->id, job.caller.request_id);
	if ((st = core_open(&core, &job.core, error)) == STATUS_INVALID)
		helper_reply_set(reply, ANSWER_MISCONFIGURED, "misconfigured", error);
	else if (st != STATUS_OK)
		set_failure(reply, st, error);
	else
		dispatch(&job);
	login_result_wipe(&job.result);
	core_close(&job.core);
}
