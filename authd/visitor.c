#include "authd/visitor.h"

#include <string.h>
#include <strings.h>

#include "authd/forwarded.h"
#include "core/base/clock.h"
#include "core/base/text.h"

static const struct problem problem_cross_site = { 403, "cross-site", "The request does not come from this page" };

/* __Host-: for this host alone, over TLS alone (RFC 6265bis section 4.1.3). */
static const char *
cookie_of(enum page_purpose purpose)
{
	return purpose == PAGE_ACTIVITY ? "__Host-counterfoil-activity" : "__Host-counterfoil-enrollment";
}

static void
take_source(const struct request *request, struct visitor *out)
{
	char peer[INET6_ADDRSTRLEN], chain[FORWARDED_CHAIN_BYTES];

	request_peer(request, peer);
	if (!request_header_lines(request, "X-Forwarded-For", chain, sizeof chain))
		chain[0] = '\0';        /* no browser's way is as long: then it is the proxy's own */
	forwarded_source(request->service->settings->proxies, peer, chain, out->ip);
	out->caller.source_ip = out->ip[0] != '\0' ? out->ip : NULL;
}

void
visitor_of(const struct request *request, enum page_purpose purpose, struct visitor *out)
{
	const char *agent = request_header(request, "User-Agent");

	memset(out, 0, sizeof *out);
	out->caller.kind = CALLER_NONE;
	memcpy(out->caller.request_id, request->id, sizeof out->caller.request_id);
	take_source(request, out);
	if (agent != NULL) {
		text_sanitize(bytes_of(agent), out->user_agent, sizeof out->user_agent);
		out->caller.user_agent = out->user_agent;
	}
	out->token = request_cookie(request, cookie_of(purpose));
}

bool
visitor_with_token(struct request *request, enum page_purpose purpose, struct visitor *out)
{
	visitor_of(request, purpose, out);
	if (out->token == NULL)
		request_outcome(request, STATUS_NOT_FOUND, VERDICT_DENIED, 0);
	return out->token != NULL;
}

/* Is ORIGIN (RFC 6454, as browsers write it) that of URL?  A browser leaves the default port out. */
static bool
is_origin_of(const char *url, const char *origin)
{
	static const char scheme[] = "https://", port[] = ":443";
	size_t len = sizeof scheme - 1 + strcspn(url + sizeof scheme - 1, "/");
	size_t tail = sizeof port - 1;

	if (len > tail && strncmp(url + len - tail, port, tail) == 0)
		len -= tail;
	return strlen(origin) == len && strncasecmp(url, origin, len) == 0;
}

/* SameSite=Strict keeps other sites out; these two headers, which no script can set, keep out the shop's other
 * subdomains, which are the same site.  A request without either comes from no browser that we serve. */
static bool
comes_from_our_page(const struct request *request)
{
	const char *site = request_header(request, "Sec-Fetch-Site");
	const char *origin = request_header(request, "Origin");

	return (site != NULL || origin != NULL) && (site == NULL || strcmp(site, "same-origin") == 0) &&
	    (origin == NULL || is_origin_of(request->service->settings->public_url, origin));
}

json_t *
visitor_body(struct request *request, const struct field *fields, size_t count)
{
	if (comes_from_our_page(request))
		return json_body_read(request, fields, count, false);
	reply_problem(&request->reply, request->id, &problem_cross_site, NULL, NULL);
	return NULL;
}

void
visitor_keep(struct request *request, enum page_purpose purpose, const char *token, int64_t seconds)
{
	reply_cookie(&request->reply, cookie_of(purpose), token, seconds);
}

int64_t
visitor_seconds_until(int64_t time_s)
{
	int64_t left = time_s - clock_now_s();

	return left > 0 ? left : 0;
}

static const char *
issuer_of(const struct settings *settings, enum realm realm)
{
	return realm == REALM_STAFF ? settings->core.staff.issuer : settings->core.store.issuer;
}

json_t *
visitor_page_json(const struct request *request, const struct hosted_page *page)
{
	const struct settings *settings = request->service->settings;
	/* the operator may have taken it off the list since */
	const char *return_to = settings_allows_return(settings, page->return_to) ? page->return_to : "";

	return json_pack("{s:s, s:s, s:s, s:o, s:I}", "login", page->login, "issuer", issuer_of(settings, page->realm),
	    "state", page->state, "return_to", reply_optional(return_to), "expires_in",
	    (json_int_t)visitor_seconds_until(page->expires_at_s));
}
