#include "authd/framing.h"

#include <string.h>
#include <strings.h>

/* A second one of these is a sign of smuggling, whatever it says. */
static const char *const single[] = { "Host", "Content-Length", "Transfer-Encoding", "Authorization", "Content-Type",
	"Idempotency-Key", "Expect", "Cookie" };

enum { SINGLE_COUNT = sizeof single / sizeof single[0], LENGTH_DIGITS_MAX = 15, HOST_MAX_BYTES = 255 };
enum { HOST, CONTENT_LENGTH, TRANSFER_ENCODING, EXPECT = 6 };

struct field {
	const char *name, *value;
	size_t name_len, value_len;     /* the value without blanks around it */
};

struct look {
	struct framing *out;
	unsigned seen[SINGLE_COUNT];
};

static bool
is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
has_only(const char *text, size_t len, const char *others)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0' || (!is_alphanumeric(text[i]) && strchr(others, text[i]) == NULL))
			return false;
	return len > 0;
}

static bool
is_token(const char *text, size_t len)
{
	return has_only(text, len, "!#$%&'*+-.^_`|~");
}

static bool
is(const struct field *field, const char *value)
{
	return field->value_len == strlen(value) && strncasecmp(field->value, value, field->value_len) == 0;
}

/* --- the fields that decide about framing ---------------------------------------------------------------------------- */

static const char *
length_fault(const struct field *field, int64_t *out)
{
	int64_t length = 0;

	if (field->value_len == 0 || field->value_len > LENGTH_DIGITS_MAX)
		return "Content-Length is not a number of bytes";
	for (size_t i = 0; i < field->value_len; i++) {
		if (field->value[i] < '0' || field->value[i] > '9')
			return "Content-Length is not a number of bytes";
		length = length * 10 + (field->value[i] - '0');
	}
	*out = length;
	return NULL;
}

static const char *
single_fault(struct look *look, const struct field *field)
{
	size_t i = 0;

	while (i < SINGLE_COUNT && (strlen(single[i]) != field->name_len ||
	    strncasecmp(single[i], field->name, field->name_len) != 0))
		i++;
	if (i == SINGLE_COUNT)
		return NULL;
	if (++look->seen[i] > 1)
		return "a header that may appear once appears twice";
	if (i == CONTENT_LENGTH)
		return length_fault(field, &look->out->content_length);
	if (i == HOST && (field->value_len > HOST_MAX_BYTES || !has_only(field->value, field->value_len, "-._:[]")))
		return "Host is not a host";
	if (i == EXPECT) {
		look->out->expects_continue = true;
		if (!is(field, "100-continue"))
			return "Expect other than 100-continue";
	}
	return NULL;
}

static const char *
field_fault(struct look *look, const struct field *field)
{
	if (!is_token(field->name, field->name_len))
		return "a header's name has a character that names have not, or is folded";
	for (size_t i = 0; i < field->value_len; i++)
		if (((unsigned char)field->value[i] < 0x20 && field->value[i] != '\t') || field->value[i] == 0x7f)
			return "a header has a control character in it";
	return single_fault(look, field);
}

/* --- the block of memory --------------------------------------------------------------------------------------------- */

/* CR LF left two NULs; a bare LF left one, and whatever comes next is misplaced from there on.  NUL LF left two as well and
 * passes for CR LF: the line ends there for the library too. */
static bool
is_line_end(const char *at, const char *end)
{
	return end - at >= 2 && at[0] == '\0' && at[1] == '\0';
}

/* "name NUL blanks value NUL NUL".  False: it has another form. */
static bool
take_field(const char **at, const char *end, struct field *out)
{
	out->name = *at;
	out->name_len = strnlen(out->name, (size_t)(end - out->name));
	if (out->name + out->name_len == end)
		return false;
	out->value = out->name + out->name_len + 1;
	while (out->value < end && (*out->value == ' ' || *out->value == '\t'))
		out->value++;
	out->value_len = strnlen(out->value, (size_t)(end - out->value));
	*at = out->value + out->value_len;
	if (!is_line_end(*at, end))
		return false;
	*at += 2;
	while (out->value_len > 0 && (out->value[out->value_len - 1] == ' ' || out->value[out->value_len - 1] == '\t'))
		out->value_len--;
	return true;
}

/* Each header has to begin where the library found it, or a NUL that was sent would pass for a line's end here and a line
 * that began with a colon for one there. */
static const char *
fields_fault(struct look *look, const struct framing_head *head, const char *at, const char *end)
{
	static const char lines[] = "a line does not end in CR LF, or has a NUL in it";
	const char *fault = NULL;
	struct field field;

	for (size_t i = 0; fault == NULL && i < head->fields; i++) {
		if (at != head->names[i] || !take_field(&at, end, &field))
			return lines;
		fault = field_fault(look, &field);
	}
	if (fault == NULL && (end - at != 2 || !is_line_end(at, end)))
		return lines;
	return fault;
}

static const char *
request_line_fault(const struct framing_head *head)
{
	if (!is_token(head->method, strlen(head->method)))
		return "the method is not a word";
	if (strcmp(head->method, "TRACE") == 0 || strcmp(head->method, "CONNECT") == 0)
		return "the method is not served";
	if (strcmp(head->version, "HTTP/1.1") != 0 && strcmp(head->version, "HTTP/1.0") != 0)
		return "the version is neither HTTP/1.1 nor HTTP/1.0";
	for (const char *c = head->target; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			return "the target has a character that targets have not";
	if (head->url != head->method + strlen(head->method) + 1 ||
	    head->version != head->url + strlen(head->target) + 1)
		return "the request line has more than one blank between its parts, or a NUL in it";
	return NULL;
}

static void
refuse(struct framing *out, const struct problem *problem, const char *fault)
{
	out->problem = problem;
	out->fault = fault;
}

static void
check_fields(const struct framing_head *head, struct framing *out)
{
	struct look look = { .out = out };
	bool http_1_1 = strcmp(head->version, "HTTP/1.1") == 0;
	const char *line_end = head->version + strlen(head->version);
	const char *end = head->method + head->len;
	const char *fault;

	if (!is_line_end(line_end, end))
		fault = "a line does not end in CR LF";
	else
		fault = fields_fault(&look, head, line_end + 2, end);
	if (fault == NULL && look.seen[CONTENT_LENGTH] > 0 && look.seen[TRANSFER_ENCODING] > 0)
		fault = "Content-Length and Transfer-Encoding together";
	if (fault == NULL && look.seen[HOST] == 0 && http_1_1)
		fault = "Host is missing";
	if (fault != NULL)
		refuse(out, &problem_framing, fault);
	else if (look.seen[TRANSFER_ENCODING] > 0)
		/* the library takes chunks whose lines end in a bare LF, and a handler cannot see it */
		refuse(out, &problem_length, "send Content-Length in place of Transfer-Encoding");
}

void
framing_check(const struct framing_head *head, struct framing *out)
{
	const char *fault;

	*out = (struct framing){ .content_length = -1 };
	if (strlen(head->target) > FRAMING_TARGET_MAX_BYTES)
		refuse(out, &problem_target, "more than 2048 bytes");
	else if (head->len > FRAMING_HEAD_MAX_BYTES)
		refuse(out, &problem_headers, "more than 16384 bytes");
	else if (head->fields > FRAMING_FIELDS_MAX)
		refuse(out, &problem_headers, "more than 100 headers");
	else if ((fault = request_line_fault(head)) != NULL)
		refuse(out, &problem_framing, fault);
	else
		check_fields(head, out);
}
