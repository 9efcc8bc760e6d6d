/* route_enrollment_page.c: what the script of the enrollment page asks for: where it stands, the secret, the first code. */
#include <string.h>

#include "authd/route_handlers.h"
#include "authd/visitor.h"
#include "core/operation/enrollment.h"

enum { CODE_MAX = 64 };

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
		reply_json(&request->reply, 200, visitor_page_json(request, &page));
}

void
route_enrollment_page_start(struct request *request)
{
	struct totp_enrollment enrollment;
	struct visitor visitor;
	enum status st;
	json_t *body;

	if ((body = visitor_body(request, NULL, 0)) == NULL)
		return;
	json_decref(body);
	if (!visitor_with_token(request, PAGE_ENROLLMENT, &visitor))
		return;
	memset(&enrollment, 0, sizeof enrollment);
	st = enrollment_page_start(request->service->core, &visitor.caller, visitor.token, &enrollment);
	if (st != STATUS_OK)
		request_outcome(request, visitor_no_such_page(st), VERDICT_DENIED, 0);
	else
		route_reply_enrollment(request, &enrollment);
	totp_enrollment_wipe(&enrollment);
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
