#include "core/credential/argon2_engine.h"

#include <argon2.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/secret.h"
#include "core/credential/argon2_selftest.h"

enum {
	VERSION = 0x13,
	TYPE_ARGON2ID = 2,
	PREHASH_BYTES = 64,             /* H0 */
	SEED_BYTES = PREHASH_BYTES + 8, /* H0, the number of a block, the number of its lane */
	DIGEST_BYTES = 64,              /* BLAKE2b at its longest */
	/* Lanes at one distance modulo 4096 make the CPU take a store of one for a store of the other. */
	LANE_GAP = 2 * ARGON2_BLOCK_BYTES + 64 * 1024
};

/* --- the hash functions around the fill (RFC 9106 sections 3.2 and 3.3) ------------------------------------------------ */

typedef crypto_generichash_blake2b_state blake;

static void
blake_word(blake *state, uint32_t word)
{
	const uint8_t bytes[4] = { (uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16), (uint8_t)(word >> 24) };

	(void)crypto_generichash_blake2b_update(state, bytes, sizeof bytes);
}

static void
blake_bytes(blake *state, struct bytes bytes)
{
	blake_word(state, (uint32_t)bytes.len);
	(void)crypto_generichash_blake2b_update(state, bytes.data, bytes.len);
}

/* H0: everything that the hash depends on; there is neither a secret key nor associated data. */
static void
prehash(const struct argon2_job *job, uint8_t out[static PREHASH_BYTES])
{
	blake state;

	(void)crypto_generichash_blake2b_init(&state, NULL, 0, PREHASH_BYTES);
	blake_word(&state, job->lanes);
	blake_word(&state, job->tag_len);
	blake_word(&state, job->memory_kib);
	blake_word(&state, job->passes);
	blake_word(&state, VERSION);
	blake_word(&state, TYPE_ARGON2ID);
	blake_bytes(&state, job->password);
	blake_bytes(&state, job->salt);
	blake_bytes(&state, (struct bytes){ NULL, 0 });
	blake_bytes(&state, (struct bytes){ NULL, 0 });
	(void)crypto_generichash_blake2b_final(&state, out, PREHASH_BYTES);
	secret_wipe(&state, sizeof state);
}

/* H': LEN bytes from IN: one BLAKE2b, or a chain of them of which each gives its first half and the last one all. */
static void
long_hash(const uint8_t *in, size_t in_len, uint8_t *out, size_t len)
{
	uint8_t digest[DIGEST_BYTES];
	size_t digest_len = len < DIGEST_BYTES ? len : DIGEST_BYTES;
	blake state;

	(void)crypto_generichash_blake2b_init(&state, NULL, 0, digest_len);
	blake_word(&state, (uint32_t)len);
	(void)crypto_generichash_blake2b_update(&state, in, in_len);
	(void)crypto_generichash_blake2b_final(&state, digest, digest_len);
	while (len > DIGEST_BYTES) {
		memcpy(out, digest, DIGEST_BYTES / 2);
		out += DIGEST_BYTES / 2;
		len -= DIGEST_BYTES / 2;
		digest_len = len < DIGEST_BYTES ? len : DIGEST_BYTES;
		(void)crypto_generichash_blake2b(digest, digest_len, digest, DIGEST_BYTES, NULL, 0);
	}
	memcpy(out, digest, digest_len);
	secret_wipe(digest, sizeof digest);
	secret_wipe(&state, sizeof state);
}

/* Words are little-endian outside. */
static void
block_from_bytes(struct argon2_block *block, const uint8_t bytes[static ARGON2_BLOCK_BYTES])
{
	for (unsigned i = 0; i < ARGON2_BLOCK_WORDS; i++) {
		uint64_t word = 0;

		for (unsigned k = 8; k-- > 0;)
			word = word << 8 | bytes[8 * i + k];
		block->words[i] = word;
	}
}

static void
block_to_bytes(const struct argon2_block *block, uint8_t bytes[static ARGON2_BLOCK_BYTES])
{
	for (unsigned i = 0; i < ARGON2_BLOCK_WORDS; i++)
		for (unsigned k = 0; k < 8; k++)
			bytes[8 * i + k] = (uint8_t)(block->words[i] >> 8 * k);
}

/* --- our own fill ------------------------------------------------------------------------------------------------------ */

/* The first two blocks of the lane. */
static void
lane_begin(struct argon2_lane *lane, const struct argon2_job *job, void *memory)
{
	uint8_t seed[SEED_BYTES] = { 0 }, bytes[ARGON2_BLOCK_BYTES];

	lane->blocks = memory;
	lane->block_count = job->memory_kib / ARGON2_SLICES * ARGON2_SLICES;
	lane->passes = job->passes;
	prehash(job, seed);
	for (uint8_t i = 0; i < 2; i++) {
		seed[PREHASH_BYTES] = i;
		long_hash(seed, sizeof seed, bytes, sizeof bytes);
		block_from_bytes(&lane->blocks[i], bytes);
	}
	secret_wipe(seed, sizeof seed);
	secret_wipe(bytes, sizeof bytes);
}

/* The tag from the last block, which is wiped: it alone is as good as the tag. */
static void
lane_end(struct argon2_lane *lane, struct argon2_job *job)
{
	struct argon2_block *last = &lane->blocks[lane->block_count - 1];
	uint8_t bytes[ARGON2_BLOCK_BYTES];

	block_to_bytes(last, bytes);
	long_hash(bytes, sizeof bytes, job->tag, job->tag_len);
	secret_wipe(bytes, sizeof bytes);
	secret_wipe(last, sizeof *last);
	job->status = STATUS_OK;
}

/* What a job takes in the arena, with the gap to the next one. */
static size_t
lane_size(const struct argon2_job *job)
{
	return (size_t)(job->memory_kib / ARGON2_SLICES * ARGON2_SLICES) * ARGON2_BLOCK_BYTES + LANE_GAP;
}

/* Drop the jobs that nobody waits for; the others go on alone. */
static void
drop_cancelled(struct argon2_run *run)
{
	unsigned left = 0;

	for (unsigned i = 0; i < run->count; i++) {
		struct argon2_job *job = run->jobs[i];

		if (job->cancelled != NULL && atomic_load_explicit(job->cancelled, memory_order_relaxed)) {
			job->status = STATUS_UNAVAILABLE;
			continue;
		}
		run->running[left] = run->running[i];
		run->jobs[left++] = job;
	}
	run->count = left;
}

bool
argon2_engine_step(struct argon2_run *run)
{
	drop_cancelled(run);
	if (run->count > 0) {
		argon2_fill_segment(run->kernel, run->running, run->count, run->pass, run->slice);
		run->slice = (run->slice + 1) % ARGON2_SLICES;
		run->pass += run->slice == 0 ? 1 : 0;
		if (run->pass < run->passes)
			return true;
	}
	for (unsigned i = 0; i < run->count; i++)
		lane_end(run->running[i], run->jobs[i]);
	run->count = 0;
	secret_wipe(run->lanes, sizeof run->lanes);
	return false;
}

/* --- libargon2 --------------------------------------------------------------------------------------------------------- */

static void
run_on_library(struct argon2_job *job)
{
	argon2_context context = {
		.out = job->tag, .outlen = job->tag_len,
		/* libargon2 writes to these only under flags that we do not set. */
		.pwd = (uint8_t *)(uintptr_t)job->password.data, .pwdlen = (uint32_t)job->password.len,
		.salt = (uint8_t *)(uintptr_t)job->salt.data, .saltlen = (uint32_t)job->salt.len,
		.t_cost = job->passes, .m_cost = job->memory_kib,
		.lanes = job->lanes, .threads = 1,      /* one core a login: the others have logins of their own */
		.version = ARGON2_VERSION_13, .flags = ARGON2_DEFAULT_FLAGS,
	};

	if (job->cancelled != NULL && atomic_load(job->cancelled)) {
		job->status = STATUS_UNAVAILABLE;
		return;
	}
	switch (argon2id_ctx(&context)) {
	case ARGON2_OK:
		job->status = STATUS_OK;
		break;
	case ARGON2_MEMORY_ALLOCATION_ERROR:
		job->status = STATUS_NO_MEMORY;
		break;
	default:
		job->status = STATUS_INTERNAL;
	}
}

/* --- the choice ---------------------------------------------------------------------------------------------------------- */

static const struct argon2_kernel *const kernels[] = {
#ifdef __x86_64__
	&argon2_kernel_avx512,
	&argon2_kernel_avx2,
#endif
	&argon2_kernel_portable,
};

enum { KERNEL_COUNT = sizeof kernels / sizeof kernels[0] };

static struct argon2_engine engine;
static pthread_once_t engine_once = PTHREAD_ONCE_INIT;

/* The kernel called NAME, or NULL. */
static const struct argon2_kernel *
kernel_called(const char *name)
{
	for (unsigned i = 0; i < KERNEL_COUNT; i++)
		if (strcmp(kernels[i]->name, name) == 0 && kernels[i]->is_usable())
			return kernels[i];
	return NULL;
}

static const struct argon2_kernel *
best_kernel(void)
{
	unsigned i = 0;

	while (!kernels[i]->is_usable())        /* the last one always is */
		i++;
	return kernels[i];
}

/* What COUNTERFOIL_CPU says, or NULL. */
static const char *
wish(void)
{
	return secure_getenv("COUNTERFOIL_CPU");
}

static bool
is_library(const char *name)
{
	return strcmp(name, "library") == 0;
}

enum status
argon2_engine_check_wish(char error[static CONFIG_ERROR_BYTES])
{
	const char *wanted = wish();
	char usable[64] = "";

	if (wanted == NULL || is_library(wanted) || kernel_called(wanted) != NULL)
		return STATUS_OK;
	for (unsigned i = 0; i < KERNEL_COUNT; i++)
		if (kernels[i]->is_usable())
			(void)snprintf(usable + strlen(usable), sizeof usable - strlen(usable), "%s, ", kernels[i]->name);
	(void)snprintf(error, CONFIG_ERROR_BYTES, "COUNTERFOIL_CPU=%.40s in the environment: this CPU runs %sand library; "
	    "without the variable the fastest of them is taken", wanted, usable);
	return STATUS_INVALID;
}

static void
choose(void)
{
	const char *wanted = wish();

	if (wanted != NULL && is_library(wanted)) {
		engine.fault = "COUNTERFOIL_CPU asks for libargon2";
		return;
	}
	if (wanted != NULL && (engine.kernel = kernel_called(wanted)) == NULL)
		engine.fault = "COUNTERFOIL_CPU names no kernel that this CPU runs: the best one is used";
	if (engine.kernel == NULL)
		engine.kernel = best_kernel();
	if (!argon2_selftest(engine.kernel, ARGON2_SELFTEST_AT_START, 1)) {
		engine.kernel = NULL;
		engine.fault = "the self-test found a difference from libargon2, which now hashes alone";
	}
}

const struct argon2_engine *
argon2_engine(void)
{
	(void)pthread_once(&engine_once, choose);
	return &engine;
}

const char *
argon2_engine_name(void)
{
	const struct argon2_kernel *kernel = argon2_engine()->kernel;

	return kernel != NULL ? kernel->name : "library";
}

const struct argon2_kernel *const *
argon2_engine_kernels(unsigned *out_count)
{
	*out_count = KERNEL_COUNT;
	return kernels;
}

/* --- running --------------------------------------------------------------------------------------------------------------- */

static bool
is_within_bounds(const struct argon2_job *job)
{
	return job->passes >= 1 && job->lanes >= 1 && job->memory_kib / ARGON2_BLOCKS_MIN >= job->lanes &&
	    job->salt.len >= ARGON2_SALT_MIN && job->salt.len <= UINT32_MAX && job->password.len <= UINT32_MAX &&
	    job->tag_len >= ARGON2_TAG_MIN;
}

static bool
is_ours(const struct argon2_job *job)
{
	return job->lanes == 1 && argon2_engine()->kernel != NULL;
}

size_t
argon2_engine_room(const struct argon2_job *job, unsigned count)
{
	return is_ours(job) ? count * lane_size(job) : 0;
}

bool
argon2_engine_may_pair(const struct argon2_job *a, const struct argon2_job *b)
{
	return a->memory_kib == b->memory_kib && a->passes == b->passes && is_ours(a) && is_ours(b);
}

static void
begin_on(struct argon2_run *run, const struct argon2_kernel *kernel, struct argon2_arena *arena, size_t at,
    struct argon2_job *const jobs[], unsigned count)
{
	uint8_t *memory;

	*run = (struct argon2_run){ .kernel = kernel };
	for (unsigned i = 0; i < count; i++)
		if (!is_within_bounds(jobs[i]) || jobs[i]->lanes != 1) {
			jobs[i]->status = STATUS_INVALID;
			return;
		}
	if ((memory = argon2_arena_take(arena, at + count * lane_size(jobs[0]))) == NULL) {
		for (unsigned i = 0; i < count; i++)
			jobs[i]->status = STATUS_NO_MEMORY;
		return;
	}
	run->passes = jobs[0]->passes;
	run->count = count;
	for (unsigned i = 0; i < count; i++) {
		lane_begin(&run->lanes[i], jobs[i], memory + at + i * lane_size(jobs[i]));
		run->running[i] = &run->lanes[i];
		run->jobs[i] = jobs[i];
	}
}

void
argon2_engine_begin(struct argon2_run *run, struct argon2_arena *arena, size_t at, struct argon2_job *const jobs[],
    unsigned count)
{
	if (is_ours(jobs[0])) {
		begin_on(run, argon2_engine()->kernel, arena, at, jobs, count);
		return;
	}
	*run = (struct argon2_run){ .count = 0 };
	for (unsigned i = 0; i < count; i++)
		if (is_within_bounds(jobs[i]))
			run_on_library(jobs[i]);
		else
			jobs[i]->status = STATUS_INVALID;
}

void
argon2_engine_run_on(const struct argon2_kernel *kernel, struct argon2_arena *arena, struct argon2_job *const jobs[],
    unsigned count)
{
	struct argon2_run run;

	begin_on(&run, kernel, arena, 0, jobs, count);
	while (argon2_engine_step(&run))
		continue;
}

void
argon2_engine_run(struct argon2_arena *arena, struct argon2_job *const jobs[], unsigned count)
{
	struct argon2_run run;

	argon2_engine_begin(&run, arena, 0, jobs, count);
	while (argon2_engine_step(&run))
		continue;
}

void
argon2_engine_run_alone(struct argon2_job *job)
{
	struct argon2_arena *arena = NULL;
	size_t room = is_within_bounds(job) ? argon2_engine_room(job, 1) : 0;

	if (room > 0 && ((job->status = argon2_arena_new(room, &arena)) != STATUS_OK ||
	    (job->status = argon2_arena_warm(arena)) != STATUS_OK))
		goto out;
	argon2_engine_run(arena, &job, 1);
out:
	argon2_arena_free(&arena);
}
