/* pam_driver.c: an application of PAM that does what a test tells it and says what happened, a line an event.
 *
 *   pam_driver --confdir DIR --service NAME [--user NAME] [OPTION...] OPERATION...
 *
 *   --item NAME=VALUE     user_prompt, tty, rhost, ruser: set before the operations
 *   --env NAME=VALUE      into PAM's environment
 *   --answer TEXT         to the next prompt; after the last one the conversation fails
 *   --answer-hex HEX      the same, for bytes that an argument cannot hold
 *   --answer-odd KIND     error | again | null | null-array: what a broken application does instead
 *   --from-stdin          instead of --answer: each prompt is followed by a line "answer?", and a line of standard input
 *                         is the answer behind "=", or "!KIND" as with --answer-odd
 *   --blind TEXT          sshd's password method: hidden prompts get TEXT, shown ones an error
 *   --flags NAME          silent | expired: for the operations
 *   --repeat N            all operations, with the same answers each time
 *   --timed               the same answers for each operation, and "took NANOSECONDS" behind it
 *   --state               compare the process before and after; print what changed
 *   --close-standard      close descriptors 0 and 2 first
 *   --fork                a child, forked behind pam_start(), does the operations
 *   --ignore-children     SIGCHLD ignored, as some hosts do
 *   OPERATION             auth | setcred | acct | open | close | chauthtok | item:NAME (print an item) | user:NAME
 *
 * Output: "prompt off TEXT", "prompt on TEXT", "error TEXT", "info TEXT"; "auth 7"; "state same" or "state ...". */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <security/pam_appl.h>

#include "tests/pam/host_state.h"

enum { ANSWERS_MAX = 32, SETTINGS_MAX = 32 };

struct answer { const char *text; const char *odd; };

struct script {
	const char *confdir, *service, *user;
	struct { int item; const char *value; } items[SETTINGS_MAX];
	size_t item_count;
	const char *environment[SETTINGS_MAX];
	size_t environment_count;
	struct answer answers[ANSWERS_MAX];
	size_t answer_count, next;
	const char *blind;
	int flags, repeat;
	bool state, quiet, timed, from_stdin, fork;
	char line[1024];
};

static const struct { const char *name; int item; } item_names[] = {
	{ "user_prompt", PAM_USER_PROMPT }, { "tty", PAM_TTY }, { "rhost", PAM_RHOST }, { "ruser", PAM_RUSER },
	{ "user", PAM_USER },
};

__attribute__((noreturn)) static void
die(const char *what, const char *detail)
{
	(void)fprintf(stderr, "pam_driver: %s %s\n", what, detail);
	exit(64);
}

/* --- the conversation ------------------------------------------------------------------------------------------- */

static char *
answer_blindly(const struct script *script, int style, int *out_code)
{
	if (style == PAM_PROMPT_ECHO_OFF)
		return strdup(script->blind);
	*out_code = PAM_CONV_ERR;
	return NULL;
}

/* NULL: there is none. */
static const struct answer *
scripted_answer(struct script *script)
{
	static struct answer read;

	if (!script->from_stdin)
		return script->next == script->answer_count ? NULL : &script->answers[script->next++];
	(void)puts("answer?");
	(void)fflush(stdout);
	if (fgets(script->line, sizeof script->line, stdin) == NULL)
		return NULL;
	script->line[strcspn(script->line, "\n")] = '\0';
	read.text = script->line + 1;
	read.odd = script->line[0] == '!' ? script->line + 1 : NULL;
	return &read;
}

static char *
next_answer(struct script *script, int style, bool *out_nothing, int *out_code)
{
	const struct answer *answer;

	if (script->blind != NULL)
		return answer_blindly(script, style, out_code);
	if ((answer = scripted_answer(script)) == NULL) {
		*out_code = PAM_CONV_ERR;
		return NULL;
	}
	if (answer->odd == NULL)
		return strdup(answer->text);
	if (strcmp(answer->odd, "error") == 0)
		*out_code = PAM_CONV_ERR;
	else if (strcmp(answer->odd, "again") == 0)
		*out_code = PAM_CONV_AGAIN;
	else
		*out_nothing = strcmp(answer->odd, "null-array") == 0;
	return NULL;
}

static void
say(const struct script *script, const char *what, const char *text)
{
	if (!script->quiet)
		(void)printf("%s %s\n", what, text);
}

static int
converse(int count, const struct pam_message **messages, struct pam_response **out, void *cookie)
{
	struct script *script = cookie;
	struct pam_response *response = calloc(1, sizeof *response);
	const struct pam_message *message = messages[0];
	bool nothing = false;
	int code = PAM_SUCCESS;

	if (count != 1 || response == NULL)
		die("more than one message", "at once");
	switch (message->msg_style) {
	case PAM_PROMPT_ECHO_OFF:
	case PAM_PROMPT_ECHO_ON:
		say(script, message->msg_style == PAM_PROMPT_ECHO_ON ? "prompt on" : "prompt off", message->msg);
		response->resp = next_answer(script, message->msg_style, &nothing, &code);
		break;
	case PAM_ERROR_MSG:
		say(script, "error", message->msg);
		break;
	default:
		say(script, "info", message->msg);
		break;
	}
	if (code != PAM_SUCCESS || nothing) {
		free(response);
		response = NULL;
	}
	*out = response;
	return code;
}

/* --- the command line ------------------------------------------------------------------------------------------- */

static int
item_of(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof item_names / sizeof item_names[0]; i++)
		if (strlen(item_names[i].name) == len && memcmp(item_names[i].name, name, len) == 0)
			return item_names[i].item;
	die("no such item:", name);
}

static const char *
from_hex(const char *hex)
{
	char *text = calloc(1, strlen(hex) / 2 + 1);

	for (size_t i = 0; text != NULL && hex[2 * i] != '\0'; i++) {
		char pair[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		text[i] = (char)strtol(pair, NULL, 16);
	}
	return text;
}

static bool
take_flag(struct script *script, const char *name)
{
	if (strcmp(name, "--state") == 0)
		script->state = true;
	else if (strcmp(name, "--quiet") == 0)
		script->quiet = true;
	else if (strcmp(name, "--fork") == 0)
		script->fork = true;
	else if (strcmp(name, "--timed") == 0)
		script->timed = true;
	else if (strcmp(name, "--from-stdin") == 0)
		script->from_stdin = true;
	else if (strcmp(name, "--close-standard") == 0) {
		(void)close(0);
		(void)close(2);
	} else if (strcmp(name, "--ignore-children") == 0)
		(void)signal(SIGCHLD, SIG_IGN);
	else
		return false;
	return true;
}

static void
take_option(struct script *script, const char *name, const char *value)
{
	if (strcmp(name, "--confdir") == 0)
		script->confdir = value;
	else if (strcmp(name, "--service") == 0)
		script->service = value;
	else if (strcmp(name, "--user") == 0)
		script->user = value;
	else if (strcmp(name, "--item") == 0) {
		script->items[script->item_count].item = item_of(value, strcspn(value, "="));
		script->items[script->item_count++].value = strchr(value, '=') + 1;
	} else if (strcmp(name, "--env") == 0)
		script->environment[script->environment_count++] = value;
	else if (strcmp(name, "--answer") == 0)
		script->answers[script->answer_count++].text = value;
	else if (strcmp(name, "--answer-hex") == 0)
		script->answers[script->answer_count++].text = from_hex(value);
	else if (strcmp(name, "--answer-odd") == 0)
		script->answers[script->answer_count++].odd = value;
	else if (strcmp(name, "--blind") == 0)
		script->blind = value;
	else if (strcmp(name, "--flags") == 0)
		script->flags |= (int)(strcmp(value, "silent") == 0 ? PAM_SILENT : PAM_CHANGE_EXPIRED_AUTHTOK);
	else if (strcmp(name, "--repeat") == 0)
		script->repeat = atoi(value);
	else
		die("no such option:", name);
}

/* --- the operations --------------------------------------------------------------------------------------------- */

static void
print_item(pam_handle_t *pamh, const char *name)
{
	const void *value = NULL;

	(void)pam_get_item(pamh, item_of(name, strlen(name)), &value);
	(void)printf("item %s %s\n", name, value != NULL ? (const char *)value : "(none)");
}

static long long
now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
operate(pam_handle_t *pamh, struct script *script, const char *name)
{
	static const struct { const char *name; int (*call)(pam_handle_t *, int); int flags; } operations[] = {
		{ "auth", pam_authenticate, 0 }, { "setcred", pam_setcred, PAM_ESTABLISH_CRED },
		{ "acct", pam_acct_mgmt, 0 }, { "open", pam_open_session, 0 }, { "close", pam_close_session, 0 },
		{ "chauthtok", pam_chauthtok, 0 },
	};

	if (strncmp(name, "item:", 5) == 0) {
		print_item(pamh, name + 5);
		return;
	}
	if (strncmp(name, "user:", 5) == 0) {
		(void)pam_set_item(pamh, PAM_USER, name + 5);
		return;
	}
	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
		long long begin = now_ns();
		char code[16];

		if (strcmp(operations[i].name, name) != 0)
			continue;
		if (script->timed)
			script->next = 0;
		(void)snprintf(code, sizeof code, "%d", operations[i].call(pamh, operations[i].flags | script->flags));
		say(script, name, code);
		if (script->timed)
			(void)printf("took %lld\n", now_ns() - begin);
		return;
	}
	die("no such operation:", name);
}

static size_t
count_of(char **operations)
{
	size_t count = 0;

	while (operations[count] != NULL)
		count++;
	return count;
}

/* False in the child; the parent has waited for it. */
static bool
in_parent(void)
{
	pid_t child;

	(void)fflush(stdout);
	if ((child = fork()) == 0)
		return false;
	(void)waitpid(child, NULL, 0);
	return true;
}

static void
run_once(struct script *script, char **operations)
{
	const struct pam_conv conversation = { converse, script };
	pam_handle_t *pamh = NULL;

	script->next = 0;
	if (pam_start_confdir(script->service, script->user, &conversation, script->confdir, &pamh) != PAM_SUCCESS)
		die("pam_start_confdir", script->service);
	for (size_t i = 0; i < script->item_count; i++)
		(void)pam_set_item(pamh, script->items[i].item, script->items[i].value);
	for (size_t i = 0; i < script->environment_count; i++)
		(void)pam_putenv(pamh, script->environment[i]);
	if (script->fork && in_parent())
		operations += count_of(operations);
	for (; *operations != NULL; operations++)
		operate(pamh, script, *operations);
	(void)pam_end(pamh, PAM_SUCCESS);
}

int
main(int argc, char **argv)
{
	static struct host_state before, after;
	struct script script = { .repeat = 1 };
	const char *difference;
	int i;

	for (i = 1; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (take_flag(&script, argv[i]))
			continue;
		if (i + 1 >= argc)
			die("a value is missing behind", argv[i]);
		take_option(&script, argv[i], argv[i + 1]);
		i++;
	}
	if (script.confdir == NULL || script.service == NULL || i == argc)
		die("usage: --confdir DIR --service NAME [OPTION...] OPERATION...", "");
	if (script.repeat > 1)
		run_once(&script, argv + i);    /* what NSS and the locale load once is not the module's doing */
	host_state_take(&before);
	for (int n = 0; n < script.repeat; n++)
		run_once(&script, argv + i);
	host_state_take(&after);
	if (script.state) {
		difference = host_state_difference(&before, &after);
		(void)printf("state %s\n", difference != NULL ? difference : "same");
	}
	return 0;
}
