#include "authd/reply.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/secret.h"

const struct problem problem_malformed = { 400, "malformed", "The body is not acceptable JSON" };
const struct problem problem_framing = { 400, "bad-request", "The request is not acceptable HTTP" };
const struct problem problem_step_up = { 403, "step-up-required", "A fresh second factor is required" };
const struct problem problem_method = { 405, "method-not-allowed", "The method is not allowed here" };
const struct problem problem_length = { 411, "length-required", "Content-Length is required" };
const struct problem problem_too_large = { 413, "too-large", "The body is too large" };
const struct problem problem_target = { 414, "uri-too-long", "The target of the request is too long" };
const struct problem problem_media_type = { 415, "unsupported-media-type", "The body must be application/json" };
const struct problem problem_password = { 422, "password-rejected", "The password is not accepted" };
const struct problem problem_headers = { 431, "headers-too-large", "The headers are too large" };

void
reply_prepare_json(void)
{
	json_set_alloc_funcs(secret_block_new, secret_block_free);
}

/* --- bodies ------------------------------------------------------------------------------------------------------ */

void
reply_reset(struct reply *reply)
{
	if (reply->release != NULL)
		reply->release(reply->data);
	for (unsigned i = 0; i < reply->header_count; i++)
		secret_wipe(reply->headers[i].value, sizeof reply->headers[i].value);
	memset(reply, 0, sizeof *reply);
}

void
reply_bytes(struct reply *reply, int http_status, const char *content_type, void *data, size_t len,
    void (*release)(void *data))
{
	reply->http_status = http_status;
	reply->content_type = content_type;
	reply->data = data;
	reply->len = len;
	reply->release = release;
}

/* No memory for a body: a constant one, so that even then the answer is a problem. */
static void
reply_without_memory(struct reply *reply)
{
	static char text[] = "{\"type\":\"" REPLY_PROBLEM_BASE "unavailable\",\"title\":\"Temporarily unavailable\","
	    "\"status\":503}";

	reply_reset(reply);
	reply->slug = "unavailable";
	reply_bytes(reply, 503, "application/problem+json", text, sizeof text - 1, NULL);
	reply_header(reply, "Retry-After", "2");
}

static void
reply_dump(struct reply *reply, int http_status, const char *content_type, json_t *body)
{
	char *text = body != NULL ? json_dumps(body, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

	json_decref(body);
	if (text == NULL)
		reply_without_memory(reply);
	else
		reply_bytes(reply, http_status, content_type, text, strlen(text), secret_block_free);
}

void
reply_json(struct reply *reply, int http_status, json_t *body)
{
	if (http_status == 204)
		reply_bytes(reply, http_status, NULL, NULL, 0, NULL);
	else
		reply_dump(reply, http_status, "application/json; charset=utf-8", body);
}

void
reply_problem(struct reply *reply, const char *request_id, const struct problem *problem, const char *detail,
    json_t *members)
{
	json_t *body = json_pack("{s:o, s:s, s:i, s:o}",
	    "type", json_sprintf("%s%s", REPLY_PROBLEM_BASE, problem->slug), "title", problem->title,
	    "status", problem->http_status, "instance", json_sprintf("urn:uuid:%s", request_id));

	reply->slug = problem->slug;
	if (body != NULL && detail != NULL && json_object_set_new(body, "detail", json_string(detail)) != 0) {
		json_decref(body);
		body = NULL;
	}
	if (body != NULL && members != NULL && json_object_update_missing(body, members) != 0) {
		json_decref(body);
		body = NULL;
	}
	json_decref(members);
	reply_dump(reply, problem->http_status, "application/problem+json", body);
}

static void
add_retry_after(struct reply *reply, int64_t seconds)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%lld", (long long)(seconds > 0 ? seconds : 1));
	reply_header(reply, "Retry-After", text);
}

void
reply_outcome(struct reply *reply, const char *request_id, enum status status, enum verdict verdict,
    int64_t retry_after_s, json_t *members)
{
	const struct outcome *row = outcome_of(status, verdict);
	struct problem problem = { row->http_status, row->problem, row->title };

	if (row->problem == NULL) {
		/* a grant without content is a defect here: fail closed */
		json_decref(members);
		reply_outcome(reply, request_id, STATUS_INTERNAL, VERDICT_DENIED, 0, NULL);
		return;
	}
	reply_problem(reply, request_id, &problem, NULL, members);
	if (row->http_status == 401)
		reply_header(reply, "WWW-Authenticate", "Bearer realm=\"counterfoil\"");
	if (status == STATUS_OVERLOADED)
		add_retry_after(reply, REPLY_RETRY_OVERLOADED_S);
	else if (row->http_status == 503)
		add_retry_after(reply, REPLY_RETRY_UNAVAILABLE_S);
	else if (row->http_status == 429)
		add_retry_after(reply, retry_after_s);
}

/* --- headers ----------------------------------------------------------------------------------------------------- */

void
reply_header(struct reply *reply, const char *name, const char *value)
{
	struct reply_header *header;

	for (unsigned i = 0; i < reply->header_count; i++)
		if (strcmp(reply->headers[i].name, name) == 0 && strcmp(name, "Set-Cookie") != 0)
			return;         /* the first word stands */
	if (reply->header_count == REPLY_HEADERS_MAX)
		return;
	header = &reply->headers[reply->header_count++];
	header->name = name;
	(void)snprintf(header->value, sizeof header->value, "%s", value);
	for (char *c = header->value; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
}

void
reply_cookie(struct reply *reply, const char *name, const char *value, int64_t max_age_s)
{
	char text[REPLY_HEADER_BYTES];

	(void)snprintf(text, sizeof text, "%s=%s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%lld", name,
	    max_age_s > 0 ? value : "", (long long)(max_age_s > 0 ? max_age_s : 0));
	reply_header(reply, "Set-Cookie", text);
	secret_wipe(text, sizeof text);
}

json_t *
reply_time(int64_t time_s)
{
	char text[CLOCK_RFC3339_BYTES];

	if (time_s == 0)
		return json_null();
	clock_format_rfc3339(time_s, text);
	return json_string(text);
}

json_t *
reply_optional(const char *text)
{
	return text[0] != '\0' ? json_string(text) : json_null();
}
