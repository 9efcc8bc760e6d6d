/* connections.h: the open connections of a listener and the time each has left.  libmicrohttpd closes a connection
 * that is silent; one that sends a byte now and then is closed here. */
#ifndef COUNTERFOIL_AUTHD_CONNECTIONS_H
#define COUNTERFOIL_AUTHD_CONNECTIONS_H

#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

struct connections;
struct connection;

enum status connections_new(struct connections **out) NODISCARD;
void connections_free(struct connections **connections);

/* FD stays the caller's, who calls connections_remove() before closing it.  NULL: out of memory. */
struct connection *connections_add(struct connections *connections, int fd, int64_t deadline_ms);
void connections_remove(struct connections *connections, struct connection *connection);

/* From now on the connection has until DEADLINE_MS (clock_monotonic_ms()); INT64_MAX: as long as it takes. */
void connections_set_deadline(struct connections *connections, struct connection *connection, int64_t deadline_ms);

/* Shut down every connection whose deadline has passed; how many. */
unsigned connections_sweep(struct connections *connections);

unsigned connections_count(struct connections *connections);

#endif
