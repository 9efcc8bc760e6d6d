/* db_pool.h: the connections that nobody uses right now.  For the store's own files. */
#ifndef COUNTERFOIL_DB_POOL_H
#define COUNTERFOIL_DB_POOL_H

#include "core/store/db_connection.h"

/* A connection that answers, made now if need be.  Give it back with db_pool_give().
 * STATUS_OVERLOADED: all are in use and none came back in time.  STATUS_UNAVAILABLE: no database. */
enum status db_pool_take(struct db *db, struct db_connection **out) NODISCARD;
/* A doomed one is closed. */
void db_pool_give(struct db *db, struct db_connection *connection);

/* How long a call may take before its connection is given up: a little longer than the server's own limit. */
int64_t db_pool_call_timeout_ms(const struct db *db);

#endif
