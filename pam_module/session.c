#include "pam_module/session.h"

#include <string.h>

#include "pam_module/account.h"

/* By now PAM_USER may be sudo's target: the line names both, the person and whose session it is. */
static void
name_person(struct call *call, const struct marker *marker)
{
	if (marker != NULL)
		memcpy(call->who.user, marker->user, sizeof call->who.user);
}

/* Where neither phase asks the back end, as for jobs, a session is no reason to begin with it. */
static bool
is_for_trail(const struct call *call, const struct marker *marker)
{
	if (call->who.odd)
		return false;
	return marker != NULL || (!account_is_off(call) && !who_is_exempt(call->pamh, &call->conf, &call->who));
}

/* The audit trail beside the log of this host.  A session waits for it no longer than for a connection, and begins and
 * ends whatever comes of it. */
static void
tell_back_end(struct call *call, enum wire_operation operation)
{
	struct wire_request request = call_request(call, operation);

	request.target = call->who.pam_user;
	if (request.budget_ms > request.connect_ms)
		request.budget_ms = request.connect_ms;
	if (call_ask(call, &request) != ANSWER_ALLOW)
		call->reason = "not_in_trail";
}

static enum answer
record(struct call *call, enum wire_operation operation)
{
	const struct marker *marker = marker_any(call->pamh);

	name_person(call, marker);
	if (is_for_trail(call, marker))
		tell_back_end(call, operation);
	return ANSWER_RECORDED;
}

enum answer
session_open(struct call *call)
{
	return record(call, WIRE_SESSION_OPEN);
}

enum answer
session_close(struct call *call)
{
	return record(call, WIRE_SESSION_CLOSE);
}
