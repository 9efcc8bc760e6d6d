/* route_pages.c: what people's browsers ask for: static pages, and the few JSON routes that their scripts use.  The
 * credential is a host-only cookie that a link was exchanged for; the routes are no interface for other programs. */
#include <string.h>
#include <strings.h>

#include "authd/json_body.h"
#include "authd/route_handlers.h"
#include "authd/routes.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/operation/enrollment.h"

#define ENROLLMENT_COOKIE "__Host-counterfoil-enrollment"

enum { CODE_MAX = 64, LINK_MAX = 64, USER_AGENT_KEPT = 256 };

static const struct problem problem_cross_site = { 403, "cross-site", "The request does not come from this page" };

/* Who sits in front of the browser: no API key, so the token is all that counts. */
struct visitor {
	struct caller caller;
	char ip[INET6_ADDRSTRLEN];
	char user_agent[USER_AGENT_KEPT + 1];
	const char *token;              /* of the cookie; NULL: none */
};

static void
visitor_of(const struct request *request, struct visitor *out)
{
	const char *agent = request_header(request, "User-Agent");

	memset(out, 0, sizeof *out);
	out->caller.kind = CALLER_NONE;
	memcpy(out->caller.request_id, request->id, sizeof out->caller.request_id);
	request_peer(request, out->ip);
	out->caller.source_ip = out->ip[0] != '\0' ? out->ip : NULL;
	if (agent != NULL) {
		text_sanitize(bytes_of(agent), out->user_agent, sizeof out->user_agent);
		out->caller.user_agent = out->user_agent;
	}
	out->token = request_cookie(request, ENROLLMENT_COOKIE);
}

/* --- whose request is it? ------------------------------------------------------------------------------------------ */

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
comes_from_our_page(struct request *request)
{
	const char *site = request_header(request, "Sec-Fetch-Site");
	const char *origin = request_header(request, "Origin");

	if ((site != NULL || origin != NULL) && (site == NULL || strcmp(site, "same-origin") == 0) &&
	    (origin == NULL || is_origin_of(request->service->settings->public_url, origin)))
		return true;
	reply_problem(&request->reply, request->id, &problem_cross_site, NULL, NULL);
	return false;
}

/* The body of a POST that our own page sent; NULL: the refusal is in the reply. */
static json_t *
read_body(struct request *request, const struct field *fields, size_t count)
{
	return comes_from_our_page(request) ? json_body_read(request, fields, count, false) : NULL;
}

/* --- static files -------------------------------------------------------------------------------------------------- */

static void
route_file(struct request *request)
{
	const struct web_file *file = web_files_find(request->service->web, request->match.route->path);

	if (file == NULL)
		request_outcome(request, STATUS_NOT_FOUND, VERDICT_DENIED, 0);
	else
		reply_bytes(&request->reply, 200, file->content_type, file->data, file->len, NULL);
}

/* --- enrollment ---------------------------------------------------------------------------------------------------- */

static int64_t
seconds_until(int64_t time_s)
{
	int64_t left = time_s - clock_now_s();

	return left > 0 ? left : 0;
}

/* From the link's token, which works once, to the cookie's. */
static void
route_link_exchange(struct request *request)
{
	static const struct field fields[] = { { "token", FIELD_STRING, true, 1, LINK_MAX, NULL, 0 } };
	char cookie[TOKEN_TEXT_BYTES] = "";
	int64_t expires_at_s = 0;
	struct visitor visitor;
	enum status st;
	json_t *body;

	if ((body = read_body(request, fields, 1)) == NULL)
		return;
	visitor_of(request, &visitor);
	st = enrollment_link_exchange(request->service->core, &visitor.caller, json_body_string(body, "token"), cookie,
	    &expires_at_s);
	if (st != STATUS_OK) {
		request_outcome(request, st, VERDICT_DENIED, 0);
	} else {
		reply_json(&request->reply, 204, NULL);
		reply_cookie(&request->reply, ENROLLMENT_COOKIE, cookie, seconds_until(expires_at_s));
	}
	secret_wipe(cookie, sizeof cookie);
	json_decref(body);
}

/* A visitor with a cookie, or the 404 in the reply. */
static bool
has_cookie(struct request *request, const struct visitor *visitor)
{
	if (visitor->token == NULL)
		request_outcome(request, STATUS_NOT_FOUND, VERDICT_DENIED, 0);
	return visitor->token != NULL;
}

/* STATUS_INVALID from an operation that took nothing but the cookie: it holds no token, so there is no such page. */
static enum status
no_such_page(enum status st)
{
	return st == STATUS_INVALID ? STATUS_NOT_FOUND : st;
}

static void
route_page_get(struct request *request)
{
	const struct settings *settings = request->service->settings;
	struct enrollment_page page;
	struct visitor visitor;
	enum status st;

	visitor_of(request, &visitor);
	if (!has_cookie(request, &visitor))
		return;
	memset(&page, 0, sizeof page);
	st = no_such_page(enrollment_page_get(request->service->core, &visitor.caller, visitor.token, &page));
	if (st != STATUS_OK) {
		request_outcome(request, st, VERDICT_DENIED, 0);
		return;
	}
	if (!settings_allows_return(settings, page.return_to))
		page.return_to[0] = '\0';       /* the operator has taken it off the list since */
	reply_json(&request->reply, 200, json_pack("{s:s, s:s, s:s, s:o, s:I}", "state", page.state, "login", page.login,
	    "issuer", settings->core.store.issuer, "return_to", reply_optional(page.return_to), "expires_in",
	    (json_int_t)seconds_until(page.expires_at_s)));
}

static void
route_page_start(struct request *request)
{
	struct totp_enrollment enrollment;
	struct visitor visitor;
	enum status st;
	json_t *body;

	if ((body = read_body(request, NULL, 0)) == NULL)
		return;
	json_decref(body);
	visitor_of(request, &visitor);
	if (!has_cookie(request, &visitor))
		return;
	memset(&enrollment, 0, sizeof enrollment);
	st = no_such_page(enrollment_page_start(request->service->core, &visitor.caller, visitor.token, &enrollment));
	if (st != STATUS_OK)
		request_outcome(request, st, VERDICT_DENIED, 0);
	else
		route_reply_enrollment(request, &enrollment);
	totp_enrollment_wipe(&enrollment);
}

/* What was shown must not come back from a cache (standards R121). */
static void
reply_page_confirmed(struct request *request, const struct recovery_codes *codes)
{
	reply_json(&request->reply, 200, json_pack("{s:o}", "recovery_codes", route_codes_json(codes)));
	reply_header(&request->reply, "Clear-Site-Data", "\"cache\", \"storage\"");
}

static void
route_page_confirm(struct request *request)
{
	static const struct field fields[] = { { "code", FIELD_STRING, true, 1, CODE_MAX, NULL, 0 } };
	enum verdict verdict = VERDICT_DENIED;
	struct recovery_codes codes;
	struct visitor visitor;
	enum status st;
	json_t *body;

	if ((body = read_body(request, fields, 1)) == NULL)
		return;
	visitor_of(request, &visitor);
	memset(&codes, 0, sizeof codes);
	if (!has_cookie(request, &visitor))
		goto out;
	st = enrollment_page_confirm(request->service->core, &visitor.caller, visitor.token,
	    json_body_string(body, "code"), &verdict, &codes);
	if (st == STATUS_INVALID)
		request_refuse_field(request, "code", "must be 6 digits");
	else if (st != STATUS_OK || verdict != VERDICT_GRANTED)
		request_outcome(request, st, verdict, 0);
	else
		reply_page_confirmed(request, &codes);
out:
	recovery_codes_wipe(&codes);
	json_decref(body);
}

/* --- the table of the pages listener ------------------------------------------------------------------------------- */

#define FILE_ROUTE(path) { METHOD_GET, path, 0, 0, WORK_INLINE, route_file, NULL }
#define POST_ROUTE(path, handler) { METHOD_POST, path, 0, ROUTE_BODY_BYTES, WORK_QUICK, handler, NULL }

static const struct route table[] = {
	FILE_ROUTE("/enroll"),
	FILE_ROUTE("/assets/page.css"),
	FILE_ROUTE("/assets/page.js"),
	FILE_ROUTE("/assets/enroll.js"),
	FILE_ROUTE("/assets/strings.en.js"),
	FILE_ROUTE("/assets/mark.svg"),

	{ METHOD_GET, "/pages/v1/enrollment", 0, 0, WORK_QUICK, route_page_get, NULL },
	POST_ROUTE("/pages/v1/enrollment/exchange", route_link_exchange),
	POST_ROUTE("/pages/v1/enrollment/start", route_page_start),
	POST_ROUTE("/pages/v1/enrollment/confirm", route_page_confirm),
};

const struct route *
routes_pages(size_t *out_count)
{
	*out_count = sizeof table / sizeof table[0];
	return table;
}
