/* test_argon2.c: our fill is Argon2id, bit for bit, on every kernel, singly and in pairs; what ends early harms nobody;
 * a kernel that is wrong is found; memory is kept and given back as promised. */
#include "tests/support/unit.h"

#include <argon2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/credential/argon2_engine.h"
#include "core/credential/argon2_selftest.h"
#include "tests/unit/argon2_avx512_emulated.h"

#define MIB ((size_t)1024 * 1024)

/* --- the choice: first, while this process has made none -------------------------------------------------------------- */

/* In a child with COUNTERFOIL_CPU = WANTED: is the engine called NAME, with (or without) a fault to tell? */
static void
chooses(const char *wanted, const char *name, bool fault)
{
	int status = 1;
	pid_t child;

	(void)fflush(NULL);
	if ((child = fork()) == 0) {
		(void)setenv("COUNTERFOIL_CPU", wanted, 1);
		_exit(strcmp(argon2_engine_name(), name) == 0 && (argon2_engine()->fault != NULL) == fault ? 0 : 1);
	}
	assert_true(child > 0 && waitpid(child, &status, 0) == child);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("COUNTERFOIL_CPU=%s did not choose %s", wanted, name);
}

static const char *
best_name(void)
{
	unsigned count, i = 0;
	const struct argon2_kernel *const *kernels = argon2_engine_kernels(&count);

	while (!kernels[i]->is_usable())
		i++;
	return kernels[i]->name;
}

static void
the_environment_forces_a_lower_kernel(void **state)
{
	unsigned count;
	const struct argon2_kernel *const *kernels = argon2_engine_kernels(&count);

	(void)state;
	for (unsigned i = 0; i < count; i++)
		if (kernels[i]->is_usable())
			chooses(kernels[i]->name, kernels[i]->name, false);
		else
			chooses(kernels[i]->name, best_name(), true);
	chooses("library", "library", true);
	chooses("pentium", best_name(), true);
	chooses("", best_name(), true);
}

static void
the_best_kernel_of_this_cpu_is_chosen(void **state)
{
	(void)state;
	assert_string_equal(argon2_engine_name(), best_name());
	assert_null(argon2_engine()->fault);
}

/* --- the same as libargon2 ------------------------------------------------------------------------------------------- */

/* Two jobs each, singly and paired, on each kernel: 10,000 jobs and more.  Under valgrind ./dev sanitize asks for less. */
static unsigned
case_count(void)
{
	const char *wanted = getenv("COUNTERFOIL_ARGON2_CASES");

	return wanted != NULL ? (unsigned)strtoul(wanted, NULL, 10) : 2500;
}

static void
every_kernel_agrees_with_libargon2(void **state)
{
	unsigned count;
	const struct argon2_kernel *const *kernels = argon2_engine_kernels(&count);

	(void)state;
	for (unsigned i = 0; i < count; i++)
		if (kernels[i]->is_usable() && !argon2_selftest(kernels[i], case_count(), 1000 + i))
			fail_msg("%s differs from libargon2", kernels[i]->name);
#ifdef __x86_64__
	assert_true(argon2_selftest(&argon2_avx512_emulated, case_count() / 10, 5));
#endif
}

/* The costs of the shipped policy, once: large memory, many address blocks. */
static void
every_kernel_agrees_at_full_cost(void **state)
{
	static const struct { uint32_t memory_kib, passes; } rows[] = { { 19456, 2 }, { 47104, 1 } };
	uint8_t want[32], tags[2][32];
	unsigned count;
	const struct argon2_kernel *const *kernels = argon2_engine_kernels(&count);

	(void)state;
	for (size_t r = 0; r < 2; r++) {
		struct argon2_job job = { .memory_kib = rows[r].memory_kib, .passes = rows[r].passes, .lanes = 1,
			.password = BYTES("correct horse"), .salt = BYTES("sixteen bytes!!!"), .tag = tags[0],
			.tag_len = 32 }, other = job;
		struct argon2_arena *arena = NULL;

		other.tag = tags[1];
		assert_int_equal(argon2id_hash_raw(job.passes, job.memory_kib, 1, "correct horse", 13, "sixteen bytes!!!", 16,
		    want, 32), ARGON2_OK);
		assert_int_equal(argon2_arena_new(argon2_engine_room(&job, 2), &arena), STATUS_OK);
		for (unsigned i = 0; i < count; i++) {
			if (!kernels[i]->is_usable())
				continue;
			memset(tags, 0, sizeof tags);
			argon2_engine_run_on(kernels[i], arena, (struct argon2_job *[]){ &job, &other }, 2);
			assert_memory_equal(tags[0], want, 32);
			assert_memory_equal(tags[1], want, 32);
		}
		argon2_arena_free(&arena);
	}
}

/* --- a kernel that is wrong ------------------------------------------------------------------------------------------ */

static bool (*is_struck)(const struct argon2_step *step);

/* The portable kernel, but where IS_STRUCK says so one bit of the result is wrong. */
static void
compress_struck(const struct argon2_step *step)
{
	argon2_kernel_portable.compress(step);
	if (is_struck(step))
		step->next->words[127] ^= (uint64_t)1 << 63;
}

static const struct argon2_kernel struck = { "struck", compress_struck, NULL };

static bool
always(const struct argon2_step *step)
{
	return step != NULL;
}

static bool
when_over(const struct argon2_step *step)
{
	return step->over;
}

/* Only when two go side by side: the last step was in another lane. */
static bool
when_paired(const struct argon2_step *step)
{
	static const struct argon2_block *last;
	const struct argon2_block *blocks = step->ahead.blocks;
	bool other = blocks != NULL && last != NULL && blocks != last;

	if (blocks != NULL)
		last = blocks;
	return other;
}

static void
a_wrong_kernel_is_found_at_start(void **state)
{
	static bool (*const strikes[])(const struct argon2_step *) = { always, when_over, when_paired };

	(void)state;
	for (size_t i = 0; i < sizeof strikes / sizeof strikes[0]; i++) {
		is_struck = strikes[i];
		if (argon2_selftest(&struck, ARGON2_SELFTEST_AT_START, 1))
			fail_msg("fault %zu was not found", i);
	}
}

/* --- in parts --------------------------------------------------------------------------------------------------------- */

/* After PARTS of one job another is run beside it; both tags are those of the reference. */
static void
come_between(unsigned parts)
{
	uint8_t want[2][32], tags[2][32] = { { 0 } };
	struct argon2_job jobs[2] = {
		{ .memory_kib = 64, .passes = 2, .lanes = 1, .password = BYTES("guess"), .salt = BYTES("somesalt"),
		    .tag = tags[0], .tag_len = 32 },
		{ .memory_kib = 48, .passes = 3, .lanes = 1, .password = BYTES("password"), .salt = BYTES("othersalt"),
		    .tag = tags[1], .tag_len = 32 },
	};
	struct argon2_job *first = &jobs[0], *second = &jobs[1];
	size_t room = argon2_engine_room(first, 1);
	struct argon2_arena *arena = NULL;
	struct argon2_run outer, inner;
	bool more = true;

	assert_int_equal(argon2id_hash_raw(2, 64, 1, "guess", 5, "somesalt", 8, want[0], 32), ARGON2_OK);
	assert_int_equal(argon2id_hash_raw(3, 48, 1, "password", 8, "othersalt", 9, want[1], 32), ARGON2_OK);
	assert_int_equal(argon2_arena_new(argon2_engine_room(first, 2), &arena), STATUS_OK);
	argon2_engine_begin(&outer, arena, 0, &first, 1);
	for (unsigned i = 0; i < parts; i++)
		more = argon2_engine_step(&outer);
	assert_int_equal(more, parts < 8);
	argon2_engine_begin(&inner, arena, room, &second, 1);
	while (argon2_engine_step(&inner))
		continue;
	argon2_arena_wipe(arena, room, SIZE_MAX);
	while (more && argon2_engine_step(&outer))
		continue;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(jobs[i].status, STATUS_OK);
		assert_memory_equal(tags[i], want[i], 32);
	}
	argon2_arena_free(&arena);
}

static void
a_job_is_the_same_hash_whatever_comes_between_its_parts(void **state)
{
	(void)state;
	for (unsigned parts = 0; parts <= 8; parts++)
		come_between(parts);
}

/* --- cancelled ------------------------------------------------------------------------------------------------------- */

static atomic_bool cancelled;
static int steps_left;

/* The portable kernel; after STEPS_LEFT blocks somebody cancels. */
static void
compress_counting(const struct argon2_step *step)
{
	argon2_kernel_portable.compress(step);
	if (--steps_left == 0)
		atomic_store(&cancelled, true);
}

static const struct argon2_kernel counting = { "counting", compress_counting, NULL };

/* Both jobs of a pair, the one at VICTIM cancelled after STEPS blocks. */
static void
cancel_one(unsigned victim, int steps)
{
	static const uint8_t untouched[32];
	uint8_t want[32], tags[2][32] = { { 0 } };
	struct argon2_arena *arena = NULL;
	struct argon2_job jobs[2];

	for (unsigned i = 0; i < 2; i++)
		jobs[i] = (struct argon2_job){ .memory_kib = 32, .passes = 2, .lanes = 1, .password = BYTES("password"),
			.salt = BYTES("somesalt"), .tag = tags[i], .tag_len = 32, .cancelled = i == victim ? &cancelled : NULL };
	atomic_store(&cancelled, steps == 0);
	steps_left = steps;
	assert_int_equal(argon2id_hash_raw(2, 32, 1, "password", 8, "somesalt", 8, want, 32), ARGON2_OK);
	assert_int_equal(argon2_arena_new(argon2_engine_room(&jobs[0], 2), &arena), STATUS_OK);
	argon2_engine_run_on(&counting, arena, (struct argon2_job *[]){ &jobs[0], &jobs[1] }, 2);
	assert_int_equal(jobs[!victim].status, STATUS_OK);
	assert_memory_equal(tags[!victim], want, 32);
	assert_int_equal(jobs[victim].status, STATUS_UNAVAILABLE);
	assert_memory_equal(tags[victim], untouched, 32);
	argon2_arena_free(&arena);
}

static void
a_cancelled_job_leaves_the_other_of_its_pair_alone(void **state)
{
	(void)state;
	/* a pair takes 124 steps and 8 for addresses; what is cancelled in the last quarter of the last pass is finished */
	for (int steps = 0; steps < 100; steps += 7) {
		cancel_one(0, steps);
		cancel_one(1, steps);
	}
}

static void
a_cancelled_job_does_not_start(void **state)
{
	uint8_t tag[16];
	struct argon2_job job = { .memory_kib = 8, .passes = 1, .lanes = 1, .password = BYTES("p"), .salt = BYTES("somesalt"),
		.tag = tag, .tag_len = sizeof tag, .cancelled = &cancelled };

	(void)state;
	atomic_store(&cancelled, true);
	argon2_engine_run_alone(&job);
	assert_int_equal(job.status, STATUS_UNAVAILABLE);
	job.memory_kib = 16;
	job.lanes = 2;
	argon2_engine_run_alone(&job);
	assert_int_equal(job.status, STATUS_UNAVAILABLE);
}

/* --- bounds ---------------------------------------------------------------------------------------------------------- */

static enum status
run_with(uint32_t memory_kib, uint32_t passes, uint32_t lanes, size_t salt_len, uint32_t tag_len)
{
	static const uint8_t salt[64];
	uint8_t tag[64];
	struct argon2_job job = { .memory_kib = memory_kib, .passes = passes, .lanes = lanes, .password = BYTES("p"),
		.salt = { salt, salt_len }, .tag = tag, .tag_len = tag_len };

	argon2_engine_run_alone(&job);
	return job.status;
}

static void
what_is_out_of_bounds_is_invalid(void **state)
{
	(void)state;
	assert_int_equal(run_with(8, 1, 1, 8, 4), STATUS_OK);
	assert_int_equal(run_with(16, 1, 2, 8, 4), STATUS_OK);
	assert_int_equal(run_with(7, 1, 1, 8, 4), STATUS_INVALID);
	assert_int_equal(run_with(0, 1, 1, 8, 4), STATUS_INVALID);
	assert_int_equal(run_with(15, 1, 2, 8, 4), STATUS_INVALID);
	assert_int_equal(run_with(8, 0, 1, 8, 4), STATUS_INVALID);
	assert_int_equal(run_with(8, 1, 0, 8, 4), STATUS_INVALID);
	assert_int_equal(run_with(8, 1, 1, 7, 4), STATUS_INVALID);
	assert_int_equal(run_with(8, 1, 1, 8, 3), STATUS_INVALID);
	assert_int_equal(run_with(UINT32_MAX, 1, UINT32_MAX, 8, 4), STATUS_INVALID);
}

static void
jobs_of_different_cost_do_not_pair(void **state)
{
	struct argon2_job a = { .memory_kib = 64, .passes = 2, .lanes = 1 }, b = a;

	(void)state;
	assert_true(argon2_engine_may_pair(&a, &b));
	b.passes = 1;
	assert_false(argon2_engine_may_pair(&a, &b));
	b = a;
	b.memory_kib = 68;
	assert_false(argon2_engine_may_pair(&a, &b));
	b = a;
	b.lanes = 2;
	assert_false(argon2_engine_may_pair(&a, &b));
	assert_int_equal(argon2_engine_room(&b, 1), 0);
}

static void
a_job_larger_than_the_arena_is_refused_memory(void **state)
{
	uint8_t tag[16];
	struct argon2_job job = { .memory_kib = 4096, .passes = 1, .lanes = 1, .password = BYTES("p"),
		.salt = BYTES("somesalt"), .tag = tag, .tag_len = sizeof tag };
	struct argon2_arena *arena = NULL;

	(void)state;
	assert_int_equal(argon2_arena_new(2 * MIB, &arena), STATUS_OK);
	argon2_engine_run(arena, (struct argon2_job *[]){ &job }, 1);
	assert_int_equal(job.status, STATUS_NO_MEMORY);
	argon2_arena_free(&arena);
}

/* --- the arena ------------------------------------------------------------------------------------------------------- */

static bool
is_zero(const uint8_t *at, size_t len)
{
	while (len > 0 && *at == 0)
		at++, len--;
	return len == 0;
}

static void
nothing_of_a_hash_survives_a_wipe(void **state)
{
	uint8_t tag[32];
	struct argon2_job job = { .memory_kib = 64, .passes = 1, .lanes = 1, .password = BYTES("password"),
		.salt = BYTES("somesalt"), .tag = tag, .tag_len = sizeof tag };
	size_t room = argon2_engine_room(&job, 1);
	struct argon2_arena *arena = NULL;
	uint8_t *memory;

	(void)state;
	assert_int_equal(argon2_arena_new(room, &arena), STATUS_OK);
	assert_int_equal(argon2_arena_warm(arena), STATUS_OK);
	argon2_engine_run(arena, (struct argon2_job *[]){ &job }, 1);
	memory = argon2_arena_take(arena, room);
	assert_false(is_zero(memory, 63 * 1024));
	assert_true(is_zero(memory + (size_t)63 * 1024, 1024));         /* the last block: at once */
	assert_int_equal(argon2_arena_dirty(arena), room);
	argon2_arena_wipe(arena, 4096, SIZE_MAX);
	assert_int_equal(argon2_arena_dirty(arena), 4096);
	assert_true(is_zero(memory + 4096, room - 4096));
	assert_false(is_zero(memory, 4096));
	argon2_arena_wipe(arena, 0, 1000);
	assert_int_equal(argon2_arena_dirty(arena), 3096);
	argon2_arena_cool(arena);
	assert_false(argon2_arena_is_warm(arena));
	assert_int_equal(argon2_arena_dirty(arena), 0);
	assert_true(is_zero(memory, room));
	argon2_arena_free(&arena);
}

/* The VmFlags of the mapping that holds AT, as /proc/self/smaps has them. */
static void
read_flags(const void *at, char *out, int size)
{
	unsigned long long from, to, wanted = (uintptr_t)at;
	bool here = false;
	FILE *in = fopen("/proc/self/smaps", "re");
	char line[512];

	assert_non_null(in);
	out[0] = '\0';
	while (fgets(line, sizeof line, in) != NULL) {
		if (sscanf(line, "%llx-%llx ", &from, &to) == 2)
			here = from <= wanted && wanted < to;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			(void)snprintf(out, (size_t)size, "%s", line);
	}
	(void)fclose(in);
}

static void
the_arena_is_in_no_core_dump_and_no_child(void **state)
{
	struct argon2_arena *arena = NULL;
	char flags[512];

	(void)state;
	assert_int_equal(argon2_arena_new(2 * MIB, &arena), STATUS_OK);
	assert_int_equal(argon2_arena_warm(arena), STATUS_OK);
	assert_int_equal(argon2_arena_warm(arena), STATUS_OK);
	read_flags(argon2_arena_take(arena, 1), flags, sizeof flags);
	assert_non_null(strstr(flags, " dd"));  /* do not dump */
	assert_non_null(strstr(flags, " dc"));  /* do not copy on fork */
	argon2_arena_free(&arena);
	argon2_arena_free(&arena);
	argon2_arena_free(NULL);
}

static void
a_warm_arena_has_all_its_memory_and_a_cool_one_none(void **state)
{
	enum { PAGE = 4096, PAGES = 4 * 1024 * 1024 / PAGE };
	unsigned char resident[PAGES];
	struct argon2_arena *arena = NULL;
	unsigned count = 0;
	void *memory;

	(void)state;
	assert_int_equal(argon2_arena_new(4 * MIB, &arena), STATUS_OK);
	memory = argon2_arena_take(arena, 4 * MIB);
	assert_int_equal(argon2_arena_warm(arena), STATUS_OK);
	assert_int_equal(mincore(memory, 4 * MIB, resident), 0);
	for (unsigned i = 0; i < PAGES; i++)
		count += resident[i] & 1;
	assert_int_equal(count, PAGES);
	argon2_arena_cool(arena);
	assert_int_equal(mincore(memory, 4 * MIB, resident), 0);
	for (unsigned i = 0; i < PAGES; i++)
		count -= resident[i] & 1;
	assert_int_equal(count, PAGES);
	argon2_arena_free(&arena);
}

static void
an_arena_too_large_is_refused(void **state)
{
	struct argon2_arena *arena = NULL;

	(void)state;
	assert_int_equal(argon2_arena_new(0, &arena), STATUS_NO_MEMORY);
	assert_int_equal(argon2_arena_new(SIZE_MAX, &arena), STATUS_NO_MEMORY);
	assert_int_equal(argon2_arena_new((size_t)1 << 60, &arena), STATUS_NO_MEMORY);
	assert_null(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environment_forces_a_lower_kernel),
		cmocka_unit_test(the_best_kernel_of_this_cpu_is_chosen),
		cmocka_unit_test(every_kernel_agrees_with_libargon2),
		cmocka_unit_test(every_kernel_agrees_at_full_cost),
		cmocka_unit_test(a_wrong_kernel_is_found_at_start),
		cmocka_unit_test(a_job_is_the_same_hash_whatever_comes_between_its_parts),
		cmocka_unit_test(a_cancelled_job_leaves_the_other_of_its_pair_alone),
		cmocka_unit_test(a_cancelled_job_does_not_start),
		cmocka_unit_test(what_is_out_of_bounds_is_invalid),
		cmocka_unit_test(jobs_of_different_cost_do_not_pair),
		cmocka_unit_test(a_job_larger_than_the_arena_is_refused_memory),
		cmocka_unit_test(nothing_of_a_hash_survives_a_wipe),
		cmocka_unit_test(the_arena_is_in_no_core_dump_and_no_child),
		cmocka_unit_test(a_warm_arena_has_all_its_memory_and_a_cool_one_none),
		cmocka_unit_test(an_arena_too_large_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
