#include "authd/connections.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "core/base/clock.h"

struct connection {
	int fd;
	int64_t deadline_ms;
	struct connection *previous, *next;
};

struct connections {
	pthread_mutex_t lock;
	struct connection *head;
	unsigned count;
};

enum status
connections_new(struct connections **out)
{
	if ((*out = calloc(1, sizeof **out)) == NULL)
		return STATUS_NO_MEMORY;
	(void)pthread_mutex_init(&(*out)->lock, NULL);
	return STATUS_OK;
}

void
connections_free(struct connections **connections)
{
	if (*connections == NULL)
		return;
	while ((*connections)->head != NULL)
		connections_remove(*connections, (*connections)->head);
	(void)pthread_mutex_destroy(&(*connections)->lock);
	free(*connections);
	*connections = NULL;
}

struct connection *
connections_add(struct connections *connections, int fd, int64_t deadline_ms)
{
	struct connection *connection = calloc(1, sizeof *connection);

	if (connection == NULL)
		return NULL;
	connection->fd = fd;
	connection->deadline_ms = deadline_ms;
	(void)pthread_mutex_lock(&connections->lock);
	if ((connection->next = connections->head) != NULL)
		connection->next->previous = connection;
	connections->head = connection;
	connections->count++;
	(void)pthread_mutex_unlock(&connections->lock);
	return connection;
}

void
connections_remove(struct connections *connections, struct connection *connection)
{
	if (connection == NULL)
		return;
	(void)pthread_mutex_lock(&connections->lock);
	if (connection->previous != NULL)
		connection->previous->next = connection->next;
	else
		connections->head = connection->next;
	if (connection->next != NULL)
		connection->next->previous = connection->previous;
	connections->count--;
	(void)pthread_mutex_unlock(&connections->lock);
	free(connection);
}

void
connections_set_deadline(struct connections *connections, struct connection *connection, int64_t deadline_ms)
{
	if (connection == NULL)
		return;
	(void)pthread_mutex_lock(&connections->lock);
	connection->deadline_ms = deadline_ms;
	(void)pthread_mutex_unlock(&connections->lock);
}

unsigned
connections_sweep(struct connections *connections)
{
	int64_t now_ms = clock_monotonic_ms();
	unsigned cut = 0;

	/* with the lock held no descriptor can be closed and given out again */
	(void)pthread_mutex_lock(&connections->lock);
	for (struct connection *c = connections->head; c != NULL; c = c->next) {
		if (c->deadline_ms > now_ms)
			continue;
		(void)shutdown(c->fd, SHUT_RDWR);
		c->deadline_ms = INT64_MAX;
		cut++;
	}
	(void)pthread_mutex_unlock(&connections->lock);
	return cut;
}

unsigned
connections_count(struct connections *connections)
{
	unsigned count;

	(void)pthread_mutex_lock(&connections->lock);
	count = connections->count;
	(void)pthread_mutex_unlock(&connections->lock);
	return count;
}
