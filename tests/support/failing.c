#include "tests/support/failing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/secret.h"

static struct { unsigned countdown, calls; int cause; } plan[FAILING_KINDS];
static bool one_byte;
static uid_t claimed_owner = (uid_t)-1;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
char *__real_strdup(const char *text);
void *__real_sodium_malloc(size_t size);
enum status __real_secret_new(size_t capacity, struct secret **out);
ssize_t __real_getrandom(void *out, size_t len, unsigned flags);
ssize_t __real_read(int fd, void *out, size_t len);
ssize_t __real_write(int fd, const void *data, size_t len);
int __real_fstat(int fd, struct stat *out);
int __real_fsync(int fd);
int __real_fchown(int fd, uid_t owner, gid_t group);
int __real_rename(const char *from, const char *to);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
char *__wrap_strdup(const char *text);
void *__wrap_sodium_malloc(size_t size);
enum status __wrap_secret_new(size_t capacity, struct secret **out);
ssize_t __wrap_getrandom(void *out, size_t len, unsigned flags);
ssize_t __wrap_read(int fd, void *out, size_t len);
ssize_t __wrap___read_chk(int fd, void *out, size_t len, size_t capacity);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_fstat(int fd, struct stat *out);
int __wrap_fsync(int fd);
int __wrap_fchown(int fd, uid_t owner, gid_t group);
int __wrap_rename(const char *from, const char *to);

void
failing_at(enum failing kind, unsigned n, int cause)
{
	plan[kind].countdown = n;
	plan[kind].cause = cause;
	plan[kind].calls = 0;
}

unsigned
failing_calls(enum failing kind)
{
	return plan[kind].calls;
}

void
failing_one_byte_a_call(bool on)
{
	one_byte = on;
}

void
failing_owner(uid_t owner)
{
	claimed_owner = owner;
}

int
failing_stop(void **state)
{
	(void)state;
	memset(plan, 0, sizeof plan);
	one_byte = false;
	claimed_owner = (uid_t)-1;
	return 0;
}

static bool
fails(enum failing kind)
{
	plan[kind].calls++;
	if (plan[kind].countdown == 0 || --plan[kind].countdown > 0)
		return false;
	errno = plan[kind].cause;
	return true;
}

static size_t
at_most(size_t len)
{
	return one_byte && len > 1 ? 1 : len;
}

void *
__wrap_malloc(size_t size)
{
	return fails(FAILING_MEMORY) ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails(FAILING_MEMORY) ? NULL : __real_calloc(count, size);
}

char *
__wrap_strdup(const char *text)
{
	return fails(FAILING_MEMORY) ? NULL : __real_strdup(text);
}

void *
__wrap_sodium_malloc(size_t size)
{
	return fails(FAILING_MEMORY) ? NULL : __real_sodium_malloc(size);
}

/* A secret asks the system for memory only now and then: every call counts, as the others do. */
enum status
__wrap_secret_new(size_t capacity, struct secret **out)
{
	return fails(FAILING_MEMORY) ? STATUS_NO_MEMORY : __real_secret_new(capacity, out);
}

ssize_t
__wrap_getrandom(void *out, size_t len, unsigned flags)
{
	return fails(FAILING_ENTROPY) ? -1 : __real_getrandom(out, at_most(len), flags);
}

ssize_t
__wrap_read(int fd, void *out, size_t len)
{
	return fails(FAILING_READ) ? -1 : __real_read(fd, out, at_most(len));
}

/* What _FORTIFY_SOURCE makes of read(). */
ssize_t
__wrap___read_chk(int fd, void *out, size_t len, size_t capacity)
{
	if (len > capacity)
		abort();
	return __wrap_read(fd, out, len);
}

ssize_t
__wrap_write(int fd, const void *data, size_t len)
{
	return fails(FAILING_WRITE) ? -1 : __real_write(fd, data, at_most(len));
}

int
__wrap_fstat(int fd, struct stat *out)
{
	int result = fails(FAILING_FSTAT) ? -1 : __real_fstat(fd, out);

	if (result == 0 && claimed_owner != (uid_t)-1)
		out->st_uid = claimed_owner;
	return result;
}

int
__wrap_fsync(int fd)
{
	return fails(FAILING_FSYNC) ? -1 : __real_fsync(fd);
}

int
__wrap_fchown(int fd, uid_t owner, gid_t group)
{
	return fails(FAILING_FCHOWN) ? -1 : __real_fchown(fd, owner, group);
}

int
__wrap_rename(const char *from, const char *to)
{
	return fails(FAILING_RENAME) ? -1 : __real_rename(from, to);
}
