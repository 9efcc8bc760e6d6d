#include "core/credential/argon2_selftest.h"

#include <argon2.h>
#include <string.h>

#include "core/credential/argon2_engine.h"

enum {
	PASSWORD_MAX = 200,
	SALT_MAX = 64,
	TAG_MAX = 160,
	MEMORY_KIB_MAX = 700,   /* beyond 512, so that a segment has more than the 128 addresses of one block */
	PASSES_MAX = 4
};

/* --- known answers ----------------------------------------------------------------------------------------------------- */

/* RFC 9106 section 5.3.  It has four lanes, a key and associated data: libargon2 has to know it. */
static bool
library_knows_rfc(void)
{
	static const uint8_t want[32] = { 0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b,
	    0x53, 0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59 };
	uint8_t password[32], salt[16], secret[8], ad[12], tag[32];
	argon2_context context = {
		.out = tag, .outlen = sizeof tag, .pwd = password, .pwdlen = sizeof password,
		.salt = salt, .saltlen = sizeof salt, .secret = secret, .secretlen = sizeof secret, .ad = ad, .adlen = sizeof ad,
		.t_cost = 3, .m_cost = 32, .lanes = 4, .threads = 1, .version = ARGON2_VERSION_13,
	};

	memset(password, 1, sizeof password);
	memset(salt, 2, sizeof salt);
	memset(secret, 3, sizeof secret);
	memset(ad, 4, sizeof ad);
	return argon2id_ctx(&context) == ARGON2_OK && memcmp(tag, want, sizeof want) == 0;
}

/* One lane, published with the reference: password "password", salt "somesalt", 256 KiB, two passes. */
static bool
kernel_knows_reference(const struct argon2_kernel *kernel, struct argon2_arena *arena)
{
	static const uint8_t want[32] = { 0x9d, 0xfe, 0xb9, 0x10, 0xe8, 0x0b, 0xad, 0x03, 0x11, 0xfe, 0xe2, 0x0f, 0x9c, 0x0e,
	    0x2b, 0x12, 0xc1, 0x79, 0x87, 0xb4, 0xca, 0xc9, 0x0c, 0x2e, 0xf5, 0x4d, 0x5b, 0x30, 0x21, 0xc6, 0x8b, 0xfe };
	uint8_t tag[32];
	struct argon2_job job = { .memory_kib = 256, .passes = 2, .lanes = 1, .password = bytes_of("password"),
		.salt = bytes_of("somesalt"), .tag = tag, .tag_len = sizeof tag };

	argon2_engine_run_on(kernel, arena, (struct argon2_job *[]){ &job }, 1);
	return job.status == STATUS_OK && memcmp(tag, want, sizeof want) == 0;
}

/* --- cases from a seed ---------------------------------------------------------------------------------------------------- */

/* A number below LIMIT.  The generator (splitmix64) has to be repeatable, not secret. */
static uint32_t
draw(uint64_t *seed, uint32_t limit)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ z >> 31) % limit);
}

static void
draw_bytes(uint64_t *seed, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)draw(seed, 256);
}

/* Mostly little memory, for the sake of time; edges often. */
static uint32_t
draw_memory(uint64_t *seed)
{
	static const uint32_t edges[] = { 8, 11, 512, 516 };

	switch (draw(seed, 8)) {
	case 0:
		return edges[draw(seed, sizeof edges / sizeof edges[0])];
	case 1:
		return 8 + draw(seed, MEMORY_KIB_MAX - 7);
	default:
		return 8 + draw(seed, 57);
	}
}

/* A job with its bytes. */
struct trial {
	struct argon2_job job;
	uint8_t password[PASSWORD_MAX], salt[SALT_MAX], tag[TAG_MAX], want[TAG_MAX];
};

static bool
trial_draw(struct trial *trial, uint32_t memory_kib, uint32_t passes, uint64_t *seed)
{
	struct argon2_job *job = &trial->job;

	*job = (struct argon2_job){ .memory_kib = memory_kib, .passes = passes, .lanes = 1,
		.password = { trial->password, draw(seed, PASSWORD_MAX + 1) },
		.salt = { trial->salt, ARGON2_SALT_MIN + draw(seed, SALT_MAX - ARGON2_SALT_MIN + 1) },
		.tag = trial->tag, .tag_len = ARGON2_TAG_MIN + draw(seed, TAG_MAX - ARGON2_TAG_MIN + 1) };
	draw_bytes(seed, trial->password, job->password.len);
	draw_bytes(seed, trial->salt, job->salt.len);
	return argon2id_hash_raw(passes, memory_kib, 1, trial->password, job->password.len, trial->salt, job->salt.len,
	    trial->want, job->tag_len) == ARGON2_OK;
}

/* Did the last run give what libargon2 gave?  Forgets the tag, so that the next run cannot live on it. */
static bool
trial_holds(struct trial *trial)
{
	bool holds = trial->job.status == STATUS_OK && memcmp(trial->tag, trial->want, trial->job.tag_len) == 0;

	memset(trial->tag, 0, sizeof trial->tag);
	trial->job.status = STATUS_INTERNAL;
	return holds;
}

static bool
pair_holds(const struct argon2_kernel *kernel, struct argon2_arena *arena, uint64_t *seed)
{
	uint32_t memory_kib = draw_memory(seed), passes = 1 + draw(seed, PASSES_MAX);
	struct trial a, b;

	if (!trial_draw(&a, memory_kib, passes, seed) || !trial_draw(&b, memory_kib, passes, seed))
		return false;
	argon2_engine_run_on(kernel, arena, (struct argon2_job *[]){ &a.job }, 1);
	if (!trial_holds(&a))
		return false;
	argon2_engine_run_on(kernel, arena, (struct argon2_job *[]){ &b.job, &a.job }, 2);
	return trial_holds(&a) && trial_holds(&b);
}

bool
argon2_selftest(const struct argon2_kernel *kernel, unsigned cases, uint64_t seed)
{
	struct argon2_arena *arena = NULL;
	bool holds;

	if (argon2_arena_new((size_t)2 * 1024 * 1024, &arena) != STATUS_OK || argon2_arena_warm(arena) != STATUS_OK) {
		argon2_arena_free(&arena);
		return false;
	}
	holds = library_knows_rfc() && kernel_knows_reference(kernel, arena);
	for (unsigned i = 0; i < cases && holds; i++)
		holds = pair_holds(kernel, arena, &seed);
	argon2_arena_free(&arena);
	return holds;
}
