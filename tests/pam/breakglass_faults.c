/* breakglass_faults.c: preloaded into a helper.  What the environment asks for:
 *   FAULT_NO_LOCKS=1     locks are granted to everybody at once: a careless helper, for the race that a careful one wins
 *   FAULT_KILL_AT=N      SIGKILL in the place of the Nth call that changes or syncs a file
 *   FAULT_FULL=1         no byte is written any more: a full disk
 *   FAULT_READ_ONLY=1    no file is opened for writing but those that are there */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool no_locks, full, read_only;
static int new_file = -1;      /* the last file that was made */
static long kill_at;

__attribute__((constructor)) static void
read_wishes(void)
{
	const char *at = getenv("FAULT_KILL_AT");

	no_locks = getenv("FAULT_NO_LOCKS") != NULL;
	full = getenv("FAULT_FULL") != NULL;
	read_only = getenv("FAULT_READ_ONLY") != NULL;
	kill_at = at != NULL ? strtol(at, NULL, 10) : 0;
}

static void
maybe_die(void)
{
	if (kill_at > 0 && --kill_at == 0)
		(void)raise(SIGKILL);
}

static void *
real(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (found == NULL)
		abort();
	return found;
}

int
fcntl(int fd, int command, ...)
{
	int (*next)(int, int, ...) = (int (*)(int, int, ...))real("fcntl");
	va_list args;
	void *argument;

	va_start(args, command);
	argument = va_arg(args, void *);
	va_end(args);
	if (no_locks && (command == F_OFD_SETLKW || command == F_OFD_SETLK))
		return 0;
	return next(fd, command, argument);
}

int
open(const char *path, int flags, ...)
{
	int (*next)(const char *, int, ...) = (int (*)(const char *, int, ...))real("open");
	va_list args;
	int mode, fd;

	va_start(args, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(args, int) : 0;
	va_end(args);
	if (read_only && (flags & O_EXCL) != 0) {
		errno = EROFS;
		return -1;
	}
	if ((flags & O_EXCL) != 0)
		maybe_die();
	fd = next(path, flags, mode);
	if ((flags & O_EXCL) != 0)
		new_file = fd;
	return fd;
}

ssize_t
write(int fd, const void *data, size_t len)
{
	ssize_t (*next)(int, const void *, size_t) = (ssize_t (*)(int, const void *, size_t))real("write");

	if (fd != new_file)
		return next(fd, data, len);
	if (full) {
		errno = ENOSPC;
		return -1;
	}
	maybe_die();
	/* half of it, so that a file can be cut short by the next call */
	return next(fd, data, len > 1 && kill_at > 0 ? len / 2 : len);
}

int
fsync(int fd)
{
	int (*next)(int) = (int (*)(int))real("fsync");

	maybe_die();
	return next(fd);
}

int
rename(const char *from, const char *to)
{
	int (*next)(const char *, const char *) = (int (*)(const char *, const char *))real("rename");

	maybe_die();
	return next(from, to);
}

int
unlink(const char *path)
{
	int (*next)(const char *) = (int (*)(const char *))real("unlink");

	maybe_die();
	return next(path);
}

/* The reply goes out by this, behind everything. */
ssize_t
send(int fd, const void *data, size_t len, int flags)
{
	ssize_t (*next)(int, const void *, size_t, int) = (ssize_t (*)(int, const void *, size_t, int))real("send");

	if (len > 4 && memcmp((const char *)data + 4, "CFR1", 4) == 0)
		maybe_die();
	return next(fd, data, len, flags);
}
