/* fuzz_pam_system.c: the system under the module in fuzz_pam_call. */
#include <errno.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_pam_world.h"

enum { CHILD_PID = 4242 };

bool
fails(void)
{
	static const int numbers[16] = { EINTR, EAGAIN, ENOMEM, EMFILE, EIO, EBADF, ECHILD, ESRCH, EACCES, ENOSYS, EINVAL,
		EPIPE, ECONNRESET, ENOENT, ELOOP, EPERM };
	struct tape *tape = &world->tape;
	uint8_t last;

	if (tape->end <= tape->at)
		return false;
	last = tape->data[--tape->end];
	errno = numbers[last & 15];
	return last >= 0xe0;
}

/* --- memory ----------------------------------------------------------------------------------------------------- */

void *
fuzz_malloc(size_t size)
{
	void *memory = fails() ? NULL : (malloc)(size);

	world->held += memory != NULL;
	return memory;
}

void *
fuzz_calloc(size_t count, size_t size)
{
	void *memory = fails() ? NULL : (calloc)(count, size);

	world->held += memory != NULL;
	return memory;
}

char *
fuzz_strdup(const char *text)
{
	char *copy = fails() ? NULL : (strdup)(text);

	world->held += copy != NULL;
	return copy;
}

/* Its comparisons are of no interest to the fuzzer, and would be two thirds of its time. */
__attribute__((no_sanitize("coverage"))) static bool
is_wiped(const char *memory, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (memory[i] != '\0')
			return false;
	return true;
}

/* An answer of the application's is the module's to wipe. */
static bool
was_given(const void *memory)
{
	for (size_t i = 0; i < sizeof world->given / sizeof world->given[0]; i++) {
		struct given *given = &world->given[i];

		if (given->text == NULL || given->text != memory)
			continue;
		INSIST(is_wiped(given->text, given->len));
		given->text = NULL;
		return true;
	}
	return false;
}

void
fuzz_free(void *memory)
{
	if (memory != NULL && !was_given(memory))
		world->held--;
	(free)(memory);
}

void *
fuzz_map(size_t len)
{
	void *memory = fails() ? NULL : (calloc)(1, len);

	world->maps += memory != NULL;
	return memory != NULL ? memory : MAP_FAILED;
}

int
fuzz_unmap(void *memory, size_t len)
{
	INSIST(is_wiped(memory, len));
	world->maps--;
	(free)(memory);
	return 0;
}

/* --- descriptors ------------------------------------------------------------------------------------------------ */

static int
new_fd(enum fd_kind kind)
{
	for (int i = 0; i < WORLD_FDS; i++)
		if (world->fds[i] == FD_NONE) {
			world->fds[i] = kind;
			return WORLD_FIRST_FD + i;
		}
	abort();
}

/* A descriptor that the module has not, or closes twice, would be somebody else's. */
static enum fd_kind *
kind_of(int fd)
{
	INSIST(fd >= WORLD_FIRST_FD && fd < WORLD_FIRST_FD + WORLD_FDS && world->fds[fd - WORLD_FIRST_FD] != FD_NONE);
	return &world->fds[fd - WORLD_FIRST_FD];
}

int
fuzz_openat(int folder, const char *name, int flags)
{
	INSIST(((unsigned)flags & O_CLOEXEC) != 0 && ((unsigned)flags & O_NOFOLLOW) != 0);
	INSIST(folder == AT_FDCWD ? strcmp(name, "/") == 0 : *kind_of(folder) == FD_FOLDER && strchr(name, '/') == NULL);
	if (fails())
		return -1;
	world->conf_at = 0;
	return new_fd(((unsigned)flags & O_DIRECTORY) != 0 ? FD_FOLDER : FD_FILE);
}

int
fuzz_fstat(int fd, struct stat *out)
{
	bool is_file = *kind_of(fd) == FD_FILE;

	if (fails())
		return -1;
	*out = (struct stat){ .st_mode = is_file ? S_IFREG | 0644 : S_IFDIR | 0755, .st_nlink = 1,
	    .st_size = (off_t)world->conf_len };
	if (fails())
		out->st_mode = S_IFIFO | 0644;
	if (fails())
		out->st_uid = 1000;
	if (fails())
		out->st_mode |= S_IWOTH;
	return 0;
}

ssize_t
fuzz_read(int fd, void *out, size_t capacity)
{
	size_t left = world->conf_len - world->conf_at;

	INSIST(*kind_of(fd) == FD_FILE);
	if (fails())
		return -1;
	if (left > capacity)
		left = capacity;
	if (left > 100 && fails())
		left = 100;
	memcpy(out, world->conf + world->conf_at, left);
	world->conf_at += left;
	return (ssize_t)left;
}

int
fuzz_close(int fd)
{
	*kind_of(fd) = FD_NONE;
	return fails() ? -1 : 0;        /* closed all the same, as on Linux */
}

int
fuzz_fcntl(int fd, int command, int argument)
{
	enum fd_kind kind = *kind_of(fd);

	(void)argument;
	if (fails())
		return -1;
	return command == F_DUPFD_CLOEXEC ? new_fd(kind) : 0;
}

int
fuzz_socketpair(int pair[2])
{
	if (fails())
		return -1;
	pair[0] = new_fd(FD_SOCKET);
	pair[1] = new_fd(FD_OTHER_END);
	return 0;
}

/* --- the helper's process --------------------------------------------------------------------------------------- */

int
fuzz_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	INSIST(how == SIG_SETMASK);
	if (old != NULL)
		*old = world->mask;
	world->mask = *set;
	return 0;
}

pid_t
fuzz_fork(void)
{
	if (fails())
		return -1;
	world->child_lives = true;
	world->child_reaped = world->end_is_hidden = world->wait_failed = world->replied = false;
	world->request_len = world->reply_len = world->reply_at = 0;
	return CHILD_PID;
}

/* ESRCH: a host that reaps every child was faster. */
int
fuzz_pidfd_open(pid_t pid)
{
	INSIST(pid == CHILD_PID && world->child_lives);
	if (!fails())
		return new_fd(FD_PIDFD);
	if (errno == ESRCH)
		world->end_is_hidden = true;
	return -1;
}

int
fuzz_end_child(void)
{
	if (fails()) {
		world->wait_failed = true;
		return -1;
	}
	if (!world->replied)
		world->end = CHILD_KILLED;
	if (world->end == CHILD_SILENT || world->end == CHILD_LINGERS)
		world->end = CHILD_KILLED;
	world->replied = true;
	return 0;
}

int
fuzz_waitid(siginfo_t *out)
{
	if (fails()) {
		world->wait_failed = true;
		world->end_is_hidden = world->end_is_hidden || errno == ECHILD;
		return -1;
	}
	if (world->child_reaped) {
		errno = ECHILD;
		return -1;
	}
	world->child_reaped = true;
	if (out != NULL) {
		out->si_code = world->end == CHILD_IN_ORDER || world->end == CHILD_WITH_ERROR ? CLD_EXITED : CLD_KILLED;
		out->si_status = world->end == CHILD_IN_ORDER ? 0 : 3;
	}
	return 0;
}

static bool
is_ready(enum fd_kind kind, short events)
{
	if (events == POLLOUT)
		return true;
	helper_reply();
	return world->end != CHILD_SILENT && (kind == FD_SOCKET || world->end != CHILD_LINGERS);
}

int
fuzz_poll(const struct pollfd *one, int timeout_ms, short *out_ready)
{
	enum fd_kind kind = *kind_of(one->fd);

	INSIST(timeout_ms >= 0 && (kind == FD_SOCKET || kind == FD_PIDFD));
	world->clock_ms++;
	if (fails()) {
		world->wait_failed = true;
		return -1;
	}
	if (is_ready(kind, one->events)) {
		*out_ready = one->events;
		return 1;
	}
	world->clock_ms += timeout_ms;
	return 0;
}

ssize_t
fuzz_send(int fd, const void *data, size_t len)
{
	INSIST(*kind_of(fd) == FD_SOCKET && world->request_len + len <= sizeof world->request);
	if (fails())
		return -1;
	if (len > 10 && fails())
		len = 10;
	memcpy(world->request + world->request_len, data, len);
	world->request_len += len;
	return (ssize_t)len;
}

ssize_t
fuzz_recv(int fd, void *out, size_t capacity)
{
	size_t left;

	INSIST(*kind_of(fd) == FD_SOCKET);
	if (fails())
		return -1;
	helper_reply();
	left = world->reply_len - world->reply_at;
	if (left > capacity)
		left = capacity;
	if (left > 1 && fails())
		left = 1;
	memcpy(out, world->reply + world->reply_at, left);
	world->reply_at += left;
	return (ssize_t)left;
}

/* --- the rest --------------------------------------------------------------------------------------------------- */

ssize_t
fuzz_getrandom(void *out, size_t len)
{
	uint8_t *bytes = out;

	if (fails())
		return errno == EINTR ? (ssize_t)len / 2 : -1;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)((uint64_t)world->clock_ms + 7 * i);
	world->clock_ms++;
	return (ssize_t)len;
}

int
fuzz_clock(clockid_t which, struct timespec *out)
{
	int64_t ms = world->clock_ms + (which == CLOCK_REALTIME ? INT64_C(1700000000000) : 0);

	if (fails())
		return -1;
	*out = (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	return 0;
}

unsigned long
fuzz_getauxval(unsigned long type)
{
	INSIST(type == AT_SECURE);
	return fails();
}

int
fuzz_gethostname(char *out, size_t capacity)
{
	if (fails())
		return -1;
	(void)snprintf(out, capacity, "%s", "web1");
	return 0;
}

/* The application's own terminal, which PAM_TTY may name. */
int
fuzz_ttyname(char *out, size_t capacity)
{
	if (fails())
		return ENOTTY;
	return (size_t)snprintf(out, capacity, "/dev/%s", world->tty) < capacity ? 0 : ERANGE;
}
