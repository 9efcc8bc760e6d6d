/* route_totp.c: binding an authenticator app: start, then confirm with its first code. */
#include <string.h>

#include "authd/json_body.h"
#include "authd/route_handlers.h"
#include "core/credential/qr.h"
#include "core/operation/enrollment.h"

enum { CODE_MAX = 64 };

/* The secrets of ENROLLMENT are NUL-terminated inside their capacity. */
static const char *
text_of(const struct secret *secret)
{
	return (const char *)secret_view(secret).data;
}

void
route_reply_enrollment(struct request *request, const struct totp_enrollment *enrollment)
{
	struct bytes uri = bytes_of(text_of(enrollment->uri));
	struct secret *svg = NULL;
	enum status st;

	if ((st = qr_svg(uri, &svg)) != STATUS_OK)
		request_outcome(request, st == STATUS_INVALID ? STATUS_INTERNAL : st, VERDICT_DENIED, 0);
	else
		reply_json(&request->reply, 201, json_pack("{s:s, s:s, s:s, s:s%, s:o}", "factor_id",
		    enrollment->factor_id, "otpauth_uri", text_of(enrollment->uri), "secret",
		    text_of(enrollment->seed_base32), "qr_svg", text_of(svg), strnlen(text_of(svg), secret_view(svg).len),
		    "expires_at", reply_time(enrollment->expires_at_s)));
	secret_free(&svg);
}

void
route_totp_start(struct request *request)
{
	static const struct field fields[] = {
		{ "name", FIELD_STRING, false, 1, FACTOR_NAME_MAX * 4, NULL, 0 },
		{ "proof", FIELD_STRING, false, TOKEN_TEXT_BYTES - 1, TOKEN_TEXT_BYTES - 1, NULL, 0 },
	};
	struct totp_enrollment enrollment;
	const char *id;
	enum status st;
	json_t *body;

	memset(&enrollment, 0, sizeof enrollment);
	if ((body = json_body_read(request, fields, 2, true)) == NULL)
		return;
	if ((id = route_uuid(request, 0)) == NULL)
		goto out;
	st = enrollment_start_totp(request->service->core, &request->caller, id, json_body_string(body, "name"),
	    json_body_string(body, "proof"), &enrollment);
	if (st == STATUS_INVALID)
		request_refuse_field(request, "name", "must be 1 to 64 printable characters");
	else if (enrollment.proof_required)
		reply_problem(&request->reply, request->id, &problem_step_up, NULL,
		    json_pack("{s:s}", "purpose", ENROLLMENT_PROOF_PURPOSE));
	else if (st != STATUS_OK || enrollment.retry_after_s > 0)
		request_outcome(request, st, VERDICT_THROTTLED, enrollment.retry_after_s);
	else
		route_reply_enrollment(request, &enrollment);
out:
	totp_enrollment_wipe(&enrollment);
	json_decref(body);
}

json_t *
route_codes_json(const struct recovery_codes *codes)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < codes->count; i++)
		(void)json_array_append_new(array, json_string(codes->codes[i]));
	return array;
}

static void
reply_confirmed(struct request *request, const char *factor_id, const struct recovery_codes *codes)
{
	json_t *body = json_pack("{s:s}", "factor_id", factor_id);

	if (body != NULL && codes->count > 0)
		(void)json_object_set_new(body, "recovery_codes", route_codes_json(codes));
	reply_json(&request->reply, 200, body);
}

void
route_totp_confirm(struct request *request)
{
	static const struct field fields[] = { { "code", FIELD_STRING, true, 1, CODE_MAX, NULL, 0 } };
	struct totp_confirmation confirmation;
	const char *account, *factor;
	enum status st;
	json_t *body;

	memset(&confirmation, 0, sizeof confirmation);
	if ((body = json_body_read(request, fields, 1, false)) == NULL)
		return;
	if ((account = route_uuid(request, 0)) == NULL || (factor = route_uuid(request, 1)) == NULL)
		goto out;
	st = enrollment_confirm_totp(request->service->core, &request->caller, account, factor,
	    json_body_string(body, "code"), &confirmation);
	if (st == STATUS_INVALID)
		request_refuse_field(request, "code", "must be 6 digits");
	else if (st != STATUS_OK || confirmation.verdict != VERDICT_GRANTED)
		request_outcome(request, st, confirmation.verdict, confirmation.retry_after_s);
	else
		reply_confirmed(request, factor, &confirmation.codes);
out:
	totp_confirmation_wipe(&confirmation);
	json_decref(body);
}
