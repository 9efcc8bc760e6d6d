/* router.h: from method and raw path to a row of a const table.  Knows no transport and no handler's work. */
#ifndef COUNTERFOIL_AUTHD_ROUTER_H
#define COUNTERFOIL_AUTHD_ROUTER_H

#include <stddef.h>

#include "authd/workers.h"

struct request;

#define ROUTE_PARAMETERS_MAX 2
#define ROUTE_PARAMETER_MAX  64         /* characters of one */
#define ROUTE_BODY_BYTES     16384      /* what a JSON body may have */

enum method { METHOD_NONE = 0, METHOD_GET = 1, METHOD_POST = 2, METHOD_PUT = 4, METHOD_DELETE = 8 };

struct route {
	enum method method;             /* a GET row answers HEAD too */
	const char *path;               /* template: "/v1/logins/{challenge}/code" */
	unsigned scope;                 /* enum scope; 0: no API key is asked for */
	size_t body_limit;              /* bytes; 0: no body */
	enum work_class class;
	void (*handle)(struct request *request);
	const char *query;              /* names of accepted query parameters, separated by spaces; NULL: none */
};

struct route_match {
	const struct route *route;      /* NULL: no row has this path and method */
	unsigned allowed;               /* methods that the path has; 0: no such path */
	char parameters[ROUTE_PARAMETERS_MAX][ROUTE_PARAMETER_MAX + 1];
};

/* PATH is raw, of LEN bytes, without the query: no percent-encoding is ever undone, so one place has one name. */
void router_find(const struct route *routes, size_t count, enum method method, const char *path, size_t len,
    struct route_match *out);

/* METHOD_NONE: one that no route has. HEAD is METHOD_GET. */
enum method router_method(const char *name);
const char *router_method_name(enum method method);

/* "GET, HEAD, POST": the Allow header of a set of methods. */
#define ROUTER_ALLOW_BYTES 48
void router_allow(unsigned methods, char out[static ROUTER_ALLOW_BYTES]);

#endif
