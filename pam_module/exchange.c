#include "pam_module/exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <security/pam_modutil.h>

enum { FIRST_OWN_FD = 3, KILL_WAIT_MS = 1000 };

struct child {
	int socket;
	int pidfd;
	int64_t deadline_ms;
};

int64_t
exchange_now_ms(void)
{
	struct timespec now = { 0, 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- in the child ----------------------------------------------------------------------------------------------- */

/* Only async-signal-safe calls from here to execve(): the host may have had threads. */

static void
reset_signals(void)
{
	const struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &plain, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* su runs with its caller's real user id: a helper that kept it could be stopped by the caller at will. */
static bool
become_wholly_root(void)
{
	return geteuid() != 0 ||
	    (setgroups(0, NULL) == 0 && setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0);
}

/* As pam_modutil_sanitize_helper_fds() does, which tries up to 65535 descriptors one by one, and no higher. */
static bool
keep_only(const struct exchange *exchange, int sock)
{
	int null;

	if (dup2(sock, STDIN_FILENO) != STDIN_FILENO)
		return false;
	if (close_range(FIRST_OWN_FD, ~0U, 0) != 0)     /* a kernel without it */
		return pam_modutil_sanitize_helper_fds(exchange->pamh, PAM_MODUTIL_IGNORE_FD, PAM_MODUTIL_NULL_FD,
		    PAM_MODUTIL_NULL_FD) == 0;
	if ((null = open("/dev/null", O_RDWR)) < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		return false;
	return null < FIRST_OWN_FD || close(null) == 0;
}

__attribute__((noreturn)) static void
become_helper(const struct exchange *exchange, int sock)
{
	char name[] = "pam-helper", option[] = "--config", conf[512];
	char *argv[] = { name, NULL, NULL, NULL }, *envp[] = { NULL };

	if (exchange->helper_conf != NULL) {
		memcpy(conf, exchange->helper_conf, strnlen(exchange->helper_conf, sizeof conf - 1) + 1);
		conf[sizeof conf - 1] = '\0';
		argv[1] = option;
		argv[2] = conf;
	}
	if (keep_only(exchange, sock) && chdir("/") == 0 && become_wholly_root()) {
		reset_signals();
		(void)execve(exchange->helper, argv, envp);
	}
	_exit(127);
}

/* --- starting and ending it ------------------------------------------------------------------------------------- */

static int
above_standard(int fd)
{
	int moved;

	if (fd < 0 || fd >= FIRST_OWN_FD)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_OWN_FD);
	(void)close(fd);
	return moved;
}

static void
close_if_open(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

static void
kill_and_reap(int pidfd)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	siginfo_t info;

	(void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	while (poll(&ended, 1, KILL_WAIT_MS) < 0 && errno == EINTR)
		continue;
	while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0 && errno == EINTR)
		continue;
}

/* Signals wait while there are two of us, lest the host's handlers run in the child. */
static bool
start(const struct exchange *exchange, struct child *child)
{
	int pair[2] = { -1, -1 };
	sigset_t all, before;
	pid_t pid = -1;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		return false;
	pair[0] = above_standard(pair[0]);
	pair[1] = above_standard(pair[1]);
	if (pair[0] >= 0 && pair[1] >= 0 && fcntl(pair[1], F_SETFL, 0) == 0) {
		(void)sigfillset(&all);
		(void)pthread_sigmask(SIG_SETMASK, &all, &before);
		if ((pid = _Fork()) == 0)
			become_helper(exchange, pair[1]);
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	close_if_open(pair[1]);
	/* A host that reaps every child may have been faster: then no pidfd is to be had, and the reply decides alone. */
	if (pid > 0 && (child->pidfd = above_standard(pidfd_open(pid, 0))) < 0 && errno != ESRCH) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		pid = -1;
	}
	child->socket = pair[0];
	return pid > 0;
}

/* --- talking ---------------------------------------------------------------------------------------------------- */

/* ANSWER_NONE: FD is ready, or has hung up. */
static enum answer
wait_for(int fd, short events, int64_t deadline_ms)
{
	for (;;) {
		struct pollfd ready = { .fd = fd, .events = events };
		int64_t left = deadline_ms - exchange_now_ms();
		int n;

		if (left <= 0)
			return ANSWER_HELPER_LATE;
		if ((n = poll(&ready, 1, (int)left)) > 0)
			return ANSWER_NONE;
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return ANSWER_INTERNAL;
	}
}

static enum answer
send_all(const struct child *child, const uint8_t *data, size_t len)
{
	enum answer answer;

	while (len > 0) {
		ssize_t sent;

		if ((answer = wait_for(child->socket, POLLOUT, child->deadline_ms)) != ANSWER_NONE)
			return answer;
		sent = send(child->socket, data, len, MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR && errno != EAGAIN)
			return ANSWER_HELPER_BROKEN;
		if (sent > 0) {
			data += sent;
			len -= (size_t)sent;
		}
	}
	return ANSWER_NONE;
}

/* Everything until the helper hangs up; more than one message's bytes is a broken helper. */
static enum answer
receive_all(const struct child *child, uint8_t *out, size_t *out_len)
{
	uint8_t spare;
	enum answer answer;

	for (*out_len = 0;;) {
		bool full = *out_len == WIRE_MESSAGE_MAX;
		ssize_t got;

		if ((answer = wait_for(child->socket, POLLIN, child->deadline_ms)) != ANSWER_NONE)
			return answer;
		got = recv(child->socket, full ? &spare : out + *out_len, full ? 1 : WIRE_MESSAGE_MAX - *out_len, 0);
		if (got == 0)
			return ANSWER_NONE;
		if (got < 0 && errno != EINTR && errno != EAGAIN)
			return ANSWER_HELPER_BROKEN;
		if (got > 0 && full)
			return ANSWER_HELPER_BROKEN;
		if (got > 0)
			*out_len += (size_t)got;
	}
}

/* Ended in order?  A host that reaps every child leaves nothing to ask: its reply was whole, that must do. */
static enum answer
wait_for_end(const struct child *child)
{
	siginfo_t info = { .si_code = 0 };
	enum answer answer;

	if (child->pidfd < 0)
		return ANSWER_NONE;
	if ((answer = wait_for(child->pidfd, POLLIN, child->deadline_ms)) != ANSWER_NONE)
		return answer;
	while (waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED) < 0)
		if (errno != EINTR)
			return errno == ECHILD ? ANSWER_NONE : ANSWER_INTERNAL;
	return info.si_code == CLD_EXITED && info.si_status == 0 ? ANSWER_NONE : ANSWER_HELPER_BROKEN;
}

/* One whole reply to this request about this user, or nothing. */
static enum answer
read_reply(const uint8_t *message, size_t len, const struct wire_request *request, struct wire_reply *out)
{
	struct wire_reply reply;
	enum answer answer;

	if (len <= WIRE_LENGTH_BYTES || wire_body_len(message) != len - WIRE_LENGTH_BYTES ||
	    !wire_decode_reply(message + WIRE_LENGTH_BYTES, len - WIRE_LENGTH_BYTES, &reply))
		return ANSWER_HELPER_BROKEN;
	if (memcmp(reply.id, request->id, sizeof reply.id) != 0 || strcmp(reply.user, request->user) != 0)
		return ANSWER_HELPER_BROKEN;
	if ((answer = answer_of_wire(reply.answer)) == ANSWER_NONE)
		return ANSWER_HELPER_BROKEN;
	*out = reply;
	return answer;
}

static enum answer
converse(const struct exchange *exchange, const struct child *child, const struct wire_request *request, size_t len,
    struct wire_reply *reply)
{
	size_t reply_len = 0;
	enum answer answer;

	if ((answer = send_all(child, exchange->buffer, len)) != ANSWER_NONE ||
	    (answer = receive_all(child, exchange->reply_buffer, &reply_len)) != ANSWER_NONE ||
	    (answer = wait_for_end(child)) != ANSWER_NONE)
		return answer;
	return read_reply(exchange->reply_buffer, reply_len, request, reply);
}

enum answer
exchange_run(const struct exchange *exchange, const struct wire_request *request, struct wire_reply *reply)
{
	struct child child = { .socket = -1, .pidfd = -1, .deadline_ms = exchange_now_ms() + exchange->timeout_ms };
	enum answer answer = ANSWER_INTERNAL;
	size_t len;

	*reply = (struct wire_reply){ .answer = 0 };
	if (!wire_encode_request(request, exchange->buffer, WIRE_MESSAGE_MAX, &len))
		return ANSWER_INTERNAL;
	if (start(exchange, &child))
		answer = converse(exchange, &child, request, len, reply);
	close_if_open(child.socket);
	if (child.pidfd >= 0) {
		kill_and_reap(child.pidfd);     /* a helper that has ended takes no notice */
		(void)close(child.pidfd);
	}
	return answer;
}
