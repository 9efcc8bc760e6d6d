/* argon2_fill.h: the memory-hard part of Argon2id, version 0x13, one lane (RFC 9106 sections 3.2 to 3.6): which block
 * refers to which, and the compression function in the forms that CPUs offer.  Knows no password. */
#ifndef COUNTERFOIL_ARGON2_FILL_H
#define COUNTERFOIL_ARGON2_FILL_H

#include <stdbool.h>
#include <stdint.h>

enum {
	ARGON2_BLOCK_BYTES = 1024,
	ARGON2_BLOCK_WORDS = 128,
	ARGON2_SLICES = 4,
	ARGON2_BLOCKS_MIN = 8           /* of one lane */
};

/* Words in the order of the host; what enters and leaves is little-endian (argon2_engine.c converts). */
struct argon2_block {
	_Alignas(64) uint64_t words[ARGON2_BLOCK_WORDS];
};

/* Which blocks the next one may refer to: COUNT of them, from FIRST on, going round after the last of the lane. */
struct argon2_window {
	const struct argon2_block *blocks;
	uint32_t block_count;           /* of the lane: m' */
	uint32_t first;
	uint32_t count;                 /* 0: the next address does not come from this block, or there is none */
};

/* One job while its memory is filled.  The caller sets the first three, puts the first two blocks in place, and wipes
 * the whole struct afterwards. */
struct argon2_lane {
	struct argon2_block *blocks;
	uint32_t block_count;           /* m': a multiple of 4, ARGON2_BLOCKS_MIN or more */
	uint32_t passes;
	struct argon2_block addresses;  /* of the segments whose addresses do not depend on data */
	struct argon2_block scratch;
};

/* One step of the fill. */
struct argon2_step {
	struct argon2_block *next;      /* none of the others; may be written in parts before the end */
	const struct argon2_block *prev, *ref;
	struct argon2_block *scratch;   /* for what would otherwise stay behind on the stack */
	bool over;                      /* XOR with what NEXT holds, instead of replacing it */
	struct argon2_window ahead;     /* of the step after this one */
};

/* The compression function G: *next = G(*prev, *ref).  As soon as the first word of *next is known it fetches into the
 * cache what the step after this one will refer to, if AHEAD has blocks. */
typedef void argon2_compress(const struct argon2_step *step);

/* A form of G for one kind of CPU. */
struct argon2_kernel {
	const char *name;               /* "portable", "avx2", "avx512": in COUNTERFOIL_CPU, metrics and logs */
	argon2_compress *compress;
	bool (*is_usable)(void);        /* does this CPU, under this system, run it? */
};

extern const struct argon2_kernel argon2_kernel_portable;
#ifdef __x86_64__
extern const struct argon2_kernel argon2_kernel_avx2;
extern const struct argon2_kernel argon2_kernel_avx512;
#endif

/* One segment, a quarter of a pass, of COUNT lanes (1 or 2) of equal size: block by block in turn, so that while one
 * lane computes, the other's next reference is on its way from memory. */
void argon2_fill_segment(const struct argon2_kernel *kernel, struct argon2_lane *const lanes[], unsigned count,
    uint32_t pass, uint32_t slice);

/* RFC 9106 section 3.4.2: the low half of WORD to a block of WINDOW, which is not empty. */
static inline const struct argon2_block *
argon2_window_block(const struct argon2_window *window, uint64_t word)
{
	uint64_t j1 = word & UINT32_MAX;
	uint64_t x = (j1 * j1) >> 32;
	uint64_t y = (window->count * x) >> 32;
	uint64_t at = window->first + (window->count - 1 - y);  /* below 2^33: no overflow */

	return &window->blocks[at < window->block_count ? at : at - window->block_count];
}

/* Ask for a whole block.  Always inline: gcc takes a function that does nothing but this for one that does nothing, and drops
 * the calls of it (tests/lint/prefetch.sh looks). */
__attribute__((always_inline)) static inline void
argon2_prefetch(const struct argon2_block *block)
{
	const char *at = (const char *)block;

	for (int i = 0; i < ARGON2_BLOCK_BYTES; i += 64)
		__builtin_prefetch(at + i);
}

/* For the kernels, when the first word of step->next is in place. */
__attribute__((always_inline)) static inline void
argon2_fetch_ahead(const struct argon2_step *step)
{
	if (step->ahead.count > 0)
		argon2_prefetch(argon2_window_block(&step->ahead, step->next->words[0]));
}

#endif
