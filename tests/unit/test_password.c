/* test_password.c: Argon2id hashes as PHC strings, and what is never even tried. */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <argon2.h>

#include "core/base/encoding.h"
#include "core/credential/password.h"
#include "tests/support/failing.h"

static const struct password_cost tiny = { .memory_kib = 8, .passes = 1 };

#define SALT "c29tZXNhbHQ"                                      /* somesalt */
#define TAG "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"       /* of "password" at m=256, t=2, p=1 */
#define GOOD "$argon2id$v=19$m=256,t=2,p=1$" SALT "$" TAG

static bool
belongs(const char *phc, struct bytes password)
{
	bool match = false;

	assert_int_equal(password_verify(phc, password, &match), STATUS_OK);
	return match;
}

static void
refused(const char *phc)
{
	bool match = true;

	if (password_verify(phc, BYTES("password"), &match) != STATUS_INTERNAL)
		fail_msg("\"%s\" was taken", phc);
	assert_true(match);     /* written on STATUS_OK only */
	assert_true(password_needs_rehash(phc, &tiny));
}

/* --- known answers ---------------------------------------------------------------------------------------------------- */

/* RFC 9106 section 5: what the library that everything else is measured against says. */
static void
the_library_agrees_with_rfc_9106(void **state)
{
	static const struct { int (*run)(argon2_context *); const char *tag; } rows[] = {
		{ argon2d_ctx, "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb" },
		{ argon2i_ctx, "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8" },
		{ argon2id_ctx, "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659" } };
	uint8_t password[32], salt[16], secret[8], data[12], tag[32];
	char hex[ENCODING_HEX_BYTES(32)];

	(void)state;
	memset(password, 1, sizeof password);
	memset(salt, 2, sizeof salt);
	memset(secret, 3, sizeof secret);
	memset(data, 4, sizeof data);
	for (size_t i = 0; i < 3; i++) {
		argon2_context context = { .out = tag, .outlen = sizeof tag, .pwd = password, .pwdlen = sizeof password,
			.salt = salt, .saltlen = sizeof salt, .secret = secret, .secretlen = sizeof secret, .ad = data,
			.adlen = sizeof data, .t_cost = 3, .m_cost = 32, .lanes = 4, .threads = 4,
			.version = ARGON2_VERSION_13 };

		assert_int_equal(rows[i].run(&context), ARGON2_OK);
		encoding_hex((struct bytes){ tag, sizeof tag }, hex);
		assert_string_equal(hex, rows[i].tag);
	}
}

/* The reference implementation's own strings, and OWASP's floor. */
static void
strings_of_the_reference_verify(void **state)
{
	static const struct { const char *password, *phc; } rows[] = {
		{ "password", "$argon2id$v=19$m=65536,t=2,p=1$" SALT "$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc" },
		{ "password", "$argon2id$v=19$m=262144,t=2,p=1$" SALT "$eP4eyR+zqlZX1y5xCFTkw9m5GYx0L5YWwvCFvtlbLow" },
		{ "password", GOOD },
		{ "password", "$argon2id$v=19$m=256,t=2,p=2$" SALT "$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc" },
		{ "password", "$argon2id$v=19$m=65536,t=1,p=1$" SALT "$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg" },
		{ "differentpassword", "$argon2id$v=19$m=65536,t=2,p=1$" SALT "$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94" },
		{ "password", "$argon2id$v=19$m=65536,t=2,p=1$ZGlmZnNhbHQ$vfMrBczELrFdWP0ZsfhWsRPaHppYdP3MVEMIVlqoFBw" },
		{ "password", "$argon2id$v=19$m=19456,t=2,p=1$" SALT "$PL01amPyeUuxG7H0vIr5X+qHkZvWnHmGBGXFYvh8z2E" } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_true(belongs(rows[i].phc, bytes_of(rows[i].password)));
}

/* --- the whole password, and nothing but it ------------------------------------------------------------------------------ */

static void
a_hash_belongs_to_its_password_alone(void **state)
{
	char phc[PASSWORD_PHC_MAX], long_password[1025];

	(void)state;
	memset(long_password, 'x', sizeof long_password);
	assert_int_equal(password_hash(&tiny, (struct bytes){ (const uint8_t *)long_password, 1024 }, phc), STATUS_OK);
	assert_true(belongs(phc, (struct bytes){ (const uint8_t *)long_password, 1024 }));
	assert_false(belongs(phc, (struct bytes){ (const uint8_t *)long_password, 1023 }));
	assert_false(belongs(phc, (struct bytes){ (const uint8_t *)long_password, 1025 }));
	assert_false(belongs(phc, (struct bytes){ (const uint8_t *)long_password, 72 }));
	long_password[1023] = 'y';
	assert_false(belongs(phc, (struct bytes){ (const uint8_t *)long_password, 1024 }));
}

static void
nothing_is_folded_trimmed_or_ended_by_nul_r005(void **state)
{
	(void)state;
	assert_true(belongs(GOOD, BYTES("password")));
	assert_false(belongs(GOOD, BYTES("Password")));
	assert_false(belongs(GOOD, BYTES("password ")));
	assert_false(belongs(GOOD, BYTES("password\0x")));
	assert_false(belongs(GOOD, BYTES("password\0")));
	assert_false(belongs(GOOD, BYTES("passwor")));
}

static void
an_empty_password_is_never_hashed_and_never_right(void **state)
{
	char phc[PASSWORD_PHC_MAX] = "untouched";
	/* of the empty password, which the library hashes without a word */
	static const char of_empty[] = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$";
	uint8_t tag[32];
	char whole[PASSWORD_PHC_MAX];

	(void)state;
	assert_int_equal(password_hash(&tiny, bytes_of(NULL), phc), STATUS_INVALID);
	assert_string_equal(phc, "untouched");
	assert_false(belongs(GOOD, bytes_of(NULL)));
	assert_int_equal(argon2id_hash_encoded(1, 8, 1, "", 0, "somesalt", 8, sizeof tag, whole, sizeof whole), ARGON2_OK);
	assert_int_equal(strncmp(whole, of_empty, sizeof of_empty - 1), 0);
	assert_false(belongs(whole, bytes_of("")));
}

/* --- what password_hash() writes ---------------------------------------------------------------------------------------------- */

static void
a_hash_says_what_it_cost_and_has_a_salt_of_16_and_a_tag_of_32_bytes(void **state)
{
	const struct password_cost cost = { .memory_kib = 24, .passes = 3 };
	char phc[PASSWORD_PHC_MAX];
	static const char head[] = "$argon2id$v=19$m=24,t=3,p=1$";

	(void)state;
	assert_int_equal(password_hash(&cost, BYTES("password"), phc), STATUS_OK);
	assert_int_equal(strncmp(phc, head, sizeof head - 1), 0);
	assert_int_equal(strlen(phc), sizeof head - 1 + 22 + 1 + 43);
	assert_int_equal(phc[sizeof head - 1 + 22], '$');
	assert_int_equal(argon2id_verify(phc, "password", 8), ARGON2_OK);
	assert_false(password_needs_rehash(phc, &cost));
}

enum { SALTS = 1000, SALT_CHARACTERS = 22 };

static int
compare_salts(const void *a, const void *b)
{
	return memcmp(a, b, SALT_CHARACTERS);
}

static void
no_two_hashes_share_a_salt_r019(void **state)
{
	static char salts[SALTS][SALT_CHARACTERS];
	char phc[PASSWORD_PHC_MAX];

	(void)state;
	for (size_t i = 0; i < SALTS; i++) {
		assert_int_equal(password_hash(&tiny, BYTES("password"), phc), STATUS_OK);
		memcpy(salts[i], strchr(phc, 'p') + sizeof "p=1$" - 1, SALT_CHARACTERS);
	}
	qsort(salts, SALTS, SALT_CHARACTERS, compare_salts);
	for (size_t i = 1; i < SALTS; i++)
		assert_memory_not_equal(salts[i - 1], salts[i], SALT_CHARACTERS);
}

static void
without_entropy_there_is_no_hash(void **state)
{
	char phc[PASSWORD_PHC_MAX] = "untouched";

	(void)state;
	failing_at(FAILING_ENTROPY, 1, EIO);
	assert_int_equal(password_hash(&tiny, BYTES("password"), phc), STATUS_INTERNAL);
	assert_string_equal(phc, "untouched");
}

/* --- bounds before work ----------------------------------------------------------------------------------------------------------- */

static void
a_string_of_another_kind_is_an_outage(void **state)
{
	static const char *const bad[] = { "", "$", "x", "$argon2i$v=19$m=256,t=2,p=1$" SALT "$" TAG,
		"$argon2d$v=19$m=256,t=2,p=1$" SALT "$" TAG, "$argon2id$v=16$m=256,t=2,p=1$" SALT "$" TAG,
		"$argon2id$m=256,t=2,p=1$" SALT "$" TAG, "$argon2id$v=19$t=2,m=256,p=1$" SALT "$" TAG,
		"$argon2id$v=19$m=256,t=2$" SALT "$" TAG, "$argon2id$v=19$m=256,t=2,p=1$" SALT,
		"$argon2id$v=19$m=256,t=2,p=1$" SALT "$", "$argon2id$v=19$m=256,t=2,p=1$$" TAG, " " GOOD, GOOD " ", GOOD "\n",
		GOOD "$", "argon2id$v=19$m=256,t=2,p=1$" SALT "$" TAG, "$ARGON2ID$v=19$m=256,t=2,p=1$" SALT "$" TAG,
		"$2b$12$abcdefghijklmnopqrstuuxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		refused(bad[i]);
}

static void
numbers_have_one_spelling(void **state)
{
	static const char *const bad[] = { "m=0256,t=2,p=1", "m=+256,t=2,p=1", "m= 256,t=2,p=1", "m=-256,t=2,p=1",
		"m=0x100,t=2,p=1", "m=256,t=02,p=1", "m=256,t=2,p=01", "m=,t=2,p=1", "m=256,t=,p=1", "m=256,t=2,p=",
		"m=256,t=2,p=1,keyid=1", "m=256 ,t=2,p=1" };
	char phc[256];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		(void)snprintf(phc, sizeof phc, "$argon2id$v=19$%s$%s$%s", bad[i], SALT, TAG);
		refused(phc);
	}
}

static void
base64_has_one_spelling(void **state)
{
	static const char *const bad[] = { "c29tZXNhbHQ=", "c29tZXNhbHR", "c29tZXNhb-Q", "c29tZXNhb_Q", "c29tZXNh HQ",
		("c29tZXNhb\xff" "Q"), "c29tZXNhbHQAA" };
	char phc[256];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		(void)snprintf(phc, sizeof phc, "$argon2id$v=19$m=8,t=1,p=1$%s$%s", bad[i], TAG);
		refused(phc);
	}
	(void)snprintf(phc, sizeof phc, "$argon2id$v=19$m=8,t=1,p=1$%s$%s=", SALT, TAG);
	refused(phc);
}

/* Not a byte of memory and not a pass for a hostile row: the parser alone sees these. */
static void
memory_passes_and_lanes_are_capped_r023(void **state)
{
	static const struct password_cost least = { .memory_kib = 1, .passes = 1 };
	char phc[256];

	(void)state;
	refused("$argon2id$v=19$m=1048577,t=1,p=1$" SALT "$" TAG);
	refused("$argon2id$v=19$m=4294967295,t=1,p=1$" SALT "$" TAG);
	refused("$argon2id$v=19$m=4294967296,t=1,p=1$" SALT "$" TAG);
	refused("$argon2id$v=19$m=18446744073709551624,t=1,p=1$" SALT "$" TAG);
	refused("$argon2id$v=19$m=256,t=17,p=1$" SALT "$" TAG);
	refused("$argon2id$v=19$m=256,t=0,p=1$" SALT "$" TAG);
	refused("$argon2id$v=19$m=256,t=4294967297,p=1$" SALT "$" TAG);
	refused("$argon2id$v=19$m=256,t=1,p=9$" SALT "$" TAG);
	refused("$argon2id$v=19$m=256,t=1,p=0$" SALT "$" TAG);
	refused("$argon2id$v=19$m=7,t=1,p=1$" SALT "$" TAG);
	refused("$argon2id$v=19$m=63,t=1,p=8$" SALT "$" TAG);
	/* and the last that are allowed; the strongest are only parsed */
	(void)snprintf(phc, sizeof phc, "$argon2id$v=19$m=1048576,t=16,p=1$%s$%s", "c29tZXNhbHRzb21lc2FsdA", TAG);
	assert_false(password_needs_rehash(phc, &least));
	assert_false(belongs("$argon2id$v=19$m=8,t=16,p=1$" SALT "$" TAG, BYTES("password")));
	assert_false(belongs("$argon2id$v=19$m=64,t=1,p=8$" SALT "$" TAG, BYTES("password")));
}


static void
lengths_of_salt_and_tag_are_bounded(void **state)
{
	static const struct { size_t salt, tag; bool taken; } rows[] = { { 8, 16, true }, { 7, 16, false }, { 8, 15, false },
		{ 48, 64, true }, { 49, 64, false }, { 48, 65, false } };
	uint8_t raw[66];
	char salt[100], tag[100], phc[300];

	(void)state;
	memset(raw, 'A', sizeof raw);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		encoding_base64url((struct bytes){ raw, rows[i].salt }, salt);          /* of 'A' alone: the same in both alphabets */
		encoding_base64url((struct bytes){ raw, rows[i].tag }, tag);
		(void)snprintf(phc, sizeof phc, "$argon2id$v=19$m=8,t=1,p=1$%s$%s", salt, tag);
		if (rows[i].taken)
			assert_false(belongs(phc, BYTES("password")));
		else
			refused(phc);
	}
}

/* --- strength ------------------------------------------------------------------------------------------------------------------------ */

static void
the_least_cost_is_owasps_table_r018(void **state)
{
	static const struct { struct password_cost cost; bool good; } rows[] = { { { 47104, 1 }, true }, { { 47103, 1 }, false },
		{ { 19456, 2 }, true }, { { 19455, 2 }, false }, { { 12288, 3 }, true }, { { 12287, 3 }, false },
		{ { 12288, 4 }, true }, { { 12287, 16 }, false }, { { 1048576, 0 }, false }, { { 65536, 3 }, true },
		{ { 47104, 2 }, true }, { { 0, 0 }, false } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(password_cost_is_acceptable(&rows[i].cost), rows[i].good);
}

static void
a_hash_weaker_than_the_policy_or_of_another_form_is_made_anew_r020(void **state)
{
	static const struct password_cost policy = { .memory_kib = 256, .passes = 2 };
	static const char salt16[] = "c29tZXNhbHRzb21lc2FsdA";
	static const struct { const char *cost; bool weak; } rows[] = { { "m=256,t=2,p=1", false }, { "m=255,t=2,p=1", true },
		{ "m=256,t=1,p=1", true }, { "m=257,t=3,p=1", false }, { "m=512,t=1,p=1", true }, { "m=256,t=2,p=2", true } };
	char phc[256];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		(void)snprintf(phc, sizeof phc, "$argon2id$v=19$%s$%s$%s", rows[i].cost, salt16, TAG);
		assert_int_equal(password_needs_rehash(phc, &policy), rows[i].weak);
	}
	assert_true(password_needs_rehash(GOOD, &policy));      /* a salt of 8 bytes */
	(void)snprintf(phc, sizeof phc, "$argon2id$v=19$m=256,t=2,p=1$%s$%s", salt16, "QUFBQUFBQUFBQUFBQUFBQQ");
	assert_true(password_needs_rehash(phc, &policy));       /* a tag of 16 */
	assert_true(password_needs_rehash("", &policy));
}

/* --- decoys ---------------------------------------------------------------------------------------------------------------------------- */

static void
a_decoy_looks_like_a_hash_costs_the_same_and_fits_nothing(void **state)
{
	const struct password_cost cost = { .memory_kib = 24, .passes = 3 };
	char decoy[PASSWORD_PHC_MAX], real[PASSWORD_PHC_MAX], other[PASSWORD_PHC_MAX];

	(void)state;
	assert_int_equal(password_decoy(&cost, decoy), STATUS_OK);
	assert_int_equal(password_decoy(&cost, other), STATUS_OK);
	assert_int_equal(password_hash(&cost, BYTES("password"), real), STATUS_OK);
	assert_int_equal(strlen(decoy), strlen(real));
	assert_memory_equal(decoy, real, sizeof "$argon2id$v=19$m=24,t=3,p=1$" - 1);
	assert_string_not_equal(decoy, other);
	assert_false(belongs(decoy, BYTES("password")));
	assert_false(belongs(decoy, bytes_of("")));
	assert_false(password_needs_rehash(decoy, &cost));
}

static void
without_entropy_there_is_no_decoy(void **state)
{
	char decoy[PASSWORD_PHC_MAX] = "untouched";

	(void)state;
	for (unsigned n = 1; n <= 2; n++) {
		failing_at(FAILING_ENTROPY, n, EIO);
		assert_int_equal(password_decoy(&tiny, decoy), STATUS_INTERNAL);
		assert_string_equal(decoy, "untouched");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_library_agrees_with_rfc_9106),
		cmocka_unit_test(strings_of_the_reference_verify),
		cmocka_unit_test(a_hash_belongs_to_its_password_alone),
		cmocka_unit_test(nothing_is_folded_trimmed_or_ended_by_nul_r005),
		cmocka_unit_test(an_empty_password_is_never_hashed_and_never_right),
		cmocka_unit_test(a_hash_says_what_it_cost_and_has_a_salt_of_16_and_a_tag_of_32_bytes),
		cmocka_unit_test(no_two_hashes_share_a_salt_r019),
		cmocka_unit_test_teardown(without_entropy_there_is_no_hash, failing_stop),
		cmocka_unit_test(a_string_of_another_kind_is_an_outage),
		cmocka_unit_test(numbers_have_one_spelling),
		cmocka_unit_test(base64_has_one_spelling),
		cmocka_unit_test(memory_passes_and_lanes_are_capped_r023),
		cmocka_unit_test(lengths_of_salt_and_tag_are_bounded),
		cmocka_unit_test(the_least_cost_is_owasps_table_r018),
		cmocka_unit_test(a_hash_weaker_than_the_policy_or_of_another_form_is_made_anew_r020),
		cmocka_unit_test(a_decoy_looks_like_a_hash_costs_the_same_and_fits_nothing),
		cmocka_unit_test_teardown(without_entropy_there_is_no_decoy, failing_stop),
	};

	return cmocka_run_group_tests_name("password", tests, NULL, NULL);
}
