#include "core/store/db_connection.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/text.h"

#define STATEMENT_MAX  4096
#define BINARY_RESULTS 1

struct db_connection {
	PGconn *pg;
	bool doomed;
	unsigned prepared_count;
	const struct db_function *prepared[DB_FUNCTIONS_MAX];
};

/* --- waiting --------------------------------------------------------------------------------------------------------- */

static bool
wait_for(const PGconn *pg, short events, int64_t deadline_ms)
{
	struct pollfd fd = { .fd = PQsocket(pg), .events = events };

	for (;;) {
		int64_t left = deadline_ms - clock_monotonic_ms();
		int n = left > 0 && fd.fd >= 0 ? poll(&fd, 1, (int)left) : 0;

		if (n > 0)
			return true;
		if (n == 0 || errno != EINTR)
			return false;
	}
}

/* Everything that was queued goes out; what the server sends meanwhile is taken, or both sides could wait for ever. */
static bool
flush(PGconn *pg, int64_t deadline_ms)
{
	int left;

	while ((left = PQflush(pg)) == 1) {
		if (!wait_for(pg, POLLIN | POLLOUT, deadline_ms) || PQconsumeInput(pg) == 0)
			return false;
	}
	return left == 0;
}

/* The next result; *out NULL: there is none any more. */
static bool
next_result(PGconn *pg, int64_t deadline_ms, PGresult **out)
{
	while (PQisBusy(pg)) {
		if (!wait_for(pg, POLLIN, deadline_ms) || PQconsumeInput(pg) == 0)
			return false;
	}
	*out = PQgetResult(pg);
	return true;
}

static bool
has_failed(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY;
}

/* What was sent comes to its end: the last result, or the first that failed.  NULL: no answer. */
static PGresult *
finish(struct db_connection *connection, int64_t deadline_ms)
{
	PGresult *last = NULL, *next = NULL;

	if (!flush(connection->pg, deadline_ms))
		goto lost;
	while (next_result(connection->pg, deadline_ms, &next)) {
		if (next == NULL && last != NULL && PQstatus(connection->pg) == CONNECTION_OK)
			return last;
		if (next == NULL)
			break;
		if (last != NULL && has_failed(last)) {
			PQclear(next);
		} else {
			PQclear(last);
			last = next;
		}
		next = NULL;
	}
lost:   /* unread results may be under way: the connection is of no use any more, its error is */
	db_connection_doom(connection);
	if (last != NULL && has_failed(last))
		return last;
	PQclear(last);
	return NULL;
}

/* --- connecting ------------------------------------------------------------------------------------------------------ */

static bool
finish_connecting(PGconn *pg, int64_t deadline_ms)
{
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;

	while (next != PGRES_POLLING_OK) {
		if (next == PGRES_POLLING_FAILED ||
		    !wait_for(pg, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_ms))
			return false;
		next = PQconnectPoll(pg);
	}
	return true;
}

static void
ignore_notice(void *cookie, const PGresult *result)
{
	(void)cookie;
	(void)result;
}

static void
describe_failure(const PGconn *pg, char error[static CONFIG_ERROR_BYTES])
{
	const char *text = PQerrorMessage(pg);

	if (text == NULL || text[0] == '\0')
		text = "no answer in time";
	text_sanitize((struct bytes){ (const uint8_t *)text, strcspn(text, "\n") }, error, CONFIG_ERROR_BYTES);
}

enum status
db_connection_open(const struct db_conninfo *info, int64_t timeout_ms, struct db_connection **out,
    char error[static CONFIG_ERROR_BYTES])
{
	struct db_connection *connection = calloc(1, sizeof *connection);
	int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
	enum status st = STATUS_NO_MEMORY;

	(void)snprintf(error, CONFIG_ERROR_BYTES, "out of memory");
	if (connection == NULL || (connection->pg = PQconnectStartParams(info->keywords, info->values, 0)) == NULL)
		goto out;
	(void)PQsetNoticeReceiver(connection->pg, ignore_notice, NULL);
	st = STATUS_UNAVAILABLE;
	if (PQstatus(connection->pg) == CONNECTION_BAD || !finish_connecting(connection->pg, deadline_ms) ||
	    PQsetnonblocking(connection->pg, 1) != 0) {
		describe_failure(connection->pg, error);
		goto out;
	}
	*out = connection;
	connection = NULL;
	st = STATUS_OK;
out:
	db_connection_close(&connection);
	return st;
}

void
db_connection_close(struct db_connection **connection)
{
	if (*connection == NULL)
		return;
	PQfinish((*connection)->pg);
	free(*connection);
	*connection = NULL;
}

void
db_connection_doom(struct db_connection *connection)
{
	connection->doomed = true;
}

bool
db_connection_is_doomed(const struct db_connection *connection)
{
	return connection->doomed;
}

bool
db_connection_is_alive(struct db_connection *connection)
{
	struct pollfd fd = { .fd = PQsocket(connection->pg), .events = POLLIN };

	/* An idle server says something when it goes away: read it, and the end behind it. */
	for (int i = 0; !connection->doomed && i < 4 && poll(&fd, 1, 0) == 1; i++)
		if (PQconsumeInput(connection->pg) == 0)
			connection->doomed = true;
	return !connection->doomed && PQstatus(connection->pg) == CONNECTION_OK &&
	    PQtransactionStatus(connection->pg) == PQTRANS_IDLE;
}

/* --- calls ----------------------------------------------------------------------------------------------------------- */

struct text {
	char data[STATEMENT_MAX];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void
append(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->data + text->len, sizeof text->data - text->len, format, args);
	va_end(args);
	text->len += n > 0 && (size_t)n < sizeof text->data - text->len ? (size_t)n : 0;
}

struct composite { char letter; unsigned members; const char *type; };

static const struct composite *
composite_of(char letter)
{
	static const struct composite table[] = {
		{ 'C', 8, "caller" }, { 'T', 11, "throttle_policy" }, { 'L', 8, "login_policy" },
	};

	for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++)
		if (table[i].letter == letter)
			return &table[i];
	return NULL;
}

unsigned
db_connection_param_count(const struct db_function *function)
{
	unsigned count = 0;

	for (const char *letter = function->arguments; *letter != '\0'; letter++) {
		const struct composite *type = composite_of(*letter);

		count += type != NULL ? type->members : 1;
	}
	return count;
}

/* SELECT columns FROM counterfoil.function(ROW($1, ...)::counterfoil.caller, $9, ...) */
static void
write_statement(const struct db_function *function, struct text *text)
{
	unsigned n = 0;

	text->len = 0;
	append(text, "SELECT");
	for (unsigned i = 0; i < function->column_count; i++)
		append(text, "%s %s", i > 0 ? "," : "", function->columns[i].name);
	append(text, " FROM counterfoil.%s(", function->name);
	for (const char *letter = function->arguments; *letter != '\0'; letter++) {
		const struct composite *type = composite_of(*letter);

		append(text, "%s%s$%u", n > 0 ? "," : "", type != NULL ? "ROW(" : "", n + 1);
		n++;
		for (unsigned i = 1; type != NULL && i < type->members; i++)
			append(text, ",$%u", ++n);
		if (type != NULL)
			append(text, ")::counterfoil.%s", type->type);
	}
	append(text, ")");
}

static bool
is_prepared(const struct db_connection *connection, const struct db_function *function)
{
	for (unsigned i = 0; i < connection->prepared_count; i++)
		if (connection->prepared[i] == function)
			return true;
	return false;
}

/* NULL: it is prepared; otherwise the failure.  *lost: there was no answer. */
static PGresult *
prepare(struct db_connection *connection, const struct db_function *function, int64_t deadline_ms, bool *lost)
{
	struct text text;
	PGresult *result;

	*lost = true;
	write_statement(function, &text);
	if (connection->prepared_count >= DB_FUNCTIONS_MAX ||
	    PQsendPrepare(connection->pg, function->name, text.data, 0, NULL) == 0) {
		db_connection_doom(connection);
		return NULL;
	}
	if ((result = finish(connection, deadline_ms)) == NULL)
		return NULL;
	*lost = false;
	if (has_failed(result))
		return result;
	PQclear(result);
	connection->prepared[connection->prepared_count++] = function;
	return NULL;
}

PGresult *
db_connection_call(struct db_connection *connection, const struct db_function *function,
    const struct db_params *params, int64_t timeout_ms)
{
	int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
	PGresult *failure = NULL;
	bool lost = false;

	if (!is_prepared(connection, function) &&
	    ((failure = prepare(connection, function, deadline_ms, &lost)) != NULL || lost))
		return failure;
	if (PQsendQueryPrepared(connection->pg, function->name, (int)params->count, params->values, params->lengths,
	    params->formats, BINARY_RESULTS) == 0) {
		db_connection_doom(connection);
		return NULL;
	}
	return finish(connection, deadline_ms);
}

PGresult *
db_connection_script(struct db_connection *connection, const char *sql, int64_t timeout_ms)
{
	int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;

	if (PQsendQuery(connection->pg, sql) == 0) {
		db_connection_doom(connection);
		return NULL;
	}
	return finish(connection, deadline_ms);
}

PGresult *
db_connection_statement(struct db_connection *connection, const char *sql, int count, const char *const *values,
    int64_t timeout_ms)
{
	int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;

	if (PQsendQueryParams(connection->pg, sql, count, NULL, values, NULL, NULL, 0) == 0) {
		db_connection_doom(connection);
		return NULL;
	}
	return finish(connection, deadline_ms);
}
