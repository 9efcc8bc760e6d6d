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

/* A step of days and some seconds, so that each month, day, hour, minute and second comes up. */
static void
every_time_is_written_as_the_library_writes_it(void **state)
{
	char wanted[CLOCK_RFC3339_BYTES];
	struct tm utc;

	(void)state;
	for (time_t at = 0; at < 253402300800; at += 5 * 86400 + 3661) {
		assert_non_null(gmtime_r(&at, &utc));
		assert_int_not_equal(strftime(wanted, sizeof wanted, "%Y-%m-%dT%H:%M:%SZ", &utc), 0);
		expect_text(at, wanted);
	}
}

static void
the_time_zone_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(setenv("TZ", "Pacific/Kiritimati", 1), 0);
	tzset();
	expect_text(59, "1970-01-01T00:00:59Z");
}

static void
a_time_as_text_comes_back(void **state)
{
	static const int64_t times[] = { 0, 1, 951782399, 951782400, 4102444800, 253402300799 };
	char text[CLOCK_RFC3339_BYTES];
	int64_t back;

	(void)state;
	for (unsigned i = 0; i < sizeof times / sizeof times[0]; i++) {
		clock_format_rfc3339(times[i], text);
		back = -1;
		assert_true(clock_parse_rfc3339(text, &back));
		assert_int_equal(back, times[i]);
	}
}

static void
what_is_no_time_in_our_form_is_refused(void **state)
{
	static const char *const texts[] = { "", "today", "2026-08-01", "2026-08-01T09:30:00", "2026-08-01T09:30:00+00:00",
		"2026-08-01 09:30:00Z", "2026-8-1T9:30:00Z", "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-01T24:00:00Z",
		"2026-01-01T00:00:60Z", "1969-12-31T23:59:59Z", "2026-01-01T00:00:00Z ", " 2026-01-01T00:00:00Z",
		"2026-01-01T00:00:00ZZ", "02026-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "2026-01-01T00:00:00z" };
	int64_t out = 7;

	(void)state;
	for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_false(clock_parse_rfc3339(texts[i], &out));
	assert_int_equal(out, 7);
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
		cmocka_unit_test(every_time_is_written_as_the_library_writes_it),
		cmocka_unit_test(the_time_zone_changes_nothing),
		cmocka_unit_test(a_time_as_text_comes_back),
		cmocka_unit_test(what_is_no_time_in_our_form_is_refused),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
