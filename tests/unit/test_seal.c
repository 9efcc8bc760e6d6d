/* test_seal.c: a sealed value opens in its own place, with its own key, whole, and nowhere else. */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/credential/seal.h"
#include "tests/support/failing.h"
#include "tests/support/scratch.h"

#define ROW "11111111-1111-4111-8111-111111111111"
#define OTHER_ROW "22222222-2222-4222-8222-222222222222"
#define ACCOUNT "33333333-3333-4333-8333-333333333333"
#define OTHER_ACCOUNT "44444444-4444-4444-8444-444444444444"

static const struct seal_place home = { REALM_STORE, "factor.seed", ROW, ACCOUNT };

struct sealed { uint8_t data[128]; size_t len; int key_id; };

/* The keyring of the test's folder: both realms of people, seal key 1 each. */
static struct keyring *
keyring_of(void **state)
{
	static const enum realm realms[] = { REALM_STORE, REALM_STAFF, REALM_NONE };
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];
	struct keyring *keyring = NULL;
	enum status st;

	scratch_path(*state, "keyring", path);
	st = keyring_create(path, realms, error);
	assert_true(st == STATUS_OK || st == STATUS_CONFLICT);
	assert_int_equal(keyring_open(path, &keyring, error), STATUS_OK);
	return keyring;
}

static struct sealed
seal(const struct keyring *keyring, const struct seal_place *place, struct bytes value)
{
	struct sealed sealed = { .len = value.len + SEAL_OVERHEAD_BYTES };

	assert_in_range(sealed.len, SEAL_OVERHEAD_BYTES, sizeof sealed.data);
	assert_int_equal(seal_close(keyring, place, value, sealed.data, &sealed.key_id), STATUS_OK);
	return sealed;
}

static void
opens_as(const struct keyring *keyring, const struct seal_place *place, const struct sealed *sealed, struct bytes wanted)
{
	struct secret *value = NULL;

	assert_int_equal(seal_open(keyring, place, sealed->key_id, (struct bytes){ sealed->data, sealed->len }, &value),
	    STATUS_OK);
	assert_true(bytes_equal(secret_view(value), wanted));
	secret_free(&value);
}

static void
does_not_open(const struct keyring *keyring, const struct seal_place *place, int key_id, struct bytes sealed)
{
	struct secret *value = NULL;

	assert_int_equal(seal_open(keyring, place, key_id, sealed, &value), STATUS_INTERNAL);
	assert_null(value);
}

static void
what_was_sealed_opens_in_its_place(void **state)
{
	struct keyring *keyring = keyring_of(state);
	struct sealed sealed = seal(keyring, &home, BYTES("twenty bytes\0of seed"));

	assert_int_equal(sealed.key_id, 1);
	opens_as(keyring, &home, &sealed, BYTES("twenty bytes\0of seed"));
	keyring_free(&keyring);
}

static void
an_empty_value_is_a_value_too(void **state)
{
	struct keyring *keyring = keyring_of(state);
	struct sealed sealed = seal(keyring, &home, bytes_of(NULL));

	assert_int_equal(sealed.len, SEAL_OVERHEAD_BYTES);
	opens_as(keyring, &home, &sealed, bytes_of(NULL));
	keyring_free(&keyring);
}

static void
the_same_value_never_looks_the_same(void **state)
{
	struct keyring *keyring = keyring_of(state);
	struct sealed one = seal(keyring, &home, BYTES("seed")), other = seal(keyring, &home, BYTES("seed"));

	assert_memory_not_equal(one.data, other.data, 24);              /* nonces */
	assert_memory_not_equal(one.data + 24, other.data + 24, 4);     /* ciphertexts */
	keyring_free(&keyring);
}

static void
nothing_of_the_value_shows(void **state)
{
	struct keyring *keyring = keyring_of(state);
	struct sealed sealed = seal(keyring, &home, BYTES("correct horse battery"));

	assert_null(memmem(sealed.data, sealed.len, "correct", 7));
	keyring_free(&keyring);
}

static void
moved_to_another_row_account_column_or_realm_it_does_not_open(void **state)
{
	static const struct seal_place places[] = { { REALM_STORE, "factor.seed", OTHER_ROW, ACCOUNT },
		{ REALM_STORE, "factor.seed", ROW, OTHER_ACCOUNT }, { REALM_STORE, "account.password", ROW, ACCOUNT },
		{ REALM_STAFF, "factor.seed", ROW, ACCOUNT }, { REALM_STORE, "factor.seed", ACCOUNT, ROW },
		{ REALM_STORE, "factor.seed", "", ACCOUNT }, { REALM_STORE, "factor.seed", ROW, "" },
		{ REALM_STORE, "factor.see", "d" ROW, ACCOUNT } };
	struct keyring *keyring = keyring_of(state);
	struct sealed sealed = seal(keyring, &home, BYTES("seed"));

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		does_not_open(keyring, &places[i], sealed.key_id, (struct bytes){ sealed.data, sealed.len });
	opens_as(keyring, &home, &sealed, BYTES("seed"));
	keyring_free(&keyring);
}

static void
a_place_that_could_be_read_in_two_ways_is_none(void **state)
{
	static const struct seal_place bad[] = { { REALM_STORE, "factor|seed", ROW, ACCOUNT },
		{ REALM_STORE, "factor.seed", "a|b", ACCOUNT }, { REALM_STORE, "factor.seed", ROW, "a|b" },
		{ REALM_NONE, "factor.seed", ROW, ACCOUNT }, { REALM_SERVICE, "factor.seed", ROW, ACCOUNT } };
	struct keyring *keyring = keyring_of(state);
	struct sealed sealed = seal(keyring, &home, BYTES("seed"));
	uint8_t out[64];
	int key_id = 77;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(seal_close(keyring, &bad[i], BYTES("seed"), out, &key_id), STATUS_INTERNAL);
		does_not_open(keyring, &bad[i], 1, (struct bytes){ sealed.data, sealed.len });
	}
	assert_int_equal(key_id, 77);
	keyring_free(&keyring);
}

static void
a_place_that_is_too_long_is_refused_not_cut(void **state)
{
	/* "1|store|" column "|" row "|" account has to stay under 256 bytes */
	const size_t most = 255 - strlen("1|store|factor.seed|" ROW "|");
	struct keyring *keyring = keyring_of(state);
	char account[300];
	struct seal_place place = { REALM_STORE, "factor.seed", ROW, account };
	struct sealed sealed;
	uint8_t out[64];
	int key_id;

	memset(account, 'a', sizeof account);
	account[most] = '\0';
	sealed = seal(keyring, &place, BYTES("seed"));
	opens_as(keyring, &place, &sealed, BYTES("seed"));
	account[most] = 'a';
	account[most + 1] = '\0';
	assert_int_equal(seal_close(keyring, &place, BYTES("seed"), out, &key_id), STATUS_INTERNAL);
	does_not_open(keyring, &place, 1, (struct bytes){ sealed.data, sealed.len });
	keyring_free(&keyring);
}

static void
cut_short_or_made_longer_it_does_not_open(void **state)
{
	struct keyring *keyring = keyring_of(state);
	struct sealed sealed = seal(keyring, &home, BYTES("seed"));

	for (size_t len = 0; len < sealed.len; len++) {
		uint8_t *cut = malloc(len + 1);         /* a sanitizer sees a read behind its end */

		memcpy(cut, sealed.data, len);
		does_not_open(keyring, &home, 1, (struct bytes){ cut, len });
		free(cut);
	}
	does_not_open(keyring, &home, 1, (struct bytes){ sealed.data, sealed.len + 1 });
	does_not_open(keyring, &home, 1, bytes_of(NULL));
	keyring_free(&keyring);
}

static void
with_any_bit_changed_it_does_not_open(void **state)
{
	struct keyring *keyring = keyring_of(state);
	struct sealed sealed = seal(keyring, &home, BYTES("seed"));

	for (size_t bit = 0; bit < 8 * sealed.len; bit++) {
		struct sealed forged = sealed;

		forged.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		does_not_open(keyring, &home, 1, (struct bytes){ forged.data, forged.len });
	}
	keyring_free(&keyring);
}

static void
with_a_wrong_or_unknown_key_id_it_does_not_open(void **state)
{
	static const int ids[] = { 0, -1, 2, 3, INT32_MAX, INT32_MIN };
	struct keyring *keyring = keyring_of(state);
	struct sealed sealed = seal(keyring, &home, BYTES("seed"));

	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		does_not_open(keyring, &home, ids[i], (struct bytes){ sealed.data, sealed.len });
	keyring_free(&keyring);
}

static void
after_a_new_key_old_values_open_and_new_ones_use_it(void **state)
{
	struct keyring *keyring = keyring_of(state);
	struct sealed before = seal(keyring, &home, BYTES("before")), after;
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];
	int id = 0;

	keyring_free(&keyring);
	scratch_path(*state, "keyring", path);
	assert_int_equal(keyring_add_seal_key(path, REALM_STORE, &id, error), STATUS_OK);
	assert_int_equal(id, 2);
	keyring = keyring_of(state);
	after = seal(keyring, &home, BYTES("after"));
	assert_int_equal(after.key_id, 2);
	opens_as(keyring, &home, &before, BYTES("before"));
	opens_as(keyring, &home, &after, BYTES("after"));
	does_not_open(keyring, &home, 1, (struct bytes){ after.data, after.len });
	does_not_open(keyring, &home, 2, (struct bytes){ before.data, before.len });
	keyring_free(&keyring);
}

static void
a_staff_host_opens_nothing_of_a_customers(void **state)
{
	struct keyring *all = keyring_of(state), *staff_only = NULL;
	const struct seal_place at_staff = { REALM_STAFF, "factor.seed", ROW, ACCOUNT };
	struct sealed customer = seal(all, &home, BYTES("seed")), staff = seal(all, &at_staff, BYTES("seed"));
	char path[SCRATCH_PATH_BYTES], error[CONFIG_ERROR_BYTES];

	scratch_path(*state, "staff", path);
	assert_int_equal(keyring_extract(all, REALM_STAFF, path, error), STATUS_OK);
	assert_int_equal(keyring_open(path, &staff_only, error), STATUS_OK);
	does_not_open(staff_only, &home, 1, (struct bytes){ customer.data, customer.len });
	opens_as(staff_only, &at_staff, &staff, BYTES("seed"));
	keyring_free(&staff_only);
	keyring_free(&all);
}

static void
without_entropy_nothing_is_sealed(void **state)
{
	struct keyring *keyring = keyring_of(state);
	uint8_t out[64];
	int key_id = 77;

	failing_at(FAILING_ENTROPY, 1, EIO);
	assert_int_equal(seal_close(keyring, &home, BYTES("seed"), out, &key_id), STATUS_INTERNAL);
	assert_int_equal(key_id, 77);
	keyring_free(&keyring);
}

static void
without_memory_nothing_is_opened(void **state)
{
	struct keyring *keyring = keyring_of(state);
	struct sealed sealed = seal(keyring, &home, BYTES("seed"));
	struct secret *value = NULL;

	failing_at(FAILING_MEMORY, 1, ENOMEM);
	assert_int_equal(seal_open(keyring, &home, 1, (struct bytes){ sealed.data, sealed.len }, &value), STATUS_NO_MEMORY);
	assert_null(value);
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
		TEST(what_was_sealed_opens_in_its_place),
		TEST(an_empty_value_is_a_value_too),
		TEST(the_same_value_never_looks_the_same),
		TEST(nothing_of_the_value_shows),
		TEST(moved_to_another_row_account_column_or_realm_it_does_not_open),
		TEST(a_place_that_could_be_read_in_two_ways_is_none),
		TEST(a_place_that_is_too_long_is_refused_not_cut),
		TEST(cut_short_or_made_longer_it_does_not_open),
		TEST(with_any_bit_changed_it_does_not_open),
		TEST(with_a_wrong_or_unknown_key_id_it_does_not_open),
		TEST(after_a_new_key_old_values_open_and_new_ones_use_it),
		TEST(a_staff_host_opens_nothing_of_a_customers),
		TEST(without_entropy_nothing_is_sealed),
		TEST(without_memory_nothing_is_opened),
	};

	return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
