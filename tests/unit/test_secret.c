/* test_secret.c: memory for secrets: locked, out of core dumps, fenced, wiped, compared as it ought to be. */
#include "tests/support/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/secret.h"
#include "tests/support/failing.h"

static struct secret *
secret_of(const char *text)
{
	struct secret *secret = NULL;

	assert_int_equal(secret_copy(bytes_of(text), &secret), STATUS_OK);
	assert_non_null(secret);
	return secret;
}

static void
a_new_secret_is_zero_and_as_long_as_its_capacity(void **state)
{
	static const uint8_t zeros[100];
	struct secret *secret = NULL;

	(void)state;
	assert_int_equal(secret_new(100, &secret), STATUS_OK);
	assert_int_equal(secret_view(secret).len, 100);
	assert_memory_equal(secret_view(secret).data, zeros, 100);
	secret_free(&secret);
}

static void
a_copy_stands_apart_from_its_original(void **state)
{
	char original[] = "correct horse";
	struct secret *secret = secret_of(original);

	(void)state;
	original[0] = 'X';
	assert_true(bytes_equal(secret_view(secret), BYTES("correct horse")));
	secret_data(secret)[0] = 'C';
	assert_true(bytes_equal(secret_view(secret), BYTES("Correct horse")));
	secret_free(&secret);
}

static void
a_secret_may_hold_nul_bytes_or_nothing(void **state)
{
	struct secret *secret = NULL;

	(void)state;
	assert_int_equal(secret_copy(BYTES("a\0b"), &secret), STATUS_OK);
	assert_int_equal(secret_view(secret).len, 3);
	secret_free(&secret);
	assert_int_equal(secret_copy(bytes_of(NULL), &secret), STATUS_OK);
	assert_int_equal(secret_view(secret).len, 0);
	assert_null(secret_view(secret).data);
	secret_free(&secret);
}

static void
freeing_leaves_null_and_takes_null(void **state)
{
	struct secret *secret = secret_of("x");

	(void)state;
	secret_free(&secret);
	assert_null(secret);
	secret_free(&secret);
	secret_free(NULL);
	assert_int_equal(secret_view(NULL).len, 0);
}

static void
a_shortened_secret_keeps_nothing_behind_its_end(void **state)
{
	struct secret *secret = secret_of("horse battery");
	uint8_t *data = secret_data(secret);

	(void)state;
	secret_truncate(secret, 13);
	secret_truncate(secret, 99);
	assert_int_equal(secret_view(secret).len, 13);
	secret_truncate(secret, 5);
	assert_true(bytes_equal(secret_view(secret), BYTES("horse")));
	assert_memory_equal(data + 5, "\0\0\0\0\0\0\0\0", 8);
	secret_truncate(secret, 0);
	assert_int_equal(secret_view(secret).len, 0);
	assert_memory_equal(data, "\0\0\0\0\0", 5);
	secret_free(&secret);
}

static void
secrets_are_equal_in_every_byte_or_not_at_all(void **state)
{
	(void)state;
	assert_true(secret_equal(BYTES("tok\0en"), BYTES("tok\0en")));
	assert_false(secret_equal(BYTES("Token"), BYTES("token")));
	assert_false(secret_equal(BYTES("tokeN"), BYTES("token")));
	assert_false(secret_equal(BYTES("tok\0en"), BYTES("tok\0eN")));
	assert_false(secret_equal(BYTES("token"), BYTES("token1")));
	assert_false(secret_equal(BYTES("token1"), BYTES("token")));
}

static void
no_credential_equals_no_credential(void **state)
{
	(void)state;
	assert_false(secret_equal(bytes_of(NULL), bytes_of(NULL)));
	assert_false(secret_equal(bytes_of(""), bytes_of("")));
	assert_false(secret_equal(bytes_of(""), bytes_of("x")));
}

static void
wiping_overwrites_exactly_the_length(void **state)
{
	char text[] = "passwordX";

	(void)state;
	secret_wipe(text, 8);
	assert_memory_equal(text, "\0\0\0\0\0\0\0\0X", 9);
}

/* Does the mapping that holds ADDRESS have the kernel's flag FLAG ("dd": not in core dumps, "lo": locked)? */
static bool
mapping_has_flag(const void *address, const char *flag)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	char line[512];
	bool here = false, found = false;

	assert_non_null(maps);
	while (fgets(line, sizeof line, maps) != NULL) {
		uintptr_t from, to;

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &from, &to) == 2)
			here = (uintptr_t)address >= from && (uintptr_t)address < to;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, flag) != NULL;
	}
	(void)fclose(maps);
	return found;
}

/* Some hosts lock nothing for us, and neither does a sanitizer: there a secret is still better than none. */
static bool
memory_can_be_locked(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool locked;

	assert_ptr_not_equal(page, MAP_FAILED);
	locked = mlock(page, 4096) == 0 && mapping_has_flag(page, " lo");
	assert_int_equal(munmap(page, 4096), 0);
	return locked;
}

static void
a_secret_stays_out_of_core_dumps_and_of_swap(void **state)
{
	struct secret *secret = secret_of("correct horse");

	(void)state;
	assert_true(mapping_has_flag(secret_data(secret), " dd"));
	if (memory_can_be_locked())
		assert_true(mapping_has_flag(secret_data(secret), " lo"));
	secret_free(&secret);
}

static void
a_byte_past_the_end_ends_the_process(void **state)
{
	struct secret *secret = secret_of("correct horse");
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		(void)signal(SIGSEGV, SIG_DFL);
		(void)close(STDERR_FILENO);
		((volatile uint8_t *)secret_data(secret))[13] = 'X';
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	secret_free(&secret);
}

static void
without_memory_there_is_no_secret_and_no_leak(void **state)
{
	struct secret *const untouched = (struct secret *)(uintptr_t)1;
	struct secret *secret = untouched;

	(void)state;
	for (unsigned n = 1; n <= 2; n++) {
		failing_at(FAILING_MEMORY, n, ENOMEM);
		assert_int_equal(secret_new(16, &secret), STATUS_NO_MEMORY);
		failing_at(FAILING_MEMORY, n, ENOMEM);
		assert_int_equal(secret_copy(BYTES("abc"), &secret), STATUS_NO_MEMORY);
		assert_ptr_equal(secret, untouched);
	}
}

static void
a_block_for_a_library_is_as_large_as_asked_or_not_there(void **state)
{
	uint8_t *block = secret_block_new(33);

	(void)state;
	assert_non_null(block);
	memset(block, 0xa5, 33);        /* valgrind and ASan watch the ends */
	secret_block_free(block);
	secret_block_free(NULL);
	assert_null(secret_block_new(SIZE_MAX));
	assert_null(secret_block_new(SIZE_MAX / 2 + 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_secret_is_zero_and_as_long_as_its_capacity),
		cmocka_unit_test(a_copy_stands_apart_from_its_original),
		cmocka_unit_test(a_secret_may_hold_nul_bytes_or_nothing),
		cmocka_unit_test(freeing_leaves_null_and_takes_null),
		cmocka_unit_test(a_shortened_secret_keeps_nothing_behind_its_end),
		cmocka_unit_test(secrets_are_equal_in_every_byte_or_not_at_all),
		cmocka_unit_test(no_credential_equals_no_credential),
		cmocka_unit_test(wiping_overwrites_exactly_the_length),
		cmocka_unit_test(a_secret_stays_out_of_core_dumps_and_of_swap),
		cmocka_unit_test(a_byte_past_the_end_ends_the_process),
		cmocka_unit_test(a_block_for_a_library_is_as_large_as_asked_or_not_there),
		cmocka_unit_test_teardown(without_memory_there_is_no_secret_and_no_leak, failing_stop),
	};

	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
