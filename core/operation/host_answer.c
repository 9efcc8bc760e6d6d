#include <stdio.h>

#include "core/operation/host_request_inside.h"

const char *
host_decision_name(enum host_decision decision)
{
	static const char *const names[] = {
		[HOST_DENY] = "deny", [HOST_UNKNOWN_USER] = "unknown_user", [HOST_NOT_ENROLLED] = "not_enrolled",
		[HOST_THROTTLED] = "throttled", [HOST_LOCKED] = "locked", [HOST_EXPIRED] = "expired",
		[HOST_CHANGE_REQUIRED] = "change_required", [HOST_PASSWORD_REFUSED] = "password_refused",
		[HOST_ENROLL_STARTED] = "enroll_started", [HOST_ALLOW] = "allow",
	};

	return names[decision];
}

void
host_answer_wipe(struct host_answer *answer)
{
	totp_enrollment_wipe(&answer->enrollment);
	secret_wipe(answer, sizeof *answer);
}

enum status
host_answer_decide(struct host_answer *answer, enum host_decision decision, const char *reason)
{
	answer->decision = decision;
	(void)snprintf(answer->reason, sizeof answer->reason, "%s", reason[0] != '\0' ? reason : "none");
	return STATUS_OK;
}
