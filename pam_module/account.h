/* account.h: the account phase: may this account be used now?  Never prompts. */
#ifndef COUNTERFOIL_PAM_ACCOUNT_H
#define COUNTERFOIL_PAM_ACCOUNT_H

#include "pam_module/call.h"

enum answer account(struct call *call);

/* Turned off for this service, by its configuration or because it runs jobs? */
bool account_is_off(const struct call *call);

#endif
