/* backend.h: who answers a request: the core on this host, or the service. */
#ifndef COUNTERFOIL_PAM_BACKEND_H
#define COUNTERFOIL_PAM_BACKEND_H

#include "core/base/status.h"
#include "pam_module/helper_reply.h"
#include "pam_module/helper_settings.h"

/* The core on this host: role counterfoil_pam, realm staff.  REPLY began as a refusal. */
void backend_postgresql(const struct helper_settings *settings, const struct wire_request *request,
    struct helper_reply *reply);

/* The service, over HTTPS, with this host's own key; no database, no key of a realm.  DEADLINE_MS: of
 * clock_monotonic_ms(), when all must be over.  REPLY began as a refusal. */
void backend_authd(const struct helper_settings *settings, const struct wire_request *request, int64_t deadline_ms,
    struct helper_reply *reply);

/* An operation of the core that failed; DETAIL may be NULL. */
void backend_set_failure(struct helper_reply *reply, enum status st, const char *detail);

#endif
