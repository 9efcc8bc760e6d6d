/* chauthtok.h: the password phase: prove the old password, then set a new one through the one password policy. */
#ifndef COUNTERFOIL_PAM_CHAUTHTOK_H
#define COUNTERFOIL_PAM_CHAUTHTOK_H

#include "pam_module/call.h"

enum answer chauthtok(struct call *call);

#endif
