/* backend.h: who answers a request: the core on this host, or the service. */
#ifndef COUNTERFOIL_PAM_BACKEND_H
#define COUNTERFOIL_PAM_BACKEND_H

#include "pam_module/helper_reply.h"
#include "pam_module/helper_settings.h"

/* The core on this host: role counterfoil_pam, realm staff.  REPLY began as a refusal. */
void backend_postgresql(const struct helper_settings *settings, const struct wire_request *request,
    struct helper_reply *reply);

#endif
