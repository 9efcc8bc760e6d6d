/* test_clock.c: the real clock, and times as text. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <time.h>

#include "core/base/clock.h"

static void
now_is_what_the_system_says(void **state)
{
	time_t before = time(NULL), after;
	int64_t now = clock_now_s();

	(void)state;
	after = time(NULL);
	/* time() may read a coarser clock that lags by a tick */
	assert_true(now >= before && now <= after + 1);
}

static void
the_monotonic_clock_counts_milliseconds_and_never_steps_back(void **state)
{
	struct timespec before, after;
	int64_t first, second;

	(void)state;
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &before), 0);
	first = clock_monotonic_ms();
	second = clock_monotonic_ms();
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &after), 0);
	assert_true(first >= (int64_t)before.tv_sec * 1000 + before.tv_nsec / 1000000);
	assert_true(second >= first);
	assert_true(second <= (int64_t)after.tv_sec * 1000 + after.tv_nsec / 1000000);
}

static void
expect_text(int64_t time_s, const char *wanted)
{
	char text[CLOCK_RFC3339_BYTES];

	clock_format_rfc3339(time_s, text);
	assert_string_equal(text, wanted);
}

static void
times_are_written_as_rfc_3339_in_utc(void **state)
{
	(void)state;
	expect_text(0, "1970-01-01T00:00:00Z");
	expect_text(59, "1970-01-01T00:00:59Z");
	expect_text(951782400, "2000-02-29T00:00:00Z");
	expect_text(1111111109, "2005-03-18T01:58:29Z");
	expect_text(1234567890, "2009-02-13T23:31:30Z");
}

static void
the_year_2038_is_a_year_like_any_other(void **state)
{
	(void)state;
	expect_text(INT64_C(2147483647), "2038-01-19T03:14:07Z");
	expect_text(INT64_C(2147483648), "2038-01-19T03:14:08Z");
	expect_text(INT64_C(20000000000), "2603-10-11T11:33:20Z");
}

static void
times_without_a_four_digit_year_are_clamped(void **state)
{
	(void)state;
	expect_text(-1, "1970-01-01T00:00:00Z");
	expect_text(INT64_MIN, "1970-01-01T00:00:00Z");
	expect_text(INT64_C(253402300799), "9999-12-31T23:59:59Z");
	expect_text(INT64_C(253402300800), "9999-12-31T23:59:59Z");
	expect_text(INT64_MAX, "9999-12-31T23:59:59Z");
}

static void
the_time_zone_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(setenv("TZ", "Pacific/Kiritimati", 1), 0);
	tzset();
	expect_text(59, "1970-01-01T00:00:59Z");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(now_is_what_the_system_says),
		cmocka_unit_test(the_monotonic_clock_counts_milliseconds_and_never_steps_back),
		cmocka_unit_test(times_are_written_as_rfc_3339_in_utc),
		cmocka_unit_test(the_year_2038_is_a_year_like_any_other),
		cmocka_unit_test(times_without_a_four_digit_year_are_clamped),
		cmocka_unit_test(the_time_zone_changes_nothing),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
