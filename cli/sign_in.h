/* sign_in.h: a member of staff proves who they are to the command line, with both factors. */
#ifndef COUNTERFOIL_CLI_SIGN_IN_H
#define COUNTERFOIL_CLI_SIGN_IN_H

#include "cli/session.h"
#include "core/operation/login.h"

/* Asks for the password (or takes it as --password-stdin says) and for the code, the next line of standard input.
 * EX_OK: OUT is GRANTED with both factors; login_result_wipe() it.  Otherwise an exit code: the reason was said. */
int sign_in(const struct invocation *in, struct session *session, const char *login, struct login_result *out) NODISCARD;

#endif
