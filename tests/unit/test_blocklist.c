/* test_blocklist.c: passwords that everybody guesses: all are found, next to none by mistake, and a damaged file says so. */
#include "tests/support/unit.h"

#include <endian.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/credential/blocklist.h"
#include "core/credential/blocklist_builder.h"
#include "core/credential/blocklist_file.h"
#include "tests/support/scratch.h"

enum { MANY = 70000, STRANGERS = 120000, WORD_BYTES = 32, FIRST_BLOCK = sizeof(struct blocklist_head) };

/* --- making lists -------------------------------------------------------------------------------------------------- */

static struct bytes
word(const char *kind, unsigned i, char out[static WORD_BYTES])
{
	(void)snprintf(out, WORD_BYTES, "%s-%u", kind, i);
	return bytes_of(out);
}

static struct blocklist_builder *
begin(void **state, char *out_path)
{
	struct blocklist_builder *builder = NULL;
	char error[CONFIG_ERROR_BYTES];

	scratch_path(*state, "list", out_path);
	if (blocklist_builder_new(out_path, &builder, error) != STATUS_OK)
		fail_msg("%s", error);
	return builder;
}

static uint64_t
finish(struct blocklist_builder *builder)
{
	char error[CONFIG_ERROR_BYTES];
	unsigned left = 1, before = 0;
	uint64_t count = 0;

	while (left > 0) {
		before = left;
		if (blocklist_builder_step(builder, &left, &count, error) != STATUS_OK)
			fail_msg("%s", error);
		assert_true(before == 1 || left < before);
	}
	blocklist_builder_free(&builder);
	assert_null(builder);
	return count;
}

/* COUNT words of KIND. */
static void
make(void **state, const char *kind, unsigned count, char *out_path)
{
	struct blocklist_builder *builder = begin(state, out_path);
	char text[WORD_BYTES];

	for (unsigned i = 0; i < count; i++)
		assert_int_equal(blocklist_builder_add_word(builder, word(kind, i, text)), STATUS_OK);
	assert_int_equal(finish(builder), count);
}

static struct blocklist *
opened(const char *path)
{
	struct blocklist *list = NULL;
	char error[CONFIG_ERROR_BYTES];

	if (blocklist_open(path, &list, error) != STATUS_OK)
		fail_msg("%s", error);
	return list;
}

static bool
holds(const struct blocklist *list, struct bytes password)
{
	bool found;

	assert_int_equal(blocklist_find(list, password, &found), STATUS_OK);
	return found;
}

/* --- what is in and what is not ------------------------------------------------------------------------------------ */

static void
all_are_found_and_next_to_none_by_mistake(void **state)
{
	char path[SCRATCH_PATH_BYTES], text[WORD_BYTES];
	struct blocklist *list;
	struct stat st;
	unsigned mistakes = 0;

	make(state, "known", MANY, path);
	list = opened(path);
	assert_int_equal(blocklist_count(list), MANY);
	assert_int_equal(blocklist_check(list), STATUS_OK);
	for (unsigned i = 0; i < MANY; i++)
		assert_true(holds(list, word("known", i, text)));
	for (unsigned i = 0; i < STRANGERS; i++)
		mistakes += holds(list, word("stranger", i, text));
	/* two look-ups at 1 in 16384 unless the fold changes nothing, and then they are one: 7 are expected */
	assert_in_range(mistakes, 0, 30);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size <= 2 * MANY);
	blocklist_close(&list);
	assert_null(list);
}

static void
lists_of_every_small_size_are_whole(void **state)
{
	char path[SCRATCH_PATH_BYTES], text[WORD_BYTES];

	for (unsigned count = 1; count < 40; count++) {
		struct blocklist *list;

		make(state, "few", count, path);
		list = opened(path);
		assert_int_equal(blocklist_check(list), STATUS_OK);
		for (unsigned i = 0; i < count; i++)
			assert_true(holds(list, word("few", i, text)));
		blocklist_close(&list);
	}
}

static void
case_does_not_matter_and_hashes_are_of_what_was_typed(void **state)
{
	static const uint8_t sha1_of_password[BLOCKLIST_SHA1_BYTES] = { 0x5b, 0xaa, 0x61, 0xe4, 0xc9, 0xb9, 0x3f, 0x3f, 0x06,
		0x82, 0x25, 0x0b, 0x6c, 0xf8, 0x33, 0x1b, 0x7e, 0xe6, 0x8f, 0xd8 };
	struct blocklist_builder *builder;
	char path[SCRATCH_PATH_BYTES];
	struct blocklist *list;

	builder = begin(state, path);
	assert_int_equal(blocklist_builder_add_word(builder, BYTES("Stra\u00dfenBAHN")), STATUS_OK);
	assert_int_equal(blocklist_builder_add_word(builder, BYTES("cafe\u0301 creme")), STATUS_OK);
	assert_int_equal(blocklist_builder_add_sha1(builder, sha1_of_password), STATUS_OK);
	assert_int_equal(finish(builder), 3);
	list = opened(path);
	assert_true(holds(list, BYTES("STRASSENBAHN")));
	assert_true(holds(list, BYTES("stra\u00dfenbahn")));
	assert_true(holds(list, BYTES("CAF\u00c9 CREME")));
	assert_true(holds(list, BYTES("password")));
	assert_true(holds(list, BYTES("PassWord")));
	assert_false(holds(list, BYTES("password1")));
	blocklist_close(&list);
}

static void
doubles_are_counted_once(void **state)
{
	struct blocklist_builder *builder;
	char path[SCRATCH_PATH_BYTES];

	builder = begin(state, path);
	for (unsigned i = 0; i < 9000; i++)
		assert_int_equal(blocklist_builder_add_word(builder, i % 2 == 0 ? BYTES("Twice") : BYTES("twice")), STATUS_OK);
	assert_int_equal(finish(builder), 1);
}

static void
what_no_password_can_be_is_no_entry(void **state)
{
	static uint8_t longest[1025];
	struct blocklist_builder *builder;
	char path[SCRATCH_PATH_BYTES];

	memset(longest, 'x', sizeof longest);
	builder = begin(state, path);
	assert_int_equal(blocklist_builder_add_word(builder, BYTES("")), STATUS_INVALID);
	assert_int_equal(blocklist_builder_add_word(builder, BYTES("bell\a")), STATUS_INVALID);
	assert_int_equal(blocklist_builder_add_word(builder, BYTES("latin \xe9")), STATUS_INVALID);
	assert_int_equal(blocklist_builder_add_word(builder, (struct bytes){ longest, sizeof longest }), STATUS_INVALID);
	blocklist_builder_free(&builder);
}

/* --- replacing ----------------------------------------------------------------------------------------------------- */

static unsigned
files_in(const char *folder)
{
	char command[SCRATCH_PATH_BYTES + 32];
	unsigned count = 0;
	FILE *in;

	(void)snprintf(command, sizeof command, "ls -A '%s' | wc -l", folder);
	in = popen(command, "r");
	assert_non_null(in);
	assert_int_equal(fscanf(in, "%u", &count), 1);
	(void)pclose(in);
	return count;
}

static void
an_unfinished_list_leaves_the_old_one_and_nothing_else(void **state)
{
	char path[SCRATCH_PATH_BYTES], text[WORD_BYTES], error[CONFIG_ERROR_BYTES];
	struct blocklist_builder *builder;
	struct blocklist *list;
	unsigned left;
	uint64_t count;

	make(state, "old", 10, path);
	builder = begin(state, path);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(blocklist_builder_add_word(builder, word("new", i, text)), STATUS_OK);
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(blocklist_builder_step(builder, &left, &count, error), STATUS_OK);
	assert_true(left > 0);
	blocklist_builder_free(&builder);
	assert_int_equal(files_in(*state), 1);
	list = opened(path);
	assert_true(holds(list, BYTES("old-3")));
	blocklist_close(&list);
}

static void
an_open_list_outlives_its_replacement(void **state)
{
	char path[SCRATCH_PATH_BYTES];
	struct blocklist *before;

	make(state, "old", 10, path);
	before = opened(path);
	make(state, "new", 1000, path);
	assert_true(holds(before, BYTES("old-9")));
	blocklist_close(&before);
}

static void
a_list_of_nothing_is_none(void **state)
{
	struct blocklist_builder *builder;
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];
	unsigned left = 1;
	uint64_t count;
	enum status st = STATUS_OK;

	builder = begin(state, path);
	while (st == STATUS_OK && left > 0)
		st = blocklist_builder_step(builder, &left, &count, error);
	assert_int_equal(st, STATUS_INVALID);
	blocklist_builder_free(&builder);
	assert_int_equal(files_in(*state), 0);
}

/* The file may not grow beyond 8 KiB: as good as a full disk. */
static void
a_full_disk_is_no_success(void **state)
{
	const struct rlimit tight = { 8192, RLIM_INFINITY }, free_again = { RLIM_INFINITY, RLIM_INFINITY };
	char path[SCRATCH_PATH_BYTES], text[WORD_BYTES], error[CONFIG_ERROR_BYTES];
	struct blocklist_builder *builder;
	unsigned left = 1;
	uint64_t count;
	enum status st = STATUS_OK;

	(void)signal(SIGXFSZ, SIG_IGN);
	builder = begin(state, path);
	for (unsigned i = 0; i < MANY / 10; i++)
		assert_int_equal(blocklist_builder_add_word(builder, word("many", i, text)), STATUS_OK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	while (st == STATUS_OK && left > 0)
		st = blocklist_builder_step(builder, &left, &count, error);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &free_again), 0);
	assert_int_equal(st, STATUS_UNAVAILABLE);
	assert_non_null(strstr(error, "File too large"));
	blocklist_builder_free(&builder);
	assert_int_equal(files_in(*state), 0);
}

/* --- files that are no good ---------------------------------------------------------------------------------------- */

static void
put(const char *path, off_t at, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, at), len);
	(void)close(fd);
}

static void
flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	(void)close(fd);
}

static void
is_refused(const char *path, const char *why)
{
	struct blocklist *list = NULL;
	char error[CONFIG_ERROR_BYTES] = "";

	assert_int_equal(blocklist_open(path, &list, error), STATUS_INVALID);
	assert_null(list);
	assert_non_null(strstr(error, why));
}

static void
a_damaged_head_or_index_is_refused_whole(void **state)
{
	char path[SCRATCH_PATH_BYTES];
	struct stat st;

	make(state, "known", 5000, path);
	assert_int_equal(stat(path, &st), 0);
	for (off_t at = 0; at < (off_t)sizeof(struct blocklist_head); at++) {
		flip(path, at);
		is_refused(path, "damaged");
		flip(path, at);
	}
	for (off_t at = st.st_size - 8; at < st.st_size; at++) {
		flip(path, at);
		is_refused(path, "damaged");
		flip(path, at);
	}
	assert_int_equal(truncate(path, st.st_size - 1), 0);
	is_refused(path, "damaged");
	assert_int_equal(truncate(path, st.st_size + 1), 0);
	is_refused(path, "damaged");
	assert_int_equal(truncate(path, 60), 0);
	is_refused(path, "not a blocklist");
	assert_int_equal(truncate(path, 0), 0);
	is_refused(path, "not a blocklist");
}

static void
a_damaged_block_is_an_outage_and_no_answer(void **state)
{
	char path[SCRATCH_PATH_BYTES], text[WORD_BYTES];
	struct blocklist *list;
	unsigned outages = 0;
	bool found;

	make(state, "known", 5000, path);
	for (off_t at = 0; at < BLOCKLIST_BLOCK_BYTES; at += 97) {
		flip(path, FIRST_BLOCK + at);
		list = opened(path);
		assert_int_equal(blocklist_check(list), STATUS_INTERNAL);
		for (unsigned i = 0; i < 50; i++) {
			enum status st = blocklist_find(list, word("known", i, text), &found);

			assert_true(st == STATUS_INTERNAL || found);
			outages += st == STATUS_INTERNAL;
		}
		blocklist_close(&list);
		flip(path, FIRST_BLOCK + at);
	}
	assert_true(outages > 0);
}

/* A block whose checksum is right and whose content is nonsense: nothing is read that is not there. */
static void
hostile_blocks_are_bounded(void **state)
{
	char path[SCRATCH_PATH_BYTES], text[WORD_BYTES];
	struct blocklist_block block;
	struct blocklist *list;

	make(state, "known", 5000, path);
	for (unsigned round = 0; round < 64; round++) {
		const uint8_t seed[randombytes_SEEDBYTES] = { (uint8_t)round };         /* the same nonsense in every run */

		randombytes_buf_deterministic(&block, sizeof block, seed);
		if (round % 4 == 0)
			memset(block.bits, 0xff, sizeof block.bits);
		if (round % 4 == 1)
			memset(block.bits, 0, sizeof block.bits);
		block.further = round % 2 == 0 ? 0xffff : block.further;
		block.checksum = htole64(blocklist_block_checksum(&block));
		put(path, FIRST_BLOCK, &block, sizeof block);
		list = opened(path);
		for (unsigned i = 0; i < 100; i++) {
			bool found;

			(void)!blocklist_find(list, word("known", i, text), &found);
		}
		assert_int_equal(blocklist_check(list), STATUS_INTERNAL);
		blocklist_close(&list);
	}
}

static void
a_file_that_others_may_change_is_refused(void **state)
{
	char path[SCRATCH_PATH_BYTES], link[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];
	struct blocklist *list = NULL;
	struct stat st;

	make(state, "known", 10, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(chmod(path, 0664), 0);
	is_refused(path, "chmod");
	assert_int_equal(chmod(path, 0644), 0);
	scratch_path(*state, "link", link);
	assert_int_equal(symlink(path, link), 0);
	is_refused(link, "symbolic link");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(blocklist_open(path, &list, error), STATUS_NOT_FOUND);
}

static void
a_list_needs_a_place(void **state)
{
	struct blocklist_builder *builder = NULL;
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];

	scratch_path(*state, "no/such/folder", path);
	assert_int_equal(blocklist_builder_new(path, &builder, error), STATUS_INVALID);
	assert_null(builder);
	assert_non_null(strstr(error, "No such file"));
}

int
main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(all_are_found_and_next_to_none_by_mistake),
		IN_SCRATCH(lists_of_every_small_size_are_whole),
		IN_SCRATCH(case_does_not_matter_and_hashes_are_of_what_was_typed),
		IN_SCRATCH(doubles_are_counted_once),
		IN_SCRATCH(what_no_password_can_be_is_no_entry),
		IN_SCRATCH(an_unfinished_list_leaves_the_old_one_and_nothing_else),
		IN_SCRATCH(an_open_list_outlives_its_replacement),
		IN_SCRATCH(a_list_of_nothing_is_none),
		IN_SCRATCH(a_full_disk_is_no_success),
		IN_SCRATCH(a_damaged_head_or_index_is_refused_whole),
		IN_SCRATCH(a_damaged_block_is_an_outage_and_no_answer),
		IN_SCRATCH(hostile_blocks_are_bounded),
		IN_SCRATCH(a_file_that_others_may_change_is_refused),
		IN_SCRATCH(a_list_needs_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
