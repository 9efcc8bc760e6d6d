/* route_logins.c: the two steps of a sign-in. */
#include <string.h>

#include "authd/json_body.h"
#include "authd/route_handlers.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/operation/login.h"

enum { LOGIN_TYPED_MAX = 1024, CODE_MAX = 64 };

json_t *
route_names_json(const char *const *names, unsigned count)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < count; i++)
		(void)json_array_append_new(array, json_string(names[i]));
	return array;
}

static void
reply_session(struct request *request, const struct login_result *result)
{
	json_t *body = json_pack("{s:s, s:s, s:s, s:i, s:o, s:o, s:o}", "account_id", result->account_id,
	    "session_id", result->session_id, "session_token", result->session_token, "aal", result->aal, "amr",
	    route_names_json(result->amr, result->amr_count), "auth_time", reply_time(result->auth_time_s), "expires_at",
	    reply_time(result->expires_at_s));

	if (body != NULL && result->recovery_codes_left >= 0)
		(void)json_object_set_new(body, "recovery_codes_left", json_integer(result->recovery_codes_left));
	if (body != NULL && result->device_token[0] != '\0')
		(void)json_object_set_new(body, "trusted_device", json_string(result->device_token));
	if (body != NULL && result->hold_until_s != 0)
		(void)json_object_set_new(body, "hold_until", reply_time(result->hold_until_s));
	reply_json(&request->reply, 200, body);
}

static json_t *
refusal_members(const struct login_result *result)
{
	if (result->verdict == VERDICT_CHALLENGE)
		return json_pack("{s:s, s:o, s:o}", "challenge", result->challenge, "factors",
		    route_names_json(result->factors, result->factor_count), "expires_at", reply_time(result->expires_at_s));
	if (result->verdict == VERDICT_CHANGE_REQUIRED)
		return json_pack("{s:s, s:s}", "account_id", result->account_id, "ticket", result->ticket);
	return NULL;
}

/* The reason is for the operator; the reply to each denial is the same. */
static void
log_verdict(const struct request *request, const char *step, const struct login_result *result)
{
	log_event(LOG_LEVEL_INFO, "login", (const struct log_field[]){ LOG_TEXT("step", step),
	    LOG_TEXT("verdict", verdict_name(result->verdict)),
	    LOG_TEXT("reason", result->reason[0] != '\0' ? result->reason : "-"), LOG_TEXT("request", request->id),
	    LOG_TEXT("account", result->account_id[0] != '\0' ? result->account_id : "-"), LOG_END });
}

static void
answer(struct request *request, const char *step, enum status st, const struct login_result *result)
{
	if (st != STATUS_OK) {
		request_outcome(request, st, VERDICT_DENIED, 0);
		return;
	}
	metrics_verdict(request->service->metrics, result->verdict);
	log_verdict(request, step, result);
	if (result->verdict == VERDICT_GRANTED)
		reply_session(request, result);
	else
		reply_outcome(&request->reply, request->id, st, result->verdict, result->retry_after_s,
		    refusal_members(result));
}

/* One of the two has no canonical form; which of them says nothing about any account. */
static void
refuse_form(struct request *request, const json_t *body)
{
	char canonical[TEXT_LOGIN_MAX_BYTES + 1];

	if (text_canonical_login(json_body_text(body, "login"), canonical) != STATUS_OK)
		request_refuse_field(request, "login", "has no canonical form of 1 to 254 bytes without blanks and controls");
	else
		request_refuse_field(request, "password", "must have at most 256 characters, none of them a control");
}

void
route_login_password(struct request *request)
{
	static const struct field fields[] = {
		{ "login", FIELD_STRING, true, 1, LOGIN_TYPED_MAX, NULL, 0 },
		{ "password", FIELD_STRING, true, 1, TEXT_PASSWORD_MAX_BYTES, NULL, 0 },
		{ "trusted_device", FIELD_STRING, false, TOKEN_TEXT_BYTES - 1, TOKEN_TEXT_BYTES - 1, NULL, 0 },
		ROUTE_SOURCE_FIELD,
	};
	struct login_result result = { .verdict = VERDICT_DENIED, .recovery_codes_left = -1 };
	struct login_attempt attempt = { .demand = LOGIN_ALL_FACTORS };
	char user_agent[ROUTE_AGENT_BYTES];
	enum status st;
	json_t *body;

	if ((body = json_body_read(request, fields, 4, false)) == NULL)
		return;
	if (route_take_source(request, body, user_agent)) {
		attempt.device_token = json_body_string(body, "trusted_device");
		attempt.login = json_body_text(body, "login");
		attempt.password = json_body_text(body, "password");
		st = login_password(request->service->core, &request->caller, &attempt, &result);
		if (st == STATUS_INVALID)
			refuse_form(request, body);
		else
			answer(request, "password", st, &result);
	}
	route_drop_source(request);
	login_result_wipe(&result);
	json_decref(body);
}

void
route_login_code(struct request *request)
{
	static const struct field fields[] = {
		{ "code", FIELD_STRING, true, 1, CODE_MAX, NULL, 0 },
		{ "remember_device", FIELD_BOOLEAN, false, 0, 0, NULL, 0 },
		ROUTE_SOURCE_FIELD,
	};
	struct login_result result = { .verdict = VERDICT_DENIED, .recovery_codes_left = -1 };
	const char *challenge = request_parameter(request, 0);
	char user_agent[ROUTE_AGENT_BYTES];
	enum status st;
	json_t *body;

	if ((body = json_body_read(request, fields, 3, false)) == NULL)
		return;
	if (!route_is_token(challenge)) {
		request_refuse_field(request, "challenge", "is not the challenge of a password step");
	} else if (route_take_source(request, body, user_agent)) {
		st = login_code(request->service->core, &request->caller, challenge, json_body_string(body, "code"),
		    json_body_flag(body, "remember_device"), &result);
		if (st == STATUS_INVALID)
			request_refuse_field(request, "code", "must be 6 digits or a recovery code");
		else
			answer(request, "code", st, &result);
	}
	route_drop_source(request);
	login_result_wipe(&result);
	json_decref(body);
}
