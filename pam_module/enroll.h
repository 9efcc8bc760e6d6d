/* enroll.h: the first authenticator of somebody who signs in: unenrolled = enroll of pam_counterfoil.conf(5). */
#ifndef COUNTERFOIL_PAM_ENROLL_H
#define COUNTERFOIL_PAM_ENROLL_H

#include "pam_module/call.h"

/* After a verification that found no second factor: may this person enrol, here and now?  The password was right, it is
 * their own account, and they come with an ssh key or from one of enroll_cidrs. */
bool enroll_is_open(const struct call *call);

/* The dialogue: the operator's code, the key, two codes in a row.  ANSWER_ALLOW: they are enrolled, and thereby signed in.
 * Whatever else comes of it refuses; what was started is pending, opens nothing, and lapses. */
enum answer enroll(struct call *call);

#endif
