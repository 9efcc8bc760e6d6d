/* route_links.c: links to the pages for people. */
#include "authd/json_body.h"
#include "authd/route_handlers.h"
#include "core/operation/hosted_page.h"

/* Behind the #: it reaches no server's log and no Referer. */
json_t *
route_page_url(const struct request *request, const char *path, const char *token)
{
	return json_sprintf("%s/%s#%s", request->service->settings->public_url, path, token);
}

/* PATH is that of the page: "enroll". */
static void
create_link(struct request *request, enum page_purpose purpose, const char *path)
{
	static const struct field fields[] = { { "return_to", FIELD_STRING, false, 1, RETURN_TO_MAX_BYTES, NULL, 0 } };
	const struct settings *settings = request->service->settings;
	char token[TOKEN_TEXT_BYTES] = "";
	const char *id, *return_to;
	int64_t expires_at_s = 0;
	enum status st;
	json_t *body;

	if ((body = json_body_read(request, fields, 1, true)) == NULL)
		return;
	if ((id = route_uuid(request, 0)) == NULL)
		goto out;
	return_to = json_body_string(body, "return_to");
	if (return_to != NULL && !settings_allows_return(settings, return_to)) {
		request_refuse_field(request, "return_to", "is not one of the configured ways back");
		goto out;
	}
	if (settings->public_url[0] == '\0') {  /* no pages here: a link would lead nowhere */
		request_outcome(request, STATUS_CONFLICT, VERDICT_DENIED, 0);
		goto out;
	}
	st = hosted_page_link(request->service->core, &request->caller, id, purpose, return_to, token, &expires_at_s);
	if (st != STATUS_OK)
		request_outcome(request, st, VERDICT_DENIED, 0);
	else
		reply_json(&request->reply, 201, json_pack("{s:o, s:o}", "url", route_page_url(request, path, token),
		    "expires_at", reply_time(expires_at_s)));
out:
	secret_wipe(token, sizeof token);
	json_decref(body);
}

void
route_enrollment_link_create(struct request *request)
{
	create_link(request, PAGE_ENROLLMENT, "enroll");
}

void
route_activity_link_create(struct request *request)
{
	create_link(request, PAGE_ACTIVITY, "activity");
}
