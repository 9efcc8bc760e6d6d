/* bench_hash.c: what one hash costs on one core: libargon2 as Debian builds it, libsodium, and each kernel that this CPU
 * runs, single and paired.  All of them once in each round, so that what disturbs the machine disturbs all alike.
 * Prints one line a way and cost: memory passes name round microseconds of processor time. */
#include <argon2.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/credential/argon2_engine.h"

enum { ROUNDS_MAX = 60, TAG_BYTES = 32 };

static const struct { uint32_t memory_kib, passes; } costs[] = { { 19456, 2 }, { 47104, 1 }, { 65536, 3 } };

static const char password[] = "correct horse battery staple";
static const char salt[] = "sixteen bytes!!";   /* with its NUL */

/* Of this thread: what others do on the machine meanwhile is not the hash's, but for the caches that they take. */
static double
now_us(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void
report(size_t cost, const char *name, unsigned round, double us)
{
	(void)printf("%u %u %s %u %.1f\n", costs[cost].memory_kib, costs[cost].passes, name, round, us);
}

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "bench_hash: %s failed\n", what);
	exit(1);
}

/* COUNT jobs at once; the time of one. */
static double
run_ours(const struct argon2_kernel *kernel, struct argon2_arena *arena, size_t cost, unsigned count, const uint8_t *want)
{
	uint8_t tags[ARGON2_TOGETHER_MAX][TAG_BYTES];
	struct argon2_job jobs[ARGON2_TOGETHER_MAX], *list[ARGON2_TOGETHER_MAX];
	double begun;

	for (unsigned i = 0; i < count; i++) {
		jobs[i] = (struct argon2_job){ .memory_kib = costs[cost].memory_kib, .passes = costs[cost].passes, .lanes = 1,
			.password = bytes_of(password), .salt = { (const uint8_t *)salt, sizeof salt }, .tag = tags[i],
			.tag_len = TAG_BYTES };
		list[i] = &jobs[i];
	}
	begun = now_us();
	argon2_engine_run_on(kernel, arena, list, count);
	begun = now_us() - begun;
	for (unsigned i = 0; i < count; i++)
		must(jobs[i].status == STATUS_OK && memcmp(tags[i], want, TAG_BYTES) == 0, kernel->name);
	return begun / count;
}

static void
run_libraries(size_t cost, unsigned round, uint8_t want[static TAG_BYTES])
{
	uint8_t tag[TAG_BYTES];
	double begun = now_us();

	must(argon2id_hash_raw(costs[cost].passes, costs[cost].memory_kib, 1, password, strlen(password), salt, sizeof salt,
	    want, TAG_BYTES) == ARGON2_OK, "libargon2");
	report(cost, "libargon2", round, now_us() - begun);
	begun = now_us();
	must(crypto_pwhash(tag, TAG_BYTES, password, strlen(password), (const uint8_t *)salt, costs[cost].passes,
	    (size_t)costs[cost].memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) == 0, "libsodium");
	report(cost, "libsodium", round, now_us() - begun);
	must(memcmp(tag, want, TAG_BYTES) == 0, "libsodium");
}

static void
run_kernels(struct argon2_arena *arena, size_t cost, unsigned round, const uint8_t *want)
{
	unsigned kernel_count;
	const struct argon2_kernel *const *kernels = argon2_engine_kernels(&kernel_count);
	char name[64];

	for (unsigned k = 0; k < kernel_count; k++) {
		if (!kernels[k]->is_usable())
			continue;
		for (unsigned count = 1; count <= ARGON2_TOGETHER_MAX; count++) {
			(void)snprintf(name, sizeof name, "%s_%s", kernels[k]->name, count == 1 ? "single" : "paired");
			report(cost, name, round, run_ours(kernels[k], arena, cost, count, want));
		}
	}
}

/* Rounds until SECONDS are over, three at least. */
static void
run_cost(size_t cost, double seconds)
{
	struct argon2_job like = { .memory_kib = costs[cost].memory_kib, .passes = costs[cost].passes, .lanes = 1 };
	double end = now_us() + seconds * 1e6;
	struct argon2_arena *arena = NULL;
	uint8_t want[TAG_BYTES];

	must(argon2_arena_new(argon2_engine_room(&like, ARGON2_TOGETHER_MAX), &arena) == STATUS_OK, "memory");
	must(argon2_arena_warm(arena) == STATUS_OK, "memory");
	for (unsigned round = 0; round < ROUNDS_MAX && (round < 3 || now_us() < end); round++) {
		run_libraries(cost, round, want);
		run_kernels(arena, cost, round, want);
	}
	argon2_arena_free(&arena);
}

/* --- several at once: they share memory and caches ------------------------------------------------------------------- */

struct lane {
	pthread_t thread;
	double seconds, us[ROUNDS_MAX][ARGON2_TOGETHER_MAX];
	unsigned rounds;
	uint8_t want[TAG_BYTES];
};

/* One job and two in turn, so that what the neighbours do weighs on both ways. */
static void *
run_lane(void *arg)
{
	struct argon2_job like = { .memory_kib = costs[0].memory_kib, .passes = costs[0].passes, .lanes = 1 };
	struct lane *lane = arg;
	struct argon2_arena *arena = NULL;
	double end = now_us() + lane->seconds * 1e6;

	must(argon2_arena_new(argon2_engine_room(&like, ARGON2_TOGETHER_MAX), &arena) == STATUS_OK, "memory");
	must(argon2_arena_warm(arena) == STATUS_OK, "memory");
	for (; lane->rounds < ROUNDS_MAX && now_us() < end; lane->rounds++)
		for (unsigned count = 1; count <= ARGON2_TOGETHER_MAX; count++)
			lane->us[lane->rounds][count - 1] = run_ours(argon2_engine()->kernel, arena, 0, count, lane->want);
	argon2_arena_free(&arena);
	return NULL;
}

static void
report_lane(const struct lane *lane)
{
	for (unsigned round = 0; round < lane->rounds; round++) {
		report(0, "single", round, lane->us[round][0]);
		report(0, "paired", round, lane->us[round][1]);
	}
}

static void
run_at_once(double seconds, unsigned threads)
{
	struct lane *lanes = calloc(threads, sizeof *lanes);

	must(lanes != NULL && argon2_engine()->kernel != NULL, "kernel");
	for (unsigned i = 0; i < threads; i++) {
		lanes[i].seconds = seconds;
		must(argon2id_hash_raw(costs[0].passes, costs[0].memory_kib, 1, password, strlen(password), salt, sizeof salt,
		    lanes[i].want, TAG_BYTES) == ARGON2_OK, "libargon2");
	}
	for (unsigned i = 0; i < threads; i++)
		must(pthread_create(&lanes[i].thread, NULL, run_lane, &lanes[i]) == 0, "thread");
	for (unsigned i = 0; i < threads; i++)
		must(pthread_join(lanes[i].thread, NULL) == 0, "thread");
	for (unsigned i = 0; i < threads; i++)
		report_lane(&lanes[i]);
	free(lanes);
}

/* bench_hash [SECONDS [THREADS]]: with THREADS, the first cost by the best kernel in so many threads at once. */
int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 10;
	unsigned threads = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;

	must(sodium_init() >= 0, "libsodium");
	(void)printf("engine %s\n", argon2_engine_name());
	if (threads > 0)
		run_at_once(seconds, threads);
	for (size_t i = 0; threads == 0 && i < sizeof costs / sizeof costs[0]; i++)
		run_cost(i, seconds);
	return 0;
}
