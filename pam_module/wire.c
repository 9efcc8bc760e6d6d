#include "pam_module/wire.h"

#include <string.h>

#include "pam_module/text_rules.h"

#define MAGIC_BYTES 4
#define FIELD_HEAD_BYTES 3
#define NUMBER_BYTES 4

enum kind { KIND_ID, KIND_NUMBER, KIND_TEXT };

struct field {
	uint8_t tag;
	enum kind kind;
	bool required;
	size_t offset;          /* of the member */
	size_t max;             /* KIND_TEXT: bytes without the NUL; KIND_NUMBER: the largest value */
};

struct schema {
	char magic[MAGIC_BYTES + 1];
	const struct field *fields;
	size_t count;
};

#define Q(member) offsetof(struct wire_request, member)
#define R(member) offsetof(struct wire_reply, member)

static const struct field request_fields[] = {
	{ 1, KIND_ID, true, Q(id), 0 },
	{ 2, KIND_NUMBER, true, Q(operation), WIRE_OPERATIONS_END - 1 },
	{ 3, KIND_NUMBER, true, Q(backend), WIRE_BACKENDS_END - 1 },
	{ 4, KIND_NUMBER, true, Q(factors), WIRE_FACTORS_END - 1 },
	{ 5, KIND_NUMBER, true, Q(budget_ms), 60000 },
	{ 6, KIND_NUMBER, true, Q(connect_ms), 60000 },
	{ 7, KIND_TEXT, true, Q(user), WIRE_USER_MAX },
	{ 8, KIND_TEXT, true, Q(service), 64 },
	{ 9, KIND_TEXT, false, Q(rhost), 45 },
	{ 10, KIND_TEXT, false, Q(tty), 64 },
	{ 11, KIND_TEXT, false, Q(target), WIRE_USER_MAX },
	{ 12, KIND_TEXT, false, Q(ssh_key), WIRE_SSH_KEY_MAX },
	{ 13, KIND_TEXT, false, Q(password), WIRE_ANSWER_MAX },
	{ 14, KIND_TEXT, false, Q(code), WIRE_ANSWER_MAX },
	{ 15, KIND_TEXT, false, Q(new_password), WIRE_ANSWER_MAX },
	{ 16, KIND_NUMBER, false, Q(offline), WIRE_OFFLINE_END - 1 },
	{ 17, KIND_NUMBER, false, Q(event), 15 },
	{ 18, KIND_NUMBER, false, Q(at_s), UINT32_MAX },
	{ 19, KIND_NUMBER, false, Q(left), 255 },
	{ 20, KIND_NUMBER, false, Q(expires_at_s), UINT32_MAX },
	{ 21, KIND_TEXT, false, Q(enroll_code), WIRE_ANSWER_MAX },
	{ 22, KIND_TEXT, false, Q(factor_id), WIRE_FACTOR_MAX },
	{ 23, KIND_TEXT, false, Q(code_before), WIRE_ANSWER_MAX },
};

static const struct field reply_fields[] = {
	{ 1, KIND_ID, true, R(id), 0 },
	{ 2, KIND_NUMBER, true, R(answer), 0xffff },
	{ 3, KIND_NUMBER, true, R(password_right), 1 },
	{ 4, KIND_NUMBER, true, R(must_change), 1 },
	{ 5, KIND_NUMBER, true, R(enrolled), 1 },
	{ 6, KIND_NUMBER, true, R(retry_after_s), WIRE_RETRY_AFTER_MAX },
	{ 7, KIND_TEXT, true, R(user), WIRE_USER_MAX },
	{ 8, KIND_TEXT, true, R(reason), WIRE_REASON_MAX },
	{ 9, KIND_TEXT, false, R(detail), WIRE_DETAIL_MAX },
	{ 10, KIND_TEXT, false, R(ssh_key), 64 },
	{ 11, KIND_TEXT, false, R(user_digest), 64 },
	{ 12, KIND_NUMBER, true, R(training_due), UINT32_MAX },
	{ 13, KIND_NUMBER, false, R(offline), WIRE_LET_IN_END - 1 },
	{ 14, KIND_TEXT, false, R(factor_id), WIRE_FACTOR_MAX },
	{ 15, KIND_TEXT, false, R(enroll_key), WIRE_KEY_MAX },
	{ 16, KIND_TEXT, false, R(enroll_picture), WIRE_PICTURE_MAX },
	{ 17, KIND_TEXT, false, R(recovery_codes), WIRE_CODES_MAX },
	{ 18, KIND_TEXT, false, R(enroll_url), WIRE_URL_MAX },
	{ 19, KIND_NUMBER, false, R(minimum_points), WIRE_POINTS_MAX },
};

static const struct schema request_schema = { "CFQ1", request_fields, sizeof request_fields / sizeof request_fields[0] };
static const struct schema reply_schema = { "CFR1", reply_fields, sizeof reply_fields / sizeof reply_fields[0] };

static void
put_number(uint8_t *out, uint32_t number)
{
	out[0] = (uint8_t)(number >> 24);
	out[1] = (uint8_t)(number >> 16);
	out[2] = (uint8_t)(number >> 8);
	out[3] = (uint8_t)number;
}

static uint32_t
get_number(const uint8_t *in)
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

/* --- encoding --------------------------------------------------------------------------------------------------- */

/* The field's bytes; *out_len 0 with true: absent. */
static bool
value_of(const struct field *field, const void *message, uint8_t number[static NUMBER_BYTES], const uint8_t **out,
    size_t *out_len)
{
	const char *member = (const char *)message + field->offset, *text;
	uint32_t value;

	*out_len = 0;
	if (field->kind == KIND_ID) {
		*out = (const uint8_t *)member;
		*out_len = WIRE_ID_BYTES;
		return true;
	}
	if (field->kind == KIND_NUMBER) {
		memcpy(&value, member, sizeof value);
		put_number(number, value);
		*out = number;
		*out_len = field->required || value != 0 ? NUMBER_BYTES : 0;
		return value <= field->max;
	}
	memcpy(&text, member, sizeof text);
	if (text == NULL)
		return !field->required;
	*out = (const uint8_t *)text;
	*out_len = strnlen(text, field->max + 1) + 1;
	return *out_len > 1 && *out_len <= field->max + 1 && text_rules_hold(text, *out_len - 1);
}

static bool
encode(const struct schema *schema, const void *message, uint8_t *out, size_t capacity, size_t *out_len)
{
	size_t at = WIRE_LENGTH_BYTES + MAGIC_BYTES;

	if (capacity < at)
		return false;
	memcpy(out + WIRE_LENGTH_BYTES, schema->magic, MAGIC_BYTES);
	for (size_t i = 0; i < schema->count; i++) {
		uint8_t number[NUMBER_BYTES];
		const uint8_t *value = NULL;
		size_t len;

		if (!value_of(&schema->fields[i], message, number, &value, &len))
			return false;
		if (len == 0)
			continue;
		if (len > capacity - at || FIELD_HEAD_BYTES > capacity - at - len)
			return false;
		out[at] = schema->fields[i].tag;
		out[at + 1] = (uint8_t)(len >> 8);
		out[at + 2] = (uint8_t)len;
		memcpy(out + at + FIELD_HEAD_BYTES, value, len);
		at += FIELD_HEAD_BYTES + len;
	}
	if (at - WIRE_LENGTH_BYTES > WIRE_BODY_MAX)
		return false;
	put_number(out, (uint32_t)(at - WIRE_LENGTH_BYTES));
	*out_len = at;
	return true;
}

/* --- decoding --------------------------------------------------------------------------------------------------- */

static bool
take_value(const struct field *field, const uint8_t *value, size_t len, void *message)
{
	char *member = (char *)message + field->offset;
	const char *text = (const char *)value;
	uint32_t number;

	if (field->kind == KIND_ID) {
		if (len != WIRE_ID_BYTES)
			return false;
		memcpy(member, value, len);
		return true;
	}
	if (field->kind == KIND_NUMBER) {
		if (len != NUMBER_BYTES || (number = get_number(value)) > field->max || (number == 0 && !field->required))
			return false;
		memcpy(member, &number, sizeof number);
		return true;
	}
	if (len < 2 || len > field->max + 1 || value[len - 1] != '\0' || !text_rules_hold(text, len - 1))
		return false;
	memcpy(member, &text, sizeof text);
	return true;
}

/* The field with TAG behind *next, none required being skipped; NULL: malformed. */
static const struct field *
field_of(const struct schema *schema, uint8_t tag, size_t *next)
{
	for (; *next < schema->count; (*next)++) {
		if (schema->fields[*next].tag == tag)
			return &schema->fields[(*next)++];
		if (schema->fields[*next].required)
			return NULL;
	}
	return NULL;
}

static bool
rest_is_optional(const struct schema *schema, size_t next)
{
	for (; next < schema->count; next++)
		if (schema->fields[next].required)
			return false;
	return true;
}

static bool
decode(const struct schema *schema, const uint8_t *body, size_t body_len, void *message)
{
	size_t next = 0, at = MAGIC_BYTES;

	if (body_len < MAGIC_BYTES || body_len > WIRE_BODY_MAX || memcmp(body, schema->magic, MAGIC_BYTES) != 0)
		return false;
	while (at < body_len) {
		const struct field *field;
		size_t len;

		if (body_len - at < FIELD_HEAD_BYTES)
			return false;
		len = (size_t)body[at + 1] << 8 | body[at + 2];
		if (len > body_len - at - FIELD_HEAD_BYTES || (field = field_of(schema, body[at], &next)) == NULL ||
		    !take_value(field, body + at + FIELD_HEAD_BYTES, len, message))
			return false;
		at += FIELD_HEAD_BYTES + len;
	}
	return rest_is_optional(schema, next);
}

/* --- the interface ---------------------------------------------------------------------------------------------- */

bool
wire_encode_request(const struct wire_request *request, uint8_t *out, size_t capacity, size_t *out_len)
{
	return encode(&request_schema, request, out, capacity, out_len);
}

bool
wire_encode_reply(const struct wire_reply *reply, uint8_t *out, size_t capacity, size_t *out_len)
{
	return encode(&reply_schema, reply, out, capacity, out_len);
}

size_t
wire_body_len(const uint8_t length[static WIRE_LENGTH_BYTES])
{
	uint32_t len = get_number(length);

	return len >= MAGIC_BYTES && len <= WIRE_BODY_MAX ? len : 0;
}

bool
wire_decode_request(const uint8_t *body, size_t body_len, struct wire_request *out)
{
	*out = (struct wire_request){ .operation = 0 };
	return decode(&request_schema, body, body_len, out) && out->operation != 0 && out->backend != 0 &&
	    out->factors != 0;
}

bool
wire_decode_reply(const uint8_t *body, size_t body_len, struct wire_reply *out)
{
	*out = (struct wire_reply){ .answer = 0 };
	return decode(&reply_schema, body, body_len, out) && text_rules_is_token(out->reason, WIRE_REASON_MAX);
}

void
wire_id_text(const uint8_t id[static WIRE_ID_BYTES], char out[static WIRE_ID_TEXT_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	size_t at = 0;

	for (size_t i = 0; i < WIRE_ID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		out[at++] = digits[id[i] >> 4];
		out[at++] = digits[id[i] & 15];
	}
	out[at] = '\0';
}
