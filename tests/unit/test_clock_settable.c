/* test_clock_settable.c: the clock of test programs is what they believe it to be. */
#include "tests/support/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "tests/support/clock_settable.h"
#include "tests/support/scratch.h"

/* The clock once set stays set: these run first. */
static void
unset_it_tells_the_real_time(void **state)
{
	int64_t now = clock_now_s();

	(void)state;
	assert_true(now >= time(NULL) - 1 && now <= time(NULL) + 1);
}

static void
it_adds_what_the_file_says_at_each_call(void **state)
{
	char path[SCRATCH_PATH_BYTES];

	scratch_write(*state, "clock", 0600, bytes_of("86400\n"), path);
	assert_int_equal(setenv("COUNTERFOIL_TEST_CLOCK", path, 1), 0);
	assert_true(clock_now_s() >= time(NULL) - 1 + 86400);
	scratch_write(*state, "clock", 0600, bytes_of("-86400\n"), path);
	assert_true(clock_now_s() <= time(NULL) + 1 - 86400);
	assert_int_equal(unlink(path), 0);
	assert_true(clock_now_s() <= time(NULL) + 1 - 86400);   /* what it last knew */
	assert_int_equal(unsetenv("COUNTERFOIL_TEST_CLOCK"), 0);
}

static void
a_file_that_never_was_there_ends_the_program(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		(void)setenv("COUNTERFOIL_TEST_CLOCK", "/nonexistent", 1);
		(void)close(STDERR_FILENO);
		(void)clock_now_s();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

static void
set_it_stands_still_until_it_is_moved(void **state)
{
	int64_t ms;

	(void)state;
	clock_set(1111111109);
	ms = clock_monotonic_ms();
	assert_int_equal(clock_now_s(), 1111111109);
	clock_advance_ms(30500);
	assert_int_equal(clock_now_s(), 1111111139);
	clock_advance_ms(500);
	assert_int_equal(clock_now_s(), 1111111140);
	assert_int_equal(clock_monotonic_ms(), ms + 31000);
	clock_set(0);
	assert_int_equal(clock_now_s(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_never_was_there_ends_the_program),
		cmocka_unit_test(unset_it_tells_the_real_time),
		cmocka_unit_test_setup_teardown(it_adds_what_the_file_says_at_each_call, scratch_make, scratch_remove),
		cmocka_unit_test(set_it_stands_still_until_it_is_moved),
	};

	return cmocka_run_group_tests_name("clock_settable", tests, NULL, NULL);
}
