/* check_stack.c: a service's lines in /etc/pam.d: those with our module, and what could make them worthless. */
#include "pam_module/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pam_module/paths.h"
#include "pam_module/stack_file.h"

#define MODULE "pam_counterfoil.so"

enum { ARGUMENTS_MAX = 16 };

/* The lines of one kind, as libpam goes through them. */
struct stack {
	struct check *check;
	const char *kind;
	unsigned count;
	const struct stack_line *lines[STACK_LINES_MAX];
};

__attribute__((format(printf, 5, 6))) static void
say(const struct stack *stack, const struct stack_line *line, enum check_state state, const char *mend,
    const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	check_say(stack->check, state, "stack", mend, "%s/%s:%u: %s", stack->check->pam_dir, line->file, line->number, text);
}

static bool
is_ours(const struct stack_line *line)
{
	return stack_line_is(line, MODULE);
}

static bool
is_among(const struct stack_line *line, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (stack_line_is(line, names[i]))
			return true;
	return false;
}

/* --- a line of ours --------------------------------------------------------------------------------------------------- */

static void
take_options(const struct stack *stack, const struct stack_line *line, struct check_stacked *out)
{
	char error[OPTIONS_ERROR_BYTES], *rest, *word;
	const char *argv[ARGUMENTS_MAX];
	struct options options;
	int argc = 0;

	(void)snprintf(out->arguments, sizeof out->arguments, "%s", line->arguments);
	rest = out->arguments;
	while ((word = strsep(&rest, " \t")) != NULL && argc < ARGUMENTS_MAX)
		if (*word != '\0')
			argv[argc++] = word;
	if (options_parse(argc, argv, &options, error))
		out->options = options;
	else
		say(stack, line, CHECK_WRONG, "take the option away: the module refuses everybody", "%s", error);
}

/* Whether ACTION lets a refusal pass: whoever is refused goes on to the lines behind, or past them. */
static bool
passes_over(const char *action)
{
	return strcmp(action, "bad") != 0 && strcmp(action, "die") != 0;
}

/* NULL, or the code of a refusal that the control passes over.  An outage may be: the stack of the console does it. */
static const char *
passed_over(const struct stack_line *line)
{
	static const char *const results[] = { "default", "auth_err", "perm_denied", "user_unknown", "maxtries",
		"cred_insufficient", "acct_expired", "service_err", "system_err", "buf_err", "conv_err", "abort", "module_unknown", "open_err" };
	char action[STACK_ACTION_BYTES];

	for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
		if (passes_over(stack_line_action(line, results[i], action)))
			return results[i];
	return NULL;
}

/* Controls under which a refusal of ours does not refuse. */
static void
check_control(const struct stack *stack, const struct stack_line *line)
{
	const char *result = passed_over(line);

	if (strcmp(line->control, "optional") == 0)
		say(stack, line, CHECK_WRONG, "write required", "optional: its refusal refuses nobody");
	else if (strcmp(line->control, "sufficient") == 0)
		say(stack, line, CHECK_WARNING, "write required, or [success=N default=die] in front of pam_permit",
		    "sufficient: what it refuses or ignores is left to the modules behind it");
	else if (result != NULL && strcmp(result, "default") == 0)
		say(stack, line, CHECK_WRONG, "write default=die", "its failures are passed over: anybody gets past it");
	else if (result != NULL)
		say(stack, line, CHECK_WRONG, "take it away, or write die", "%s is passed over: whom it refuses gets past it", result);
}

/* A jump is no success: behind it somebody has to say one. */
static void
check_jump(const struct stack *stack, unsigned ours)
{
	char action[STACK_ACTION_BYTES];
	unsigned jump = stack_action_jump(stack_line_action(stack->lines[ours], "success", action));

	if (jump == 0)
		return;
	for (unsigned i = ours + jump + 1; i < stack->count; i++) {
		(void)stack_line_action(stack->lines[i], "success", action);
		if (strcmp(action, "ignore") != 0 && strcmp(action, "reset") != 0 &&
		    strcmp(stack->lines[i]->control, "optional") != 0 && !stack_line_is(stack->lines[i], "pam_deny.so"))
			return;
	}
	say(stack, stack->lines[ours], CHECK_WRONG, "add: auth required pam_permit.so, at the end",
	    "it jumps, and a jump is no success: nobody gets in");
}

/* --- lines in front of it --------------------------------------------------------------------------------------------- */

/* Whether what LINES[i] makes of RESULT ends the stack before LINES[ours], or jumps over that. */
static bool
leads_past(const struct stack *stack, unsigned i, unsigned ours, const char *result)
{
	char action[STACK_ACTION_BYTES];

	(void)stack_line_action(stack->lines[i], result, action);
	return strcmp(action, "done") == 0 || stack_action_jump(action) >= ours - i;
}

/* Each proves what pam_counterfoil.so should not be alone with, or nothing. */
static bool
takes_a_password(const struct stack_line *line)
{
	static const char *const names[] = { "pam_unix.so", "pam_sss.so", "pam_ldap.so", "pam_krb5.so", "pam_winbind.so",
		"pam_userdb.so", "pam_pwdfile.so", "pam_permit.so" };

	return is_among(line, names, sizeof names / sizeof names[0]);
}

static void
check_way_past(const struct stack *stack, unsigned i, unsigned ours)
{
	const struct stack_line *line = stack->lines[i];
	bool is_auth = strcmp(stack->kind, "auth") == 0;

	if (!leads_past(stack, i, ours, "success") && !leads_past(stack, i, ours, "default"))
		return;
	if (is_auth && stack_line_is(line, "pam_rootok.so"))
		return;         /* root needs none to become somebody */
	say(stack, line, is_auth && takes_a_password(line) ? CHECK_WRONG : CHECK_WARNING,
	    "write required, or let success=N lead to the line of " MODULE,
	    "it leads past %s:%u: whom it lets through, " MODULE " %s", stack->lines[ours]->file,
	    stack->lines[ours]->number, is_auth ? "does not ask for a code" : "does not look at");
}

/* What takes no part in who somebody is. */
static bool
is_no_factor(const struct stack_line *line)
{
	static const char *const names[] = { "pam_access.so", "pam_cap.so", "pam_debug.so", "pam_deny.so", "pam_echo.so",
		"pam_env.so", "pam_faildelay.so", "pam_faillock.so", "pam_gnome_keyring.so", "pam_group.so", "pam_issue.so", "pam_keyinit.so",
		"pam_limits.so", "pam_listfile.so", "pam_localuser.so", "pam_loginuid.so", "pam_motd.so", "pam_nologin.so",
		"pam_permit.so", "pam_rootok.so", "pam_securetty.so", "pam_selinux.so", "pam_shells.so", "pam_succeed_if.so",
		"pam_time.so", "pam_warn.so" };

	return is_ours(line) || strcmp(line->control, "optional") == 0 || is_among(line, names, sizeof names / sizeof names[0]);
}

/* --- all of them ------------------------------------------------------------------------------------------------------ */

static void
select_kind(const struct stack_file *file, const char *kind, struct stack *out)
{
	out->kind = kind;
	out->count = 0;
	for (unsigned i = 0; i < file->count; i++)
		if (strcmp(file->lines[i].kind, kind) == 0)
			out->lines[out->count++] = &file->lines[i];
}

/* The position of the first line of ours; COUNT: there is none. */
static unsigned
first_of_ours(const struct stack *stack)
{
	unsigned i = 0;

	while (i < stack->count && !is_ours(stack->lines[i]))
		i++;
	return i;
}

static void
check_line(const struct stack *stack, unsigned i, struct check_stacked *out)
{
	const struct stack_line *line = stack->lines[i];

	if (line->may_be_missing)
		say(stack, line, CHECK_WRONG, "take the '-' away", "a module that is missing would be passed over in silence");
	if (strcmp(stack->kind, "session") != 0)
		check_control(stack, line);
	if (strcmp(stack->kind, "auth") == 0)
		check_jump(stack, i);
	take_options(stack, line, out);
}

static bool
check_kind(const struct stack_file *file, struct stack *stack, const char *kind, struct check_stacked *out)
{
	struct check_stacked more;
	unsigned first;

	select_kind(file, kind, stack);
	first = first_of_ours(stack);
	for (unsigned i = first; i < stack->count; i++)
		if (is_ours(stack->lines[i]))
			check_line(stack, i, i == first ? out : &more);
	if (first < stack->count && strcmp(kind, "session") != 0 && strcmp(kind, "password") != 0)
		for (unsigned i = 0; i < first; i++)
			check_way_past(stack, i, first);
	return first < stack->count;
}

static bool
has_other_factor(const struct stack_file *file)
{
	for (unsigned i = 0; i < file->count; i++)
		if (strcmp(file->lines[i].kind, "auth") == 0 && !is_no_factor(&file->lines[i]))
			return true;
	return file->is_partial;        /* for all we know it is there */
}

bool
check_stack(struct check *check, const char *service, struct check_stacked *out)
{
	static const char *const others[] = { "account", "session", "password" };
	struct stack_file *file = stack_file_read(check->pam_dir, service);
	struct check_stacked more;
	struct stack stack = { .check = check };
	unsigned before = check->wrong;
	bool has_any, has_account = false;

	*out = (struct check_stacked){ .options = { .conf = paths_conf } };
	if (file == NULL)
		return false;
	has_any = out->has_auth = check_kind(file, &stack, "auth", out);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		bool has = check_kind(file, &stack, others[i], has_any ? &more : out);

		has_account = has_account || (has && i == 0);
		has_any = has_any || has;
	}
	out->has_other_factor = has_other_factor(file);
	if (out->has_auth && !has_account)
		check_say(check, CHECK_WARNING, "stack", "add: account required " MODULE,
		    "%s/%s: no account line: locked accounts and passwords that must change are not noticed there",
		    check->pam_dir, service);
	if (has_any && check->wrong == before)
		check_say(check, CHECK_OK, "stack", NULL, "%s/%s", check->pam_dir, service);
	free(file);
	return has_any;
}
