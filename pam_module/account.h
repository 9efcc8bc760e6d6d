/* account.h: the account phase: may this account be used now?  Never prompts. */
#ifndef COUNTERFOIL_PAM_ACCOUNT_H
#define COUNTERFOIL_PAM_ACCOUNT_H

#include "pam_module/call.h"

enum answer account(struct call *call);

#endif
