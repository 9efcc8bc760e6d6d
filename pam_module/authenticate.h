/* authenticate.h: the auth phase: ask for every factor first, then have them verified together. */
#ifndef COUNTERFOIL_PAM_AUTHENTICATE_H
#define COUNTERFOIL_PAM_AUTHENTICATE_H

#include "pam_module/call.h"

enum answer authenticate(struct call *call);

#endif
