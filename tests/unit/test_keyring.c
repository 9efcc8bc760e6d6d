/* test_keyring.c: the keys' file: who may read it, what is wrong with it, and how it grows without ever being half. */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/credential/keyring.h"
#include "tests/support/failing.h"
#include "tests/support/scratch.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "0123456789abcdefABCDEF0123456789abcdefABCDEF0123456789abcdefABCD"
#define STORE "store digest 1 " A "\nstore seal 1 " B "\n"

static const enum realm all_realms[] = { REALM_STORE, REALM_STAFF, REALM_SERVICE, REALM_NONE };

static enum status
open_text(void **state, struct bytes text, struct keyring **out, char error[static CONFIG_ERROR_BYTES])
{
	char path[SCRATCH_PATH_BYTES];

	scratch_write(*state, "keyring", 0400, text, path);
	*out = NULL;
	error[0] = '\0';
	return keyring_open(path, out, error);
}

static struct keyring *
opened(void **state, struct bytes text)
{
	char error[CONFIG_ERROR_BYTES];
	struct keyring *keyring;

	if (open_text(state, text, &keyring, error) != STATUS_OK)
		fail_msg("%s", error);
	return keyring;
}

/* TEXT is refused with "<path>WANTED". */
static void
refused(void **state, struct bytes text, const char *wanted)
{
	char error[CONFIG_ERROR_BYTES], whole[CONFIG_ERROR_BYTES + SCRATCH_PATH_BYTES];
	struct keyring *keyring;

	assert_int_equal(open_text(state, text, &keyring, error), STATUS_INVALID);
	assert_null(keyring);
	(void)snprintf(whole, sizeof whole, "%s/keyring%s", (const char *)*state, wanted);
	assert_string_equal(error, whole);
}

/* A keyring for all realms, freshly made; OUT_PATH holds SCRATCH_PATH_BYTES. */
static struct keyring *
created(void **state, char *out_path)
{
	char error[CONFIG_ERROR_BYTES] = "";
	struct keyring *keyring = NULL;

	scratch_path(*state, "made", out_path);
	if (keyring_create(out_path, all_realms, error) != STATUS_OK || keyring_open(out_path, &keyring, error) != STATUS_OK)
		fail_msg("%s", error);
	return keyring;
}

/* --- names --------------------------------------------------------------------------------------------------------- */

static void
realms_have_names(void **state)
{
	(void)state;
	assert_string_equal(realm_name(REALM_STORE), "store");
	assert_string_equal(realm_name(REALM_STAFF), "staff");
	assert_string_equal(realm_name(REALM_SERVICE), "service");
	assert_string_equal(realm_name(REALM_NONE), "none");
	assert_string_equal(realm_name((enum realm)4), "none");
	assert_string_equal(realm_name((enum realm)-1), "none");
	for (enum realm realm = REALM_STORE; realm <= REALM_SERVICE; realm++)
		assert_int_equal(realm_of(realm_name(realm)), realm);
	assert_int_equal(realm_of("none"), REALM_NONE);
	assert_int_equal(realm_of("Store"), REALM_NONE);
	assert_int_equal(realm_of(""), REALM_NONE);
	assert_int_equal(realm_of(NULL), REALM_NONE);
}

/* --- reading --------------------------------------------------------------------------------------------------------- */

static void
a_keyring_is_read_line_by_line(void **state)
{
	struct keyring *keyring = opened(state, BYTES("# comment\n\nstaff seal 3 " A "\n" STORE "staff digest 1 " C
	    "\nstaff seal 12 " B));

	assert_true(keyring_has_realm(keyring, REALM_STORE));
	assert_true(keyring_has_realm(keyring, REALM_STAFF));
	assert_false(keyring_has_realm(keyring, REALM_SERVICE));
	assert_false(keyring_has_realm(keyring, REALM_NONE));
	assert_int_equal(keyring_seal_id(keyring, REALM_STORE), 1);
	assert_int_equal(keyring_seal_id(keyring, REALM_STAFF), 12);
	assert_int_equal(keyring_seal_id(keyring, REALM_SERVICE), 0);
	keyring_free(&keyring);
	assert_null(keyring);
	keyring_free(&keyring);
	keyring_free(NULL);
}

static void
a_line_that_is_wrong_is_named(void **state)
{
	static const struct { const char *line, *why; } lines[] = {
		{ "shop seal 1 " A, "the realm is none of store, staff, service" },
		{ " store seal 1 " A, "the realm is none of store, staff, service" },
		{ "none seal 1 " A, "the realm is none of store, staff, service" },
		{ "averyveryverylongrealm seal 1 " A, "the realm is none of store, staff, service" },
		{ "store", "the purpose is missing" },
		{ "store  seal 1 " A, "the purpose is missing" },
		{ "store sign 1 " A, "the purpose is neither seal nor digest" },
		{ "store\tseal 1 " A, "the realm is none of store, staff, service" },
		{ "store seal", "the id is not a number from 1 to 1000000" },
		{ "store seal 0 " A, "the id is not a number from 1 to 1000000" },
		{ "store seal 01 " A, "the id is not a number from 1 to 1000000" },
		{ "store seal -1 " A, "the id is not a number from 1 to 1000000" },
		{ "store seal 1000001 " A, "the id is not a number from 1 to 1000000" },
		{ "store seal 99999999999999 " A, "the id is not a number from 1 to 1000000" },
		{ "store seal 1x " A, "the id is not a number from 1 to 1000000" },
		{ "store seal 1", "the key is not 64 hex digits" },
		{ "store seal 1 ", "the key is not 64 hex digits" },
		{ "store seal 1 " A "0", "the key is not 64 hex digits" },
		{ "store seal 1 " A " ", "the key is not 64 hex digits" },
		{ "store seal 1 " A "\r", "the key is not 64 hex digits" },
		{ "store seal 1 gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg",
		    "the key is not 64 hex digits" },
	};
	char text[512], why[256];

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		(void)snprintf(text, sizeof text, "# one\n\n%s\n" STORE, lines[i].line);
		(void)snprintf(why, sizeof why, ":3: %s", lines[i].why);
		refused(state, bytes_of(text), why);
	}
	refused(state, BYTES("store seal 1 " A "\0\n"), ":1: the key is not 64 hex digits");
}

static void
an_error_never_quotes_a_key(void **state)
{
	char error[CONFIG_ERROR_BYTES];
	struct keyring *keyring;

	assert_int_equal(open_text(state, BYTES("store seal 1 deadbeef" A "\n"), &keyring, error), STATUS_INVALID);
	assert_null(strstr(error, "dead"));
	assert_null(strstr(error, "aaaa"));
	assert_int_equal(open_text(state, BYTES("deadbeef" A "\n"), &keyring, error), STATUS_INVALID);
	assert_null(strstr(error, "dead"));
}

static void
ids_reach_from_one_to_a_million(void **state)
{
	struct keyring *keyring = opened(state, BYTES("store digest 1 " A "\nstore seal 1000000 " B "\nstore seal 1 " A "\n"));

	assert_int_equal(keyring_seal_id(keyring, REALM_STORE), 1000000);
	keyring_free(&keyring);
}

static void
a_key_that_is_there_twice_is_refused(void **state)
{
	refused(state, BYTES(STORE "store digest 1 " B "\n"), ":3: a second digest key of this realm");
	refused(state, BYTES(STORE "store digest 2 " B "\n"), ":3: a second digest key of this realm");
	refused(state, BYTES(STORE "store seal 1 " A "\n"), ":3: a second seal key with this id");
}

static void
a_realm_is_whole_or_absent(void **state)
{
	refused(state, bytes_of(""), ": holds no key");
	refused(state, BYTES("# nothing\n"), ": holds no key");
	refused(state, BYTES(STORE "staff digest 1 " A "\n"), ": realm staff lacks its seal key");
	refused(state, BYTES(STORE "staff seal 1 " A "\n"), ": realm staff lacks its digest key");
}

/* A store realm with SEALS seal keys; free() it. */
static char *
text_with_seals(unsigned seals)
{
	char *text = malloc(16384);
	size_t len;

	assert_non_null(text);
	len = (size_t)snprintf(text, 16384, "store digest 1 %s\n", A);
	for (unsigned i = 1; i <= seals; i++)
		len += (size_t)snprintf(text + len, 16384 - len, "store seal %u %s\n", i, B);
	return text;
}

static void
a_keyring_holds_at_most_64_keys(void **state)
{
	char *most = text_with_seals(63), *over = text_with_seals(64);
	struct keyring *keyring = opened(state, bytes_of(most));

	assert_int_equal(keyring_seal_id(keyring, REALM_STORE), 63);
	keyring_free(&keyring);
	refused(state, bytes_of(over), ":65: too many keys");
	free(most);
	free(over);
}

static void
a_keyring_file_has_at_most_16384_bytes(void **state)
{
	char *text = malloc(16385);
	const size_t len = strlen(STORE);
	struct keyring *keyring;

	assert_non_null(text);
	memset(text, '#', 16385);
	memcpy(text, STORE, len);
	keyring = opened(state, (struct bytes){ (const uint8_t *)text, 16384 });
	keyring_free(&keyring);
	refused(state, (struct bytes){ (const uint8_t *)text, 16385 }, ": 16385 bytes, the limit is 16384");
	free(text);
}

static void
nobody_else_may_read_or_write_it(void **state)
{
	static const mode_t bad[] = { 0440, 0404, 0410, 0401, 0420, 0402, 0644, 0666 };
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES], why[64];
	struct keyring *keyring = NULL;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		scratch_write(*state, "keyring", bad[i], bytes_of(STORE), path);
		assert_int_equal(keyring_open(path, &keyring, error), STATUS_INVALID);
		(void)snprintf(why, sizeof why, "chmod %04o", (unsigned)bad[i] & ~077u);
		assert_non_null(strstr(error, why));
	}
	scratch_write(*state, "keyring", 0600, bytes_of(STORE), path);
	assert_int_equal(keyring_open(path, &keyring, error), STATUS_OK);
	keyring_free(&keyring);
}

static void
it_belongs_to_root_or_to_its_reader_and_is_a_file(void **state)
{
	char path[SCRATCH_PATH_BYTES], link[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];
	struct keyring *keyring = NULL;

	scratch_write(*state, "keyring", 0400, bytes_of(STORE), path);
	assert_int_equal(chmod(*state, 0777), 0);
	failing_owner(geteuid() + 4711);
	assert_int_equal(keyring_open(path, &keyring, error), STATUS_INVALID);
	assert_non_null(strstr(error, "owned by user id"));
	failing_owner((uid_t)-1);
	scratch_path(*state, "link", link);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(keyring_open(link, &keyring, error), STATUS_INVALID);
	assert_int_equal(keyring_open(*state, &keyring, error), STATUS_INVALID);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(keyring_open(path, &keyring, error), STATUS_NOT_FOUND);
	assert_null(keyring);
}

/* authd's keyring belongs to authd's user; the operator's commands read it as root, where only root can put it. */
static void
root_reads_the_keyring_of_a_service_in_its_own_folder(void **state)
{
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];
	struct keyring *keyring = NULL;
	static const mode_t writable[] = { 0770, 0707, 0777 };

	scratch_write(*state, "keyring", 0400, bytes_of(STORE), path);
	failing_owner(geteuid() + 4711);
	assert_int_equal(chmod(*state, 0755), 0);
	assert_int_equal(keyring_open(path, &keyring, error), geteuid() == 0 ? STATUS_OK : STATUS_INVALID);
	keyring_free(&keyring);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(chmod(*state, writable[i]), 0);
		assert_int_equal(keyring_open(path, &keyring, error), STATUS_INVALID);
	}
}

static void
a_disk_that_fails_or_dribbles_is_seen_through(void **state)
{
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];
	struct keyring *keyring = NULL;

	scratch_write(*state, "keyring", 0400, bytes_of(STORE), path);
	failing_at(FAILING_READ, 1, EIO);
	assert_int_equal(keyring_open(path, &keyring, error), STATUS_INVALID);
	assert_non_null(strstr(error, "Input/output error"));
	failing_at(FAILING_READ, 1, EINTR);
	failing_one_byte_a_call(true);
	assert_int_equal(keyring_open(path, &keyring, error), STATUS_OK);
	assert_int_equal(keyring_seal_id(keyring, REALM_STORE), 1);
	keyring_free(&keyring);
}

/* --- making ------------------------------------------------------------------------------------------------------------ */

static void
a_new_keyring_is_its_owners_alone_and_has_every_realm(void **state)
{
	char path[SCRATCH_PATH_BYTES];
	struct keyring *keyring;
	struct stat st;

	(void)umask(0);
	keyring = created(state, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	for (enum realm realm = REALM_STORE; realm <= REALM_SERVICE; realm++) {
		assert_true(keyring_has_realm(keyring, realm));
		assert_int_equal(keyring_seal_id(keyring, realm), 1);
	}
	keyring_free(&keyring);
}

static void
no_key_is_made_twice(void **state)
{
	char path[SCRATCH_PATH_BYTES], *text, *line, *save = NULL, *keys[8];
	struct keyring *keyring = created(state, path);
	size_t len, count = 0;

	keyring_free(&keyring);
	text = scratch_read(path, &len);
	for (line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == '#')
			continue;
		assert_in_range(count, 0, 5);
		keys[count] = strrchr(line, ' ');
		assert_int_equal(strlen(keys[count]), 65);
		for (size_t i = 0; i < count; i++)
			assert_string_not_equal(keys[i], keys[count]);
		count++;
	}
	assert_int_equal(count, 6);
	free(text);
}

static void
a_keyring_is_never_written_over(void **state)
{
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES], *text;
	size_t len;

	scratch_write(*state, "made", 0400, BYTES("precious"), path);
	assert_int_equal(keyring_create(path, all_realms, error), STATUS_CONFLICT);
	assert_non_null(strstr(error, "exists already and is left as it is"));
	text = scratch_read(path, &len);
	assert_string_equal(text, "precious");
	free(text);
}

static void
a_keyring_in_a_folder_that_is_not_there_is_refused(void **state)
{
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];

	scratch_path(*state, "none/keyring", path);
	assert_int_equal(keyring_create(path, all_realms, error), STATUS_INVALID);
	assert_non_null(strstr(error, "No such file or directory"));
}

/* Whatever fails on the way, there is a whole keyring at the end or none. */
static void
a_keyring_that_cannot_be_written_whole_is_not_there(void **state)
{
	static const struct { enum failing kind; int cause; enum status status; } ways[] = {
		{ FAILING_WRITE, ENOSPC, STATUS_INVALID }, { FAILING_FSYNC, EIO, STATUS_INVALID },
		{ FAILING_ENTROPY, EIO, STATUS_INTERNAL }, { FAILING_MEMORY, ENOMEM, STATUS_NO_MEMORY } };
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];

	scratch_path(*state, "made", path);
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		unsigned n;

		(void)failing_stop(NULL);
		for (n = 1;; n++) {
			enum status st;

			failing_at(ways[i].kind, n, ways[i].cause);
			if ((st = keyring_create(path, all_realms, error)) == STATUS_OK)
				break;
			assert_int_equal(st, ways[i].status);
			assert_int_equal(strncmp(error, path, strlen(path)), 0);
			assert_int_equal(access(path, F_OK), -1);
		}
		assert_in_range(n, 2, 40);
		assert_int_equal(unlink(path), 0);
	}
}

static void
a_signal_or_a_short_write_in_between_is_no_failure(void **state)
{
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];
	struct keyring *keyring = NULL;

	scratch_path(*state, "made", path);
	failing_at(FAILING_WRITE, 2, EINTR);
	failing_one_byte_a_call(true);
	assert_int_equal(keyring_create(path, all_realms, error), STATUS_OK);
	assert_int_equal(keyring_open(path, &keyring, error), STATUS_OK);
	keyring_free(&keyring);
}

/* --- growing ------------------------------------------------------------------------------------------------------------- */

static void
a_new_seal_key_has_the_next_id_and_changes_nothing_else(void **state)
{
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];
	struct keyring *keyring = created(state, path);
	uint8_t before[3][KEYRING_KEY_BYTES], after[3][KEYRING_KEY_BYTES];
	struct stat st;
	int id = 0;

	assert_int_equal(keyring_sealing_key(keyring, REALM_STORE, 1, "x", before[0]), STATUS_OK);
	assert_int_equal(keyring_sealing_key(keyring, REALM_STAFF, 1, "x", before[1]), STATUS_OK);
	assert_int_equal(keyring_digest(keyring, REALM_STORE, "x", BYTES("v"), before[2]), STATUS_OK);
	keyring_free(&keyring);
	assert_int_equal(keyring_add_seal_key(path, REALM_STORE, &id, error), STATUS_OK);
	assert_int_equal(id, 2);
	assert_int_equal(keyring_add_seal_key(path, REALM_STORE, &id, error), STATUS_OK);
	assert_int_equal(id, 3);
	assert_int_equal(keyring_open(path, &keyring, error), STATUS_OK);
	assert_int_equal(keyring_seal_id(keyring, REALM_STORE), 3);
	assert_int_equal(keyring_seal_id(keyring, REALM_STAFF), 1);
	assert_int_equal(keyring_sealing_key(keyring, REALM_STORE, 1, "x", after[0]), STATUS_OK);
	assert_int_equal(keyring_sealing_key(keyring, REALM_STAFF, 1, "x", after[1]), STATUS_OK);
	assert_int_equal(keyring_digest(keyring, REALM_STORE, "x", BYTES("v"), after[2]), STATUS_OK);
	assert_memory_equal(before, after, sizeof before);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	keyring_free(&keyring);
}

/* TEXT in a file; adding a seal key for REALM fails with WANTED and leaves the file as it was. */
static void
adding_refused(void **state, const char *text, enum realm realm, enum status wanted)
{
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES] = "", *after;
	size_t len;
	int id = 77;

	scratch_write(*state, "keyring", 0400, bytes_of(text), path);
	assert_int_equal(keyring_add_seal_key(path, realm, &id, error), wanted);
	assert_true(error[0] != '\0');
	assert_int_equal(id, 77);
	after = scratch_read(path, &len);
	assert_string_equal(after, text);
	free(after);
}

static void
a_seal_key_needs_a_realm_room_and_an_id(void **state)
{
	char *full = text_with_seals(63);

	adding_refused(state, STORE, REALM_STAFF, STATUS_NOT_FOUND);
	adding_refused(state, STORE, REALM_NONE, STATUS_NOT_FOUND);
	adding_refused(state, full, REALM_STORE, STATUS_CONFLICT);
	adding_refused(state, "store digest 1 " A "\nstore seal 1000000 " B "\n", REALM_STORE, STATUS_CONFLICT);
	adding_refused(state, "nonsense\n", REALM_STORE, STATUS_INVALID);
	free(full);
}

/* While PATH.new is there, another one of us is at work, or was killed at it. */
static void
two_cannot_add_at_once(void **state)
{
	char path[SCRATCH_PATH_BYTES];

	scratch_write(*state, "keyring.new", 0400, bytes_of(""), path);
	adding_refused(state, STORE, REALM_STORE, STATUS_CONFLICT);
}

static void
a_keyring_that_cannot_grow_stays_as_it_was(void **state)
{
	static const enum failing ways[] = { FAILING_WRITE, FAILING_RENAME, FAILING_FCHOWN, FAILING_ENTROPY, FAILING_MEMORY };
	char path[SCRATCH_PATH_BYTES], beside[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES], *before, *after;
	struct keyring *keyring = created(state, path);
	size_t len;

	keyring_free(&keyring);
	scratch_path(*state, "made.new", beside);
	before = scratch_read(path, &len);
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		int id = 77;

		failing_at(ways[i], 1, ways[i] == FAILING_MEMORY ? ENOMEM : EIO);
		assert_int_not_equal(keyring_add_seal_key(path, REALM_STORE, &id, error), STATUS_OK);
		assert_int_equal(id, 77);
		assert_int_equal(access(beside, F_OK), -1);
		after = scratch_read(path, &len);
		assert_string_equal(after, before);
		free(after);
	}
	free(before);
}

static void
every_allocation_may_fail_and_the_file_is_whole(void **state)
{
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];
	struct keyring *keyring = created(state, path);
	enum status st = STATUS_NO_MEMORY;
	int id = 0;
	unsigned n;

	keyring_free(&keyring);
	for (n = 1; n < 100; n++) {
		failing_at(FAILING_MEMORY, n, ENOMEM);
		if ((st = keyring_add_seal_key(path, REALM_STORE, &id, error)) == STATUS_OK)
			break;
		failing_at(FAILING_MEMORY, 0, 0);
		assert_int_equal(st, STATUS_NO_MEMORY);
		assert_int_equal(keyring_open(path, &keyring, error), STATUS_OK);
		assert_int_equal(keyring_seal_id(keyring, REALM_STORE), 1);
		keyring_free(&keyring);
	}
	assert_int_equal(st, STATUS_OK);
	assert_int_equal(id, 2);
	assert_in_range(n, 10, 99);
}

/* --- a PAM host's share ------------------------------------------------------------------------------------------------------ */

static void
an_extract_holds_one_realm_and_the_same_keys(void **state)
{
	char path[SCRATCH_PATH_BYTES], staff_path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];
	struct keyring *all = created(state, path), *staff = NULL;
	uint8_t here[DIGEST_BYTES], there[DIGEST_BYTES];
	struct stat st;

	scratch_path(*state, "staff", staff_path);
	assert_int_equal(keyring_extract(all, REALM_STAFF, staff_path, error), STATUS_OK);
	assert_int_equal(stat(staff_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(keyring_open(staff_path, &staff, error), STATUS_OK);
	assert_true(keyring_has_realm(staff, REALM_STAFF));
	assert_false(keyring_has_realm(staff, REALM_STORE));
	assert_false(keyring_has_realm(staff, REALM_SERVICE));
	assert_int_equal(keyring_digest(all, REALM_STAFF, "x", BYTES("v"), here), STATUS_OK);
	assert_int_equal(keyring_digest(staff, REALM_STAFF, "x", BYTES("v"), there), STATUS_OK);
	assert_memory_equal(here, there, sizeof here);
	assert_int_equal(keyring_sealing_key(all, REALM_STAFF, 1, "x", here), STATUS_OK);
	assert_int_equal(keyring_sealing_key(staff, REALM_STAFF, 1, "x", there), STATUS_OK);
	assert_memory_equal(here, there, sizeof here);
	assert_int_equal(keyring_digest(staff, REALM_STORE, "x", BYTES("v"), there), STATUS_NOT_FOUND);
	assert_int_equal(keyring_extract(all, REALM_STAFF, staff_path, error), STATUS_CONFLICT);
	scratch_path(*state, "store", staff_path);
	assert_int_equal(keyring_extract(staff, REALM_STORE, staff_path, error), STATUS_NOT_FOUND);
	assert_int_equal(access(staff_path, F_OK), -1);
	keyring_free(&staff);
	keyring_free(&all);
}

static void
an_extract_without_memory_is_not_there(void **state)
{
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];
	struct keyring *all = created(state, path);

	scratch_path(*state, "staff", path);
	failing_at(FAILING_MEMORY, 1, ENOMEM);
	assert_int_equal(keyring_extract(all, REALM_STAFF, path, error), STATUS_NO_MEMORY);
	assert_int_equal(access(path, F_OK), -1);
	keyring_free(&all);
}

/* --- what the keys are for ------------------------------------------------------------------------------------------------------ */

static void
a_digest_depends_on_value_use_realm_and_key(void **state)
{
	struct keyring *keyring = opened(state, BYTES(STORE "staff digest 1 " C "\nstaff seal 1 " B "\n"));
	struct keyring *other = opened(state, BYTES("store digest 1 " B "\nstore seal 1 " B "\n"));
	uint8_t digests[6][DIGEST_BYTES], again[DIGEST_BYTES];

	assert_int_equal(keyring_digest(keyring, REALM_STORE, "session", BYTES("token"), digests[0]), STATUS_OK);
	assert_int_equal(keyring_digest(keyring, REALM_STORE, "session", BYTES("tokem"), digests[1]), STATUS_OK);
	assert_int_equal(keyring_digest(keyring, REALM_STORE, "challenge", BYTES("token"), digests[2]), STATUS_OK);
	assert_int_equal(keyring_digest(keyring, REALM_STAFF, "session", BYTES("token"), digests[3]), STATUS_OK);
	assert_int_equal(keyring_digest(other, REALM_STORE, "session", BYTES("token"), digests[4]), STATUS_OK);
	assert_int_equal(keyring_digest(keyring, REALM_STORE, "sessio", BYTES("ntoken"), digests[5]), STATUS_OK);
	for (int i = 0; i < 6; i++)
		for (int k = 0; k < i; k++)
			assert_memory_not_equal(digests[i], digests[k], DIGEST_BYTES);
	assert_int_equal(keyring_digest(keyring, REALM_STORE, "session", BYTES("token"), again), STATUS_OK);
	assert_memory_equal(again, digests[0], DIGEST_BYTES);
	keyring_free(&keyring);
	keyring_free(&other);
}

static void
a_sealing_key_depends_on_use_and_key_and_is_no_digest(void **state)
{
	struct keyring *keyring = opened(state, BYTES("store digest 1 " A "\nstore seal 1 " A "\nstore seal 2 " B "\n"));
	uint8_t keys[3][KEYRING_KEY_BYTES], digest[DIGEST_BYTES];

	assert_int_equal(keyring_sealing_key(keyring, REALM_STORE, 1, "factor.seed", keys[0]), STATUS_OK);
	assert_int_equal(keyring_sealing_key(keyring, REALM_STORE, 1, "account.login", keys[1]), STATUS_OK);
	assert_int_equal(keyring_sealing_key(keyring, REALM_STORE, 2, "factor.seed", keys[2]), STATUS_OK);
	assert_memory_not_equal(keys[0], keys[1], KEYRING_KEY_BYTES);
	assert_memory_not_equal(keys[0], keys[2], KEYRING_KEY_BYTES);
	assert_int_equal(keyring_digest(keyring, REALM_STORE, "factor.seed", bytes_of(NULL), digest), STATUS_OK);
	assert_memory_not_equal(keys[0], digest, KEYRING_KEY_BYTES);
	assert_int_equal(keyring_sealing_key(keyring, REALM_STORE, 0, "x", keys[0]), STATUS_NOT_FOUND);
	assert_int_equal(keyring_sealing_key(keyring, REALM_STORE, 3, "x", keys[0]), STATUS_NOT_FOUND);
	assert_int_equal(keyring_sealing_key(keyring, REALM_STAFF, 1, "x", keys[0]), STATUS_NOT_FOUND);
	assert_int_equal(keyring_digest(keyring, REALM_STAFF, "x", BYTES("v"), digest), STATUS_NOT_FOUND);
	keyring_free(&keyring);
}

/* What lies in databases was made with these: they may never change.  Computed apart, with Python's hashlib. */
static void
digests_and_keys_are_what_they_always_were(void **state)
{
	struct keyring *keyring = opened(state, BYTES(STORE));
	static const uint8_t digest_wanted[] = { 0xd2, 0xf2, 0xf8, 0x15, 0xac, 0xaa, 0x2d, 0x1f, 0x43, 0x75, 0x38, 0x85, 0x22, 0x8b, 0x78, 0xcd,
		0xfb, 0xb3, 0xab, 0xbc, 0x35, 0x4c, 0xa7, 0x01, 0x8c, 0x57, 0xc3, 0x71, 0x10, 0xdc, 0x4a, 0x3f };
	static const uint8_t key_wanted[] = { 0x29, 0x4e, 0x09, 0x1c, 0xb0, 0x36, 0xfa, 0x26, 0xb9, 0xcc, 0x2b, 0xbd, 0xf2, 0x0b, 0xa7, 0xe6,
		0x56, 0x7f, 0xc0, 0xcf, 0x47, 0x05, 0x61, 0x6a, 0x7b, 0x81, 0x8a, 0x95, 0x75, 0x4a, 0xbc, 0x8f };
	static const uint8_t seed_wanted[] = { 0x58, 0x1c, 0x9e, 0xe9, 0x0a, 0x0d, 0x32, 0xa3, 0x35, 0x8c, 0xfb, 0xc7, 0x04, 0xf1, 0x51, 0xa1,
		0x43, 0xd6, 0xff, 0xc0, 0xa1, 0x0c, 0x6e, 0x7a, 0x92, 0x69, 0x7d, 0x72, 0xb4, 0xda, 0x06, 0x46 };
	uint8_t found[DIGEST_BYTES];

	assert_int_equal(keyring_digest(keyring, REALM_STORE, "session", BYTES("token"), found), STATUS_OK);
	assert_memory_equal(found, digest_wanted, sizeof found);
	assert_int_equal(keyring_sealing_key(keyring, REALM_STORE, 1, "factor.seed", found), STATUS_OK);
	assert_memory_equal(found, key_wanted, sizeof found);
	assert_int_equal(keyring_signing_seed(keyring, REALM_STORE, 1, "offline ticket", found), STATUS_OK);
	assert_memory_equal(found, seed_wanted, sizeof found);
	assert_int_equal(keyring_signing_seed(keyring, REALM_STORE, 2, "offline ticket", found), STATUS_NOT_FOUND);
	assert_int_equal(keyring_signing_seed(keyring, REALM_STORE, 0, "offline ticket", found), STATUS_NOT_FOUND);
	keyring_free(&keyring);
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
		TEST(realms_have_names),
		TEST(a_keyring_is_read_line_by_line),
		TEST(a_line_that_is_wrong_is_named),
		TEST(an_error_never_quotes_a_key),
		TEST(ids_reach_from_one_to_a_million),
		TEST(a_key_that_is_there_twice_is_refused),
		TEST(a_realm_is_whole_or_absent),
		TEST(a_keyring_holds_at_most_64_keys),
		TEST(a_keyring_file_has_at_most_16384_bytes),
		TEST(nobody_else_may_read_or_write_it),
		TEST(it_belongs_to_root_or_to_its_reader_and_is_a_file),
		TEST(root_reads_the_keyring_of_a_service_in_its_own_folder),
		TEST(a_disk_that_fails_or_dribbles_is_seen_through),
		TEST(a_new_keyring_is_its_owners_alone_and_has_every_realm),
		TEST(no_key_is_made_twice),
		TEST(a_keyring_is_never_written_over),
		TEST(a_keyring_in_a_folder_that_is_not_there_is_refused),
		TEST(a_keyring_that_cannot_be_written_whole_is_not_there),
		TEST(a_signal_or_a_short_write_in_between_is_no_failure),
		TEST(a_new_seal_key_has_the_next_id_and_changes_nothing_else),
		TEST(a_seal_key_needs_a_realm_room_and_an_id),
		TEST(two_cannot_add_at_once),
		TEST(a_keyring_that_cannot_grow_stays_as_it_was),
		TEST(every_allocation_may_fail_and_the_file_is_whole),
		TEST(an_extract_holds_one_realm_and_the_same_keys),
		TEST(an_extract_without_memory_is_not_there),
		TEST(a_digest_depends_on_value_use_realm_and_key),
		TEST(a_sealing_key_depends_on_use_and_key_and_is_no_digest),
		TEST(digests_and_keys_are_what_they_always_were),
	};

	return cmocka_run_group_tests_name("keyring", tests, NULL, NULL);
}
