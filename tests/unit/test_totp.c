/* test_totp.c: RFC 6238 and RFC 4226, and what liboath would let pass. */
#include "tests/support/unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <liboath/oath.h>

#include "core/credential/totp.h"

#define SEED "12345678901234567890"

static const struct bytes seed = { (const uint8_t *)SEED, 20 };

/* liboath in our hands: the Nth call from now on fails. */
static unsigned failing_call;

int __real_oath_hotp_generate(const char *secret, size_t len, uint64_t factor, unsigned digits, bool checksum,
    size_t offset, char *out);
int __wrap_oath_hotp_generate(const char *secret, size_t len, uint64_t factor, unsigned digits, bool checksum,
    size_t offset, char *out);

int
__wrap_oath_hotp_generate(const char *secret, size_t len, uint64_t factor, unsigned digits, bool checksum,
    size_t offset, char *out)
{
	if (failing_call > 0 && --failing_call == 0)
		return OATH_CRYPTO_ERROR;
	return __real_oath_hotp_generate(secret, len, factor, digits, checksum, offset, out);
}

/* --- codes ---------------------------------------------------------------------------------------------------------- */

static void
expect_code(int64_t step, const char *wanted)
{
	char code[TOTP_DIGITS + 1];

	assert_int_equal(totp_code(seed, step, code), STATUS_OK);
	assert_string_equal(code, wanted);
}

/* RFC 6238 appendix B, the last six of eight digits; the last row lies beyond 2038. */
static void
codes_are_rfc_6238s_r043(void **state)
{
	static const struct { int64_t time_s, step; const char *code; } rows[] = { { 59, 0x1, "287082" },
		{ 1111111109, 0x23523EC, "081804" }, { 1111111111, 0x23523ED, "050471" }, { 1234567890, 0x273EF07, "005924" },
		{ 2000000000, 0x3F940AA, "279037" }, { INT64_C(20000000000), 0x27BC86AA, "353130" } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(totp_step_at(rows[i].time_s), rows[i].step);
		expect_code(rows[i].step, rows[i].code);
	}
}

/* RFC 4226 appendix D. */
static void
codes_are_rfc_4226s(void **state)
{
	static const char *const codes[] = { "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
		"399871", "520489" };

	(void)state;
	for (int i = 0; i < 10; i++)
		expect_code(i, codes[i]);
}

static void
leading_zeros_are_kept(void **state)
{
	(void)state;
	expect_code(36, "003784");
	expect_code(44, "000152");
	expect_code(62, "005080");
	expect_code(257, "005112");
	expect_code(366, "000866");
	expect_code(472, "008956");
}

/* What we issue is SHA-1 and six digits; that the library below agrees with the whole of appendix B is said here. */
static void
the_library_agrees_with_all_of_rfc_6238(void **state)
{
	static const char digits[] = "1234567890123456789012345678901234567890123456789012345678901234";
	static const struct { time_t time_s; const char *sha1, *sha256, *sha512; } rows[] = {
		{ 59, "94287082", "46119246", "90693936" }, { 1111111109, "07081804", "68084774", "25091201" },
		{ 1111111111, "14050471", "67062674", "99943326" }, { 1234567890, "89005924", "91819424", "93441116" },
		{ 2000000000, "69279037", "90698825", "38618901" }, { 20000000000, "65353130", "77737706", "47863826" } };
	static const struct { size_t seed_len; int flags; } kinds[] = { { 20, 0 }, { 32, OATH_TOTP_HMAC_SHA256 },
		{ 64, OATH_TOTP_HMAC_SHA512 } };
	char code[9];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *const wanted[] = { rows[i].sha1, rows[i].sha256, rows[i].sha512 };

		for (size_t k = 0; k < 3; k++) {
			assert_int_equal(oath_totp_generate2(digits, kinds[k].seed_len, rows[i].time_s, 30, 0, 8, kinds[k].flags,
			    code), OATH_OK);
			assert_string_equal(code, wanted[k]);
		}
	}
}

/* The extra vectors of a ten-byte seed hold in the library, and we refuse the seed for its length. */
static void
a_seed_under_sixteen_bytes_makes_no_codes_r026(void **state)
{
	static const char short_seed[] = "Hello!\xde\xad\xbe\xef";
	static const char *const codes[] = { "282760", "996554", "602287" };
	char code[TOTP_DIGITS + 1] = "";
	int64_t step = 7;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(oath_hotp_generate(short_seed, 10, i, 6, false, OATH_HOTP_DYNAMIC_TRUNCATION, code), OATH_OK);
		assert_string_equal(code, codes[i]);
	}
	for (size_t len = 0; len < TOTP_SEED_MIN; len++) {
		struct bytes weak = { seed.data, len };

		assert_int_equal(totp_code(weak, 1, code), STATUS_INVALID);
		assert_int_equal(totp_match(weak, 59, TOTP_NO_STEP, "287082", &step), STATUS_INVALID);
	}
	assert_int_equal(step, 7);
	assert_int_equal(totp_code((struct bytes){ seed.data, TOTP_SEED_MIN }, 1, code), STATUS_OK);
	assert_int_equal(totp_match((struct bytes){ seed.data, TOTP_SEED_MIN }, 59, TOTP_NO_STEP, code, &step), STATUS_OK);
	assert_int_equal(step, 1);
}

/* With an empty seed liboath makes codes that everybody can make: the reason for the rule above. */
static void
the_library_takes_an_empty_seed_and_we_do_not_r026(void **state)
{
	char code[TOTP_DIGITS + 1] = "";
	int64_t step;

	(void)state;
	assert_int_equal(oath_totp_generate("", 0, 59, 30, 0, 6, code), OATH_OK);
	assert_string_equal(code, "812658");
	assert_int_equal(totp_match(bytes_of(NULL), 59, TOTP_NO_STEP, code, &step), STATUS_INVALID);
}

static void
there_is_no_code_before_1970(void **state)
{
	char code[TOTP_DIGITS + 1] = "";

	(void)state;
	assert_int_equal(totp_code(seed, -1, code), STATUS_INVALID);
	assert_int_equal(totp_code(seed, INT64_MIN, code), STATUS_INVALID);
	assert_int_equal(totp_code(seed, INT64_MAX, code), STATUS_OK);
}

/* --- steps ------------------------------------------------------------------------------------------------------------ */

static void
a_step_is_thirty_seconds_r029(void **state)
{
	(void)state;
	assert_int_equal(totp_step_at(0), 0);
	assert_int_equal(totp_step_at(29), 0);
	assert_int_equal(totp_step_at(30), 1);
	assert_int_equal(totp_step_at(-1), -1);
	assert_int_equal(totp_step_at(-30), -1);
	assert_int_equal(totp_step_at(-31), -2);
	assert_int_equal(totp_step_at(INT64_MAX), INT64_MAX / 30);
	assert_int_equal(totp_step_at(INT64_MIN), INT64_MIN / 30 - 1);
}

/* --- matching ------------------------------------------------------------------------------------------------------------ */

static int64_t
matched(int64_t now_s, int64_t last_step, const char *code)
{
	int64_t step = 77;

	assert_int_equal(totp_match(seed, now_s, last_step, code, &step), STATUS_OK);
	return step;
}

static void
a_code_of_now_or_of_half_a_minute_ago_is_good(void **state)
{
	(void)state;
	assert_int_equal(matched(59, TOTP_NO_STEP, "287082"), 1);
	assert_int_equal(matched(60, TOTP_NO_STEP, "287082"), 1);
	assert_int_equal(matched(89, TOTP_NO_STEP, "287082"), 1);
	assert_int_equal(matched(59, TOTP_NO_STEP, "755224"), 0);
	assert_int_equal(matched(INT64_C(20000000000), TOTP_NO_STEP, "353130"), 0x27BC86AA);
}

static void
a_code_of_the_future_or_of_two_steps_ago_is_not_r030(void **state)
{
	(void)state;
	assert_int_equal(matched(29, TOTP_NO_STEP, "287082"), TOTP_NO_STEP);
	assert_int_equal(matched(90, TOTP_NO_STEP, "287082"), TOTP_NO_STEP);
	assert_int_equal(matched(59, TOTP_NO_STEP, "359152"), TOTP_NO_STEP);
	assert_int_equal(matched(59, TOTP_NO_STEP, "000000"), TOTP_NO_STEP);
}

static void
what_32_bits_of_time_would_make_of_2603_is_not_r037(void **state)
{
	(void)state;
	assert_int_equal(matched(INT64_C(20000000000), TOTP_NO_STEP, "762030"), TOTP_NO_STEP);
}

static void
a_step_that_was_used_never_matches_again(void **state)
{
	(void)state;
	assert_int_equal(matched(59, 0, "287082"), 1);
	assert_int_equal(matched(59, 1, "287082"), TOTP_NO_STEP);
	assert_int_equal(matched(59, 2, "287082"), TOTP_NO_STEP);
	assert_int_equal(matched(59, 0, "755224"), TOTP_NO_STEP);
	assert_int_equal(matched(59, INT64_MAX, "287082"), TOTP_NO_STEP);
}

/* Two steps in a row with one code, as a million values will have it: taking the later uses up both. */
static void
of_two_steps_with_one_code_the_later_counts(void **state)
{
	static const char code[] = "911617";
	const int64_t first = 910737;

	(void)state;
	expect_code(first, code);
	expect_code(first + 1, code);
	assert_int_equal(matched((first + 1) * 30, TOTP_NO_STEP, code), first + 1);
	assert_int_equal(matched((first + 1) * 30, first, code), first + 1);
	assert_int_equal(matched((first + 1) * 30, first + 1, code), TOTP_NO_STEP);
}

static void
time_before_1970_matches_nothing_and_fails_nowhere(void **state)
{
	(void)state;
	assert_int_equal(matched(-1, TOTP_NO_STEP, "755224"), TOTP_NO_STEP);
	assert_int_equal(matched(0, TOTP_NO_STEP, "755224"), 0);
	assert_int_equal(matched(INT64_MIN, TOTP_NO_STEP, "755224"), TOTP_NO_STEP);
	assert_int_equal(matched(INT64_MAX, TOTP_NO_STEP, "755224"), TOTP_NO_STEP);
}

static void
an_hmac_that_fails_is_an_outage_never_a_refusal(void **state)
{
	char code[TOTP_DIGITS + 1];
	int64_t step = 77;

	(void)state;
	failing_call = 1;
	assert_int_equal(totp_code(seed, 1, code), STATUS_INTERNAL);
	for (unsigned n = 1; n <= 2; n++) {
		failing_call = n;
		assert_int_equal(totp_match(seed, 59, TOTP_NO_STEP, "755224", &step), STATUS_INTERNAL);
		assert_int_equal(failing_call, 0);
	}
	assert_int_equal(step, 77);
}

/* liboath takes as many digits as it is given, and sees eight of them match; we ask for six. */
static void
only_six_ascii_digits_are_a_code_r035(void **state)
{
	static const char *const bad[] = { "", "28708", "4287082", "94287082", "287082 ", " 287082", "28708a", "28 082",
		"287 082", "+87082", "-87082", "0x7082", "287082\n", "\uff12\uff18\uff17\uff10\uff18\uff12", "\u0662\u0668\u0667" };
	int64_t step = 77;

	(void)state;
	assert_true(totp_is_code("287082"));
	assert_true(totp_is_code("000000"));
	assert_false(totp_is_code(NULL));
	assert_int_equal(totp_match(seed, 59, TOTP_NO_STEP, NULL, &step), STATUS_INVALID);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(totp_is_code(bad[i]));
		assert_int_equal(totp_match(seed, 59, TOTP_NO_STEP, bad[i], &step), STATUS_INVALID);
	}
	assert_int_equal(step, 77);
}

/* --- two codes ------------------------------------------------------------------------------------------------------ */

/* The step that a pair of the codes of FIRST and SECOND matches at the step NOW. */
static int64_t
pair_at(int64_t now, int64_t first, int64_t second)
{
	char codes[2][TOTP_DIGITS + 1];
	int64_t step = 99;

	assert_int_equal(totp_code(seed, first, codes[0]), STATUS_OK);
	assert_int_equal(totp_code(seed, second, codes[1]), STATUS_OK);
	assert_int_equal(totp_match_pair(seed, now * TOTP_PERIOD_S, codes[0], codes[1], &step), STATUS_OK);
	return step;
}

static void
two_codes_count_as_a_pair_of_adjacent_steps_in_their_order(void **state)
{
	(void)state;
	assert_int_equal(pair_at(1000, 999, 1000), 1000);
	assert_int_equal(pair_at(1000, 998, 999), 999);
	assert_int_equal(pair_at(1, 0, 1), 1);
	for (int64_t first = 996; first <= 1003; first++) {
		for (int64_t second = 996; second <= 1003; second++) {
			bool good = second == first + 1 && second >= 999 && second <= 1000;

			assert_int_equal(pair_at(1000, first, second), good ? second : TOTP_NO_STEP);
		}
	}
	assert_int_equal(pair_at(0, 0, 0), TOTP_NO_STEP);
}

static void
a_pair_fails_as_one_code_does(void **state)
{
	int64_t step = 99;

	(void)state;
	assert_int_equal(totp_match_pair(seed, 3600, "12345", "123456", &step), STATUS_INVALID);
	assert_int_equal(totp_match_pair(seed, 3600, "123456", "12345x", &step), STATUS_INVALID);
	for (failing_call = 1; failing_call <= 4; failing_call++) {
		unsigned nth = failing_call;

		assert_int_equal(totp_match_pair(seed, 3600, "123456", "123456", &step), STATUS_INTERNAL);
		failing_call = nth;
	}
	failing_call = 0;
	assert_int_equal(step, 99);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_rfc_6238s_r043),
		cmocka_unit_test(codes_are_rfc_4226s),
		cmocka_unit_test(leading_zeros_are_kept),
		cmocka_unit_test(the_library_agrees_with_all_of_rfc_6238),
		cmocka_unit_test(a_seed_under_sixteen_bytes_makes_no_codes_r026),
		cmocka_unit_test(the_library_takes_an_empty_seed_and_we_do_not_r026),
		cmocka_unit_test(there_is_no_code_before_1970),
		cmocka_unit_test(a_step_is_thirty_seconds_r029),
		cmocka_unit_test(a_code_of_now_or_of_half_a_minute_ago_is_good),
		cmocka_unit_test(a_code_of_the_future_or_of_two_steps_ago_is_not_r030),
		cmocka_unit_test(what_32_bits_of_time_would_make_of_2603_is_not_r037),
		cmocka_unit_test(a_step_that_was_used_never_matches_again),
		cmocka_unit_test(of_two_steps_with_one_code_the_later_counts),
		cmocka_unit_test(time_before_1970_matches_nothing_and_fails_nowhere),
		cmocka_unit_test(an_hmac_that_fails_is_an_outage_never_a_refusal),
		cmocka_unit_test(only_six_ascii_digits_are_a_code_r035),
		cmocka_unit_test(two_codes_count_as_a_pair_of_adjacent_steps_in_their_order),
		cmocka_unit_test(a_pair_fails_as_one_code_does),
	};

	return cmocka_run_group_tests_name("totp", tests, NULL, NULL);
}
