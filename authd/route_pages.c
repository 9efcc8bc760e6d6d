/* route_pages.c: what people's browsers ask for: static pages, and the few JSON routes of their scripts, which are no
 * interface for other programs.  The table of the pages listener. */
#include <stdio.h>
#include <stdlib.h>

#include "authd/route_handlers.h"
#include "authd/routes.h"
#include "authd/visitor.h"
#include "core/base/clock.h"

enum { LINK_MAX = 64, SECURITY_TXT_LIFE_S = 180 * 86400 };

static void
route_file(struct request *request)
{
	const struct web_file *file = web_files_find(request->service->web, request->match.route->path);

	if (file == NULL)
		request_outcome(request, STATUS_NOT_FOUND, VERDICT_DENIED, 0);
	else
		reply_bytes(&request->reply, 200, file->content_type, file->data, file->len, NULL);
}

/* RFC 9116.  The promise is renewed by itself as long as the service runs, and never a year old. */
static void
route_security_txt(struct request *request)
{
	const struct settings *settings = request->service->settings;
	char expires[CLOCK_RFC3339_BYTES], *text = NULL;
	int n;

	if (settings->security_contact[0] == '\0') {
		request_outcome(request, STATUS_NOT_FOUND, VERDICT_DENIED, 0);
		return;
	}
	clock_format_rfc3339(clock_now_s() + SECURITY_TXT_LIFE_S, expires);
	n = asprintf(&text, "Contact: %s\nExpires: %s\nCanonical: %s/.well-known/security.txt\n",
	    settings->security_contact, expires, settings->public_url);
	if (n < 0)
		request_outcome(request, STATUS_NO_MEMORY, VERDICT_DENIED, 0);
	else
		reply_bytes(&request->reply, 200, "text/plain; charset=utf-8", text, (size_t)n, free);
}

/* From the link's token, which works once, to the cookie's. */
static void
exchange(struct request *request, enum page_purpose purpose)
{
	static const struct field fields[] = { { "token", FIELD_STRING, true, 1, LINK_MAX, NULL, 0 } };
	char token[TOKEN_TEXT_BYTES] = "";
	int64_t expires_at_s = 0;
	struct visitor visitor;
	enum status st;
	json_t *body;

	if ((body = visitor_body(request, fields, 1)) == NULL)
		return;
	visitor_of(request, purpose, &visitor);
	st = hosted_page_exchange(request->service->core, &visitor.caller, purpose, json_body_string(body, "token"),
	    token, &expires_at_s);
	if (st != STATUS_OK) {
		request_outcome(request, visitor_no_such_page(st), VERDICT_DENIED, 0);
	} else {
		reply_json(&request->reply, 204, NULL);
		visitor_keep(request, purpose, token, visitor_seconds_until(expires_at_s));
	}
	secret_wipe(token, sizeof token);
	json_decref(body);
}

static void
route_exchange_enrollment(struct request *request)
{
	exchange(request, PAGE_ENROLLMENT);
}

static void
route_exchange_activity(struct request *request)
{
	exchange(request, PAGE_ACTIVITY);
}

#define FILE_ROUTE(path) { METHOD_GET, path, 0, 0, WORK_INLINE, route_file, NULL }
#define GET_ROUTE(path, handler) { METHOD_GET, path, 0, 0, WORK_QUICK, handler, NULL }
#define POST_ROUTE(path, handler) { METHOD_POST, path, 0, ROUTE_BODY_BYTES, WORK_QUICK, handler, NULL }

/* The files are those of web_files.c. */
static const struct route table[] = {
	FILE_ROUTE("/enroll"),
	FILE_ROUTE("/activity"),
	FILE_ROUTE("/assets/page.css"),
	FILE_ROUTE("/assets/page.js"),
	FILE_ROUTE("/assets/enroll.js"),
	FILE_ROUTE("/assets/activity.js"),
	FILE_ROUTE("/assets/strings.en.js"),
	FILE_ROUTE("/assets/mark.svg"),
	{ METHOD_GET, "/.well-known/security.txt", 0, 0, WORK_INLINE, route_security_txt, NULL },

	GET_ROUTE("/pages/v1/enrollment", route_enrollment_page_get),
	POST_ROUTE("/pages/v1/enrollment/exchange", route_exchange_enrollment),
	POST_ROUTE("/pages/v1/enrollment/start", route_enrollment_page_start),
	POST_ROUTE("/pages/v1/enrollment/confirm", route_enrollment_page_confirm),

	GET_ROUTE("/pages/v1/activity", route_activity_page_get),
	POST_ROUTE("/pages/v1/activity/exchange", route_exchange_activity),
	POST_ROUTE("/pages/v1/activity/end", route_activity_page_end),
};

const struct route *
routes_pages(size_t *out_count)
{
	*out_count = sizeof table / sizeof table[0];
	return table;
}
