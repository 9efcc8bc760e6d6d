/* check.h: what `counterfoil pam check` looks at.  Each check says what it found, and how to mend it. */
#ifndef COUNTERFOIL_PAM_CHECK_H
#define COUNTERFOIL_PAM_CHECK_H

#include <stdbool.h>

#include "pam_module/conf.h"
#include "pam_module/options.h"

enum check_state { CHECK_OK, CHECK_WARNING, CHECK_WRONG };

struct check {
	const char *conf_path, *pam_dir, *sshd_config, *user;   /* user: NULL or whom to look up */
	bool wants_codes;                                       /* a service takes break-glass codes */
	bool wants_tickets;                                     /* one has offline = ticket */
	unsigned wrong;                                         /* how many findings are */
};

/* One line: "ok", "warning" or "wrong", SUBJECT, what was found; MEND on a line of its own, unless it is NULL. */
__attribute__((format(printf, 5, 6))) void check_say(struct check *check, enum check_state state, const char *subject,
    const char *mend, const char *format, ...);

/* What the first line of the module in a stack says, of the auth lines if there are any. */
struct check_stacked {
	bool has_auth;
	bool has_other_factor;                                  /* another auth module asks for something */
	struct options options;                                 /* their texts are in ARGUMENTS: not to be copied */
	char arguments[512];
};

/* The stack of SERVICE in the folder of PAM.  False: there is none, or it does not name the module. */
bool check_stack(struct check *check, const char *service, struct check_stacked *out);

/* What sshd makes of its configuration.  CODE_ALONE: whoever sshd lets come to the stack is asked for nothing but a code. */
void check_sshd(struct check *check, const struct conf *conf, bool code_alone);

#endif
