#include "pam_module/authd_reply.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "core/credential/otpauth.h"
#include "core/credential/pam_reply_mac.h"
#include "pam_module/text_rules.h"

enum { VERSION = 1 };

#define BASE32 "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
#define URI    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%"        /* RFC 3986 */

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
		{ "password_refused", ANSWER_PASSWORD_REFUSED }, { "enroll_started", ANSWER_ENROLL_STARTED },
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

/* *out: NULL where it is missing.  False: it is no string of 1 to MAX bytes, all of them among ALPHABET. */
static bool
take_text(const json_t *body, const char *name, const char *alphabet, size_t max, const char **out)
{
	const json_t *value = json_object_get(body, name);
	size_t len = json_string_length(value);

	*out = json_string_value(value);
	return value == NULL || (*out != NULL && len > 0 && len <= max && strspn(*out, alphabet) == len);
}

static bool
is_page_url(const char *url)
{
	static const char scheme[] = "https://";

	return strncmp(url, scheme, sizeof scheme - 1) == 0 && url[sizeof scheme - 1] != '\0';
}

/* What is shown of a first authenticator, this once.  It goes to somebody's terminal. */
static const char *
enrollment_fault(const json_t *body, enum answer answer, struct helper_reply *reply)
{
	const char *factor_id, *key, *uri, *url, *codes;

	if (!take_text(body, "factor_id", "0123456789abcdef-", WIRE_FACTOR_MAX, &factor_id) ||
	    !take_text(body, "secret", BASE32, WIRE_KEY_MAX, &key) ||
	    !take_text(body, "otpauth_uri", URI, OTPAUTH_URI_MAX_BYTES, &uri) ||
	    !take_text(body, "enroll_url", URI, WIRE_URL_MAX, &url) || (url != NULL && !is_page_url(url)) ||
	    !take_text(body, "recovery_codes", BASE32 "- ", WIRE_CODES_MAX, &codes))
		return "a field of the reply is of another kind";
	if (answer == ANSWER_ENROLL_STARTED && (factor_id == NULL || key == NULL || uri == NULL ||
	    helper_reply_enrollment(reply, factor_id, key, uri) != STATUS_OK))
		return "the reply lacks what is to be shown";
	if (answer == ANSWER_ENROLL_STARTED && url != NULL)
		helper_reply_enroll_url(reply, url);
	if (answer == ANSWER_ALLOW && codes != NULL)
		helper_reply_recovery_codes(reply, codes);
	return NULL;
}

/* Only two codes prove anything, and only the service can start something. */
static const char *
phase_fault(uint32_t operation, enum answer answer)
{
	if (answer == ANSWER_ALLOW && (operation == WIRE_DECOY || operation == WIRE_ENROLL_START))
		return "the reply allows nobody in";
	if (answer == ANSWER_ENROLL_STARTED && operation != WIRE_ENROLL_START)
		return "the reply starts what nobody asked for";
	return NULL;
}

/* Judged where it is kept; here it is a text that fits. */
static bool
take_ticket(const json_t *body, const struct wire_request *request, struct helper_reply *reply)
{
	const json_t *value = json_object_get(body, "ticket");
	size_t len = json_string_length(value);

	if (value == NULL)
		return true;
	if (!json_is_string(value) || len >= sizeof reply->ticket || !text_rules_hold(json_string_value(value), len) ||
	    request->operation != WIRE_VERIFY || request->offline != WIRE_OFFLINE_TICKET)
		return false;
	memcpy(reply->ticket, json_string_value(value), len + 1);
	return true;
}

static const char *
decision_fault(const struct authd_question *question, const json_t *body, struct helper_reply *reply)
{
	enum answer answer = answer_named(json_string_value(json_object_get(body, "answer")));
	uint32_t operation = question->request->operation;
	struct wire_reply taken = reply->wire;
	const char *reason, *fault;

	if (answer == ANSWER_NONE)
		return "the reply has no answer that decides";
	if ((fault = phase_fault(operation, answer)) != NULL)
		return fault;
	if (!take_reason(body, &reason) || !take_flag(body, "password_right", &taken.password_right) ||
	    !take_flag(body, "must_change", &taken.must_change) || !take_flag(body, "enrolled", &taken.enrolled) ||
	    !take_number(body, "retry_after_s", WIRE_RETRY_AFTER_MAX, &taken.retry_after_s) ||
	    !take_number(body, "training_due", UINT32_MAX, &taken.training_due) ||
	    !take_number(body, "minimum", WIRE_POINTS_MAX, &taken.minimum_points) || !take_ticket(body, question->request, reply))
		return "a field of the reply is of another kind";
	reply->wire = taken;
	if ((operation == WIRE_ENROLL_START || operation == WIRE_ENROLL_CONFIRM) &&
	    (fault = enrollment_fault(body, answer, reply)) != NULL)
		return fault;
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
