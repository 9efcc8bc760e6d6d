/* host_request_inside.h: what a host's questions share: host_request.c, for those of a first authenticator
 * host_enroll.c, and host_answer.c. */
#ifndef COUNTERFOIL_HOST_REQUEST_INSIDE_H
#define COUNTERFOIL_HOST_REQUEST_INSIDE_H

#include "core/operation/account.h"
#include "core/operation/host_request.h"

/* STATUS_OK, always.  REASON is a token; empty: "none". */
enum status host_answer_decide(struct host_answer *answer, enum host_decision decision, const char *reason);

/* HOST_ENROLL_START, after the password was right, and HOST_ENROLL_CONFIRM, for the owner of ACCOUNT. */
enum status host_enroll_start(struct core *core, const struct caller *caller, const struct host_request *request,
    const struct account_status *account, struct host_answer *answer) NODISCARD;
enum status host_enroll_confirm(struct core *core, const struct caller *caller, const struct host_request *request,
    const struct account_status *account, struct host_answer *answer) NODISCARD;

#endif
