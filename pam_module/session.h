/* session.h: a session's beginning and end, on record. */
#ifndef COUNTERFOIL_PAM_SESSION_H
#define COUNTERFOIL_PAM_SESSION_H

#include "pam_module/call.h"

enum answer session_open(struct call *call);
enum answer session_close(struct call *call);

#endif
