/* fuzz_json_body.c: any body: an object of the named fields and nothing else, or one refusal. */
#include <string.h>

#include "authd/json_body.h"
#include "tests/fuzz/fuzz.h"

enum { FIELD_BYTES = 256 };

static unsigned refusals;
static const char *content_type;

const struct problem problem_malformed, problem_media_type;

static const struct field source_fields[] = { { .name = "ip", .type = FIELD_STRING, .min = 2, .max = 45 },
	{ .name = "user_agent", .type = FIELD_STRING, .max = 20 } };
static const struct field fields[] = { { .name = "login", .type = FIELD_STRING, .required = true, .min = 1, .max = 32 },
	{ .name = "remember", .type = FIELD_BOOLEAN },
	{ .name = "source", .type = FIELD_OBJECT, .members = source_fields, .member_count = 2 } };

/* --- the parts of request.c that are asked for ------------------------------------------------------------------------ */

const char *
request_header(const struct request *request, const char *name)
{
	(void)request;
	INSIST(strcmp(name, "Content-Type") == 0);
	return content_type;
}

void
request_refuse_input(struct request *request, const struct problem *problem, const char *field, const char *detail)
{
	(void)request;
	INSIST(problem != NULL && field == NULL && detail != NULL);
	refusals++;
}

void
request_refuse_field(struct request *request, const char *field, const char *detail)
{
	(void)request;
	INSIST(field != NULL && strlen(field) < FIELD_BYTES && detail != NULL);     /* request.c cuts and cleans it */
	refusals++;
}

/* ------------------------------------------------------------------------------------------------------------------------ */

static void
expect_fit(const json_t *body)
{
	const json_t *source = json_object_get(body, "source");
	struct bytes login = json_body_text(body, "login");

	INSIST(json_is_object(body) && login.len >= 1 && login.len <= 32);
	INSIST(memchr(login.data, '\0', login.len) == NULL);
	INSIST(json_body_string(body, "login") != NULL && strlen(json_body_string(body, "login")) == login.len);
	(void)json_body_flag(body, "remember");
	INSIST(json_object_size(body) <= 3);
	if (source != NULL)
		INSIST(json_is_object(source) && json_object_size(source) <= 2 && json_body_text(source, "ip").len <= 45);
}

static void
read_body(const uint8_t *data, size_t len, bool no_body)
{
	struct request request = { .body_len = len };
	json_t *body;

	INSIST(len == 0 || secret_copy((struct bytes){ data, len }, &request.body) == STATUS_OK);
	refusals = 0;
	body = json_body_read(&request, fields, 3, no_body);
	if (body != NULL && len > 0)
		expect_fit(body);
	INSIST((body == NULL) == (refusals == 1) && refusals <= 1);
	json_decref(body);
	secret_free(&request.body);
}

/* Up to the first NUL it is the Content-Type, when there is one. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *nul = len > 0 ? memchr(data, '\0', len) : NULL;

	content_type = "application/json";
	read_body(data, len, true);
	if (nul != NULL) {
		content_type = (const char *)data;
		read_body(nul + 1, len - (size_t)(nul + 1 - data), false);
	}
	return 0;
}
