#include "pam_module/account.h"

#include <stdio.h>
#include <sys/auxv.h>
#include <time.h>

#include "pam_module/collect.h"

enum { REMIND_DAYS = 14, DAY_S = 86400 };

/* Jobs run while nobody can be asked and while the service may be away: these have to be named to be checked. */
#define UNATTENDED "cron crond atd systemd-user runuser runuser-l"

bool
account_is_off(const struct call *call)
{
	return call->conf.account == ACCOUNT_OFF ||
	    (conf_list_has(UNATTENDED, call->who.service) && !call->conf.has_own_section);
}

static enum answer
of_marker(const struct marker *marker)
{
	return marker->must_change ? ANSWER_CHANGE_REQUIRED : ANSWER_ALLOW;
}

static enum answer
remind(const struct call *call, const char *when)
{
	char text[160];

	(void)snprintf(text, sizeof text, "Your security training %s.", when);
	collect_tell(call, text);
	return ANSWER_ALLOW;
}

static enum answer
settle(const struct call *call, enum answer answer)
{
	if (answer == ANSWER_UNKNOWN_USER && call->conf.unknown_user == UNKNOWN_IGNORE)
		return ANSWER_IGNORE_UNKNOWN;
	if (answer == ANSWER_UNAVAILABLE && call->conf.fail == FAIL_IGNORE_UNAVAILABLE && getauxval(AT_SECURE) == 0)
		return ANSWER_IGNORE_UNAVAILABLE;
	return answer;
}

/* MARKER: of the auth phase, or NULL.  Who was let in by a break-glass code a moment ago is not turned away because there is
 * still nobody to ask; if there is, the answer counts. */
static enum answer
ask_for_state(struct call *call, const struct marker *marker)
{
	struct wire_request request = call_request(call, WIRE_LOOK);
	enum answer answer;

	if (call->who.odd)
		return settle(call, ANSWER_UNKNOWN_USER);
	answer = call_ask(call, &request);
	if (answer == ANSWER_UNAVAILABLE && marker != NULL && marker->offline)
		return ANSWER_ALLOW;
	return settle(call, answer);
}

/* After the helper was asked for the state of an account that is in order. */
static enum answer
judge_training(const struct call *call)
{
	int64_t due_s = call->reply.training_due;
	struct timespec now = { 0, 0 };
	char text[96];

	if (due_s == 0 || clock_gettime(CLOCK_REALTIME, &now) != 0)
		return ANSWER_ALLOW;
	if (now.tv_sec > due_s)
		return call->conf.training == TRAINING_REQUIRE ? ANSWER_TRAINING_DUE : remind(call, "is overdue");
	if (now.tv_sec + REMIND_DAYS * DAY_S < due_s)
		return ANSWER_ALLOW;
	(void)snprintf(text, sizeof text, "is due in %lld days", (long long)((due_s - now.tv_sec) / DAY_S));
	return remind(call, text);
}

/* The state of the account and its training; MARKER stands for the former where the auth phase has just run. */
static enum answer
check_training(struct call *call, const struct marker *marker)
{
	enum answer answer = ask_for_state(call, marker);

	if (answer != ANSWER_ALLOW)
		return answer;
	return marker != NULL && marker->must_change ? ANSWER_CHANGE_REQUIRED : judge_training(call);
}

enum answer
account(struct call *call)
{
	const struct marker *marker = marker_get(call->pamh, &call->who);
	bool exempt = who_is_exempt(call->pamh, &call->conf, &call->who);

	if (account_is_off(call))
		/* what the auth phase has learned a moment ago costs nothing, and must not be forgotten */
		return marker != NULL && marker->must_change ? ANSWER_CHANGE_REQUIRED : ANSWER_OFF;
	if (exempt)
		return ANSWER_EXEMPT;
	if (call->conf.account == ACCOUNT_REQUIRE_MFA && marker == NULL)
		return ANSWER_NO_MFA;
	if (call->conf.training != TRAINING_OFF)
		return check_training(call, marker);
	if (marker != NULL && !marker->offline)
		return of_marker(marker);
	return ask_for_state(call, marker);
}
