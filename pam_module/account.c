#include "pam_module/account.h"

#include <sys/auxv.h>

#include "pam_module/conf.h"

/* Jobs run while nobody can be asked and while the service may be away: these have to be named to be checked. */
#define UNATTENDED "cron crond atd systemd-user runuser runuser-l"

static enum answer
of_marker(const struct marker *marker)
{
	return marker->must_change ? ANSWER_CHANGE_REQUIRED : ANSWER_ALLOW;
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

static enum answer
ask_for_state(struct call *call)
{
	struct wire_request request = call_request(call, WIRE_LOOK);

	if (call->who.odd)
		return settle(call, ANSWER_UNKNOWN_USER);
	return settle(call, call_ask(call, &request));
}

enum answer
account(struct call *call)
{
	const struct marker *marker = marker_get(call->pamh, &call->who);
	bool exempt = who_is_exempt(call->pamh, &call->conf, &call->who);

	if (call->conf.account == ACCOUNT_OFF ||
	    (conf_list_has(UNATTENDED, call->who.service) && !call->conf.has_own_section))
		/* what the auth phase has learned a moment ago costs nothing, and must not be forgotten */
		return marker != NULL && marker->must_change ? ANSWER_CHANGE_REQUIRED : ANSWER_OFF;
	if (exempt)
		return ANSWER_EXEMPT;
	if (marker != NULL)
		return of_marker(marker);
	return call->conf.account == ACCOUNT_STATUS ? ask_for_state(call) : ANSWER_NO_MFA;
}
