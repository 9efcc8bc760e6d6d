/* people.h: finding the account that a command names. */
#ifndef COUNTERFOIL_CLI_PEOPLE_H
#define COUNTERFOIL_CLI_PEOPLE_H

#include "cli/session.h"
#include "core/operation/account.h"

/* EX_OK, or an exit code: the reason was said. */
int people_find(struct session *session, const char *login, struct account *out) NODISCARD;

/* People's session and account in one go; on failure nothing is open. */
int people_open(const struct invocation *in, struct session *session, struct account *out) NODISCARD;

/* A new password for LOGIN, in a form that could be one.  EX_OK, or an exit code: the reason was said. */
int people_new_password(const struct invocation *in, const char *login, struct secret **out) NODISCARD;

/* Why a password is not taken; returns the exit code.  Nothing of the password is in it. */
int people_say_refusal(const struct password_refusal *refusal);

#endif
