/* hurry.c: preloaded into an application of PAM: waiting for a helper that hangs takes no time, and the monotonic clock goes
 * on as if it had.  Only for one that has begun its reply: so it hangs indeed, and is not killed while it starts. */
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long skipped_ms;
static int speaking = -1;               /* the descriptor on which something has come */

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, now);

	if (rc == 0 && clock == CLOCK_MONOTONIC) {
		now->tv_sec += skipped_ms / 1000;
		now->tv_nsec += skipped_ms % 1000 * 1000000;
		now->tv_sec += now->tv_nsec / 1000000000;
		now->tv_nsec %= 1000000000;
	}
	return rc;
}

/* By its own name it would be declared to write alone what it is given. */
int hurried_poll(struct pollfd *descriptors, nfds_t count, int timeout) __asm__("poll");

int
hurried_poll(struct pollfd *descriptors, nfds_t count, int timeout)
{
	int hurried = count == 1 && descriptors->fd == speaking && descriptors->events == POLLIN;
	int n = (int)syscall(SYS_poll, descriptors, count, hurried ? 0 : timeout);

	if (n == 0 && hurried) {
		skipped_ms += timeout;
		speaking = -1;
	} else if (n > 0) {
		speaking = descriptors->events == POLLIN ? descriptors->fd : -1;
	}
	return n;
}
