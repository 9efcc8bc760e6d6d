#include "core/store/migration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/store/db_connection.h"

#define LOCK_KEY "4711000000000001"     /* of all programs that migrate a schema counterfoil */

enum {
	CONNECT_TIMEOUT_MS = 10000,
	SHORT_MS = 15000,               /* for what takes no time */
	LONG_MS = 4 * 3600 * 1000       /* for a migration of a big table */
};

struct migration_session {
	struct db_connection *connection;
};

enum status
migration_open(const char *url, struct migration_session **out, char error[static CONFIG_ERROR_BYTES])
{
	/* 0: no limit by the server; what a migration may take is its own matter */
	const struct db_settings settings = { .url = url, .application = "counterfoil-migrate", .connections = 1 };
	struct migration_session *session = calloc(1, sizeof *session);
	struct db_conninfo info;
	enum status st;

	if (session == NULL)
		return STATUS_NO_MEMORY;
	db_conninfo_scrub_environment();
	if ((st = db_conninfo_make(&settings, &info, error)) == STATUS_OK) {
		st = db_connection_open(&info, CONNECT_TIMEOUT_MS, &session->connection, error);
		db_conninfo_free(&info);
	}
	if (st != STATUS_OK) {
		free(session);
		return st;
	}
	*out = session;
	return STATUS_OK;
}

void
migration_close(struct migration_session **session)
{
	if (session == NULL || *session == NULL)
		return;
	db_connection_close(&(*session)->connection);   /* and with it goes the lock */
	free(*session);
	*session = NULL;
}

/* --- talking to PostgreSQL ------------------------------------------------------------------------------------------- */

/* What went wrong, in a line.  It is the operator's own SQL: the server's words hold no secret. */
static enum status
failed(const char *doing, const PGresult *result, char error[static CONFIG_ERROR_BYTES])
{
	const char *message = result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	const char *context = result != NULL ? PQresultErrorField(result, PG_DIAG_CONTEXT) : NULL;
	char clean[CONFIG_ERROR_BYTES];

	if (state == NULL) {
		(void)snprintf(error, CONFIG_ERROR_BYTES, "%s: the connection to PostgreSQL was lost", doing);
		return STATUS_UNAVAILABLE;
	}
	(void)snprintf(clean, sizeof clean, "%s%s%.120s", message != NULL ? message : "", context != NULL ? "; " : "",
	    context != NULL ? context : "");
	text_sanitize(bytes_of(clean), error, CONFIG_ERROR_BYTES);
	(void)snprintf(clean, sizeof clean, "%.100s: %.320s (SQLSTATE %.5s)", doing, error, state);
	memcpy(error, clean, sizeof clean);
	return db_status_of(state) == STATUS_UNAVAILABLE ? STATUS_UNAVAILABLE : STATUS_INTERNAL;
}

static bool
is_good(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result); /* of NULL: PGRES_FATAL_ERROR */

	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

static enum status
script(struct migration_session *session, const char *doing, const char *sql, int64_t timeout_ms,
    char error[static CONFIG_ERROR_BYTES])
{
	PGresult *result = db_connection_script(session->connection, sql, timeout_ms);
	enum status st = is_good(result) ? STATUS_OK : failed(doing, result, error);

	PQclear(result);
	return st;
}

/* One value of one row, "t" or "f". */
static enum status
ask(struct migration_session *session, const char *doing, const char *sql, bool *out,
    char error[static CONFIG_ERROR_BYTES])
{
	PGresult *result = db_connection_script(session->connection, sql, SHORT_MS);
	enum status st;

	if (is_good(result) && PQntuples(result) == 1) {
		*out = strcmp(PQgetvalue(result, 0, 0), "t") == 0;
		st = STATUS_OK;
	} else {
		st = failed(doing, result, error);
	}
	PQclear(result);
	return st;
}

/* --- the lock -------------------------------------------------------------------------------------------------------- */

enum status
migration_try_lock(struct migration_session *session, bool *out_locked, char error[static CONFIG_ERROR_BYTES])
{
	return ask(session, "locking", "SELECT pg_try_advisory_lock(" LOCK_KEY ")", out_locked, error);
}

enum status
migration_lock(struct migration_session *session, int wait_s, char error[static CONFIG_ERROR_BYTES])
{
	char sql[128];
	enum status st;

	(void)snprintf(sql, sizeof sql, "SET lock_timeout = %d; SELECT pg_advisory_lock(" LOCK_KEY "); SET lock_timeout = 0",
	    wait_s * 1000);
	st = script(session, "waiting for another migration", sql, (int64_t)wait_s * 1000 + SHORT_MS, error);
	if (st == STATUS_UNAVAILABLE)
		(void)snprintf(error, CONFIG_ERROR_BYTES, "another migration of this database has been running for over %d s; "
		    "look at pg_stat_activity for application counterfoil-migrate, and run this again when it is done", wait_s);
	return st;
}

/* --- the table ------------------------------------------------------------------------------------------------------- */

static enum status
copy_rows(const PGresult *result, struct migration **out, unsigned *out_count)
{
	int count = PQntuples(result);
	struct migration *rows = calloc((size_t)count + 1, sizeof *rows);

	if (rows == NULL)
		return STATUS_NO_MEMORY;
	for (int i = 0; i < count; i++) {
		rows[i].number = (int)strtol(PQgetvalue(result, i, 0), NULL, 10);
		(void)snprintf(rows[i].name, sizeof rows[i].name, "%s", PQgetvalue(result, i, 1));
		(void)snprintf(rows[i].checksum, sizeof rows[i].checksum, "%s", PQgetvalue(result, i, 2));
	}
	*out = rows;
	*out_count = (unsigned)count;
	return STATUS_OK;
}

enum status
migration_list(struct migration_session *session, struct migration **out, unsigned *out_count,
    char error[static CONFIG_ERROR_BYTES])
{
	static const char doing[] = "reading what was applied";
	bool there = false;
	PGresult *result;
	enum status st;

	*out = NULL;
	*out_count = 0;
	st = ask(session, doing, "SELECT pg_catalog.to_regclass('counterfoil.migration') IS NOT NULL", &there, error);
	if (st != STATUS_OK || !there)
		return st;
	result = db_connection_script(session->connection,
	    "SELECT number, name, checksum FROM counterfoil.migration ORDER BY number", SHORT_MS);
	st = is_good(result) ? copy_rows(result, out, out_count) : failed(doing, result, error);
	PQclear(result);
	return st;
}

static const char table_sql[] =
    "SET client_min_messages = warning;"
    "CREATE SCHEMA IF NOT EXISTS counterfoil;"
    "CREATE TABLE IF NOT EXISTS counterfoil.migration ("
    " number integer PRIMARY KEY,"              /* 0: the functions, which are applied anew when they change */
    " name text NOT NULL,"
    " checksum text NOT NULL,"
    " applied_at timestamptz NOT NULL DEFAULT now())";

static enum status
record(struct migration_session *session, const struct migration *migration, char error[static CONFIG_ERROR_BYTES])
{
	char number[16];
	const char *const values[] = { number, migration->name, migration->checksum };
	PGresult *result;
	enum status st;

	(void)snprintf(number, sizeof number, "%d", migration->number);
	result = db_connection_statement(session->connection, "INSERT INTO counterfoil.migration (number, name, checksum) "
	    "VALUES ($1::text::integer, $2, $3) ON CONFLICT (number) DO UPDATE SET name = excluded.name, "
	    "checksum = excluded.checksum, applied_at = now()", 3, values, SHORT_MS);
	st = is_good(result) ? STATUS_OK : failed(migration->name, result, error);
	PQclear(result);
	return st;
}

static enum status
transact(struct migration_session *session, const char *name, const char *sql, const struct migration *migration,
    char error[static CONFIG_ERROR_BYTES])
{
	char ignored[CONFIG_ERROR_BYTES];
	enum status st;

	if ((st = script(session, name, "BEGIN", SHORT_MS, error)) != STATUS_OK)
		return st;
	if ((st = script(session, name, sql, LONG_MS, error)) == STATUS_OK && migration != NULL)
		st = record(session, migration, error);
	if (st == STATUS_OK)
		st = script(session, name, "COMMIT", LONG_MS, error);
	if (st != STATUS_OK)
		(void)!script(session, name, "ROLLBACK", SHORT_MS, ignored);
	return st;
}

enum status
migration_apply(struct migration_session *session, const struct migration *migration, const char *sql,
    char error[static CONFIG_ERROR_BYTES])
{
	enum status st;

	if ((st = script(session, "making table counterfoil.migration", table_sql, SHORT_MS, error)) != STATUS_OK)
		return st;
	return transact(session, migration->name, sql, migration, error);
}

enum status
migration_run(struct migration_session *session, const char *name, const char *sql,
    char error[static CONFIG_ERROR_BYTES])
{
	return transact(session, name, sql, NULL, error);
}
