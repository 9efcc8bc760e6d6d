/* ticket.h: the helper's part in offline tickets (offline_ticket.h).  After an online sign-in the newest ticket of the user is
 * kept; while the back end is away for longer it lets the same person in, by sshd, with the same ssh key, without a code.
 * Root's helper alone: one that is set-gid neither gets a ticket nor uses one. */
#ifndef COUNTERFOIL_PAM_TICKET_H
#define COUNTERFOIL_PAM_TICKET_H

#include "pam_module/breakglass.h"

/* Behind what the back end made of WIRE_VERIFY: keep the ticket that it may have brought.  A ticket that cannot be kept costs
 * nobody the sign-in; the log says why. */
void ticket_keep(const struct breakglass_job *job);

/* WIRE_TICKET: an allow only where the back end has been away for longer, is away now, and the ticket is good; anything else
 * is a reason to ask for the code as ever. */
void ticket_try(const struct breakglass_job *job);

/* WIRE_BREAKGLASS_STATE for a service with tickets: is the key to verify them here, and how many are kept?  Asks nobody. */
void ticket_state(const struct breakglass_job *job);

#endif
