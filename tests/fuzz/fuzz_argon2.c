/* fuzz_argon2.c: any cost and any lengths, on every kernel, one job alone, two side by side, and two of which one is
 * cancelled on the way: the same tag as libargon2's, or none at all.  The AVX-512 kernel is also run as the portable code
 * that stands for it where the CPU lacks it. */
#include <argon2.h>
#include <string.h>

#include "core/credential/argon2_engine.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/argon2_avx512_emulated.h"

enum {
	HEAD_BYTES = 9,
	MEMORY_KIB_USUAL = 64,          /* for the sake of speed */
	MEMORY_KIB_MAX = 540,           /* beyond 512, so that a segment has more than the 128 addresses of one block */
	EMULATED_KIB_MAX = 16,
	PASSES_MAX = 4,
	PASSWORD_MAX = 300,             /* BLAKE2b takes 128 at a time */
	SALT_MAX = 200,
	TAG_MAX = 300                   /* beyond 64, a chain of BLAKE2b */
};

/* What the input asks for. */
struct wish {
	uint32_t memory_kib, passes, tag_len;
	size_t password_len, salt_len;
	uint8_t text[PASSWORD_MAX + SALT_MAX];
	unsigned cancel_after;          /* steps of the fill */
};

static uint32_t
between(uint32_t least, uint32_t most, unsigned value)
{
	return least + value % (most - least + 1);
}

/* NUMBER tells the two of a pair apart: the first byte of the password, or of the salt if there is no password, differs. */
static void
read_wish(const uint8_t *data, size_t len, unsigned number, struct wish *wish)
{
	*wish = (struct wish){
		.memory_kib = data[1] < 240 ? between(8, MEMORY_KIB_USUAL, data[0]) :
		    between(MEMORY_KIB_USUAL, MEMORY_KIB_MAX, data[0] | (unsigned)data[1] << 8),
		.passes = between(1, PASSES_MAX, data[2]),
		.password_len = between(0, PASSWORD_MAX, data[3] | (unsigned)data[4] << 8),
		.salt_len = between(ARGON2_SALT_MIN, SALT_MAX, data[5]),
		.tag_len = between(ARGON2_TAG_MIN, TAG_MAX, data[6] | (unsigned)data[7] << 8),
		.cancel_after = data[8],
	};
	len -= HEAD_BYTES;
	memcpy(wish->text, data + HEAD_BYTES, len < sizeof wish->text ? len : sizeof wish->text);
	wish->text[0] ^= (uint8_t)number;
}

static struct argon2_job
job_of(const struct wish *wish, uint8_t *tag)
{
	return (struct argon2_job){ .memory_kib = wish->memory_kib, .passes = wish->passes, .lanes = 1,
		.password = { wish->text, wish->password_len },
		.salt = { wish->text + wish->password_len, wish->salt_len }, .tag = tag, .tag_len = wish->tag_len,
		.status = STATUS_INTERNAL };
}

static void
judge(const struct wish *wish, uint8_t want[static TAG_MAX])
{
	INSIST(argon2id_hash_raw(wish->passes, wish->memory_kib, 1, wish->text, wish->password_len,
	    wish->text + wish->password_len, wish->salt_len, want, wish->tag_len) == ARGON2_OK);
}

/* --- cancelled on the way -------------------------------------------------------------------------------------------- */

static const struct argon2_kernel *counted;
static unsigned steps_left;
static atomic_bool cancelled;

static void
compress_counted(const struct argon2_step *step)
{
	counted->compress(step);
	if (steps_left > 0 && --steps_left == 0)
		atomic_store(&cancelled, true);
}

static const struct argon2_kernel counting = { "counting", compress_counted, NULL };

/* --- one kernel ------------------------------------------------------------------------------------------------------ */

static void
expect(const struct argon2_job *job, const uint8_t want[static TAG_MAX])
{
	static const uint8_t untouched[TAG_MAX];

	INSIST(job->status == STATUS_OK || (job->status == STATUS_UNAVAILABLE && job->cancelled != NULL));
	INSIST(memcmp(job->tag, job->status == STATUS_OK ? want : untouched, job->tag_len) == 0);
}

/* COUNT of the two jobs at once; the one at VICTIM, if there is such a one, is cancelled after so many steps. */
static void
try_jobs(const struct argon2_kernel *kernel, struct argon2_arena *arena, const struct wish wishes[2],
    uint8_t want[2][TAG_MAX], unsigned count, unsigned victim)
{
	uint8_t tags[2][TAG_MAX] = { { 0 } };
	struct argon2_job jobs[2] = { job_of(&wishes[0], tags[0]), job_of(&wishes[1], tags[1]) };

	if (victim < count) {
		jobs[victim].cancelled = &cancelled;
		counted = kernel;
		kernel = &counting;
		steps_left = wishes[0].cancel_after;
		atomic_store(&cancelled, steps_left == 0);
	}
	argon2_engine_run_on(kernel, arena, (struct argon2_job *[]){ &jobs[0], &jobs[1] }, count);
	for (unsigned i = 0; i < count; i++)
		expect(&jobs[i], want[i]);
}

static void
try_kernel(const struct argon2_kernel *kernel, struct argon2_arena *arena, const struct wish wishes[2],
    uint8_t want[2][TAG_MAX])
{
	try_jobs(kernel, arena, wishes, want, 1, 2);
	try_jobs(kernel, arena, wishes, want, 2, 2);
	try_jobs(kernel, arena, wishes, want, 2, wishes[0].cancel_after % 2);
}

static struct argon2_arena *
arena_once(void)
{
	static struct argon2_arena *arena;      /* libFuzzer never returns: it lives as long as the process */

	if (arena == NULL) {
		INSIST(argon2_arena_new((size_t)4 * 1024 * 1024, &arena) == STATUS_OK);
		INSIST(argon2_arena_warm(arena) == STATUS_OK);
	}
	return arena;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t want[2][TAG_MAX];
	struct wish wishes[2];
	unsigned count;
	const struct argon2_kernel *const *kernels = argon2_engine_kernels(&count);

	if (len < HEAD_BYTES)
		return 0;
	for (unsigned i = 0; i < 2; i++) {
		read_wish(data, len, i, &wishes[i]);
		judge(&wishes[i], want[i]);
	}
	for (unsigned i = 0; i < count; i++)
		if (kernels[i]->is_usable())
			try_kernel(kernels[i], arena_once(), wishes, want);
#ifdef __x86_64__
	if (wishes[0].memory_kib <= EMULATED_KIB_MAX)
		try_kernel(&argon2_avx512_emulated, arena_once(), wishes, want);
#endif
	return 0;
}
