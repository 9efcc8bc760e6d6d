#include "pam_module/authd_reply.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "core/credential/pam_reply_mac.h"
#include "pam_module/text_rules.h"

enum { VERSION = 1 };

static void
set_unusable(struct helper_reply *reply, const char *detail)
{
	helper_reply_set(reply, ANSWER_UNUSABLE, "bad_reply", detail);
}

/* --- what is no decision ---------------------------------------------------------------------------------------------- */

/* Whether a problem (RFC 9457) says that there is too much work.  Whoever can send much work must not gain from it. */
static bool
is_overload(const struct https_reply *https)
{
	static const char slug[] = "/overloaded";
	json_t *problem = json_loadb((const char *)https->body, https->len, JSON_REJECT_DUPLICATES, NULL);
	const char *type = json_string_value(json_object_get(problem, "type"));
	size_t len = type != NULL ? strlen(type) : 0;
	bool is = len >= sizeof slug - 1 && strcmp(type + len - (sizeof slug - 1), slug) == 0;

	json_decref(problem);
	return is;
}

static void
set_failure(struct helper_reply *reply, const struct https_reply *https)
{
	char detail[64];

	(void)snprintf(detail, sizeof detail, "the service answers with status %ld", https->status);
	if (https->status == 401 || https->status == 403)
		helper_reply_set(reply, ANSWER_REFUSED, "host_refused", https->status == 401 ?
		    "the service does not take this host's key: it is revoked, expired or unknown (401)" :
		    "the service takes this host's key for another purpose: it lacks scope pam, or realm staff (403)");
	else if (https->status == 503 && !is_overload(https))
		helper_reply_set(reply, ANSWER_UNAVAILABLE, "unavailable", detail);
	else if (https->status == 503 || https->status == 429)
		helper_reply_set(reply, ANSWER_UNUSABLE, "overloaded", detail);
	else
		set_unusable(reply, detail);
}

/* --- is it the reply to this question? -------------------------------------------------------------------------------- */

static bool
is_json_type(const char *value)
{
	return strcasecmp(value, "application/json") == 0 || strcasecmp(value, "application/json; charset=utf-8") == 0;
}

/* NULL, or what is wrong with it as a message. */
static const char *
message_fault(const struct authd_question *question, const struct https_reply *https)
{
	const struct pam_reply_bound bound = { .secret = question->secret, .request_id = question->request_id,
	    .operation = question->operation, .host = question->host, .request = question->body,
	    .reply = { https->body, https->len } };

	if (!https->is_whole)
		return "the reply has more than 4 KiB";
	if (!is_json_type(https->content_type) || https->is_encoded)
		return "the reply is not application/json as it is";
	if (https->mac[0] == '\0')
		return "the reply has no " PAM_REPLY_MAC_HEADER;
	if (!pam_reply_mac_holds(&bound, https->mac))
		return "the reply is not bound to this request by this host's key";
	return NULL;
}

static bool
is_text(const json_t *body, const char *name, const char *wanted)
{
	const json_t *value = json_object_get(body, name);

	return json_is_string(value) && json_string_length(value) == strlen(wanted) &&
	    memcmp(json_string_value(value), wanted, strlen(wanted)) == 0;
}

static bool
is_flat(json_t *body)
{
	const char *name;
	json_t *value;

	json_object_foreach(body, name, value)
		if (json_is_object(value) || json_is_array(value))
			return false;
	return json_is_object(body);
}

static const char *
subject_fault(const struct authd_question *question, json_t *body)
{
	if (!is_flat(body))
		return "the reply is not one flat JSON object";
	if (json_integer_value(json_object_get(body, "v")) != VERSION)
		return "the reply is of another version";
	if (!is_text(body, "request_id", question->request_id))
		return "the reply speaks of another request";
	if (!is_text(body, "user", question->request->user))
		return "the reply speaks of another user";
	if (!is_text(body, "host", question->host))
		return "the reply speaks of another host";
	if (!is_text(body, "operation", question->operation))
		return "the reply speaks of another operation";
	return NULL;
}

/* --- what does it say? ------------------------------------------------------------------------------------------------ */

/* Only decisions: what is broken or away comes as another status than 200, or not at all. */
static enum answer
answer_named(const char *name)
{
	static const struct { const char *name; enum answer answer; } rows[] = {
		{ "allow", ANSWER_ALLOW }, { "deny", ANSWER_DENY }, { "unknown_user", ANSWER_UNKNOWN_USER },
		{ "not_enrolled", ANSWER_NOT_ENROLLED }, { "throttled", ANSWER_THROTTLED }, { "locked", ANSWER_LOCKED },
		{ "expired", ANSWER_EXPIRED }, { "change_required", ANSWER_CHANGE_REQUIRED },
		{ "password_refused", ANSWER_PASSWORD_REFUSED },
	};

	for (size_t i = 0; name != NULL && i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].answer;
	return ANSWER_NONE;
}

/* A missing field is false and 0; one of another kind or size is a fault. */
static bool
take_flag(const json_t *body, const char *name, uint32_t *out)
{
	const json_t *value = json_object_get(body, name);

	*out = json_is_true(value);
	return value == NULL || json_is_boolean(value);
}

static bool
take_number(const json_t *body, const char *name, uint32_t max, uint32_t *out)
{
	const json_t *value = json_object_get(body, name);
	json_int_t number = json_integer_value(value);

	*out = number >= 0 && number <= max ? (uint32_t)number : 0;
	return value == NULL || (json_is_integer(value) && number >= 0 && number <= max);
}

static bool
take_reason(const json_t *body, const char **out)
{
	const json_t *value = json_object_get(body, "reason");

	*out = json_is_string(value) ? json_string_value(value) : "none";
	return value == NULL || (json_is_string(value) && text_rules_is_token(*out, WIRE_REASON_MAX));
}

static const char *
decision_fault(const struct authd_question *question, const json_t *body, struct helper_reply *reply)
{
	enum answer answer = answer_named(json_string_value(json_object_get(body, "answer")));
	struct wire_reply taken = reply->wire;
	const char *reason;

	if (answer == ANSWER_NONE)
		return "the reply has no answer that decides";
	if (answer == ANSWER_ALLOW && question->request->operation == WIRE_DECOY)
		return "the reply allows nobody in";
	if (!take_reason(body, &reason) || !take_flag(body, "password_right", &taken.password_right) ||
	    !take_flag(body, "must_change", &taken.must_change) || !take_flag(body, "enrolled", &taken.enrolled) ||
	    !take_number(body, "retry_after_s", WIRE_RETRY_AFTER_MAX, &taken.retry_after_s) ||
	    !take_number(body, "training_due", UINT32_MAX, &taken.training_due))
		return "a field of the reply is of another kind";
	reply->wire = taken;
	helper_reply_set(reply, answer, reason, NULL);
	return NULL;
}

void
authd_reply_take(const struct authd_question *question, const struct https_reply *https, struct helper_reply *reply)
{
	const char *fault;
	json_t *body = NULL;

	if (https->status != 200) {
		set_failure(reply, https);
		return;
	}
	if ((fault = message_fault(question, https)) == NULL) {
		body = json_loadb((const char *)https->body, https->len, JSON_REJECT_DUPLICATES, NULL);
		if ((fault = subject_fault(question, body)) == NULL)
			fault = decision_fault(question, body, reply);
	}
	if (fault != NULL)
		set_unusable(reply, fault);
	json_decref(body);
}
