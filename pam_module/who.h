/* who.h: who signs in, to what, from where: everything that PAM tells, checked and bounded. */
#ifndef COUNTERFOIL_PAM_WHO_H
#define COUNTERFOIL_PAM_WHO_H

#include <stdbool.h>

#include <security/pam_modules.h>

#include "pam_module/answer.h"
#include "pam_module/conf.h"
#include "pam_module/wire.h"

#define WHO_ADDRESS_BYTES 46    /* INET6_ADDRSTRLEN */

struct who {
	char service[65];
	char pam_user[WIRE_USER_MAX + 1];       /* PAM_USER; empty when it is odd */
	char user[WIRE_USER_MAX + 1];           /* whose factors count; empty when it is odd */
	char rhost[WHO_ADDRESS_BYTES];          /* numeric; empty: local, or a mere name */
	char tty[65];
	char ssh_key[WIRE_SSH_KEY_MAX + 1];     /* that sshd accepted: "ssh-ed25519 AAAA..." */
	char host[65];                          /* this host */
	bool is_ssh;
	bool has_publickey;
	bool is_caller;                         /* user is the caller, not PAM_USER */
	bool in_nss;                            /* the system knows user */
	bool odd;                               /* a name that no account can have */
};

/* The service alone: pam.conf is looked at with it.  False: none, or an odd one. */
bool who_service(pam_handle_t *pamh, struct who *out);

/* The rest.  MAY_ASK: the application may prompt for the user's name (login does).
 * ANSWER_NONE, ANSWER_CONVERSATION, or ANSWER_INTERNAL.  An odd or unknown name is no failure here: everybody gets
 * the same prompts. */
enum answer who_find(pam_handle_t *pamh, const struct conf *conf, bool may_ask, struct who *out);

/* Is this person named in exempt_users, or a member of a group of exempt_groups? */
bool who_is_exempt(pam_handle_t *pamh, const struct conf *conf, const struct who *who);

/* Does this person sit at the machine itself: no remote host, and PAM_TTY is the terminal that the application reads? */
bool who_is_at_terminal(pam_handle_t *pamh, const struct who *who);

/* Does this person sign in to their own account: not as somebody else, nor by a set-uid program that another one runs? */
bool who_is_owner(pam_handle_t *pamh, const struct who *who);

#endif
