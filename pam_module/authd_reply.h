/* authd_reply.h: what the service's reply means for the one question that was asked.  An allow counts only where everything
 * is right: status, type, size, form, the code under the host's key, and that it speaks of this request, user, host and
 * operation.  What is not right is a failure, never a refusal, and never an outage that may be ignored. */
#ifndef COUNTERFOIL_PAM_AUTHD_REPLY_H
#define COUNTERFOIL_PAM_AUTHD_REPLY_H

#include "pam_module/helper_reply.h"
#include "pam_module/https_client.h"

/* All borrowed. */
struct authd_question {
	const struct wire_request *request;
	const char *request_id;         /* as in the body */
	const char *operation;          /* verify, decoy, change, look, open, close, start, confirm; issued, used, revoked, expired,
	                                 * ticket_used */
	const char *host;               /* the id of the host's key */
	struct bytes secret;            /* the part of the host's key that is secret */
	struct bytes body;              /* as sent */
};

/* Set REPLY, which began as a refusal, by what HTTPS brought with outcome HTTPS_REPLIED. */
void authd_reply_take(const struct authd_question *question, const struct https_reply *https, struct helper_reply *reply);

#endif
