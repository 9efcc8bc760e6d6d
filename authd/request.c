#include "authd/request.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "core/base/clock.h"
#include "core/operation/client.h"

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
	request->path_len = strcspn(target, "?");
	request->method = "OTHER";
	if ((request->target = strdup(target)) == NULL || entropy_uuid(request->id) != STATUS_OK)
		request_free(&request);
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

	memcpy(caller->request_id, request->id, sizeof caller->request_id);
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
	enum status st;

	if ((st = check_caller(request)) != STATUS_OK) {
		reply_outcome(&request->reply, request->id, st, VERDICT_DENIED, 0, NULL);
		return;
	}
	if (field != NULL)
		members = json_pack("{s:s}", "field", field);
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
