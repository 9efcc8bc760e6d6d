#include "authd/json_body.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { FIELD_PATH_BYTES = 256 };

/* application/json, with charset=utf-8 or nothing behind it. */
static bool
is_json_type(const char *value)
{
	static const char type[] = "application/json";
	static const char charset[] = "charset=";

	if (value == NULL || strncasecmp(value, type, sizeof type - 1) != 0)
		return false;
	value += sizeof type - 1;
	value += strspn(value, " \t");
	if (*value == '\0')
		return true;
	if (*value++ != ';')
		return false;
	value += strspn(value, " \t");
	if (strncasecmp(value, charset, sizeof charset - 1) != 0)
		return false;
	value += sizeof charset - 1;
	return strcasecmp(value, "utf-8") == 0 || strcasecmp(value, "\"utf-8\"") == 0;
}

/* How deep do arrays and objects nest?  Before the parser, whose own limit is 2048. */
static unsigned
depth_of(struct bytes text)
{
	unsigned depth = 0, deepest = 0;
	bool quoted = false;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			deepest = ++depth > deepest ? depth : deepest;
		else if (!quoted && (c == '}' || c == ']') && depth > 0)
			depth--;
	}
	return deepest;
}

static const struct field *
find_field(const struct field *fields, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

static bool
refuse(struct request *request, const char *parent, const char *name, const char *detail)
{
	char path[FIELD_PATH_BYTES];

	/* "source.ip": where in the body the field is */
	(void)snprintf(path, sizeof path, "%s%s%s", parent, parent[0] != '\0' ? "." : "", name);
	request_refuse_field(request, path, detail);
	return false;
}

static bool object_fits(struct request *request, const char *parent, const json_t *object, const struct field *fields,
    size_t count);

static bool
string_fits(struct request *request, const char *parent, const struct field *field, const json_t *value)
{
	char detail[96];
	size_t len = json_string_length(value);

	if (len >= field->min && len <= field->max)
		return true;
	(void)snprintf(detail, sizeof detail, "must have %zu to %zu bytes", field->min, field->max);
	return refuse(request, parent, field->name, detail);
}

static bool
value_fits(struct request *request, const char *parent, const struct field *field, const json_t *value)
{
	switch (field->type) {
	case FIELD_STRING:
		if (!json_is_string(value))
			return refuse(request, parent, field->name, "must be a string");
		return string_fits(request, parent, field, value);
	case FIELD_BOOLEAN:
		if (!json_is_boolean(value))
			return refuse(request, parent, field->name, "must be true or false");
		return true;
	case FIELD_INTEGER:
		if (!json_is_integer(value) || json_integer_value(value) < (json_int_t)field->min ||
		    json_integer_value(value) > (json_int_t)field->max)
			return refuse(request, parent, field->name, "must be a whole number within its bounds");
		return true;
	case FIELD_OBJECT:
		if (!json_is_object(value))
			return refuse(request, parent, field->name, "must be an object");
		return object_fits(request, field->name, value, field->members, field->member_count);
	}
	return false;
}

static bool
object_fits(struct request *request, const char *parent, const json_t *object, const struct field *fields, size_t count)
{
	for (void *at = json_object_iter((json_t *)(uintptr_t)object); at != NULL;
	    at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
		const struct field *field = find_field(fields, count, json_object_iter_key(at));

		if (field == NULL)
			return refuse(request, parent, json_object_iter_key(at), "is not a field of this request");
		if (!value_fits(request, parent, field, json_object_iter_value(at)))
			return false;
	}
	for (size_t i = 0; i < count; i++)
		if (fields[i].required && json_object_get(object, fields[i].name) == NULL)
			return refuse(request, parent, fields[i].name, "is missing");
	return true;
}

static json_t *
parse(struct request *request, struct bytes text)
{
	json_error_t error;
	json_t *body;
	char detail[64];

	if (text.len == 0) {
		request_refuse_input(request, &problem_malformed, NULL, "the body is empty");
		return NULL;
	}
	if (depth_of(text) > JSON_BODY_DEPTH_MAX) {
		request_refuse_input(request, &problem_malformed, NULL, "nested more than 8 levels deep");
		return NULL;
	}
	body = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (body == NULL) {
		/* never error.text: it quotes the body, and a password may be what it quotes */
		(void)snprintf(detail, sizeof detail, "not JSON at line %d, column %d", error.line, error.column);
		request_refuse_input(request, &problem_malformed, NULL, detail);
	}
	return body;
}

json_t *
json_body_read_and_keep(struct request *request, const struct field *fields, size_t count, bool no_body)
{
	struct bytes text = { NULL, 0 };
	json_t *body;

	if (request->body != NULL)
		text = (struct bytes){ secret_view(request->body).data, request->body_len };
	if (text.len == 0 && no_body)
		return json_object();
	if (!is_json_type(request_header(request, "Content-Type"))) {
		request_refuse_input(request, &problem_media_type, NULL, "send Content-Type: application/json");
		return NULL;
	}
	if ((body = parse(request, text)) == NULL)
		return NULL;
	if (!json_is_object(body))
		request_refuse_field(request, "body", "must be an object");
	else if (object_fits(request, "", body, fields, count))
		return body;
	json_decref(body);
	return NULL;
}

json_t *
json_body_read(struct request *request, const struct field *fields, size_t count, bool no_body)
{
	json_t *body = json_body_read_and_keep(request, fields, count, no_body);

	secret_free(&request->body);            /* what follows may wait for a slot: one copy is enough */
	request->body_len = 0;
	return body;
}

struct bytes
json_body_text(const json_t *body, const char *name)
{
	const json_t *value = json_object_get(body, name);

	if (!json_is_string(value))
		return (struct bytes){ NULL, 0 };
	return (struct bytes){ (const uint8_t *)json_string_value(value), json_string_length(value) };
}

const char *
json_body_string(const json_t *body, const char *name)
{
	return json_string_value(json_object_get(body, name));
}

int64_t
json_body_number(const json_t *body, const char *name)
{
	return json_integer_value(json_object_get(body, name));
}

bool
json_body_flag(const json_t *body, const char *name)
{
	return json_is_true(json_object_get(body, name));
}
