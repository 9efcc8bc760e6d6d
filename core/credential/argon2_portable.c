/* argon2_portable.c: the compression function in plain C, for every CPU. */
#include "core/credential/argon2_fill.h"

static inline uint64_t
rotate_right(uint64_t x, unsigned by)
{
	return (x >> by) | (x << (64 - by));
}

/* BLAKE2b's addition made harder by a multiplication of the low halves (RFC 9106 section 3.6). */
static inline uint64_t
add_and_multiply(uint64_t a, uint64_t b)
{
	return a + b + 2 * (a & UINT32_MAX) * (b & UINT32_MAX);
}

/* GB on four words. */
static inline void
mix(uint64_t *a, uint64_t *b, uint64_t *c, uint64_t *d)
{
	*a = add_and_multiply(*a, *b);
	*d = rotate_right(*d ^ *a, 32);
	*c = add_and_multiply(*c, *d);
	*b = rotate_right(*b ^ *c, 24);
	*a = add_and_multiply(*a, *b);
	*d = rotate_right(*d ^ *a, 16);
	*c = add_and_multiply(*c, *d);
	*b = rotate_right(*b ^ *c, 63);
}

/* The permutation P on eight pairs of words, the first at W, each next one STRIDE words on. */
static void
permute(uint64_t *w, unsigned stride)
{
	uint64_t v[16];

	for (unsigned i = 0; i < 8; i++) {
		v[2 * i] = w[i * stride];
		v[2 * i + 1] = w[i * stride + 1];
	}
	for (unsigned i = 0; i < 4; i++)
		mix(&v[i], &v[4 + i], &v[8 + i], &v[12 + i]);
	for (unsigned i = 0; i < 4; i++)
		mix(&v[i], &v[4 + (i + 1) % 4], &v[8 + (i + 2) % 4], &v[12 + (i + 3) % 4]);
	for (unsigned i = 0; i < 8; i++) {
		w[i * stride] = v[2 * i];
		w[i * stride + 1] = v[2 * i + 1];
	}
}

static void
compress(const struct argon2_step *step)
{
	const uint64_t *prev = step->prev->words, *ref = step->ref->words;
	uint64_t *next = step->next->words, *z = step->scratch->words;

	for (unsigned i = 0; i < ARGON2_BLOCK_WORDS; i++)
		z[i] = prev[i] ^ ref[i];
	for (unsigned row = 0; row < 8; row++)
		permute(&z[16 * row], 2);
	for (unsigned column = 0; column < 8; column++)
		permute(&z[2 * column], 16);
	for (unsigned i = 0; i < ARGON2_BLOCK_WORDS; i++)
		next[i] = z[i] ^ prev[i] ^ ref[i] ^ (step->over ? next[i] : 0);
	argon2_fetch_ahead(step);
}

static bool
is_usable(void)
{
	return true;
}

const struct argon2_kernel argon2_kernel_portable = { "portable", compress, is_usable };
