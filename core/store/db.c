#include "core/store/db.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/encoding.h"
#include "core/base/log.h"
#include "core/base/secret.h"
#include "core/store/db_pool.h"

#define TRIES_MAX 4             /* of a transaction that PostgreSQL rolled back to resolve a conflict */

/* --- parameters ------------------------------------------------------------------------------------------------------ */

static void
add(struct db_params *params, const char *value, size_t len, int format)
{
	if (params->count < DB_PARAMS_MAX) {
		params->values[params->count] = value;
		params->lengths[params->count] = (int)len;
		params->formats[params->count] = format;
	}
	params->count++;        /* over the limit: db_row() refuses the call */
}

void
db_text(struct db_params *params, const char *text)
{
	add(params, text, 0, 0);
}

void
db_bytes(struct db_params *params, struct bytes bytes)
{
	add(params, (const char *)bytes.data, bytes.len, 1);
}

/* WIRE is LEN bytes in network order. */
static void
add_number(struct db_params *params, const void *wire, size_t len)
{
	int64_t *kept = &params->numbers[params->count < DB_PARAMS_MAX ? params->count : 0];

	memcpy(kept, wire, len);
	add(params, (const char *)kept, len, 1);
}

void
db_number(struct db_params *params, int64_t number)
{
	uint64_t wire = htobe64((uint64_t)number);

	add_number(params, &wire, sizeof wire);
}

void
db_realm(struct db_params *params, int64_t realm)
{
	uint16_t wire = htobe16((uint16_t)realm);

	add_number(params, &wire, sizeof wire);
}

void
db_flag(struct db_params *params, bool flag)
{
	add(params, flag ? "t" : "f", 0, 0);
}

void
db_begin(struct db_params *params, const struct db_caller *caller)
{
	params->count = 0;
	if (caller == NULL)
		return;
	db_text(params, caller->kind);
	db_text(params, caller->key_id);
	db_bytes(params, caller->key_digest);
	db_realm(params, caller->realm);
	db_text(params, caller->request_id);
	db_text(params, caller->source);
	db_text(params, caller->user_agent);
	db_text(params, caller->service);
}

void
db_throttle(struct db_params *params, const struct db_throttle *policy)
{
	const int64_t members[] = { policy->pair_limit, policy->account_limit, policy->account_delay_s,
		policy->source_limit, policy->client_limit, policy->code_limit, policy->delay_s, policy->delay_max_s,
		policy->forget_s, policy->known_source_s, policy->factor_failures_max };

	for (unsigned i = 0; i < sizeof members / sizeof members[0]; i++)
		db_number(params, members[i]);
}

void
db_login_policy(struct db_params *params, const struct db_login_policy *policy)
{
	const int64_t members[] = { policy->challenge_ttl_s, policy->ticket_ttl_s, policy->session_idle_s,
		policy->session_absolute_s, policy->sessions_max, policy->device_ttl_s, policy->device_grace_s };

	db_flag(params, policy->second_factor_required);
	for (unsigned i = 0; i < sizeof members / sizeof members[0]; i++)
		db_number(params, members[i]);
}

/* --- results --------------------------------------------------------------------------------------------------------- */

static bool
take_number(const char *value, int len, int64_t *out)
{
	uint16_t small;
	uint32_t medium;
	uint64_t big;

	switch (len) {
	case sizeof small:
		memcpy(&small, value, sizeof small);
		*out = (int16_t)be16toh(small);
		return true;
	case sizeof medium:
		memcpy(&medium, value, sizeof medium);
		*out = (int32_t)be32toh(medium);
		return true;
	case sizeof big:
		memcpy(&big, value, sizeof big);
		*out = (int64_t)be64toh(big);
		return true;
	default:
		return false;
	}
}

#define UUID_TYPE 2950          /* the object id that PostgreSQL fixes for type uuid */

static bool
take_uuid(const char *value, size_t capacity, char *out)
{
	if (capacity < UUID_TEXT_BYTES)
		return false;
	encoding_uuid((const uint8_t *)value, out);
	return true;
}

static bool
take_text(const char *value, size_t len, size_t capacity, char *out)
{
	if (len >= capacity)
		return false;
	memcpy(out, value, len);
	out[len] = '\0';
	return true;
}

/* What it was copied from is wiped: it is libpq's memory, which is freed as it is. */
static bool
take_bytes(char *value, size_t len, struct db_bytes *out)
{
	if (len > sizeof out->data)
		return false;
	memcpy(out->data, value, len);
	out->len = len;
	secret_wipe(value, len);
	return true;
}

static bool
take_column(const PGresult *result, int row, int column, const struct db_column *to, void *target)
{
	char *value = PQgetvalue(result, row, column), *at = (char *)target + to->offset;
	int len = PQgetlength(result, row, column);

	if (PQgetisnull(result, row, column) || len < 0)
		return true;    /* the row was zeroed */
	switch (to->type) {
	case DB_NUMBER:
		return take_number(value, len, (int64_t *)(void *)at);
	case DB_FLAG:
		*(bool *)at = len == 1 && value[0] == 1;
		return len == 1;
	case DB_TEXT:
		if (PQftype(result, column) == UUID_TYPE && len == UUID_RAW_BYTES)
			return take_uuid(value, to->capacity, at);
		return take_text(value, (size_t)len, to->capacity, at);
	case DB_LONG_TEXT:
		return (*(char **)(void *)at = strndup(value, (size_t)len)) != NULL;
	case DB_BYTES:
		return take_bytes(value, (size_t)len, (struct db_bytes *)(void *)at);
	default:
		return false;
	}
}

/* Give back what TARGET owns: it becomes an empty row. */
static void
drop_row(const struct db_function *function, void *target)
{
	for (unsigned i = 0; i < function->column_count; i++)
		if (function->columns[i].type == DB_LONG_TEXT)
			free(*(char **)(void *)((char *)target + function->columns[i].offset));
	memset(target, 0, function->row_bytes);
}

static enum status
take_row(const PGresult *result, int row, const struct db_function *function, void *target)
{
	memset(target, 0, function->row_bytes);
	for (unsigned i = 0; i < function->column_count; i++) {
		if (take_column(result, row, (int)i, &function->columns[i], target))
			continue;
		log_event(LOG_LEVEL_ERROR, "database_column_unfit", (const struct log_field[]){
		    LOG_TEXT("function", function->name), LOG_TEXT("column", function->columns[i].name), LOG_END });
		drop_row(function, target);
		return STATUS_INTERNAL;
	}
	return STATUS_OK;
}

/* --- failures -------------------------------------------------------------------------------------------------------- */

enum status
db_status_of(const char *sqlstate)
{
	static const struct { const char *prefix; enum status status; } table[] = {
		{ "CF400", STATUS_INVALID }, { "CF401", STATUS_UNAUTHENTICATED }, { "CF403", STATUS_FORBIDDEN },
		{ "CF404", STATUS_NOT_FOUND }, { "CF409", STATUS_CONFLICT }, { "CF410", STATUS_EXPIRED },
		{ "08", STATUS_UNAVAILABLE },           /* connection exceptions */
		{ "53", STATUS_UNAVAILABLE },           /* out of connections, disk, memory */
		{ "57P01", STATUS_UNAVAILABLE }, { "57P02", STATUS_UNAVAILABLE }, { "57P03", STATUS_UNAVAILABLE },
		{ "57P05", STATUS_UNAVAILABLE },        /* shut down, crashed, starting, idle too long */
		{ "57014", STATUS_UNAVAILABLE },        /* statement timeout */
		{ "55P03", STATUS_UNAVAILABLE },        /* lock timeout */
		{ "25P03", STATUS_UNAVAILABLE },        /* idle in transaction */
		{ "25006", STATUS_UNAVAILABLE },        /* read only: this is a replica now */
		{ "40001", STATUS_UNAVAILABLE }, { "40P01", STATUS_UNAVAILABLE },       /* tried again before */
	};

	for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strncmp(sqlstate, table[i].prefix, strlen(table[i].prefix)) == 0)
			return table[i].status;
	return STATUS_INTERNAL;
}

static const char *
sqlstate_of(const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return state != NULL ? state : "";
}

static void
log_failure(const struct db_function *function, const char *sqlstate, enum status st)
{
	if (st == STATUS_UNAVAILABLE || st == STATUS_INTERNAL || st == STATUS_NO_MEMORY)
		log_event(st == STATUS_UNAVAILABLE ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "database_error",
		    (const struct log_field[]){ LOG_TEXT("function", function->name), LOG_TEXT("sqlstate", sqlstate),
		    LOG_TEXT("status", status_name(st)), LOG_END });
}

/* --- calls ----------------------------------------------------------------------------------------------------------- */

enum outcome_kind { DONE, TRY_AGAIN, TRY_ELSEWHERE };

/* A transaction that PostgreSQL has rolled back did nothing: it may run again.  So may one whose statement was
 * prepared before an upgrade changed its function; that needs a connection which prepares it anew. */
static enum outcome_kind
kind_of(const char *sqlstate)
{
	if (strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0)
		return TRY_AGAIN;
	if (strcmp(sqlstate, "0A000") == 0 || strcmp(sqlstate, "26000") == 0)
		return TRY_ELSEWHERE;
	return DONE;
}

static enum status
call_once(struct db *db, const struct db_function *function, const struct db_params *params, PGresult **out,
    enum outcome_kind *kind)
{
	struct db_connection *connection = NULL;
	const char *sqlstate = "";
	enum status st;

	*kind = DONE;
	if ((st = db_pool_take(db, &connection)) != STATUS_OK)
		return st;
	*out = db_connection_call(connection, function, params, db_pool_call_timeout_ms(db));
	if (*out == NULL) {
		st = STATUS_UNAVAILABLE;
	} else if (PQresultStatus(*out) != PGRES_TUPLES_OK) {
		sqlstate = sqlstate_of(*out);
		st = db_status_of(sqlstate);
		*kind = kind_of(sqlstate);
		if (*kind == TRY_ELSEWHERE || sqlstate[0] == '\0' || strncmp(sqlstate, "08", 2) == 0 ||
		    strncmp(sqlstate, "57P", 3) == 0 || strcmp(sqlstate, "25006") == 0)
			db_connection_doom(connection);
		if (sqlstate[0] == '\0')        /* libpq's own: no memory, or the connection broke */
			st = STATUS_UNAVAILABLE;
	}
	if (st != STATUS_OK && *kind == DONE)
		log_failure(function, sqlstate, st);
	db_pool_give(db, connection);
	if (st != STATUS_OK) {
		PQclear(*out);
		*out = NULL;
	}
	return st;
}

static enum status
call(struct db *db, const struct db_function *function, const struct db_params *params, PGresult **out)
{
	enum outcome_kind kind = TRY_AGAIN;
	enum status st = STATUS_INTERNAL;

	*out = NULL;
	if (params->count > DB_PARAMS_MAX || params->count != db_connection_param_count(function))
		return STATUS_INTERNAL;
	for (unsigned tries = 0; tries < TRIES_MAX && kind != DONE; tries++)
		st = call_once(db, function, params, out, &kind);
	if (kind != DONE)
		log_failure(function, kind == TRY_AGAIN ? "40001" : "0A000", st);
	return st;
}

enum status
db_row(struct db *db, const struct db_function *function, const struct db_params *params, void *row)
{
	PGresult *result;
	enum status st;

	if ((st = call(db, function, params, &result)) != STATUS_OK)
		return st;
	if (PQntuples(result) == 1 && PQnfields(result) == (int)function->column_count)
		st = function->column_count > 0 ? take_row(result, 0, function, row) : STATUS_OK;
	else
		st = PQntuples(result) == 0 ? STATUS_NOT_FOUND : STATUS_INTERNAL;
	PQclear(result);
	return st;
}

enum status
db_rows(struct db *db, const struct db_function *function, const struct db_params *params, void **out_rows,
    unsigned *out_count)
{
	char *rows = NULL;
	PGresult *result;
	enum status st;
	int count;

	if ((st = call(db, function, params, &result)) != STATUS_OK)
		return st;
	count = PQntuples(result);
	if (count > 0 && (rows = calloc((size_t)count, function->row_bytes)) == NULL)
		st = STATUS_NO_MEMORY;
	for (int i = 0; i < count && st == STATUS_OK; i++)
		st = take_row(result, i, function, rows + (size_t)i * function->row_bytes);
	PQclear(result);
	if (st != STATUS_OK) {
		for (int i = 0; rows != NULL && i < count; i++)
			drop_row(function, rows + (size_t)i * function->row_bytes);
		free(rows);
		return st;
	}
	*out_rows = rows;
	*out_count = (unsigned)count;
	return STATUS_OK;
}

const struct db_column db_done_columns[1] = { DB_COLUMN(db_done, DB_FLAG, "done", done) };

enum status
db_done(struct db *db, const struct db_function *function, const struct db_params *params)
{
	struct db_done row;
	enum status st = db_row(db, function, params, &row);

	return st == STATUS_OK && !row.done ? STATUS_INTERNAL : st;
}
