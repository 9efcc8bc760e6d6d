#include "authd/acceptor.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAUSE_MS = 100 };        /* before another look, when there was no room for a connection */

struct acceptor {
	pthread_t thread;
	int stop;               /* readable: stop */
	struct acceptor_socket sockets[ACCEPTOR_SOCKETS_MAX];
	unsigned count;
};

/* False: there is no descriptor or memory for it, so the next attempt would fail as well. */
static bool
take_one(const struct acceptor_socket *socket)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;
	int fd = accept4(socket->fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
	/* it goes to the thread of number fd modulo threads; a failure closes it */
	(void)MHD_add_connection(socket->daemon, fd, (const struct sockaddr *)&peer, len);
	return true;
}

static bool
is_full(const struct acceptor_socket *socket)
{
	return connections_count(socket->connections) >= socket->limit;
}

static void *
accept_until_stopped(void *arg)
{
	struct acceptor *acceptor = arg;
	struct pollfd fds[1 + ACCEPTOR_SOCKETS_MAX];
	bool has_room = true;

	for (;;) {
		bool all = true;

		fds[0] = (struct pollfd){ .fd = acceptor->stop, .events = POLLIN };
		for (unsigned i = 0; i < acceptor->count; i++) {
			bool open = has_room && !is_full(&acceptor->sockets[i]);

			fds[1 + i] = (struct pollfd){ .fd = open ? acceptor->sockets[i].fd : -1, .events = POLLIN };
			all = all && open;
		}
		if (poll(fds, 1 + acceptor->count, all ? -1 : PAUSE_MS) < 0)
			continue;       /* a signal */
		if (fds[0].revents != 0)
			return NULL;
		has_room = true;
		for (unsigned i = 0; i < acceptor->count; i++)
			if (fds[1 + i].revents != 0)
				has_room = take_one(&acceptor->sockets[i]) && has_room;
	}
}

enum status
acceptor_start(const struct acceptor_socket *sockets, unsigned count, struct acceptor **out)
{
	struct acceptor *acceptor = calloc(1, sizeof *acceptor);

	if (acceptor == NULL)
		return STATUS_NO_MEMORY;
	memcpy(acceptor->sockets, sockets, count * sizeof *sockets);
	acceptor->count = count;
	if ((acceptor->stop = eventfd(0, EFD_CLOEXEC)) >= 0) {
		if (pthread_create(&acceptor->thread, NULL, accept_until_stopped, acceptor) == 0) {
			*out = acceptor;
			return STATUS_OK;
		}
		(void)close(acceptor->stop);
	}
	free(acceptor);
	return STATUS_NO_MEMORY;
}

void
acceptor_stop(struct acceptor **acceptor)
{
	if (*acceptor == NULL)
		return;
	(void)eventfd_write((*acceptor)->stop, 1);
	(void)pthread_join((*acceptor)->thread, NULL);
	(void)close((*acceptor)->stop);
	free(*acceptor);
	*acceptor = NULL;
}
