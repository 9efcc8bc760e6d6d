/* fuzz_framing.c: any head of a request, cut up as libmicrohttpd cuts it: what passes has one meaning. */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "authd/framing.h"
#include "tests/fuzz/fuzz.h"

/* The problems' texts are the reply's business; here their places are enough. */
const struct problem problem_framing, problem_length, problem_target, problem_headers;

/* One line from *AT, its end overwritten: CR LF leaves two NULs, a bare LF one.  False: there is no line's end. */
static bool
take_line(char **at, char *end, char **out_line, size_t *out_len)
{
	char *newline = memchr(*at, '\n', (size_t)(end - *at));

	if (newline == NULL)
		return false;
	*out_line = *at;
	*at = newline + 1;
	*newline = '\0';
	if (newline > *out_line && newline[-1] == '\r')
		*--newline = '\0';
	*out_len = (size_t)(newline - *out_line);
	return true;
}

/* "METHOD target HTTP/1.1", the blanks overwritten. */
static bool
cut_request_line(char **at, char *end, struct framing_head *head)
{
	char *line, *blank;
	size_t len;

	if (!take_line(at, end, &line, &len) || (blank = memchr(line, ' ', len)) == NULL)
		return false;
	head->method = line;
	head->url = blank + 1;
	*blank = '\0';
	if ((blank = memchr(head->url, ' ', (size_t)(line + len - head->url))) == NULL)
		return false;
	head->version = blank + 1;
	*blank = '\0';
	return true;
}

/* Up to the empty line, which ends the head.  The library looks for a colon with strchr(): a NUL hides it. */
static bool
cut_fields(char **at, char *end, struct framing_head *head)
{
	char *line, *colon;
	size_t len;

	while (take_line(at, end, &line, &len)) {
		if (len == 0)
			return true;
		if ((colon = strchr(line, ':')) == NULL)
			return false;
		*colon = '\0';
		if (head->fields < FRAMING_FIELDS_MAX)
			head->names[head->fields] = line;
		head->fields++;
	}
	return false;
}

/* A Content-Length that passed is the number that stands there, once. */
static void
expect_one_meaning(const char *head, size_t len, const struct framing *framing)
{
	unsigned lengths = 0;

	for (size_t i = 1; i + 15 <= len; i++)
		lengths += head[i - 1] == '\n' && strncasecmp(head + i, "content-length:", 15) == 0;
	INSIST(lengths == (framing->content_length >= 0 ? 1u : 0u));
	INSIST(memmem(head, len, "\n ", 2) == NULL && memmem(head, len, "\n\t", 2) == NULL);
	/* NULs at a line's end are what cannot be told from CR LF; elsewhere there are none, and no bare LF */
	for (size_t i = 0; i + 1 < len; i++) {
		INSIST(head[i] != '\0' || memchr("\r\n", head[i + 1], 3) != NULL);
		INSIST(head[i + 1] != '\n' || memchr("\r\n", head[i], 3) != NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct framing_head head = { .method = NULL };
	struct framing framing;
	char *block = malloc(len + 1), *at = block, *target = NULL;

	memcpy(block, data, len);
	block[len] = '\0';
	if (!cut_request_line(&at, block + len, &head) || !cut_fields(&at, block + len, &head))
		goto out;
	head.len = (size_t)(at - block);
	head.target = target = strdup(head.url);
	framing_check(&head, &framing);
	INSIST((framing.problem == NULL) == (framing.fault == NULL));
	INSIST(framing.content_length >= -1);
	if (framing.problem == NULL)
		expect_one_meaning((const char *)data, head.len, &framing);
out:
	free(target);
	free(block);
	return 0;
}
