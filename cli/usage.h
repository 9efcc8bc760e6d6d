/* usage.h: from argv to an invocation, and --help: both from the one table of commands. */
#ifndef COUNTERFOIL_CLI_USAGE_H
#define COUNTERFOIL_CLI_USAGE_H

#include <stdbool.h>

#include "cli/command.h"

/* True: OUT is a command to run, and borrows from ARGV.  False: help, version or a complaint was printed and
 * *out_exit is the exit code.  A database's address may hold a password: it is overwritten in ARGV. */
bool usage_parse(const struct command *commands, unsigned count, int argc, char **argv, struct invocation *out,
    int *out_exit);

#endif
