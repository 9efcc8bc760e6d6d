/* test_secret.c: memory for secrets: locked, out of core dumps, fenced, wiped, compared as it ought to be. */
#include "tests/support/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
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
secrets_are_equal_in_every_byte_or_not_at_all_r024(void **state)
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

enum { ONE_PAGE = 4096, MANY = 40, ALL = 3 * MANY };  /* MANY: more than secret.c maps at once */

/* Write one byte at OFFSET from the first of a secret of CAPACITY bytes and free it, in a child: does it live on? */
static bool
survives_a_byte_at(size_t capacity, long offset)
{
	struct secret *secret = NULL;
	pid_t child;
	int status;

	assert_int_equal(secret_new(capacity, &secret), STATUS_OK);
	if ((child = fork()) == 0) {
		(void)signal(SIGSEGV, SIG_DFL);
		(void)signal(SIGABRT, SIG_DFL);
		(void)close(STDERR_FILENO);
		((volatile uint8_t *)secret_data(secret))[offset] = 'X';
		secret_free(&secret);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	secret_free(&secret);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
a_byte_past_the_end_ends_the_process(void **state)
{
	(void)state;
	assert_true(survives_a_byte_at(13, 12));
	assert_false(survives_a_byte_at(13, 13));
	assert_false(survives_a_byte_at(ONE_PAGE, ONE_PAGE));
	assert_false(survives_a_byte_at(ONE_PAGE + 1, ONE_PAGE + 1));
}

static void
a_byte_before_the_beginning_ends_the_process(void **state)
{
	(void)state;
	assert_false(survives_a_byte_at(13, -1));
	assert_false(survives_a_byte_at(ONE_PAGE - 1, -1));
	assert_false(survives_a_byte_at(ONE_PAGE, -1));
	assert_false(survives_a_byte_at(ONE_PAGE + 1, -1));
}

static void
a_page_that_is_used_again_holds_nothing_of_its_last_secret(void **state)
{
	static const uint8_t zeros[ONE_PAGE];
	struct secret *secrets[MANY];
	bool again = false;
	uint8_t *end;

	(void)state;
	assert_int_equal(secret_new(100, &secrets[0]), STATUS_OK);
	end = secret_data(secrets[0]) + 100;
	memset(secret_data(secrets[0]), 'X', 100);
	secret_truncate(secrets[0], 50);
	secret_free(&secrets[0]);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(secret_new(ONE_PAGE, &secrets[i]), STATUS_OK);
		assert_memory_equal(secret_data(secrets[i]), zeros, ONE_PAGE);
		memset(secret_data(secrets[i]), 'Y', ONE_PAGE);
		again = again || secret_data(secrets[i]) + ONE_PAGE == end;
	}
	for (unsigned i = 0; i < MANY; i++)
		secret_free(&secrets[i]);
	assert_true(again);
}

static void *
take_and_give(void *cookie)
{
	static const uint8_t zeros[32];
	struct secret *secrets[5];
	uint8_t mark = (uint8_t)(uintptr_t)cookie;

	for (unsigned round = 0; round < 500; round++) {
		for (unsigned i = 0; i < 5; i++) {
			if (secret_copy((struct bytes){ zeros, 32 }, &secrets[i]) != STATUS_OK)
				return NULL;
			memset(secret_data(secrets[i]), mark, 32);
		}
		for (unsigned i = 0; i < 5; i++) {
			if (secret_data(secrets[i])[0] != mark || secret_data(secrets[i])[31] != mark)
				return NULL;
			secret_free(&secrets[i]);
		}
	}
	return cookie;
}

static void
threads_never_share_a_secret(void **state)
{
	pthread_t threads[4];
	void *mark;

	(void)state;
	for (uintptr_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, (void *)(i + 1)), 0);
	for (uintptr_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &mark), 0);
		assert_ptr_equal(mark, (void *)(i + 1));
	}
}

/* Take secrets until no page is left and no memory for more; how many there were. */
static unsigned
take_all(struct secret *secrets[static ALL])
{
	struct secret *const untouched = (struct secret *)(uintptr_t)1;
	enum status st = STATUS_OK;
	unsigned count = 0;

	while (count < ALL && st == STATUS_OK) {
		secrets[count] = untouched;
		failing_at(FAILING_MEMORY, 2, ENOMEM);  /* 1: failing.c fails in place of secret_new() */
		if ((st = secret_new(16, &secrets[count])) == STATUS_OK)
			count++;
	}
	assert_int_equal(st, STATUS_NO_MEMORY);
	assert_ptr_equal(secrets[count], untouched);
	return count;
}

static void
without_memory_there_is_no_secret_and_no_leak(void **state)
{
	struct secret *const untouched = (struct secret *)(uintptr_t)1;
	struct secret *secret = untouched, *all[ALL];
	static const uint8_t large[2 * ONE_PAGE];
	unsigned count;

	(void)state;
	for (unsigned n = 1; n <= 2; n++) {
		failing_at(FAILING_MEMORY, n + 1, ENOMEM);
		assert_int_equal(secret_new(2 * ONE_PAGE, &secret), STATUS_NO_MEMORY);
		failing_at(FAILING_MEMORY, n, ENOMEM);
		assert_int_equal(secret_copy((struct bytes){ large, sizeof large }, &secret), STATUS_NO_MEMORY);
		assert_ptr_equal(secret, untouched);
	}
	count = take_all(all);
	(void)failing_stop(NULL);
	assert_int_equal(secret_new(16, &secret), STATUS_OK);
	secret_free(&secret);
	while (count > 0)
		secret_free(&all[--count]);
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
		cmocka_unit_test(secrets_are_equal_in_every_byte_or_not_at_all_r024),
		cmocka_unit_test(no_credential_equals_no_credential),
		cmocka_unit_test(wiping_overwrites_exactly_the_length),
		cmocka_unit_test(a_secret_stays_out_of_core_dumps_and_of_swap),
		cmocka_unit_test(a_byte_past_the_end_ends_the_process),
		cmocka_unit_test(a_byte_before_the_beginning_ends_the_process),
		cmocka_unit_test(a_page_that_is_used_again_holds_nothing_of_its_last_secret),
		cmocka_unit_test(threads_never_share_a_secret),
		cmocka_unit_test(a_block_for_a_library_is_as_large_as_asked_or_not_there),
		cmocka_unit_test_teardown(without_memory_there_is_no_secret_and_no_leak, failing_stop),
	};

	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
