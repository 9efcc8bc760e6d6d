/* people.h: finding the account that a command names. */
#ifndef COUNTERFOIL_CLI_PEOPLE_H
#define COUNTERFOIL_CLI_PEOPLE_H

#include "cli/session.h"
#include "core/operation/account.h"

/* EX_OK, or an exit code: the reason was said. */
int people_find(struct session *session, const char *login, struct account *out) NODISCARD;

/* People's session and account in one go; on failure nothing is open. */
int people_open(const struct invocation *in, struct session *session, struct account *out) NODISCARD;

#endif
