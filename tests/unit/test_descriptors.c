/* test_descriptors.c: nothing that is opened later is taken for standard input, output or error. */
#include "tests/support/unit.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/descriptors.h"

/* In a child, whose descriptors FIRST to LAST are closed.  Its exit code says which expectation failed. */
static int
in_child(int first, int last)
{
	char byte = 'x';

	for (int fd = first; fd <= last; fd++)
		(void)close(fd);
	if (descriptors_hold_standard() != STATUS_OK)
		return 1;
	if (open("/dev/zero", O_RDWR) <= STDERR_FILENO)
		return 2;
	for (int fd = first; fd <= last; fd++)
		if (fd == STDIN_FILENO ? read(fd, &byte, 1) >= 0 : write(fd, &byte, 1) >= 0)
			return 3;
	return 0;
}

static int
code_of_child(int first, int last)
{
	pid_t child = fork();
	int how = 0;

	if (child == 0)
		_exit(in_child(first, last));
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &how, 0), child);
	assert_true(WIFEXITED(how));
	return WEXITSTATUS(how);
}

static void
what_is_closed_is_taken_and_can_neither_be_read_nor_written(void **state)
{
	(void)state;
	assert_int_equal(code_of_child(STDIN_FILENO, STDERR_FILENO), 0);
	assert_int_equal(code_of_child(STDIN_FILENO, STDIN_FILENO), 0);
	assert_int_equal(code_of_child(STDOUT_FILENO, STDOUT_FILENO), 0);
	assert_int_equal(code_of_child(STDERR_FILENO, STDERR_FILENO), 0);
}

static void
what_is_open_stays_as_it_is(void **state)
{
	int ends[2], before = dup(STDIN_FILENO);
	char byte = 0;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(descriptors_hold_standard(), STATUS_OK);
	assert_int_equal(write(ends[1], "y", 1), 1);
	assert_int_equal(read(STDIN_FILENO, &byte, 1), 1);
	assert_int_equal(byte, 'y');
	if (before >= 0)
		assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
	(void)close(before);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_closed_is_taken_and_can_neither_be_read_nor_written),
		cmocka_unit_test(what_is_open_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
