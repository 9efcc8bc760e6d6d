/* db.h: PostgreSQL: a bounded pool of connections, and calls of the functions of schema counterfoil.
 *
 * Every call is one round trip with a prepared statement; values travel as parameters only, results in binary form,
 * straight into the caller's struct.  What goes wrong is logged here with function and SQLSTATE and nothing else:
 * no value of a parameter reaches a log or an error text. */
#ifndef COUNTERFOIL_DB_H
#define COUNTERFOIL_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/config.h"
#include "core/base/status.h"

struct db;

struct db_settings {
	const char *url;                /* libpq conninfo or URI; on another host sslmode=verify-full is a must */
	const char *user;               /* NULL: whom the url names */
	const char *application;        /* application_name in PostgreSQL's views and log */
	unsigned connections;           /* at most this many, at least 1; each is made when it is first needed */
	int64_t connect_timeout_ms;
	int64_t statement_timeout_ms;   /* the server cancels a statement then */
};

/* Opens no connection.  Once, before threads: it removes every PG* variable from the environment, so that none
 * decides where we connect or how.  STATUS_INVALID: ERROR says what is unfit about the url. */
enum status db_open(const struct db_settings *settings, struct db **out, char error[static CONFIG_ERROR_BYTES]) NODISCARD;
/* When no call is under way any more. */
void db_close(struct db **db);

/* --- one function of the schema ---------------------------------------------------------------------------------- */

#define DB_BYTES_MAX 320

struct db_bytes {                       /* a bytea that is not longer than DB_BYTES_MAX; len 0: NULL */
	size_t len;
	uint8_t data[DB_BYTES_MAX];
};

enum db_type {
	DB_NUMBER,                      /* int64_t, from smallint, integer or bigint; NULL is 0 */
	DB_FLAG,                        /* bool; NULL is false */
	DB_TEXT,                        /* char[capacity], NUL-terminated; NULL is empty */
	DB_LONG_TEXT,                   /* char *, the row's to free(); NULL is NULL */
	DB_BYTES                        /* struct db_bytes; wiped in libpq's memory once it is copied */
};

struct db_column {
	const char *name;               /* as the function calls it */
	enum db_type type;
	size_t offset, capacity;        /* of the member of the row's struct */
};

#define DB_COLUMN(row, kind, column, member) \
	{ column, kind, offsetof(struct row, member), sizeof ((struct row *)0)->member }

struct db_function {
	const char *name;               /* in schema counterfoil; names the prepared statement too */
	const char *arguments;          /* a letter each: C caller, T throttle_policy, L login_policy, v any other value */
	const struct db_column *columns;
	unsigned column_count;
	size_t row_bytes;               /* sizeof the row's struct */
};

#define DB_FUNCTION(function, letters, table, row) \
	{ function, letters, table, sizeof (table) / sizeof (table)[0], sizeof (struct row) }

/* --- the types of the schema that callers build ------------------------------------------------------------------- */

/* Who asks: type counterfoil.caller.  Everything is borrowed; NULL and empty views are SQL's NULL. */
struct db_caller {
	const char *kind;               /* "client", "host", "operator", "page" */
	const char *key_id;
	struct bytes key_digest;
	int64_t realm;
	const char *request_id, *source, *user_agent, *service;
};

/* Counts and seconds: type counterfoil.throttle_policy, whose comments say what each is for. */
struct db_throttle {
	int64_t pair_limit, account_limit, account_delay_s, source_limit, client_limit, code_limit;
	int64_t delay_s, delay_max_s, forget_s, known_source_s, factor_failures_max;
};

/* Type counterfoil.login_policy. */
struct db_login_policy {
	bool second_factor_required;
	int64_t challenge_ttl_s, ticket_ttl_s, session_idle_s, session_absolute_s, sessions_max;
	int64_t device_ttl_s, device_grace_s;
};

/* --- a call --------------------------------------------------------------------------------------------------------- */

#define DB_PARAMS_MAX 64

/* The parameters of one call, in the order of the function's arguments.  Texts and bytes are borrowed. */
struct db_params {
	unsigned count;
	const char *values[DB_PARAMS_MAX];
	int lengths[DB_PARAMS_MAX], formats[DB_PARAMS_MAX];
	int64_t numbers[DB_PARAMS_MAX]; /* in network order, as the binary format has them */
};

/* CALLER NULL: for a function without one. */
void db_begin(struct db_params *params, const struct db_caller *caller);
void db_throttle(struct db_params *params, const struct db_throttle *policy);
void db_login_policy(struct db_params *params, const struct db_login_policy *policy);
void db_text(struct db_params *params, const char *text);               /* NULL is NULL */
void db_bytes(struct db_params *params, struct bytes bytes);            /* data NULL is NULL */
void db_number(struct db_params *params, int64_t number);               /* bigint */
void db_realm(struct db_params *params, int64_t realm);                 /* smallint */
void db_flag(struct db_params *params, bool flag);

/* Call FUNCTION and fill ROW from its one row.
 * STATUS_OK            it is committed.
 * STATUS_INVALID, _UNAUTHENTICATED, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _EXPIRED
 *                      the function refused (SQLSTATE CF400, CF401, CF403, CF404, CF409, CF410); no row: NOT_FOUND.
 * STATUS_OVERLOADED    no connection became free in time.
 * STATUS_UNAVAILABLE   no database, or it went away.  A connection lost behind the call leaves open whether
 *                      the call was committed; it is never sent twice.
 * STATUS_NO_MEMORY, STATUS_INTERNAL.
 * ROW is written on STATUS_OK only. */
enum status db_row(struct db *db, const struct db_function *function, const struct db_params *params,
    void *row) NODISCARD;

/* The same for any number of rows.  *out_rows is an array of FUNCTION's row structs for free(), NULL when there are none. */
enum status db_rows(struct db *db, const struct db_function *function, const struct db_params *params, void **out_rows,
    unsigned *out_count) NODISCARD;

/* For functions whose one column is "done". */
struct db_done { bool done; };
extern const struct db_column db_done_columns[1];
#define DB_DONE(function, letters) { function, letters, db_done_columns, 1, sizeof (struct db_done) }
enum status db_done(struct db *db, const struct db_function *function, const struct db_params *params) NODISCARD;

/* What an SQLSTATE means to us; "" (none: libpq's own error) is STATUS_INTERNAL. */
enum status db_status_of(const char *sqlstate);

#endif
