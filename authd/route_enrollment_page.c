/* route_enrollment_page.c: what the script of the enrollment page asks for: where it stands, the secret, the first code. */
#include <string.h>

#include "authd/route_handlers.h"
#include "authd/visitor.h"
#include "core/operation/enrollment.h"

enum { CODE_MAX = 64 };

static void
reply_page(struct request *request, const struct hosted_page *page)
{
	json_t *body = visitor_page_json(request, page);

	(void)json_object_set_new(body, "proof_required", json_boolean(page->second_factor));
	reply_json(&request->reply, 200, body);
}

void
route_enrollment_page_get(struct request *request)
{
	struct hosted_page page;
	struct visitor visitor;
	enum status st;

	if (!visitor_with_token(request, PAGE_ENROLLMENT, &visitor))
		return;
	st = hosted_page_get(request->service->core, &visitor.caller, PAGE_ENROLLMENT, visitor.token, &page);
	if (st != STATUS_OK)
		request_outcome(request, visitor_no_such_page(st), VERDICT_DENIED, 0);
	else
		reply_page(request, &page);
}

static void
reply_started(struct request *request, enum status st, const struct page_start *start)
{
	if (st == STATUS_INVALID)
		request_refuse_field(request, "proof", "must be 6 digits or a recovery code");
	else if (start->enrollment.proof_required)
		reply_problem(&request->reply, request->id, &problem_step_up, NULL, NULL);
	else if (st != STATUS_OK || start->verdict != VERDICT_GRANTED)
		request_outcome(request, st, start->verdict, start->retry_after_s);
	else
		route_reply_enrollment(request, &start->enrollment);
}

void
route_enrollment_page_start(struct request *request)
{
	static const struct field fields[] = { { "proof", FIELD_STRING, false, 1, CODE_MAX, NULL, 0 } };
	struct page_start start;
	struct visitor visitor;
	enum status st;
	json_t *body;

	if ((body = visitor_body(request, fields, 1)) == NULL)
		return;
	memset(&start, 0, sizeof start);
	if (!visitor_with_token(request, PAGE_ENROLLMENT, &visitor))
		goto out;
	st = enrollment_page_start(request->service->core, &visitor.caller, visitor.token,
	    json_body_string(body, "proof"), &start);
	reply_started(request, st, &start);
out:
	totp_enrollment_wipe(&start.enrollment);
	json_decref(body);
}

/* What was shown must not come back from a cache (standards R121). */
static void
reply_confirmed(struct request *request, const struct recovery_codes *codes)
{
	reply_json(&request->reply, 200, json_pack("{s:o}", "recovery_codes", route_codes_json(codes)));
	reply_header(&request->reply, "Clear-Site-Data", "\"cache\", \"storage\"");
}

void
route_enrollment_page_confirm(struct request *request)
{
	static const struct field fields[] = { { "code", FIELD_STRING, true, 1, CODE_MAX, NULL, 0 } };
	struct totp_confirmation confirmation;
	struct visitor visitor;
	enum status st;
	json_t *body;

	if ((body = visitor_body(request, fields, 1)) == NULL)
		return;
	memset(&confirmation, 0, sizeof confirmation);
	if (!visitor_with_token(request, PAGE_ENROLLMENT, &visitor))
		goto out;
	st = enrollment_page_confirm(request->service->core, &visitor.caller, visitor.token,
	    json_body_string(body, "code"), &confirmation);
	if (st == STATUS_INVALID)
		request_refuse_field(request, "code", "must be 6 digits");
	else if (st != STATUS_OK || confirmation.verdict != VERDICT_GRANTED)
		request_outcome(request, st, confirmation.verdict, confirmation.retry_after_s);
	else
		reply_confirmed(request, &confirmation.codes);
out:
	totp_confirmation_wipe(&confirmation);
	json_decref(body);
}
