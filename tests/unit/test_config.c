/* test_config.c: a configuration is right in every line, or it is refused with file, line and what to do. */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/config.h"
#include "tests/support/failing.h"
#include "tests/support/scratch.h"

struct target { char *name, *note; int64_t count; bool on; char *url; };

#define AT(member) offsetof(struct target, member)

static const struct config_key keys[] = {
	{ "main", "name", CONFIG_TEXT, AT(name), NULL, 1, 8, "What it is called." },
	{ "main", "note", CONFIG_TEXT, AT(note), "none", 0, 5000, "A remark." },
	{ "main", "count", CONFIG_INTEGER, AT(count), "7", -3, 100, "How many." },
	{ "main", "on", CONFIG_BOOLEAN, AT(on), "yes", 0, 0, "Is it on?" },
	{ "realm store", "url", CONFIG_TEXT, AT(url), "", 0, 64, "Where it is." },
	{ "other", NULL, CONFIG_TEXT, 0, NULL, 0, 0, "Another program's." },
};

enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

static enum status
load(void **state, struct bytes text, struct target *out, char error[static CONFIG_ERROR_BYTES])
{
	char path[SCRATCH_PATH_BYTES];

	scratch_write(*state, "test.conf", 0640, text, path);
	*out = (struct target){ .name = NULL };
	error[0] = '\0';
	return config_load(path, keys, KEY_COUNT, out, error);
}

/* TEXT loads; the caller frees. */
static struct target
loaded(void **state, struct bytes text)
{
	char error[CONFIG_ERROR_BYTES];
	struct target target;

	if (load(state, text, &target, error) != STATUS_OK)
		fail_msg("%s", error);
	return target;
}

static void
target_free(struct target *target)
{
	config_free_values(keys, KEY_COUNT, target);
}

/* TEXT is refused with "<path>WANTED", and leaves nothing behind. */
static void
refused(void **state, struct bytes text, const char *wanted)
{
	char error[CONFIG_ERROR_BYTES], whole[CONFIG_ERROR_BYTES + SCRATCH_PATH_BYTES];
	struct target target;

	assert_int_equal(load(state, text, &target, error), STATUS_INVALID);
	(void)snprintf(whole, sizeof whole, "%s/test.conf%s", (const char *)*state, wanted);
	assert_string_equal(error, whole);
	assert_null(target.name);
	assert_null(target.note);
	assert_null(target.url);
}

/* --- what is right -------------------------------------------------------------------------------------------------- */

static void
every_kind_of_value_is_read(void **state)
{
	struct target target = loaded(state, BYTES("# a comment\n[main]\n; another\nname = be ta\n  count=-3\non = no\n"
	    "note = a # b ; c = d\n\n[realm store]\nurl = https://x.example/?a=b\n"));

	assert_string_equal(target.name, "be ta");
	assert_string_equal(target.note, "a # b ; c = d");
	assert_int_equal(target.count, -3);
	assert_false(target.on);
	assert_string_equal(target.url, "https://x.example/?a=b");
	target_free(&target);
	assert_null(target.name);
	target_free(&target);
}

static void
what_the_file_leaves_out_has_its_default(void **state)
{
	struct target target = loaded(state, BYTES("[main]\nname = a"));        /* and no newline at the end */

	assert_string_equal(target.note, "none");
	assert_int_equal(target.count, 7);
	assert_true(target.on);
	assert_string_equal(target.url, "");
	target_free(&target);
}

static void
another_programs_section_is_skipped(void **state)
{
	struct target target = loaded(state, BYTES("[other]\nanything = 1\nanything = 2\n[main]\nname = a\n"));

	assert_string_equal(target.name, "a");
	target_free(&target);
}

static void
a_section_may_come_in_parts_and_lines_may_end_in_cr_lf(void **state)
{
	struct target target = loaded(state, BYTES("[main]\r\nname = a\r\n[other]\r\n[main]\r\ncount = 100\r\n"));

	assert_string_equal(target.name, "a");
	assert_int_equal(target.count, 100);
	target_free(&target);
}

static void
text_may_be_any_language(void **state)
{
	struct target target = loaded(state, BYTES("[main]\nname = \u5f20\u4f1f\n"));

	assert_string_equal(target.name, "\u5f20\u4f1f");
	target_free(&target);
}

/* --- what is wrong in the file ---------------------------------------------------------------------------------------- */

static void
an_unknown_key_or_section_is_refused(void **state)
{
	refused(state, BYTES("[main]\nname = a\ncuont = 3\n"), ":3: there is no key \"cuont\" in section [main]");
	refused(state, BYTES("[main]\nname = a\n[mian]\n"), ":3: there is no section [mian]");
	refused(state, BYTES("[main]\nname = a\nurl = x\n"), ":3: there is no key \"url\" in section [main]");
	refused(state, BYTES("name = a\n"), ":1: there is no key \"name\" in section []");
	refused(state, BYTES("[]\n"), ":1: there is no section []");
	refused(state, BYTES("[Main]\n"), ":1: there is no section [Main]");
	refused(state, BYTES("[main]\nNAME = a\n"), ":2: there is no key \"NAME\" in section [main]");
}

static void
a_doubled_key_is_refused(void **state)
{
	refused(state, BYTES("[main]\nname = a\n\nname = a\n"), ":4: name is set a second time; line 2 set it already");
	refused(state, BYTES("[main]\nname = a\n[other]\n[main]\nname = b\n"),
	    ":5: name is set a second time; line 2 set it already");
}

static void
a_missing_key_is_named_with_what_it_is_for(void **state)
{
	refused(state, BYTES("[main]\ncount = 3\n"), ": section [main] lacks the key name: What it is called.");
	refused(state, bytes_of(""), ": section [main] lacks the key name: What it is called.");
}

static void
a_line_that_says_nothing_is_refused(void **state)
{
	refused(state, BYTES("[main]\nname = a\nnonsense\n"), ":3: neither a [section] nor \"key = value\"");
	refused(state, BYTES("[main]\nname = a\n  and more\n"), ":3: neither a [section] nor \"key = value\"");
	refused(state, BYTES("[main\nname = a\n"), ":1: a section is written [name], alone on its line");
	refused(state, BYTES("[main] name = a\n"), ":1: a section is written [name], alone on its line");
	refused(state, BYTES("\xef\xbb\xbf[main]\nname = a\n"), ":1: neither a [section] nor \"key = value\"");
}

static void
a_number_is_whole_and_in_its_range(void **state)
{
	static const char *const bad[] = { "", "x", "+7", "7x", "7 8", "0x10", "1.5", "-", "--1", "1e3", "\u0667" };
	char text[64];

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		(void)snprintf(text, sizeof text, "[main]\ncount = %s\n", bad[i]);
		refused(state, bytes_of(text), ":2: count is not a whole number; it takes -3 to 100");
	}
	refused(state, BYTES("[main]\ncount = -4\n"), ":2: count is out of range; it takes -3 to 100");
	refused(state, BYTES("[main]\ncount = 101\n"), ":2: count is out of range; it takes -3 to 100");
	refused(state, BYTES("[main]\ncount = 99999999999999999999\n"), ":2: count is not a whole number; it takes -3 to 100");
}

static void
a_switch_is_yes_or_no(void **state)
{
	static const char *const bad[] = { "", "true", "false", "1", "0", "on", "Yes", "NO", "yes yes" };
	char text[64];

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		(void)snprintf(text, sizeof text, "[main]\non = %s\n", bad[i]);
		refused(state, bytes_of(text), ":2: on is neither yes nor no; it takes yes or no");
	}
}

static void
a_text_keeps_to_its_length(void **state)
{
	struct target target;

	refused(state, BYTES("[main]\nname =\n"), ":2: name is too short or too long; it takes 1 to 8 bytes");
	target = loaded(state, BYTES("[main]\nname = 12345678\n"));
	target_free(&target);
	refused(state, BYTES("[main]\nname = 123456789\n"), ":2: name is too short or too long; it takes 1 to 8 bytes");
}

static void
a_text_holds_no_control_character(void **state)
{
	refused(state, BYTES("[main]\nname = a\x1b[m\n"),
	    ":2: name holds a control character or is not UTF-8; it takes 1 to 8 bytes");
	refused(state, BYTES("[main]\nname = a\tb\n"),
	    ":2: name holds a control character or is not UTF-8; it takes 1 to 8 bytes");
}

static void
a_file_that_is_not_utf_8_or_holds_nul_is_refused(void **state)
{
	refused(state, BYTES("[main]\nname = a\0b\n"), ":2: holds a NUL byte; it must be text");
	refused(state, BYTES("[main]\nname = a\n# caf\xe9\n"), ":3: is not UTF-8");
	refused(state, BYTES("\xff"), ":1: is not UTF-8");
}

/* --- sizes --------------------------------------------------------------------------------------------------------------- */

/* "[main]\nname = a\n", then a remark that makes the third line LINE bytes long, then comments up to SIZE bytes. */
static struct bytes
file_of(size_t line, size_t size)
{
	static const char head[] = "[main]\nname = a\nnote = ";
	static uint8_t text[CONFIG_FILE_MAX_BYTES + 2];
	size_t at = sizeof head - 1 + (line - strlen("note = "));

	memset(text, 'x', sizeof text);
	memcpy(text, head, sizeof head - 1);
	text[at - 1] = '\n';
	for (; at < size; at += 64) {
		text[at] = '#';
		text[at + 63 < size ? at + 63 : size - 1] = '\n';
	}
	return (struct bytes){ text, size };
}

static void
a_line_has_at_most_4096_bytes(void **state)
{
	struct target target = loaded(state, file_of(CONFIG_LINE_MAX_BYTES, 6000));

	assert_int_equal(strlen(target.note), CONFIG_LINE_MAX_BYTES - strlen("note = ") - 1);
	target_free(&target);
	refused(state, file_of(CONFIG_LINE_MAX_BYTES + 1, 6000), ":3: the line is longer than 4096 bytes");
}

static void
a_file_has_at_most_65536_bytes(void **state)
{
	struct target target = loaded(state, file_of(32, CONFIG_FILE_MAX_BYTES));

	target_free(&target);
	refused(state, file_of(32, CONFIG_FILE_MAX_BYTES + 1), ": 65537 bytes, the limit is 65536");
}

static void
a_file_that_is_read_a_byte_at_a_time_is_read_whole(void **state)
{
	struct target target;

	failing_one_byte_a_call(true);
	target = loaded(state, file_of(40, 300));
	assert_int_equal(strlen(target.note), 32);
	target_free(&target);
}

/* --- whom the file belongs to ------------------------------------------------------------------------------------------------ */

static const char good[] = "[main]\nname = a\n";

/* PATH is refused, its error begins with PATH and holds WHY. */
static void
path_refused(const char *path, const char *why)
{
	char error[CONFIG_ERROR_BYTES] = "";
	struct target target = { .name = NULL };

	assert_int_equal(config_load(path, keys, KEY_COUNT, &target, error), STATUS_INVALID);
	assert_int_equal(strncmp(error, path, strlen(path)), 0);
	if (strstr(error, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error, why);
}

static void
a_file_that_others_may_write_to_is_refused(void **state)
{
	static const mode_t bad[] = { 0620, 0602, 0666, 0777 };
	char path[SCRATCH_PATH_BYTES], why[64];

	for (size_t i = 0; i < 4; i++) {
		scratch_write(*state, "open.conf", bad[i], bytes_of(good), path);
		(void)snprintf(why, sizeof why, "mode %04o gives others too much; mend it: chmod %04o", (unsigned)bad[i],
		    (unsigned)bad[i] & ~022u);
		path_refused(path, why);
	}
}

static void
a_file_that_others_may_read_is_fine(void **state)
{
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];
	struct target target = { .name = NULL };

	scratch_write(*state, "test.conf", 0644, bytes_of(good), path);
	assert_int_equal(config_load(path, keys, KEY_COUNT, &target, error), STATUS_OK);
	target_free(&target);
}

static void
a_file_of_another_user_is_refused(void **state)
{
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];
	struct target target = { .name = NULL };

	scratch_write(*state, "test.conf", 0644, bytes_of(good), path);
	failing_owner(geteuid() + 4711);
	path_refused(path, "owned by user id");
	path_refused(path, "chown root");
	failing_owner(0);
	assert_int_equal(config_load(path, keys, KEY_COUNT, &target, error), STATUS_OK);
	target_free(&target);
}

static void
a_file_that_is_not_there_is_named(void **state)
{
	char path[SCRATCH_PATH_BYTES];

	scratch_path(*state, "none.conf", path);
	path_refused(path, "there is no such file");
}

static void
what_is_no_regular_file_is_refused_without_waiting(void **state)
{
	char path[SCRATCH_PATH_BYTES], link[SCRATCH_PATH_BYTES], fifo[SCRATCH_PATH_BYTES];

	path_refused(*state, "not a regular file");
	scratch_write(*state, "test.conf", 0644, bytes_of(good), path);
	scratch_path(*state, "link.conf", link);
	assert_int_equal(symlink(path, link), 0);
	path_refused(link, "a symbolic link; name the file itself");
	scratch_path(*state, "fifo.conf", fifo);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	path_refused(fifo, "not a regular file");
	path_refused("/dev/null", "not a regular file");
}

static void
a_path_that_leads_nowhere_says_so(void **state)
{
	char path[SCRATCH_PATH_BYTES], beneath[SCRATCH_PATH_BYTES];

	scratch_write(*state, "test.conf", 0644, bytes_of(good), path);
	scratch_path(*state, "test.conf/x", beneath);
	path_refused(beneath, "Not a directory");
}

static void
a_disk_that_fails_is_an_error_not_an_empty_file(void **state)
{
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];
	struct target target = { .name = NULL };

	scratch_write(*state, "test.conf", 0644, bytes_of(good), path);
	failing_at(FAILING_READ, 1, EIO);
	path_refused(path, "Input/output error");
	failing_at(FAILING_FSTAT, 1, EIO);
	path_refused(path, "Input/output error");
	failing_at(FAILING_READ, 1, EINTR);
	assert_int_equal(config_load(path, keys, KEY_COUNT, &target, error), STATUS_OK);
	target_free(&target);
}

static void
a_trusted_file_is_opened_for_its_reader_alone(void **state)
{
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];
	int fd = -1;

	scratch_write(*state, "key", 0600, BYTES("12345678"), path);
	assert_int_equal(config_open_trusted(path, 077, 8, &fd, error), STATUS_OK);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	(void)close(fd);
	fd = -7;
	assert_int_equal(config_open_trusted(path, 077, 7, &fd, error), STATUS_INVALID);
	scratch_write(*state, "key", 0640, BYTES("12345678"), path);
	assert_int_equal(config_open_trusted(path, 077, 8, &fd, error), STATUS_INVALID);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(config_open_trusted(path, 077, 8, &fd, error), STATUS_NOT_FOUND);
	assert_int_equal(fd, -7);
}

static void
no_descriptor_stays_open(void **state)
{
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];
	struct target target = { .name = NULL };
	int before = open("/dev/null", O_RDONLY), after;

	(void)close(before);
	target = loaded(state, bytes_of(good));
	target_free(&target);
	refused(state, BYTES("x\n"), ":1: neither a [section] nor \"key = value\"");
	scratch_write(*state, "test.conf", 0666, bytes_of(good), path);
	assert_int_equal(config_load(path, keys, KEY_COUNT, &target, error), STATUS_INVALID);
	after = open("/dev/null", O_RDONLY);
	assert_int_equal(after, before);
	(void)close(after);
}

/* --- no memory, bad tables ------------------------------------------------------------------------------------------------------ */

static void
without_memory_nothing_is_loaded_and_nothing_lost(void **state)
{
	char error[CONFIG_ERROR_BYTES];
	struct target target;
	enum status st = STATUS_NO_MEMORY;
	unsigned n;

	for (n = 1; st == STATUS_NO_MEMORY; n++) {
		char path[SCRATCH_PATH_BYTES];

		scratch_write(*state, "test.conf", 0600, BYTES("[main]\nname = a\nnote = b\n"), path);
		target = (struct target){ .name = NULL };
		failing_at(FAILING_MEMORY, n, ENOMEM);
		st = config_load(path, keys, KEY_COUNT, &target, error);
		if (st == STATUS_OK)
			break;
		assert_int_equal(st, STATUS_NO_MEMORY);
		assert_non_null(strstr(error, "out of memory"));
		assert_null(target.name);
		assert_null(target.note);
	}
	assert_in_range(n, 6, 20);
	target_free(&target);
}

static void
a_default_that_breaks_its_own_rule_is_our_fault(void **state)
{
	static const struct config_key broken[] = { { "main", "count", CONFIG_INTEGER, AT(count), "0", 1, 2, "How many." } };
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];
	struct target target = { .name = NULL };

	scratch_write(*state, "test.conf", 0600, bytes_of("[main]\n"), path);
	assert_int_equal(config_load(path, broken, 1, &target, error), STATUS_INTERNAL);
	assert_string_equal(error, "the default of [main] count is out of range");
}

/* --- a file to begin with ---------------------------------------------------------------------------------------------------------- */

/* config_print() with what is GIVEN; free() it. */
static char *
printed(const struct config_given *given, size_t given_count)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	config_print(out, keys, KEY_COUNT, given, given_count);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void
a_printed_file_tells_every_key_and_its_default(void **state)
{
	char *text = printed(NULL, 0);

	(void)state;
	assert_string_equal(text, "\n[main]\n"
	    "\n# What it is called. Required.\nname =\n"
	    "\n# A remark.\n#note = none\n"
	    "\n# How many. From -3 to 100.\n#count = 7\n"
	    "\n# Is it on?\n#on = yes\n"
	    "\n[realm store]\n"
	    "\n# Where it is.\n#url = \n");
	free(text);
}

static void
a_printed_file_is_read_back_with_what_was_given(void **state)
{
	static const struct config_given given[] = { { "main", "name", "shop" }, { "main", "on", "no" },
		{ "realm store", "name", "not this" }, { "realm store", "url", "https://x.example" } };
	char *text = printed(given, 4);
	struct target target = loaded(state, bytes_of(text));

	assert_string_equal(target.name, "shop");
	assert_false(target.on);
	assert_int_equal(target.count, 7);
	assert_string_equal(target.url, "https://x.example");
	target_free(&target);
	free(text);
}

static int
tear_down(void **state)
{
	(void)failing_stop(NULL);
	return scratch_remove(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_kind_of_value_is_read),
		TEST(what_the_file_leaves_out_has_its_default),
		TEST(another_programs_section_is_skipped),
		TEST(a_section_may_come_in_parts_and_lines_may_end_in_cr_lf),
		TEST(text_may_be_any_language),
		TEST(an_unknown_key_or_section_is_refused),
		TEST(a_doubled_key_is_refused),
		TEST(a_missing_key_is_named_with_what_it_is_for),
		TEST(a_line_that_says_nothing_is_refused),
		TEST(a_number_is_whole_and_in_its_range),
		TEST(a_switch_is_yes_or_no),
		TEST(a_text_keeps_to_its_length),
		TEST(a_text_holds_no_control_character),
		TEST(a_file_that_is_not_utf_8_or_holds_nul_is_refused),
		TEST(a_line_has_at_most_4096_bytes),
		TEST(a_file_has_at_most_65536_bytes),
		TEST(a_file_that_is_read_a_byte_at_a_time_is_read_whole),
		TEST(a_file_that_others_may_write_to_is_refused),
		TEST(a_file_that_others_may_read_is_fine),
		TEST(a_file_of_another_user_is_refused),
		TEST(a_file_that_is_not_there_is_named),
		TEST(what_is_no_regular_file_is_refused_without_waiting),
		TEST(a_path_that_leads_nowhere_says_so),
		TEST(a_disk_that_fails_is_an_error_not_an_empty_file),
		TEST(a_trusted_file_is_opened_for_its_reader_alone),
		TEST(no_descriptor_stays_open),
		TEST(without_memory_nothing_is_loaded_and_nothing_lost),
		TEST(a_default_that_breaks_its_own_rule_is_our_fault),
		TEST(a_printed_file_tells_every_key_and_its_default),
		TEST(a_printed_file_is_read_back_with_what_was_given),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
