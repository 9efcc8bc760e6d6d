/* fuzz_router.c: any path: at most one row answers, and its parameters are made of harmless characters. */
#include <string.h>

#include "authd/router.h"
#include "tests/fuzz/fuzz.h"

static const struct route routes[] = {
	{ .method = METHOD_POST, .path = "/v1/accounts" },
	{ .method = METHOD_GET, .path = "/v1/accounts/{id}" },
	{ .method = METHOD_DELETE, .path = "/v1/accounts/{id}" },
	{ .method = METHOD_POST, .path = "/v1/accounts/{id}/totp/{factor}/confirm" },
	{ .method = METHOD_POST, .path = "/v1/logins/{challenge}/code" },
	{ .method = METHOD_GET, .path = "/" },
};

enum { ROUTE_COUNT = sizeof routes / sizeof routes[0] };

static void
expect_parameter(const char *parameter)
{
	INSIST(memchr(parameter, '\0', ROUTE_PARAMETER_MAX + 1) != NULL);
	INSIST(strspn(parameter, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(parameter));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const enum method methods[] = { METHOD_NONE, METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_DELETE };
	char allow[ROUTER_ALLOW_BYTES], *path = malloc(len + 1);
	struct route_match match;

	memcpy(path, data, len);
	path[len] = '\0';
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		router_find(routes, ROUTE_COUNT, methods[i], path, len, &match);
		INSIST((match.route != NULL) == ((match.allowed & methods[i]) != 0));
		INSIST(match.route == NULL || match.route->method == methods[i]);
		for (size_t k = 0; k < ROUTE_PARAMETERS_MAX; k++)
			expect_parameter(match.parameters[k]);
		router_allow(match.allowed, allow);
		INSIST((allow[0] == '\0') == (match.allowed == 0) && strlen(allow) < sizeof allow);
	}
	if (router_method(path) != METHOD_NONE)
		INSIST(strlen(path) <= 6);
	free(path);
	return 0;
}
