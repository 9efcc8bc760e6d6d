/* request.h: one HTTP request from its first line to its last byte; what handlers get. */
#ifndef COUNTERFOIL_AUTHD_REQUEST_H
#define COUNTERFOIL_AUTHD_REQUEST_H

#include <jansson.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "authd/metrics.h"
#include "authd/reply.h"
#include "authd/router.h"
#include "authd/settings.h"
#include "authd/web_files.h"
#include "authd/workers.h"
#include "core/base/secret.h"
#include "core/operation/caller.h"
#include "core/operation/core.h"

struct MHD_Connection;
struct listener;

/* What all requests share; lives as long as the process serves. */
struct service {
	struct core *core;
	const struct settings *settings;
	struct workers *workers;
	struct metrics *metrics;
	atomic_bool draining;           /* SIGTERM came: replies end their connections, probes are told */
	char *contract;                 /* docs/http-api.yaml, as installed; NULL: not found */
	size_t contract_len;
	struct web_files *web;          /* NULL: the pages are off */
};

enum request_stage {
	REQUEST_HEAD = 0,               /* headers are here, nothing was looked at */
	REQUEST_BODY,                   /* the body is being collected, or thrown away */
	REQUEST_WORKING,                /* a worker has it; the connection is suspended */
	REQUEST_DONE,                   /* the reply is ready to be queued */
	REQUEST_SENT
};

struct request {
	struct service *service;
	struct listener *listener;
	struct MHD_Connection *connection;
	enum request_stage stage;
	char id[UUID_TEXT_BYTES];       /* made here, never taken from the caller */
	char *target;                   /* as received, path and query; never logged: tokens are in it */
	const char *path;               /* inside TARGET, without scheme, authority and query; still percent-encoded */
	size_t path_len;
	struct route_match match;
	struct caller caller;           /* CALLER_CLIENT when an API key of the right form came along */
	struct secret *body;
	size_t body_len;
	size_t thrown_away;
	struct reply reply;
	struct work work;
	int64_t started_ms;
	const char *method;             /* a constant: its name, "OTHER" for those that no route has */
};

/* --- for handlers, on a worker's thread --------------------------------------------------------------------------- */

/* The Nth parameter of the path; "" where the route has none. */
static inline const char *
request_parameter(const struct request *request, unsigned n)
{
	return n < ROUTE_PARAMETERS_MAX ? request->match.parameters[n] : "";
}

/* A header's or a cookie's value, NULL when there is none; lives as long as the request. */
const char *request_header(const struct request *request, const char *name);
const char *request_cookie(const struct request *request, const char *name);
/* All lines of the header NAME in their order, joined by commas, "" when there is none.  False: more than CAPACITY. */
bool request_header_lines(const struct request *request, const char *name, char *out, size_t capacity);
/* A query parameter, percent-decoded; NULL when there is none. */
const char *request_query(const struct request *request, const char *name);

/* Are the query's parameters those that the route names, each once?  False: the refusal is in the reply. */
bool request_query_fits(struct request *request);

/* The peer's address as text, "" on a Unix socket. */
void request_peer(const struct request *request, char out[static INET6_ADDRSTRLEN]);

/* Answer with an operation's outcome.  STATUS_INVALID goes the way of request_refuse_input(). */
void request_outcome(struct request *request, enum status status, enum verdict verdict, int64_t retry_after_s);

/* Input that is no good: but a caller whose key is not valid learns that first, and nothing else.
 * FIELD and DETAIL may be NULL. */
void request_refuse_input(struct request *request, const struct problem *problem, const char *field,
    const char *detail);
/* 422 `invalid`. */
void request_refuse_field(struct request *request, const char *field, const char *detail);

/* --- for server.c -------------------------------------------------------------------------------------------------- */

/* NULL when out of memory or entropy. */
struct request *request_new(struct listener *listener, struct service *service, struct MHD_Connection *connection,
    const char *target);
void request_free(struct request **request);

/* Take up the Authorization header.  False: it is missing or has no key's form. */
bool request_take_key(struct request *request);

#endif
