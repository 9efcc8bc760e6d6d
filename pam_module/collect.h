/* collect.h: the prompts of one attempt, all of them before anything is verified, so that nobody learns from their
 * order which factor was wrong. */
#ifndef COUNTERFOIL_PAM_COLLECT_H
#define COUNTERFOIL_PAM_COLLECT_H

#include "pam_module/call.h"

/* Ask for what the factors in force need, into the vault.
 * ANSWER_NONE: everything is there and has its shape.  *OUT_DECOY: sshd sent its junk password: what was typed must
 * reach no account. */
enum answer collect(struct call *call, bool *out_decoy);

/* Ask for what the factors do not name: PROMPT as it stands, and the answer as shown as a code is. */
enum answer collect_code(struct call *call, const char *prompt, struct answer_text *out);

/* Ask for a new password, twice. */
enum answer collect_new_password(struct call *call);

void collect_tell(const struct call *call, const char *text);

#endif
