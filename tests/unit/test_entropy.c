/* test_entropy.c: random bytes come from the kernel or not at all. */
#include "tests/support/unit.h"

#include <errno.h>
#include <string.h>

#include "core/base/encoding.h"
#include "core/base/entropy.h"
#include "tests/support/failing.h"

enum { LENGTH = 257 };

/* A byte that stays zero in forty fills was not filled: 2^-320. */
static void
expect_all_filled(void)
{
	uint8_t seen[LENGTH] = { 0 }, bytes[LENGTH + 1];

	for (int i = 0; i < 40; i++) {
		memset(bytes, 0, sizeof bytes);
		bytes[LENGTH] = 0x5a;
		assert_int_equal(entropy_fill(bytes, LENGTH), STATUS_OK);
		for (size_t k = 0; k < LENGTH; k++)
			seen[k] |= bytes[k];
		assert_int_equal(bytes[LENGTH], 0x5a);
	}
	assert_null(memchr(seen, 0, LENGTH));
}

static void
every_byte_is_filled_and_none_beyond(void **state)
{
	(void)state;
	expect_all_filled();
}

static void
a_kernel_that_gives_a_byte_at_a_time_is_asked_on(void **state)
{
	(void)state;
	failing_one_byte_a_call(true);
	expect_all_filled();
}

static void
a_signal_in_between_is_no_failure(void **state)
{
	uint8_t bytes[16];

	(void)state;
	failing_at(FAILING_ENTROPY, 1, EINTR);
	assert_int_equal(entropy_fill(bytes, sizeof bytes), STATUS_OK);
	assert_int_equal(failing_calls(FAILING_ENTROPY), 2);
}

static void
without_entropy_there_is_no_fallback_r027(void **state)
{
	uint8_t bytes[16];
	char uuid[UUID_TEXT_BYTES] = "untouched";

	(void)state;
	failing_at(FAILING_ENTROPY, 1, EIO);
	assert_int_equal(entropy_fill(bytes, sizeof bytes), STATUS_INTERNAL);
	failing_at(FAILING_ENTROPY, 1, ENOSYS);
	assert_int_equal(entropy_uuid(uuid), STATUS_INTERNAL);
	assert_string_equal(uuid, "untouched");
}

static void
nothing_wanted_is_nothing_asked(void **state)
{
	(void)state;
	failing_at(FAILING_ENTROPY, 1, EIO);
	assert_int_equal(entropy_fill(NULL, 0), STATUS_OK);
	assert_int_equal(failing_calls(FAILING_ENTROPY), 0);
}

static void
a_uuid_is_random_and_of_version_4_r079(void **state)
{
	char first[UUID_TEXT_BYTES], second[UUID_TEXT_BYTES];

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(entropy_uuid(first), STATUS_OK);
		assert_int_equal(entropy_uuid(second), STATUS_OK);
		assert_true(encoding_is_uuid(first));
		assert_int_equal(first[14], '4');
		assert_non_null(memchr("89ab", first[19], 4));
		assert_string_not_equal(first, second);
	}
}

/* Each of the 30 free digits takes every value, and none is a copy of another: of right ones one in 10^14 does not. */
static void
no_digit_of_a_uuid_is_fixed_or_doubled(void **state)
{
	enum { DRAWS = 600, DIGITS = UUID_TEXT_BYTES - 1 };
	static char drawn[DRAWS][UUID_TEXT_BYTES];
	static const char digits[] = "0123456789abcdef-";

	(void)state;
	for (size_t i = 0; i < DRAWS; i++)
		assert_int_equal(entropy_uuid(drawn[i]), STATUS_OK);
	for (size_t a = 0; a < DIGITS; a++) {
		unsigned values = 0;

		for (size_t i = 0; i < DRAWS; i++)
			values |= 1u << (strchr(digits, drawn[i][a]) - digits);
		if (drawn[0][a] == '-' || a == 14)
			continue;
		assert_int_equal(values, a == 19 ? 0x0f00 : 0xffff);
		for (size_t b = 0; b < a; b++) {
			unsigned same = 0;

			for (size_t i = 0; i < DRAWS; i++)
				same += drawn[i][a] == drawn[i][b];
			assert_in_range(same, 0, DRAWS / 2);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_byte_is_filled_and_none_beyond, failing_stop),
		cmocka_unit_test_teardown(a_kernel_that_gives_a_byte_at_a_time_is_asked_on, failing_stop),
		cmocka_unit_test_teardown(a_signal_in_between_is_no_failure, failing_stop),
		cmocka_unit_test_teardown(without_entropy_there_is_no_fallback_r027, failing_stop),
		cmocka_unit_test_teardown(nothing_wanted_is_nothing_asked, failing_stop),
		cmocka_unit_test_teardown(a_uuid_is_random_and_of_version_4_r079, failing_stop),
		cmocka_unit_test(no_digit_of_a_uuid_is_fixed_or_doubled),
	};

	return cmocka_run_group_tests_name("entropy", tests, NULL, NULL);
}
