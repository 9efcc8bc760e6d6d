#include "authd/framing.h"

#include <microhttpd.h>
#include <string.h>
#include <strings.h>

/* A second one of these is a sign of smuggling, whatever it says. */
static const char *const single[] = { "Host", "Content-Length", "Transfer-Encoding", "Authorization", "Content-Type",
	"Idempotency-Key", "Expect", "Cookie" };

enum { SINGLE_COUNT = sizeof single / sizeof single[0], LENGTH_DIGITS_MAX = 15 };
enum { HOST = 0, CONTENT_LENGTH = 1, TRANSFER_ENCODING = 2 };

struct look {
	struct framing *out;
	unsigned seen[SINGLE_COUNT];
	bool http_1_0;
};

static bool
is_token(const char *text)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		char c = *text;

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr(others, c) != NULL))
			return false;
	}
	return true;
}

/* libmicrohttpd 0.9.75 ends lines at a bare LF too, and overwrites the line's end with NUL: CR LF leaves two of them, a bare
 * LF one and then the next line.  Only the last line before the empty one escapes this look, where nothing follows
 * that could be misread.  A NUL within a value shows in the same way. */
static bool
ends_in_cr_lf(const char *text, size_t len)
{
	return text[len] == '\0' && (text[len + 1] == '\0' || text[len + 1] == '\n');
}

static const char *
length_fault(const char *value, size_t len, int64_t *out)
{
	int64_t length = 0;

	if (len == 0 || len > LENGTH_DIGITS_MAX)
		return "Content-Length is not a number of bytes";
	for (size_t i = 0; i < len; i++) {
		if (value[i] < '0' || value[i] > '9')
			return "Content-Length is not a number of bytes";
		length = length * 10 + (value[i] - '0');
	}
	*out = length;
	return NULL;
}

static const char *
value_fault(const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7f)
			return "a header has a control character in it";
	return NULL;
}

static const char *
single_fault(struct look *look, const char *name, const char *value, size_t len)
{
	for (size_t i = 0; i < SINGLE_COUNT; i++) {
		if (strcasecmp(name, single[i]) != 0)
			continue;
		if (++look->seen[i] > 1)
			return "a header that may appear once appears twice";
		if (i == CONTENT_LENGTH)
			return length_fault(value, len, &look->out->content_length);
		if (i == TRANSFER_ENCODING) {
			look->out->chunked = true;
			if (strcasecmp(value, "chunked") != 0)
				return "Transfer-Encoding other than chunked";
		}
	}
	return NULL;
}

static enum MHD_Result
look_at(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value, size_t value_len)
{
	struct look *look = cls;
	const char *fault = NULL;

	(void)kind;
	(void)name_len;
	if (value == NULL) {
		value = "";
		value_len = 0;
		fault = "a header has no value";
	} else if (!ends_in_cr_lf(value, value_len)) {
		fault = "a line does not end in CR LF, or is folded";
	}
	if (fault == NULL && !is_token(name))
		fault = "a header's name has a character that names have not";
	if (fault == NULL)
		fault = value_fault(value, value_len);
	if (fault == NULL)
		fault = single_fault(look, name, value, value_len);
	if (fault == NULL && strcasecmp(name, "Expect") == 0) {
		look->out->expects_continue = true;
		if (strcasecmp(value, "100-continue") != 0)
			fault = "Expect other than 100-continue";
	}
	if (fault != NULL)
		look->out->fault = fault;
	return fault == NULL ? MHD_YES : MHD_NO;
}

/* GET to OPTIONS get a 404 or 405 from the router; these get no further. */
static bool
is_known_method(const char *method)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(method, known[i]) == 0)
			return true;
	return false;
}

void
framing_check(struct MHD_Connection *connection, const char *method, const char *version, struct framing *out)
{
	struct look look = { .out = out, .http_1_0 = strcmp(version, "HTTP/1.0") == 0 };

	*out = (struct framing){ .content_length = -1 };
	if (!look.http_1_0 && strcmp(version, "HTTP/1.1") != 0)
		out->fault = "the version is neither HTTP/1.1 nor HTTP/1.0";
	else if (!ends_in_cr_lf(version, strlen(version)))
		out->fault = "a line does not end in CR LF";
	else if (!is_known_method(method))
		out->fault = "the method is not served";
	if (out->fault != NULL)
		return;
	(void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, look_at, &look);
	if (out->fault != NULL)
		return;
	if (out->content_length >= 0 && out->chunked)
		out->fault = "Content-Length and Transfer-Encoding together";
	else if (out->chunked && look.http_1_0)
		out->fault = "Transfer-Encoding in HTTP/1.0";
	else if (look.seen[HOST] == 0 && !look.http_1_0)
		out->fault = "Host is missing";
}
