/* pam_programs.c: counterfoil pam check and counterfoil breakglass: the work is done by programs that know the PAM module's
 * own files. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/output.h"

#define CHECK      COUNTERFOIL_HELPERDIR "/pam-check"
#define BREAKGLASS COUNTERFOIL_HELPERDIR "/pam-breakglass"

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

static int
start(struct arguments *arguments)
{
	(void)fflush(stdout);
	(void)execv(arguments->texts[0], arguments->pointers);
	return output_fail(EX_OSFILE, "%s: %s", arguments->texts[0], strerror(errno));
}

int
pam_check_command(const struct invocation *in)
{
	struct arguments arguments = { .count = 0 };

	add(&arguments, CHECK);
	add_option(&arguments, "--conf", in->values[OPTION_CONFIG]);
	add_option(&arguments, "--service", in->values[OPTION_SERVICE]);
	add_option(&arguments, "--user", in->operand_count > 0 ? in->operands[0] : NULL);
	return start(&arguments);
}

int
breakglass_command(const struct invocation *in)
{
	struct arguments arguments = { .count = 0 };

	add(&arguments, BREAKGLASS);
	add_option(&arguments, "--conf", in->values[OPTION_CONFIG]);
	add_option(&arguments, "--count", in->values[OPTION_COUNT_OF_CODES]);
	if (in->values[OPTION_ALL] != NULL)
		add(&arguments, "--all");
	add(&arguments, "--");
	add(&arguments, in->command->name);
	if (in->operand_count > 0)
		add(&arguments, in->operands[0]);
	return start(&arguments);
}
