#include "authd/router.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct { const char *name; enum method method; } methods[] = {
	{ "GET", METHOD_GET }, { "HEAD", METHOD_GET }, { "POST", METHOD_POST }, { "PUT", METHOD_PUT },
	{ "DELETE", METHOD_DELETE },
};

enum { METHOD_COUNT = sizeof methods / sizeof methods[0] };

enum method
router_method(const char *name)
{
	for (size_t i = 0; i < METHOD_COUNT; i++)
		if (strcmp(methods[i].name, name) == 0)
			return methods[i].method;
	return METHOD_NONE;
}

const char *
router_method_name(enum method method)
{
	for (size_t i = 0; i < METHOD_COUNT; i++)
		if (methods[i].method == method)
			return methods[i].name;
	return "NONE";
}

void
router_allow(unsigned allowed, char out[static ROUTER_ALLOW_BYTES])
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < METHOD_COUNT; i++) {
		if ((allowed & methods[i].method) == 0)
			continue;
		at += (size_t)snprintf(out + at, ROUTER_ALLOW_BYTES - at, "%s%s", at > 0 ? ", " : "",
		    methods[i].name);
	}
}

/* The parameters of a path are UUIDs and base64url tokens: nothing else passes. */
static bool
is_parameter(const char *text, size_t len)
{
	if (len == 0 || len > ROUTE_PARAMETER_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
		    c == '_'))
			return false;
	}
	return true;
}

/* Does PATH fit TEMPLATE, segment by segment? */
static bool
fits(const char *template, const char *path, size_t len, struct route_match *match)
{
	const char *end = path + len;
	unsigned parameter = 0;

	while (*template != '\0') {
		if (*template == '{') {
			const char *stop = memchr(path, '/', (size_t)(end - path));
			size_t n = (size_t)((stop != NULL ? stop : end) - path);

			if (parameter == ROUTE_PARAMETERS_MAX || !is_parameter(path, n))
				return false;
			memcpy(match->parameters[parameter], path, n);
			match->parameters[parameter++][n] = '\0';
			path += n;
			template = strchr(template, '}') + 1;
		} else {
			if (path == end || *path++ != *template++)
				return false;
		}
	}
	return path == end;
}

void
router_find(const struct route *routes, size_t count, enum method method, const char *path, size_t len,
    struct route_match *out)
{
	struct route_match attempt;

	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < count; i++) {
		memset(&attempt, 0, sizeof attempt);
		if (!fits(routes[i].path, path, len, &attempt))
			continue;
		out->allowed |= routes[i].method;
		if (routes[i].method != method || out->route != NULL)
			continue;
		memcpy(out->parameters, attempt.parameters, sizeof out->parameters);
		out->route = &routes[i];
	}
}
