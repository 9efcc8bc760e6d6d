#include "core/operation/host_request_inside.h"

#include <string.h>

#include "core/operation/enroll_code.h"

/* What changed under the dialogue, or was no code, refuses; the rest is the machinery's. */
static enum status
settle(struct host_answer *answer, enum status st)
{
	if (st == STATUS_INVALID || st == STATUS_CONFLICT || st == STATUS_NOT_FOUND)
		return host_answer_decide(answer, HOST_DENY, "enrollment_over");
	return st;
}

static enum status
throttle(struct host_answer *answer, int64_t retry_after_s)
{
	answer->retry_after_s = retry_after_s;
	return host_answer_decide(answer, HOST_THROTTLED, "throttled");
}

static enum status
take_started(struct core *core, const struct caller *caller, const struct host_request *request, const char *account_id,
    struct enroll_code_start *started, struct host_answer *answer)
{
	enum status st = STATUS_OK;

	if (request->wants_link)
		st = enroll_code_link(core, caller, account_id, request->enroll_code, started->enrollment.factor_id,
		    answer->link_token);
	if (st != STATUS_OK)
		return settle(answer, st);
	answer->enrollment = started->enrollment;
	memset(&started->enrollment, 0, sizeof started->enrollment);    /* the answer owns it now */
	return host_answer_decide(answer, HOST_ENROLL_STARTED, "enroll_started");
}

enum status
host_enroll_start(struct core *core, const struct caller *caller, const struct host_request *request,
    const struct account_status *account, struct host_answer *answer)
{
	struct enroll_code_start started;
	enum status st = enroll_code_start(core, caller, account->account_id, request->enroll_code, &started);

	if (st != STATUS_OK)
		st = settle(answer, st);
	else if (started.verdict == VERDICT_GRANTED)
		st = take_started(core, caller, request, account->account_id, &started, answer);
	else if (started.verdict == VERDICT_THROTTLED)
		st = throttle(answer, started.retry_after_s);
	else
		st = host_answer_decide(answer, HOST_DENY, started.reason);
	totp_enrollment_wipe(&started.enrollment);
	return st;
}

/* Who has bound it on the page in the meantime signs in like everybody else. */
static enum status
settle_conflict(struct core *core, const struct caller *caller, const struct host_request *request,
    struct host_answer *answer)
{
	struct account_status now;
	enum status st = account_status(core, caller, bytes_of(request->user), &now);

	if (st == STATUS_OK && now.known && now.second_factor)
		return host_answer_decide(answer, HOST_DENY, "enrolled_meanwhile");
	return st == STATUS_OK ? settle(answer, STATUS_CONFLICT) : st;
}

/* Where it is this very request that bound the authenticator, its reply was lost. */
static enum status
confirm(struct core *core, const struct caller *caller, const struct host_request *request, const char *account_id,
    struct totp_confirmation *out)
{
	enum status st = enroll_code_confirm(core, caller, account_id, request->enroll_code, request->factor_id,
	    request->code_before, request->code, out);

	if (st == STATUS_CONFLICT && request->body.data != NULL)
		st = enroll_code_confirm_again(core, caller, account_id, request->factor_id, out);
	return st;
}

enum status
host_enroll_confirm(struct core *core, const struct caller *caller, const struct host_request *request,
    const struct account_status *account, struct host_answer *answer)
{
	struct totp_confirmation confirmed;
	enum status st = confirm(core, caller, request, account->account_id, &confirmed);

	if (st == STATUS_CONFLICT) {
		st = settle_conflict(core, caller, request, answer);
	} else if (st != STATUS_OK) {
		st = settle(answer, st);
	} else if (confirmed.verdict == VERDICT_GRANTED) {
		answer->codes = confirmed.codes;
		answer->must_change = account->must_change;
		st = host_answer_decide(answer, HOST_ALLOW, "enrolled");
	} else if (confirmed.verdict == VERDICT_THROTTLED) {
		st = throttle(answer, confirmed.retry_after_s);
	} else {
		st = host_answer_decide(answer, HOST_DENY, "wrong_code");
	}
	totp_confirmation_wipe(&confirmed);
	return st;
}
