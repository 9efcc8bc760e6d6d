/* argon2_engine.h: Argon2id, version 0x13 (RFC 9106), as fast as this machine can.  Jobs of one lane run on a fill of our
 * own, for the best instructions of this CPU; all others on libargon2, which is also the judge of ours: when the first
 * job comes, both hash the same things, and ours is off for good if a single bit differs. */
#ifndef COUNTERFOIL_ARGON2_ENGINE_H
#define COUNTERFOIL_ARGON2_ENGINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/config.h"
#include "core/base/status.h"
#include "core/credential/argon2_arena.h"
#include "core/credential/argon2_fill.h"

#define ARGON2_TAG_MIN 4        /* RFC 9106 section 3.1 */
#define ARGON2_SALT_MIN 8
#define ARGON2_TOGETHER_MAX 2   /* jobs that one core runs in turn; three were slower wherever it was measured */

/* One hash.  The caller owns everything in it, and what it points to stays until the job is run. */
struct argon2_job {
	uint32_t memory_kib;            /* 8 a lane or more */
	uint32_t passes;                /* 1 or more */
	uint32_t lanes;                 /* 1 or more */
	struct bytes password, salt;    /* the salt has ARGON2_SALT_MIN bytes or more */
	uint8_t *tag;                   /* OUT: tag_len bytes, ARGON2_TAG_MIN or more; written on STATUS_OK only */
	uint32_t tag_len;
	atomic_bool *cancelled;         /* NULL, or set by any thread: nobody wants the tag any more */
	enum status status;             /* OUT: STATUS_OK; STATUS_UNAVAILABLE when cancelled; STATUS_NO_MEMORY;
	                                 * STATUS_INVALID: outside the bounds above; STATUS_INTERNAL */
};

/* What this process hashes with, found at the first call, from any thread.  KERNEL is NULL when ours is off, and FAULT
 * then says why; a FAULT with a kernel is a note.  COUNTERFOIL_CPU=portable|avx2|avx512 in the environment asks for a
 * kernel, "library" for none; what this CPU does not run is a fault, and the best kernel takes its place. */
struct argon2_engine {
	const struct argon2_kernel *kernel;
	const char *fault;              /* or NULL */
};
const struct argon2_engine *argon2_engine(void);

/* For a program that would rather not start than hash with something else than it was told to.
 * STATUS_INVALID: COUNTERFOIL_CPU is none of the above, or a kernel that this CPU does not run; ERROR says what it may be. */
enum status argon2_engine_check_wish(char error[static CONFIG_ERROR_BYTES]) NODISCARD;

/* "portable", "avx2", "avx512"; "library" when ours is off. */
const char *argon2_engine_name(void);

/* Every kernel that was compiled in, the fastest first; is_usable() says whether this CPU runs it. */
const struct argon2_kernel *const *argon2_engine_kernels(unsigned *out_count);

/* The memory that COUNT jobs like JOB fill, side by side, in an arena; 0 when libargon2 will run them. */
size_t argon2_engine_room(const struct argon2_job *job, unsigned count);

/* Do A and B cost the same, and would they run side by side? */
bool argon2_engine_may_pair(const struct argon2_job *a, const struct argon2_job *b);

/* Jobs that are run in parts, with other things done in between. */
struct argon2_run {
	const struct argon2_kernel *kernel;
	struct argon2_lane lanes[ARGON2_TOGETHER_MAX];
	struct argon2_lane *running[ARGON2_TOGETHER_MAX];
	struct argon2_job *jobs[ARGON2_TOGETHER_MAX];           /* of RUNNING, in its order */
	unsigned count;
	uint32_t passes, pass, slice;
};

/* Begin to run COUNT jobs, 1 or ARGON2_TOGETHER_MAX; two must be such as may pair.  They fill ARENA from AT on, a multiple
 * of ARGON2_BLOCK_BYTES, which has room for them there and is warm, or ought to be.  What a job leaves in the arena is not its
 * tag, but would help to guess the password: the next job overwrites it, or the caller wipes. */
void argon2_engine_begin(struct argon2_run *run, struct argon2_arena *arena, size_t at, struct argon2_job *const jobs[],
    unsigned count);

/* The next part, a quarter of a pass; libargon2 has no parts, and did all at the beginning.  False: it was the last one, each
 * job has its status, and RUN is wiped. */
bool argon2_engine_step(struct argon2_run *run);

/* All parts in one go, from the start of ARENA. */
void argon2_engine_run(struct argon2_arena *arena, struct argon2_job *const jobs[], unsigned count);

/* The same on a kernel of the caller's choice, which this CPU runs: for tests and measurements. */
void argon2_engine_run_on(const struct argon2_kernel *kernel, struct argon2_arena *arena, struct argon2_job *const jobs[],
    unsigned count);

/* Run one job in memory of its own, which is wiped and given back: for programs that hash once. */
void argon2_engine_run_alone(struct argon2_job *job);

#endif
