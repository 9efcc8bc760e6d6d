#include "tests/pam/host_state.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((format(printf, 2, 3))) static void
put(struct host_state *state, const char *format, ...)
{
	size_t len = strlen(state->text);
	va_list args;

	va_start(args, format);
	if (vsnprintf(state->text + len, sizeof state->text - len, format, args) >= (int)(sizeof state->text - len))
		abort();
	va_end(args);
}

static void
put_descriptors(struct host_state *state)
{
	for (int fd = 0; fd < 1024; fd++) {
		char name[64], target[512];
		ssize_t n;

		(void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
		if ((n = readlink(name, target, sizeof target - 1)) < 0)
			continue;
		target[n] = '\0';
		put(state, "descriptor %d %s\n", fd, target);
	}
}

static void
put_signals(struct host_state *state)
{
	sigset_t mask;

	(void)sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int number = 1; number < NSIG; number++) {
		struct sigaction action;

		if (sigaction(number, NULL, &action) != 0)
			continue;
		put(state, "signal %d handler %p flags %x blocked %d\n", number, (void *)action.sa_sigaction,
		    (unsigned)action.sa_flags, sigismember(&mask, number));
	}
}

static void
put_ids(struct host_state *state)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid, groups[64];
	int n = getgroups(64, groups);

	(void)getresuid(&ruid, &euid, &suid);
	(void)getresgid(&rgid, &egid, &sgid);
	put(state, "ids %u %u %u %u %u %u\n", ruid, euid, suid, rgid, egid, sgid);
	for (int i = 0; i < n; i++)
		put(state, "group %u\n", groups[i]);
}

static void
put_threads(struct host_state *state)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned count = 0;

	if (tasks == NULL)
		abort();
	while (readdir(tasks) != NULL)
		count++;
	(void)closedir(tasks);
	put(state, "threads %u\n", count - 2);
}

static void
put_limits(struct host_state *state)
{
	struct itimerval timer;
	struct rlimit limit;

	for (int which = 0; which < RLIMIT_NLIMITS; which++)
		if (getrlimit((__rlimit_resource_t)which, &limit) == 0)
			put(state, "limit %d %llu %llu\n", which, (unsigned long long)limit.rlim_cur,
			    (unsigned long long)limit.rlim_max);
	(void)getitimer(ITIMER_REAL, &timer);
	put(state, "timer %ld\n", (long)timer.it_value.tv_sec);
	put(state, "priority %d dumpable %d\n", getpriority(PRIO_PROCESS, 0), prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
}

void
host_state_take(struct host_state *out)
{
	char cwd[512];
	mode_t mask = umask(0);

	(void)umask(mask);
	out->text[0] = '\0';
	put_descriptors(out);
	put_signals(out);
	put(out, "umask %o\n", mask);
	put(out, "locale %s\n", setlocale(LC_ALL, NULL));
	for (char **variable = environ; *variable != NULL; variable++)
		put(out, "environment %s\n", *variable);
	put(out, "directory %s\n", getcwd(cwd, sizeof cwd) != NULL ? cwd : "none");
	put_ids(out);
	put_threads(out);
	put(out, "child %s\n", waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD ? "none" : "left");
	put_limits(out);
}

const char *
host_state_difference(const struct host_state *before, const struct host_state *after)
{
	static char line[600];
	const char *a = before->text, *b = after->text;

	while (*a != '\0' || *b != '\0') {
		size_t a_len = strcspn(a, "\n"), b_len = strcspn(b, "\n");

		if (a_len != b_len || memcmp(a, b, a_len) != 0) {
			(void)snprintf(line, sizeof line, "before \"%.*s\" after \"%.*s\"", (int)(a_len < 250 ? a_len : 250), a,
			    (int)(b_len < 250 ? b_len : 250), b);
			return line;
		}
		a += a_len + (a[a_len] == '\n');
		b += b_len + (b[b_len] == '\n');
	}
	return NULL;
}
