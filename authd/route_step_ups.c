/* route_step_ups.c: a fresh second factor for one purpose and one transaction. */
#include <string.h>

#include "authd/json_body.h"
#include "authd/route_handlers.h"
#include "core/operation/step_up.h"

enum { CODE_MAX = 64 };

void
route_step_up_begin(struct request *request)
{
	static const struct field fields[] = {
		{ "purpose", FIELD_STRING, true, 1, STEP_UP_PURPOSE_MAX_BYTES, NULL, 0 },
		{ "digest", FIELD_STRING, false, 1, STEP_UP_DIGEST_MAX_BYTES, NULL, 0 },
		ROUTE_SOURCE_FIELD,
	};
	struct step_up step_up;
	char user_agent[ROUTE_AGENT_BYTES];
	const char *id;
	enum status st;
	json_t *body;

	memset(&step_up, 0, sizeof step_up);
	if ((body = json_body_read(request, fields, 3, false)) == NULL)
		return;
	if ((id = route_uuid(request, 0)) == NULL || !route_take_source(request, body, user_agent))
		goto out;
	st = step_up_begin(request->service->core, &request->caller, id, json_body_string(body, "purpose"),
	    json_body_string(body, "digest"), &step_up);
	if (st == STATUS_INVALID)
		request_refuse_field(request, step_up_is_purpose(json_body_string(body, "purpose")) ? "digest" : "purpose",
		    "holds a character that is not taken here");
	else if (st != STATUS_OK)
		request_outcome(request, st, VERDICT_DENIED, 0);
	else
		reply_json(&request->reply, 201, json_pack("{s:s, s:o, s:o}", "challenge", step_up.challenge, "factors",
		    route_names_json(step_up.factors, step_up.factor_count), "expires_at",
		    reply_time(step_up.expires_at_s)));
out:
	secret_wipe(&step_up, sizeof step_up);
	route_drop_source(request);
	json_decref(body);
}

static void
answer(struct request *request, enum status st, const struct step_up_result *result)
{
	const struct login_result *login = &result->login;
	json_t *body;

	if (st != STATUS_OK || login->verdict != VERDICT_GRANTED) {
		request_outcome(request, st, login->verdict, login->retry_after_s);
		return;
	}
	body = json_pack("{s:s, s:s, s:o, s:o}", "account_id", login->account_id, "purpose", result->purpose, "digest",
	    reply_optional(result->digest), "auth_time", reply_time(login->auth_time_s));
	if (body != NULL && login->recovery_codes_left >= 0)
		(void)json_object_set_new(body, "recovery_codes_left", json_integer(login->recovery_codes_left));
	reply_json(&request->reply, 200, body);
}

void
route_step_up_code(struct request *request)
{
	static const struct field fields[] = {
		{ "code", FIELD_STRING, true, 1, CODE_MAX, NULL, 0 },
		ROUTE_SOURCE_FIELD,
	};
	const char *challenge = request_parameter(request, 0);
	struct step_up_result result;
	char user_agent[ROUTE_AGENT_BYTES];
	enum status st;
	json_t *body;

	memset(&result, 0, sizeof result);
	if ((body = json_body_read(request, fields, 2, false)) == NULL)
		return;
	if (!route_is_token(challenge)) {
		request_refuse_field(request, "challenge", "is not the challenge of a step-up");
	} else if (route_take_source(request, body, user_agent)) {
		st = step_up_code(request->service->core, &request->caller, challenge, json_body_string(body, "code"), &result);
		if (st == STATUS_INVALID)
			request_refuse_field(request, "code", "must be 6 digits or a recovery code");
		else
			answer(request, st, &result);
	}
	secret_wipe(&result, sizeof result);
	route_drop_source(request);
	json_decref(body);
}
