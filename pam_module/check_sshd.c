/* check_sshd.c: asks sshd itself what its configuration comes to, with all that it includes. */
#include "pam_module/check.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SSHD_PROGRAM "/usr/sbin/sshd"

enum { GRACE_FOR_TYPING_S = 30 };

/* The output of "sshd -T"; fclose() it, and wait for *out_pid.  NULL: it could not be started. */
static FILE *
ask_sshd(const char *config, pid_t *out_pid)
{
	char program[] = SSHD_PROGRAM, flag[] = "-T", file[] = "-f", path[1024];
	char *argv[] = { program, flag, file, path, NULL }, *envp[] = { NULL };
	posix_spawn_file_actions_t actions;
	FILE *out = NULL;
	int pair[2];

	(void)snprintf(path, sizeof path, "%s", config);
	if (pipe2(pair, O_CLOEXEC) != 0)
		return NULL;
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, pair[1], STDOUT_FILENO);
	(void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(out_pid, program, &actions, NULL, argv, envp) == 0)
		out = fdopen(pair[0], "r");
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(pair[1]);
	if (out == NULL)
		(void)close(pair[0]);
	return out;
}

static void
wants(struct check *check, const char *key, const char *value, const char *wanted, const char *why)
{
	char mend[128];

	(void)snprintf(mend, sizeof mend, "write %s %s in %.64s", key, wanted, check->sshd_config);
	if (strcmp(value, wanted) != 0)
		check_say(check, CHECK_WRONG, "sshd", mend, "%s is %s: %s", key, value, why);
}

/* sshd -T prints seconds.  0: no limit, or not a number that we know. */
static long
seconds_of(const char *value)
{
	char *end = NULL;
	long seconds = strtol(value, &end, 10);

	return end != value && *end == '\0' && seconds > 0 ? seconds : 0;
}

/* METHODS: lists with a space between, each of which is enough. */
static bool
is_behind_keys(const char *methods)
{
	while (*(methods += strspn(methods, " ")) != '\0') {
		size_t len = strcspn(methods, " ");
		const char *at = strstr(methods, "publickey");

		if (at == NULL || at >= methods + len)
			return false;
		methods += len;
	}
	return true;
}

static void
take_setting(struct check *check, const struct conf *conf, bool code_alone, const char *key, const char *value)
{
	if (strcmp(key, "usepam") == 0)
		wants(check, "UsePAM", value, "yes", "no module is asked at all");
	else if (strcmp(key, "kbdinteractiveauthentication") == 0 && conf->blind_conversation == BLIND_DENY)
		wants(check, "KbdInteractiveAuthentication", value, "yes", "nobody can be asked for a code");
	else if (strcmp(key, "passwordauthentication") == 0 && conf->blind_conversation == BLIND_DENY)
		wants(check, "PasswordAuthentication", value, "no", "sshd answers every prompt with the password");
	else if (strcmp(key, "authenticationmethods") == 0 && code_alone && !is_behind_keys(value))
		check_say(check, CHECK_WRONG, "sshd", "write AuthenticationMethods publickey,keyboard-interactive:pam there, and "
		    "require_ssh_publickey = yes in pam.conf", "AuthenticationMethods is %.200s: a code alone is enough", value);
	else if (strcmp(key, "logingracetime") == 0 && seconds_of(value) != 0 &&
	    seconds_of(value) < conf->timeout_total_s + GRACE_FOR_TYPING_S)
		check_say(check, CHECK_WARNING, "sshd", "raise LoginGraceTime, or lower timeout_total in pam.conf",
		    "LoginGraceTime is %s s: too short to type, with a verification of up to %d s", value,
		    conf->timeout_total_s);
}

void
check_sshd(struct check *check, const struct conf *conf, bool code_alone)
{
	char line[1024], key[128], value[512];
	unsigned before = check->wrong, seen = 0;
	pid_t pid = -1;
	FILE *in = ask_sshd(check->sshd_config, &pid);
	int status = -1;

	while (in != NULL && fgets(line, sizeof line, in) != NULL)
		if (sscanf(line, "%127s %511[^\n]", key, value) == 2) {
			seen++;
			take_setting(check, conf, code_alone, key, value);
		}
	if (in != NULL)
		(void)fclose(in);
	if (pid > 0)
		(void)waitpid(pid, &status, 0);
	if (seen == 0 || status != 0)
		check_say(check, CHECK_WARNING, "sshd", "run as root: " SSHD_PROGRAM " -T says what is wrong",
		    "%s could not be asked", SSHD_PROGRAM);
	else if (check->wrong == before)
		check_say(check, CHECK_OK, "sshd", NULL, "%s", check->sshd_config);
}
