/* prompt.h: asking a person.  Passwords come from here or from standard input, never from the command line. */
#ifndef COUNTERFOIL_CLI_PROMPT_H
#define COUNTERFOIL_CLI_PROMPT_H

#include "cli/command.h"
#include "core/base/secret.h"

/* A new password for LOGIN: asked for twice on the terminal without echo, or, with --password-stdin, the first line
 * of standard input.  EX_OK, or an exit code: the reason was said. */
int prompt_new_password(const struct invocation *in, const char *login, struct secret **out) NODISCARD;

/* The password that LOGIN has: asked for once, or the first line of standard input likewise. */
int prompt_password(const struct invocation *in, const char *login, struct secret **out) NODISCARD;

/* One visible line of at most MAX bytes from standard input; QUESTION is shown where that is a terminal.
 * *out stays NULL, with EX_OK, at the end of the input. */
int prompt_line(const char *question, size_t max, struct secret **out) NODISCARD;

#endif
