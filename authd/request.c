#include "authd/request.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/operation/client.h"

enum { REQUEST_QUERY_MAX = 8, FIELD_NAME_MAX = 96 };

/* "/path?query", or the absolute form that RFC 9112 section 3.2.2 makes servers accept: "https://host/path?query". */
static void
take_path(struct request *request)
{
	const char *at = request->target;

	if (strncasecmp(at, "https://", 8) == 0 || strncasecmp(at, "http://", 7) == 0) {
		at = strstr(at, "//") + 2;
		at += strcspn(at, "/?");
	}
	request->path = at;
	request->path_len = strcspn(at, "?");
}

/* 0: unknown. */
static int
connection_fd(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info != NULL ? info->connect_fd : 0;
}

struct request *
request_new(struct listener *listener, struct service *service, struct MHD_Connection *connection, const char *target)
{
	struct request *request = calloc(1, sizeof *request);

	if (request == NULL)
		return NULL;
	request->service = service;
	request->listener = listener;
	request->connection = connection;
	request->started_ms = clock_monotonic_ms();
	request->method = "OTHER";
	if ((request->target = strdup(target)) == NULL || entropy_uuid(request->id) != STATUS_OK)
		request_free(&request);
	if (request != NULL) {
		memcpy(request->caller.request_id, request->id, sizeof request->caller.request_id);
		request->caller.watch_fd = connection_fd(connection);
		take_path(request);
	}
	return request;
}

void
request_free(struct request **request)
{
	struct request *r = *request;

	if (r == NULL)
		return;
	*request = NULL;
	if (r->target != NULL)
		secret_wipe(r->target, strlen(r->target));
	free(r->target);
	secret_free(&r->body);
	reply_reset(&r->reply);
	secret_wipe(r, sizeof *r);      /* the key, the parameters */
	free(r);
}

const char *
request_header(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

struct lines {
	const char *name;
	char *out;
	size_t len, capacity;
	bool whole;
};

static enum MHD_Result
add_line(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct lines *lines = cls;
	int n;

	(void)kind;
	if (value == NULL || strcasecmp(name, lines->name) != 0)
		return MHD_YES;
	n = snprintf(lines->out + lines->len, lines->capacity - lines->len, "%s%s", lines->len > 0 ? "," : "", value);
	lines->whole = n >= 0 && (size_t)n < lines->capacity - lines->len;
	lines->len += lines->whole ? (size_t)n : 0;
	return lines->whole ? MHD_YES : MHD_NO;
}

bool
request_header_lines(const struct request *request, const char *name, char *out, size_t capacity)
{
	struct lines lines = { .name = name, .out = out, .capacity = capacity, .whole = true };

	out[0] = '\0';
	(void)MHD_get_connection_values(request->connection, MHD_HEADER_KIND, add_line, &lines);
	return lines.whole;
}

const char *
request_cookie(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND, name);
}

const char *
request_query(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

struct query {
	const char *known;              /* names, separated by blanks; NULL: none */
	const char *seen[REQUEST_QUERY_MAX];
	unsigned count;
	const char *name, *fault;
};

static bool
is_known(const char *known, const char *name, size_t len)
{
	for (const char *at = known; at != NULL && *at != '\0'; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		if (n == len && memcmp(at, name, n) == 0)
			return true;
		at += n;
	}
	return false;
}

static enum MHD_Result
look_at_parameter(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value,
    size_t value_len)
{
	struct query *query = cls;

	(void)kind;
	query->name = name;
	if (query->count == REQUEST_QUERY_MAX || !is_known(query->known, name, name_len))
		query->fault = "is not a parameter of this request";
	else if (value == NULL || strlen(value) != value_len)
		query->fault = "must have a value, without NUL";
	for (unsigned i = 0; query->fault == NULL && i < query->count; i++)
		if (strcmp(query->seen[i], name) == 0)
			query->fault = "appears twice";
	if (query->fault != NULL)
		return MHD_NO;
	query->seen[query->count++] = name;
	return MHD_YES;
}

bool
request_query_fits(struct request *request)
{
	struct query query = { .known = request->match.route->query };

	(void)MHD_get_connection_values_n(request->connection, MHD_GET_ARGUMENT_KIND, look_at_parameter, &query);
	if (query.fault != NULL)
		request_refuse_field(request, query.name, query.fault);
	return query.fault == NULL;
}

void
request_peer(const struct request *request, char out[static INET6_ADDRSTRLEN])
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	out[0] = '\0';
	if (info == NULL || info->client_addr == NULL)
		return;
	if (info->client_addr->sa_family == AF_INET) {
		memcpy(&v4, info->client_addr, sizeof v4);
		(void)inet_ntop(AF_INET, &v4.sin_addr, out, INET6_ADDRSTRLEN);
	} else if (info->client_addr->sa_family == AF_INET6) {
		memcpy(&v6, info->client_addr, sizeof v6);
		(void)inet_ntop(AF_INET6, &v6.sin6_addr, out, INET6_ADDRSTRLEN);
	}
}

bool
request_take_key(struct request *request)
{
	const char *value = request_header(request, "Authorization");
	struct caller *caller = &request->caller;

	if (value == NULL || strncasecmp(value, "Bearer ", 7) != 0)
		return false;
	value += 7;
	if (api_key_parse(value, strlen(value), &caller->realm, caller->key_id, caller->key_secret) != STATUS_OK) {
		memset(caller->key_id, 0, sizeof caller->key_id);
		return false;
	}
	caller->kind = CALLER_CLIENT;
	return true;
}

/* On an error path alone: the good path leaves the key to the operation's own SQL. */
static enum status
check_caller(struct request *request)
{
	const struct route *route = request->match.route;

	if (route == NULL || route->scope == 0)
		return STATUS_OK;
	return client_check(request->service->core, &request->caller, (enum scope)route->scope);
}

void
request_refuse_input(struct request *request, const struct problem *problem, const char *field, const char *detail)
{
	json_t *members = NULL;
	char name[FIELD_NAME_MAX + 1];
	enum status st;

	if ((st = check_caller(request)) != STATUS_OK) {
		reply_outcome(&request->reply, request->id, st, VERDICT_DENIED, 0, NULL);
		return;
	}
	if (field != NULL) {
		/* an unknown field's name is the caller's own text */
		text_sanitize(bytes_of(field), name, sizeof name);
		members = json_pack("{s:s}", "field", name);
	}
	reply_problem(&request->reply, request->id, problem, detail, members);
}

void
request_refuse_field(struct request *request, const char *field, const char *detail)
{
	const struct outcome *row = outcome_of(STATUS_INVALID, VERDICT_DENIED);
	struct problem problem = { row->http_status, row->problem, row->title };

	request_refuse_input(request, &problem, field, detail);
}

void
request_outcome(struct request *request, enum status status, enum verdict verdict, int64_t retry_after_s)
{
	if (status == STATUS_INVALID)
		request_refuse_field(request, "body", "a value is outside its documented bounds");
	else
		reply_outcome(&request->reply, request->id, status, verdict, retry_after_s, NULL);
}
