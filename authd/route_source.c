/* route_source.c: where the person is who signs in, as the shop tells it; and the form of tokens in paths. */
#include <arpa/inet.h>
#include <string.h>

#include "authd/json_body.h"
#include "authd/route_handlers.h"
#include "core/base/text.h"

enum { USER_AGENT_TYPED_MAX = 2048 };

const struct field route_source_fields[2] = {
	{ "ip", FIELD_STRING, false, 2, INET6_ADDRSTRLEN - 1, NULL, 0 },
	{ "user_agent", FIELD_STRING, false, 0, USER_AGENT_TYPED_MAX, NULL, 0 },
};

bool
route_is_address(const char *text)
{
	struct in6_addr address;

	return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

bool
route_take_source(struct request *request, const json_t *body, char user_agent[static ROUTE_AGENT_BYTES])
{
	const json_t *source = json_object_get(body, "source");
	const char *ip = json_body_string(source, "ip");

	if (ip != NULL && !route_is_address(ip)) {
		request_refuse_field(request, "source.ip", "must be an IPv4 or IPv6 address");
		return false;
	}
	request->caller.source_ip = ip;
	if (json_body_string(source, "user_agent") != NULL) {
		text_sanitize(json_body_text(source, "user_agent"), user_agent, ROUTE_AGENT_BYTES);
		request->caller.user_agent = user_agent;
	}
	return true;
}

void
route_drop_source(struct request *request)
{
	request->caller.source_ip = request->caller.user_agent = NULL;
}

bool
route_is_token(const char *text)
{
	uint8_t raw[TOKEN_RAW_BYTES];
	bool is = token_parse(text, strlen(text), raw) == STATUS_OK;

	secret_wipe(raw, sizeof raw);
	return is;
}
