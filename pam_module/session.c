#include "pam_module/session.h"

#include <string.h>

/* By now PAM_USER may be sudo's target: the line names both, the person and whose session it is. */
static enum answer
record(struct call *call)
{
	const struct marker *marker = marker_any(call->pamh);

	if (marker != NULL)
		memcpy(call->who.user, marker->user, sizeof call->who.user);
	return ANSWER_RECORDED;
}

enum answer
session_open(struct call *call)
{
	return record(call);
}

enum answer
session_close(struct call *call)
{
	return record(call);
}
