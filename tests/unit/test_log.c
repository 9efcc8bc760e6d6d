/* test_log.c: one line an event, that no input can forge. */
#include "tests/support/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "core/base/log.h"
#include "tests/support/clock_settable.h"
#include "tests/support/scratch.h"

#define PREFIX "time=2005-03-18T01:58:29Z level=info program=unit "

/* --- syslog(3) in our hands: with and without _FORTIFY_SOURCE ---------------------------------------------------- */

static struct { int priority; char text[LOG_LINE_MAX_BYTES + 200]; } sent;

void __wrap_syslog(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));
void __wrap___syslog_chk(int priority, int flag, const char *format, ...) __attribute__((format(printf, 3, 4)));

void
__wrap_syslog(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	sent.priority = priority;
	(void)vsnprintf(sent.text, sizeof sent.text, format, args);
	va_end(args);
}

void
__wrap___syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list args;

	(void)flag;
	va_start(args, format);
	sent.priority = priority;
	(void)vsnprintf(sent.text, sizeof sent.text, format, args);
	va_end(args);
}

/* --- standard error into a file ------------------------------------------------------------------------------------ */

static int true_stderr = -1;
static char captured_path[SCRATCH_PATH_BYTES];

static void
capture(void **state)
{
	int fd;

	scratch_path(*state, "stderr", captured_path);
	true_stderr = dup(STDERR_FILENO);
	fd = open(captured_path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	(void)close(fd);
}

/* What was logged since capture(); free() it. */
static char *
captured(size_t *out_len)
{
	assert_true(dup2(true_stderr, STDERR_FILENO) >= 0);
	(void)close(true_stderr);
	return scratch_read(captured_path, out_len);
}

static void
expect_line(void **state, const struct log_field *fields, const char *wanted)
{
	size_t len;
	char *text;

	log_open("unit", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	clock_set(1111111109);
	capture(state);
	log_event(LOG_LEVEL_INFO, "tested", fields);
	text = captured(&len);
	assert_string_equal(text, wanted);
	free(text);
}

#define FIELDS(...) ((const struct log_field[]){ __VA_ARGS__, LOG_END })

/* --- what a line looks like ------------------------------------------------------------------------------------------ */

static void
a_line_has_time_level_program_event_and_fields(void **state)
{
	expect_line(state, FIELDS(LOG_TEXT("address", "127.0.0.1:8443"), LOG_NUMBER("count", 7)),
	    PREFIX "event=tested address=\"127.0.0.1:8443\" count=7\n");
	expect_line(state, NULL, PREFIX "event=tested\n");
	expect_line(state, FIELDS(LOG_TEXT("empty", ""), LOG_TEXT("none", (const char *)NULL)),
	    PREFIX "event=tested empty=\"\" none=\"\"\n");
	expect_line(state, FIELDS(LOG_NUMBER("least", INT64_MIN), LOG_NUMBER("most", INT64_MAX)),
	    PREFIX "event=tested least=-9223372036854775808 most=9223372036854775807\n");
}

static void
a_value_cannot_end_its_line_or_its_quotes(void **state)
{
	expect_line(state, FIELDS(LOG_TEXT("login", "x\nevent=login verdict=\"granted\"\r\t")),
	    PREFIX "event=tested login=\"x\\x0aevent=login verdict=\\\"granted\\\"\\x0d\\x09\"\n");
	expect_line(state, FIELDS(LOG_TEXT("login", "\\\"")), PREFIX "event=tested login=\"\\\\\\\"\"\n");
}

static void
a_value_cannot_drive_a_terminal_or_turn_the_text_around(void **state)
{
	expect_line(state, FIELDS(LOG_TEXT("v", "\x1b[2J\x7f")), PREFIX "event=tested v=\"\\x1b[2J\\x7f\"\n");
	expect_line(state, FIELDS(LOG_TEXT("v", "a\u202e\u2028\xc2\x85")),
	    PREFIX "event=tested v=\"a\\xe2\\x80\\xae\\xe2\\x80\\xa8\\xc2\\x85\"\n");
	expect_line(state, FIELDS(LOG_TEXT("v", "\u200b\u2029")),
	    PREFIX "event=tested v=\"\\xe2\\x80\\x8b\\xe2\\x80\\xa9\"\n");
}

static void
a_value_that_is_not_utf_8_is_escaped_byte_by_byte(void **state)
{
	expect_line(state, FIELDS(LOG_TEXT("v", "\xc3(\xff\xed\xa0\x80")),
	    PREFIX "event=tested v=\"\\xc3(\\xff\\xed\\xa0\\x80\"\n");
	expect_line(state, FIELDS(LOG_TEXT("v", "caf\u00e9 \u5f20\u4f1f")),
	    PREFIX "event=tested v=\"caf\u00e9 \u5f20\u4f1f\"\n");
}

/* --- length ---------------------------------------------------------------------------------------------------------- */

/* A line with a value of N bytes; what came out goes to OUT. */
static char *
line_with_value(void **state, size_t n)
{
	char value[2 * LOG_LINE_MAX_BYTES];
	size_t len;

	memset(value, 'v', n);
	value[n] = '\0';
	log_open("unit", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	clock_set(1111111109);
	capture(state);
	log_event(LOG_LEVEL_INFO, "tested", FIELDS(LOG_NUMBER("first", 1), LOG_TEXT("second", value), LOG_NUMBER("third", 3)));
	return captured(&len);
}

static void
a_line_that_is_too_long_is_cut_at_a_field_and_says_so(void **state)
{
	char *text = line_with_value(state, LOG_LINE_MAX_BYTES);

	assert_string_equal(text, PREFIX "event=tested first=1 truncated=1\n");
	free(text);
}

static void
no_line_is_over_the_limit_and_none_is_cut_without_need(void **state)
{
	const size_t rest = strlen(PREFIX "event=tested first=1 second=\"\" third=3");
	bool was_cut = false;

	for (size_t n = LOG_LINE_MAX_BYTES - rest - 20; n <= LOG_LINE_MAX_BYTES - rest + 20; n++) {
		char *text = line_with_value(state, n);
		bool is_cut = strstr(text, " truncated=1\n") != NULL;

		assert_in_range(strlen(text), 1, LOG_LINE_MAX_BYTES + 1);
		assert_int_equal(is_cut, rest + n > LOG_LINE_MAX_BYTES);
		was_cut = was_cut || is_cut;
		free(text);
	}
	assert_true(was_cut);
}

static void
even_the_longest_event_has_room_for_the_mark(void **state)
{
	char event[LOG_LINE_MAX_BYTES + 100];
	size_t len;
	char *text;

	log_open("unit", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	clock_set(1111111109);
	for (size_t n = LOG_LINE_MAX_BYTES - strlen(PREFIX) - 40; n < sizeof event; n++) {
		memset(event, 'e', n);
		event[n] = '\0';
		capture(state);
		log_event(LOG_LEVEL_INFO, event, FIELDS(LOG_NUMBER("first", 1)));
		text = captured(&len);
		assert_in_range(len, 1, LOG_LINE_MAX_BYTES + 1);
		free(text);
	}
}

/* --- where it goes ---------------------------------------------------------------------------------------------------- */

static void
levels_below_the_lowest_are_silent(void **state)
{
	size_t len;
	char *text;

	log_open("unit", LOG_TARGET_STDERR, LOG_LEVEL_WARNING);
	capture(state);
	log_event(LOG_LEVEL_DEBUG, "a", NULL);
	log_event(LOG_LEVEL_NOTICE, "b", NULL);
	log_event(LOG_LEVEL_WARNING, "c", NULL);
	log_event(LOG_LEVEL_CRITICAL, "d", NULL);
	log_event(LOG_LEVEL_ALERT, "e", NULL);
	log_event((enum log_level)(LOG_LEVEL_ALERT + 1), "f", NULL);
	text = captured(&len);
	assert_null(strstr(text, "event=a"));
	assert_null(strstr(text, "event=b"));
	assert_non_null(strstr(text, "level=warning program=unit event=c\n"));
	assert_non_null(strstr(text, "level=critical program=unit event=d\n"));
	assert_non_null(strstr(text, "level=alert program=unit event=e\n"));
	assert_null(strstr(text, "event=f"));
	free(text);
}

/* Open the log as AUTO with JOURNAL_STREAM naming INODE_OFFSET beside stderr's own inode, and log one line. */
static char *
line_under_systemd(void **state, enum log_target target, unsigned inode_offset)
{
	char stream[64];
	struct stat st;
	size_t len;

	capture(state);
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino + inode_offset);
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	log_open("unit", target, LOG_LEVEL_INFO);
	clock_set(1111111109);
	log_event(LOG_LEVEL_ERROR, "tested", FIELDS(LOG_NUMBER("n", 1)));
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
	return captured(&len);
}

static void
the_journal_gets_a_priority_and_no_time(void **state)
{
	char *text = line_under_systemd(state, LOG_TARGET_AUTO, 0);

	assert_string_equal(text, "<3>event=tested n=1\n");
	free(text);
}

static void
another_stream_than_the_journal_gets_the_whole_line(void **state)
{
	static const char whole[] = "time=2005-03-18T01:58:29Z level=error program=unit event=tested n=1\n";
	char *text = line_under_systemd(state, LOG_TARGET_AUTO, 1);

	assert_string_equal(text, whole);
	free(text);
	text = line_under_systemd(state, LOG_TARGET_STDERR, 0);
	assert_string_equal(text, whole);
	free(text);
}

static void
a_stream_that_is_no_stream_is_not_the_journal(void **state)
{
	static const char *const bad[] = { "", "1", "x:y", ":", "1:" };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		size_t len;
		char *text;

		assert_int_equal(setenv("JOURNAL_STREAM", bad[i], 1), 0);
		log_open("unit", LOG_TARGET_AUTO, LOG_LEVEL_INFO);
		capture(state);
		log_event(LOG_LEVEL_INFO, "tested", NULL);
		text = captured(&len);
		assert_int_equal(strncmp(text, "time=", 5), 0);
		free(text);
	}
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
}

static void
syslog_gets_the_event_as_text_never_as_a_format(void **state)
{
	size_t len;
	char *text;

	log_open("unit", LOG_TARGET_SYSLOG, LOG_LEVEL_INFO);
	capture(state);
	log_event(LOG_LEVEL_CRITICAL, "tested", FIELDS(LOG_TEXT("login", "%n%s%p"), LOG_NUMBER("n", 1)));
	text = captured(&len);
	assert_int_equal(len, 0);
	free(text);
	assert_int_equal(sent.priority, LOG_CRIT);
	assert_string_equal(sent.text, "event=tested login=\"%n%s%p\" n=1");
}

static void
a_log_that_cannot_be_written_stops_nobody(void **state)
{
	int saved = dup(STDERR_FILENO);

	(void)state;
	log_open("unit", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	(void)close(STDERR_FILENO);
	log_event(LOG_LEVEL_INFO, "tested", NULL);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	(void)close(saved);
}

/* --- threads ------------------------------------------------------------------------------------------------------------ */

enum { THREADS = 4, LINES = 300 };

static void *
chatter(void *argument)
{
	const int64_t *number = argument;

	for (int i = 0; i < LINES; i++)
		log_event(LOG_LEVEL_INFO, "chatter", FIELDS(LOG_NUMBER("thread", *number), LOG_TEXT("text",
		    "a line that is long enough to be torn apart if it went out in more pieces than one"), LOG_NUMBER("end", 1)));
	return NULL;
}

static void
lines_of_threads_do_not_mix(void **state)
{
	pthread_t threads[THREADS];
	int64_t numbers[THREADS];
	unsigned lines = 0;
	size_t len;
	char *text, *save = NULL;

	log_open("unit", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	capture(state);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, chatter, &numbers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	text = captured(&len);
	for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		assert_int_equal(strncmp(line, "time=", 5), 0);
		assert_string_equal(line + strlen(line) - 6, " end=1");
		lines++;
	}
	assert_int_equal(lines, THREADS * LINES);
	free(text);
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(a_line_has_time_level_program_event_and_fields),
		SCRATCH_TEST(a_value_cannot_end_its_line_or_its_quotes),
		SCRATCH_TEST(a_value_cannot_drive_a_terminal_or_turn_the_text_around),
		SCRATCH_TEST(a_value_that_is_not_utf_8_is_escaped_byte_by_byte),
		SCRATCH_TEST(a_line_that_is_too_long_is_cut_at_a_field_and_says_so),
		SCRATCH_TEST(no_line_is_over_the_limit_and_none_is_cut_without_need),
		SCRATCH_TEST(even_the_longest_event_has_room_for_the_mark),
		SCRATCH_TEST(levels_below_the_lowest_are_silent),
		SCRATCH_TEST(the_journal_gets_a_priority_and_no_time),
		SCRATCH_TEST(another_stream_than_the_journal_gets_the_whole_line),
		SCRATCH_TEST(a_stream_that_is_no_stream_is_not_the_journal),
		SCRATCH_TEST(syslog_gets_the_event_as_text_never_as_a_format),
		cmocka_unit_test(a_log_that_cannot_be_written_stops_nobody),
		SCRATCH_TEST(lines_of_threads_do_not_mix),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
