/* fuzz_log.c: no value can end its line, its quotes or a terminal's patience.  write() is ours (see the fragment). */
#include <string.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/text.h"
#include "tests/fuzz/fuzz.h"

static char line[LOG_LINE_MAX_BYTES + 1];
static size_t line_len;

ssize_t __wrap_write(int fd, const void *data, size_t len);

ssize_t
__wrap_write(int fd, const void *data, size_t len)
{
	INSIST(fd == STDERR_FILENO && len <= sizeof line);
	memcpy(line, data, len);
	line_len = len;
	return (ssize_t)len;
}

/* The quotes that open and close values: all that no backslash precedes. */
static unsigned
bare_quotes(void)
{
	unsigned count = 0;

	for (size_t i = 0; i < line_len; i++) {
		if (line[i] == '\\')
			i++;
		else if (line[i] == '"')
			count++;
	}
	return count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);

	memcpy(text, data, len);
	text[len] = '\0';
	line_len = 0;
	log_open("fuzz", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	log_event(LOG_LEVEL_INFO, "fuzzed", (const struct log_field[]){ LOG_TEXT("one", text), LOG_TEXT("two", text), LOG_END });
	INSIST(line_len > 0 && memchr(line, '\n', line_len) == line + line_len - 1);
	INSIST(text_is_printable((struct bytes){ (const uint8_t *)line, line_len - 1 }));
	INSIST(bare_quotes() % 2 == 0);
	free(text);
	return 0;
}
