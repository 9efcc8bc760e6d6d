/* db_connection.h: one connection to PostgreSQL.  Every wait has a deadline of our own: a server that is stopped in
 * the middle, or a network that swallows packets, costs a caller the deadline and never more.
 * For the store's own files. */
#ifndef COUNTERFOIL_DB_CONNECTION_H
#define COUNTERFOIL_DB_CONNECTION_H

#include <libpq-fe.h>

#include "core/store/db.h"

#define DB_FUNCTIONS_MAX 128
#define DB_OPTIONS_MAX   64

/* What PQconnectStartParams() takes: everything is set, so that no default of the environment gets in. */
struct db_conninfo {
	PQconninfoOption *parsed;       /* owns the values */
	const char *keywords[DB_OPTIONS_MAX + 1], *values[DB_OPTIONS_MAX + 1];
	char options[160];
};

/* STATUS_INVALID: ERROR says what is wrong with the url. */
enum status db_conninfo_make(const struct db_settings *settings, struct db_conninfo *out,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;
void db_conninfo_free(struct db_conninfo *info);

/* Let the cryptography under libpq find what it needs while there is memory: OpenSSL remembers for the rest of the
 * process that its first use of an algorithm failed, and no connection with a password could be made any more. */
void db_conninfo_warm_up(void);

/* Remove every variable from the environment that libpq would look at. */
void db_conninfo_scrub_environment(void);

struct db_connection;

/* How many parameters the arguments of FUNCTION are: a composite type travels as its members. */
unsigned db_connection_param_count(const struct db_function *function);

/* STATUS_UNAVAILABLE: ERROR is libpq's text, one line. */
enum status db_connection_open(const struct db_conninfo *info, int64_t timeout_ms, struct db_connection **out,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;
void db_connection_close(struct db_connection **connection);

/* Is it usable as far as can be known without asking the server? */
bool db_connection_is_alive(struct db_connection *connection);

/* Forget what is known about it: after a failure that left it in doubt it is not used again. */
void db_connection_doom(struct db_connection *connection);
bool db_connection_is_doomed(const struct db_connection *connection);

/* Run FUNCTION, preparing it if this connection has not yet.  NULL: no answer within TIMEOUT_MS, connection lost or
 * out of memory; the connection is doomed then.  The caller clears the result. */
PGresult *db_connection_call(struct db_connection *connection, const struct db_function *function,
    const struct db_params *params, int64_t timeout_ms);

/* Run SQL, one or more statements, as it stands; the last result, or the first that failed. */
PGresult *db_connection_script(struct db_connection *connection, const char *sql, int64_t timeout_ms);

/* Run one statement with parameters, results as text: for the few statements that are no function of ours. */
PGresult *db_connection_statement(struct db_connection *connection, const char *sql, int count,
    const char *const *values, int64_t timeout_ms);

#endif
