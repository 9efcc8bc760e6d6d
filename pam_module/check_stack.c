/* check_stack.c: a service's lines in /etc/pam.d: those with our module, and what could make them worthless. */
#include "pam_module/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pam_module/options.h"

enum { ARGUMENTS_MAX = 16, FIELD_BYTES = 512 };

struct pam_line {
	char kind[16], control[FIELD_BYTES], module[FIELD_BYTES];
	char arguments[FIELD_BYTES];
	unsigned number;
};

struct stack {
	struct check *check;
	const char *service;
	bool has_module, has_auth, has_account, has_permit;
	unsigned jump_line;                     /* our auth line's jump, 0: none */
};

/* Split "auth [success=1 default=die] pam_x.so a b" into its fields; false: no such line. */
static bool
split(char *text, unsigned number, struct pam_line *out)
{
	int at = 0;

	*out = (struct pam_line){ .number = number };
	text[strcspn(text, "#\n")] = '\0';
	if (sscanf(text, " %15s%n", out->kind, &at) != 1)
		return false;
	text += at;
	text += strspn(text, " \t");
	if (*text == '[') {
		at = (int)strcspn(text, "]") + 1;
		if ((size_t)at >= sizeof out->control || text[at - 1] != ']')
			return false;
		memcpy(out->control, text, (size_t)at);
	} else if (sscanf(text, "%511s%n", out->control, &at) != 1) {
		return false;
	}
	text += at;
	if (sscanf(text, " %511s%n", out->module, &at) != 1)
		return false;
	(void)snprintf(out->arguments, sizeof out->arguments, "%s", text + at);
	return true;
}

static bool
names(const char *module, const char *name)
{
	const char *slash = strrchr(module, '/');

	return strcmp(slash != NULL ? slash + 1 : module, name) == 0;
}

static void
say(struct stack *stack, const struct pam_line *line, enum check_state state, const char *mend, const char *what)
{
	check_say(stack->check, state, "stack", mend, "%s/%s:%u: %s", stack->check->pam_dir, stack->service, line->number,
	    what);
}

static void
check_options(struct stack *stack, struct pam_line *line)
{
	char error[OPTIONS_ERROR_BYTES], *rest = line->arguments, *word;
	const char *argv[ARGUMENTS_MAX];
	struct options options;
	int argc = 0;

	while ((word = strsep(&rest, " \t")) != NULL && argc < ARGUMENTS_MAX)
		if (*word != '\0')
			argv[argc++] = word;
	if (!options_parse(argc, argv, &options, error))
		say(stack, line, CHECK_WRONG, "take the option away: the module refuses everybody", error);
}

static bool
jumps(const char *control)
{
	static const char success[] = "success=";
	const char *at = strstr(control, success);

	return at != NULL && at[sizeof success - 1] >= '1' && at[sizeof success - 1] <= '9';
}

/* Controls under which a refusal of ours does not refuse. */
static void
check_control(struct stack *stack, const struct pam_line *line)
{
	const char *control = line->control;

	if (strcmp(line->kind, "session") == 0)
		return;
	if (strstr(control, "default=ignore") != NULL || strstr(control, "default=ok") != NULL ||
	    strstr(control, "default=done") != NULL)
		say(stack, line, CHECK_WRONG, "write default=die", "its failures are passed over: anybody gets past it");
	else if (strcmp(control, "optional") == 0)
		say(stack, line, CHECK_WRONG, "write required", "optional: its refusal refuses nobody");
	else if (strcmp(control, "sufficient") == 0)
		say(stack, line, CHECK_WARNING, "write required, or [success=N default=die] in front of pam_permit",
		    "sufficient: what it refuses or ignores is left to the modules behind it");
	else if (jumps(control))
		stack->jump_line = line->number;
}

static void
take_line(struct stack *stack, struct pam_line *line)
{
	const char *kind = line->kind[0] == '-' ? line->kind + 1 : line->kind;

	if (strcmp(kind, "auth") == 0 && names(line->module, "pam_permit.so") && strcmp(line->control, "required") == 0)
		stack->has_permit = true;
	if (!names(line->module, "pam_counterfoil.so"))
		return;
	stack->has_module = true;
	stack->has_auth = stack->has_auth || strcmp(kind, "auth") == 0;
	stack->has_account = stack->has_account || strcmp(kind, "account") == 0;
	if (line->kind[0] == '-')
		say(stack, line, CHECK_WRONG, "take the '-' away", "a module that is missing would be passed over in silence");
	check_control(stack, line);
	check_options(stack, line);
}

static void
conclude(const struct stack *stack)
{
	if (stack->has_auth && !stack->has_account)
		check_say(stack->check, CHECK_WARNING, "stack", "add: account required pam_counterfoil.so",
		    "%s/%s: no account line: locked accounts and passwords that must change are not noticed there",
		    stack->check->pam_dir, stack->service);
	if (stack->jump_line != 0 && !stack->has_permit)
		check_say(stack->check, CHECK_WRONG, "stack", "add: auth required pam_permit.so, at the end",
		    "%s/%s:%u: it jumps, and a jump is no success: nobody gets in", stack->check->pam_dir, stack->service,
		    stack->jump_line);
}

bool
check_stack(struct check *check, const char *service)
{
	struct stack stack = { .check = check, .service = service };
	unsigned before = check->wrong, number = 0;
	char path[1024], *text = NULL;
	size_t capacity = 0;
	struct pam_line line;
	FILE *in;

	(void)snprintf(path, sizeof path, "%s/%s", check->pam_dir, service);
	if ((in = fopen(path, "re")) == NULL)
		return false;
	while (getline(&text, &capacity, in) >= 0)
		if (split(text, ++number, &line))
			take_line(&stack, &line);
	free(text);
	(void)fclose(in);
	if (stack.has_module) {
		conclude(&stack);
		if (check->wrong == before)
			check_say(check, CHECK_OK, "stack", NULL, "%s", path);
	}
	return stack.has_module;
}
