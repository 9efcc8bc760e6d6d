/* pam_check.c: counterfoil pam check: the work is done by pam-check, which knows the PAM module's own files. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/output.h"

#define PROGRAM COUNTERFOIL_HELPERDIR "/pam-check"

enum { ARGUMENTS_MAX = 8, TEXT_BYTES = 1100 };

struct arguments {
	char texts[ARGUMENTS_MAX][TEXT_BYTES];
	char *pointers[ARGUMENTS_MAX + 1];
	unsigned count;
};

static void
add(struct arguments *arguments, const char *text)
{
	(void)snprintf(arguments->texts[arguments->count], TEXT_BYTES, "%s", text);
	arguments->pointers[arguments->count] = arguments->texts[arguments->count];
	arguments->count++;
}

static void
add_option(struct arguments *arguments, const char *name, const char *value)
{
	if (value == NULL)
		return;
	add(arguments, name);
	add(arguments, value);
}

int
pam_check_command(const struct invocation *in)
{
	struct arguments arguments = { .count = 0 };

	add(&arguments, PROGRAM);
	add_option(&arguments, "--conf", in->values[OPTION_CONFIG]);
	add_option(&arguments, "--service", in->values[OPTION_SERVICE]);
	add_option(&arguments, "--user", in->operand_count > 0 ? in->operands[0] : NULL);
	(void)fflush(stdout);
	(void)execv(PROGRAM, arguments.pointers);
	return output_fail(EX_OSFILE, "%s: %s", PROGRAM, strerror(errno));
}
