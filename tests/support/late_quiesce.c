/* late_quiesce.c: preloaded into authd, whose main thread then comes late to take a socket out of an epoll set: a thread that
 * waits there has done it before. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LATE_MS = 300 };

__attribute__((visibility("default"))) int
epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
	if (operation == EPOLL_CTL_DEL && getpid() == (pid_t)syscall(SYS_gettid))
		(void)poll(NULL, 0, LATE_MS);
	return (int)syscall(SYS_epoll_ctl, set, operation, fd, event);
}
