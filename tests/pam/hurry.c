/* hurry.c: preloaded into an application of PAM, whose clocks it moves.
 *   HURRY_HANGS=yes          waiting for a helper that hangs takes no time, and the monotonic clock goes on as if it had.  Only for
 *                            one that has begun its reply: so it hangs indeed, and is not killed while it starts.  The wait
 *                            for its end behind that is as long as a busy machine needs.
 *   HURRY_REALTIME_STEP=N    each wait moves that clock by so many seconds, as somebody would who sets it
 *   HURRY_MONOTONIC_STEP=N   the same of the other, which nobody can set */
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long skipped_ms, waits;
static int speaking = -1;               /* the descriptor on which something has come */
static int killed;

static long
moved_s(const char *step)
{
	const char *seconds = getenv(step);

	return seconds != NULL ? waits * atol(seconds) : 0;
}

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, now);

	if (rc == 0 && clock == CLOCK_MONOTONIC) {
		now->tv_sec += skipped_ms / 1000 + moved_s("HURRY_MONOTONIC_STEP");
		now->tv_nsec += skipped_ms % 1000 * 1000000;
		now->tv_sec += now->tv_nsec / 1000000000;
		now->tv_nsec %= 1000000000;
	} else if (rc == 0 && clock == CLOCK_REALTIME) {
		now->tv_sec += moved_s("HURRY_REALTIME_STEP");
	}
	return rc;
}

/* By its own name it would be declared to write alone what it is given. */
int hurried_poll(struct pollfd *descriptors, nfds_t count, int timeout) __asm__("poll");

int
hurried_poll(struct pollfd *descriptors, nfds_t count, int timeout)
{
	const char *wanted = getenv("HURRY_HANGS");
	int hurried = wanted != NULL && *wanted != '\0' && count == 1 && descriptors->fd == speaking && descriptors->events == POLLIN;
	int n = (int)syscall(SYS_poll, descriptors, count, hurried ? 0 : killed ? -1 : timeout);

	waits++;
	killed = n == 0 && hurried;
	if (killed) {
		skipped_ms += timeout;
		speaking = -1;
	} else if (n > 0) {
		speaking = descriptors->events == POLLIN ? descriptors->fd : -1;
	}
	return n;
}
