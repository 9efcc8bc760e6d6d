/* clock_settable.c: core/base/clock.h for test programs.  Three ways of telling the time:
 *   nothing was set                      as the real clock
 *   clock_set(), clock_advance_ms()      stands still and is moved by hand: unit tests
 *   COUNTERFOIL_TEST_CLOCK=FILE          the real time plus the seconds that FILE holds, looked up at each call:
 *                                        authd-testclock, whose test writes the file (World.advance() in world.py) */
#include "tests/support/clock_settable.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"

static _Atomic int64_t set_real_ms, set_monotonic_us, offset_s;
static atomic_bool is_set;
static const char *path_at_start;       /* pam-helper clears its environment */

__attribute__((constructor)) static void
remember_path(void)
{
	const char *path = getenv("COUNTERFOIL_TEST_CLOCK");

	path_at_start = path != NULL ? strdup(path) : NULL;
}

static int64_t
real_us(clockid_t clock)
{
	struct timespec now = { 0 };

	(void)clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
stop(void)
{
	if (atomic_load(&is_set))
		return;
	atomic_store(&set_real_ms, real_us(CLOCK_REALTIME) / 1000);
	atomic_store(&set_monotonic_us, real_us(CLOCK_MONOTONIC));
	atomic_store(&is_set, true);
}

void
clock_set(int64_t now_s)
{
	stop();
	atomic_store(&set_real_ms, now_s * 1000);
}

void
clock_advance_ms(int64_t ms)
{
	stop();
	atomic_fetch_add(&set_real_ms, ms);
	atomic_fetch_add(&set_monotonic_us, ms * 1000);
}

/* False: the file cannot be read now. */
static bool
read_offset(const char *path, int64_t *out)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return false;
	len = read(fd, text, sizeof text - 1);
	(void)close(fd);
	if (len <= 0)
		return false;
	*out = strtoll(text, NULL, 10);
	return true;
}

/* A process out of descriptors keeps the time that it had; one that never had it would lie about everything. */
static int64_t
file_offset_s(const char *path)
{
	static atomic_bool known;
	int64_t found;

	if (read_offset(path, &found)) {
		atomic_store(&offset_s, found);
		atomic_store(&known, true);
	} else if (!atomic_load(&known)) {
		(void)fprintf(stderr, "COUNTERFOIL_TEST_CLOCK: %s cannot be read\n", path);
		abort();
	}
	return atomic_load(&offset_s);
}

int64_t
clock_now_s(void)
{
	const char *path;

	if (atomic_load(&is_set))
		return atomic_load(&set_real_ms) / 1000;
	if ((path = getenv("COUNTERFOIL_TEST_CLOCK")) == NULL)
		path = path_at_start;
	return real_us(CLOCK_REALTIME) / 1000000 + (path != NULL ? file_offset_s(path) : 0);
}

int64_t
clock_monotonic_ms(void)
{
	return clock_monotonic_us() / 1000;
}

/* Stands still for nobody. */
int64_t
clock_thread_us(void)
{
	return real_us(CLOCK_THREAD_CPUTIME_ID);
}

int64_t
clock_monotonic_us(void)
{
	return atomic_load(&is_set) ? atomic_load(&set_monotonic_us) : real_us(CLOCK_MONOTONIC);
}
