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

/* The permutation P on eight pairs of words, the first at W, each next one STRIDE words on.  Sixteen variables and not an
 * array: no compiler needs to be told to unroll anything. */
static inline void
permute(uint64_t *w, unsigned stride)
{
	uint64_t v0 = w[0], v1 = w[1], v2 = w[stride], v3 = w[stride + 1];
	uint64_t v4 = w[2 * stride], v5 = w[2 * stride + 1], v6 = w[3 * stride], v7 = w[3 * stride + 1];
	uint64_t v8 = w[4 * stride], v9 = w[4 * stride + 1], v10 = w[5 * stride], v11 = w[5 * stride + 1];
	uint64_t v12 = w[6 * stride], v13 = w[6 * stride + 1], v14 = w[7 * stride], v15 = w[7 * stride + 1];

	mix(&v0, &v4, &v8, &v12);
	mix(&v1, &v5, &v9, &v13);
	mix(&v2, &v6, &v10, &v14);
	mix(&v3, &v7, &v11, &v15);
	mix(&v0, &v5, &v10, &v15);
	mix(&v1, &v6, &v11, &v12);
	mix(&v2, &v7, &v8, &v13);
	mix(&v3, &v4, &v9, &v14);
	w[0] = v0, w[1] = v1, w[stride] = v2, w[stride + 1] = v3;
	w[2 * stride] = v4, w[2 * stride + 1] = v5, w[3 * stride] = v6, w[3 * stride + 1] = v7;
	w[4 * stride] = v8, w[4 * stride + 1] = v9, w[5 * stride] = v10, w[5 * stride + 1] = v11;
	w[6 * stride] = v12, w[6 * stride + 1] = v13, w[7 * stride] = v14, w[7 * stride + 1] = v15;
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
