/* breakglass.h: the helper's part in break-glass access.  A code of this host counts only where the back end has been out of
 * reach several times in a row over a while, as this host has recorded, and only once: its use is on the disk before
 * anybody hears of it.  Root's helper alone; one that is set-gid takes no such code and keeps no record. */
#ifndef COUNTERFOIL_PAM_BREAKGLASS_H
#define COUNTERFOIL_PAM_BREAKGLASS_H

#include "pam_module/helper_reply.h"
#include "pam_module/helper_settings.h"

/* The back end that is in force. */
typedef void breakglass_ask(const struct helper_settings *settings, const struct wire_request *request,
    struct helper_reply *reply);

struct breakglass_job {
	const struct helper_settings *settings;
	const struct wire_request *request;
	struct helper_reply *reply;
	breakglass_ask *ask;
	int64_t deadline_ms;            /* of clock_monotonic_ms(), for all of it */
};

/* Behind what the back end made of REQUEST: an outage is counted, and a code may turn ANSWER_UNAVAILABLE into an answer;
 * any other answer ends the outage, takes the codes of an account that is gone, and lets waiting reports go. */
void breakglass_settle(const struct breakglass_job *job);

/* WIRE_BREAKGLASS_SYNC: ask for the state of everybody who has codes here, and deliver what waits. */
void breakglass_sync(const struct breakglass_job *job);

/* WIRE_BREAKGLASS_STATE: the detail tells how the codes are.  Asks nobody. */
void breakglass_state(const struct breakglass_job *job);

#endif
