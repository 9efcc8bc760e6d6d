/* argon2_avx2.c: the compression function in AVX2, four words a register.  The block is eight rows of eight pairs of
 * words, so a row is four registers, and a register seen from above is a pair of words of each of two columns. */
#include "core/credential/argon2_fill.h"

#ifdef __x86_64__
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2"), always_inline)) static inline
#define ROW_VECTORS 4           /* registers in a row */

typedef __m256i vector;

AVX2 vector
load(const struct argon2_block *block, unsigned i)
{
	return _mm256_load_si256((const vector *)block->words + i);
}

AVX2 void
store(struct argon2_block *block, unsigned i, vector v)
{
	_mm256_store_si256((vector *)block->words + i, v);
}

AVX2 vector
add_and_multiply(vector a, vector b)
{
	vector product = _mm256_mul_epu32(a, b);

	return _mm256_add_epi64(_mm256_add_epi64(a, b), _mm256_add_epi64(product, product));
}

AVX2 vector
rotate_right_32(vector x)
{
	return _mm256_shuffle_epi32(x, _MM_SHUFFLE(2, 3, 0, 1));
}

AVX2 vector
rotate_right_24(vector x)
{
	const vector order = _mm256_setr_epi8(3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10,
	    3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10);

	return _mm256_shuffle_epi8(x, order);
}

AVX2 vector
rotate_right_16(vector x)
{
	const vector order = _mm256_setr_epi8(2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9,
	    2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9);

	return _mm256_shuffle_epi8(x, order);
}

AVX2 vector
rotate_right_63(vector x)
{
	return _mm256_xor_si256(_mm256_srli_epi64(x, 63), _mm256_add_epi64(x, x));
}

/* What GB mixes: four times four words.  Each step of GB waits for a multiplication of the step before, longer than the
 * CPU's window of reordering reaches, so four quads that know nothing of each other go in step: that is worth a third
 * against two, though sixteen registers no longer hold everything. */
struct quad {
	vector a, b, c, d;
};

/* The four steps of GB, on two quads. */
AVX2 void
mix_1(struct quad q[2])
{
	q[0].a = add_and_multiply(q[0].a, q[0].b);
	q[1].a = add_and_multiply(q[1].a, q[1].b);
	q[0].d = rotate_right_32(_mm256_xor_si256(q[0].d, q[0].a));
	q[1].d = rotate_right_32(_mm256_xor_si256(q[1].d, q[1].a));
}

AVX2 void
mix_2(struct quad q[2])
{
	q[0].c = add_and_multiply(q[0].c, q[0].d);
	q[1].c = add_and_multiply(q[1].c, q[1].d);
	q[0].b = rotate_right_24(_mm256_xor_si256(q[0].b, q[0].c));
	q[1].b = rotate_right_24(_mm256_xor_si256(q[1].b, q[1].c));
}

AVX2 void
mix_3(struct quad q[2])
{
	q[0].a = add_and_multiply(q[0].a, q[0].b);
	q[1].a = add_and_multiply(q[1].a, q[1].b);
	q[0].d = rotate_right_16(_mm256_xor_si256(q[0].d, q[0].a));
	q[1].d = rotate_right_16(_mm256_xor_si256(q[1].d, q[1].a));
}

AVX2 void
mix_4(struct quad q[2])
{
	q[0].c = add_and_multiply(q[0].c, q[0].d);
	q[1].c = add_and_multiply(q[1].c, q[1].d);
	q[0].b = rotate_right_63(_mm256_xor_si256(q[0].b, q[0].c));
	q[1].b = rotate_right_63(_mm256_xor_si256(q[1].b, q[1].c));
}

AVX2 void
mix(struct quad q[4])
{
	mix_1(&q[0]);
	mix_1(&q[2]);
	mix_2(&q[0]);
	mix_2(&q[2]);
	mix_3(&q[0]);
	mix_3(&q[2]);
	mix_4(&q[0]);
	mix_4(&q[2]);
}

#define EACH(step, q) step(&(q)[0]), step(&(q)[1]), step(&(q)[2]), step(&(q)[3])

/* --- rows: a quad is one row, its words 0 to 3 in a, 4 to 7 in b, and so on ------------------------------------- */

AVX2 void
row_load(struct quad *q, const struct argon2_step *step, unsigned row)
{
	const struct argon2_block *prev = step->prev, *ref = step->ref;
	unsigned at = row * ROW_VECTORS;

	q->a = _mm256_xor_si256(load(prev, at), load(ref, at));
	q->b = _mm256_xor_si256(load(prev, at + 1), load(ref, at + 1));
	q->c = _mm256_xor_si256(load(prev, at + 2), load(ref, at + 2));
	q->d = _mm256_xor_si256(load(prev, at + 3), load(ref, at + 3));
}

AVX2 void
row_store(const struct quad *q, struct argon2_block *z, unsigned row)
{
	unsigned at = row * ROW_VECTORS;

	store(z, at, q->a);
	store(z, at + 1, q->b);
	store(z, at + 2, q->c);
	store(z, at + 3, q->d);
}

/* Bring the diagonals of the four by four words into columns. */
AVX2 void
row_slant(struct quad *q)
{
	q->b = _mm256_permute4x64_epi64(q->b, _MM_SHUFFLE(0, 3, 2, 1));
	q->c = _mm256_permute4x64_epi64(q->c, _MM_SHUFFLE(1, 0, 3, 2));
	q->d = _mm256_permute4x64_epi64(q->d, _MM_SHUFFLE(2, 1, 0, 3));
}

AVX2 void
row_straighten(struct quad *q)
{
	q->b = _mm256_permute4x64_epi64(q->b, _MM_SHUFFLE(2, 1, 0, 3));
	q->c = _mm256_permute4x64_epi64(q->c, _MM_SHUFFLE(1, 0, 3, 2));
	q->d = _mm256_permute4x64_epi64(q->d, _MM_SHUFFLE(0, 3, 2, 1));
}

/* --- columns: two quads are two columns, in the low and the high halves: words 0 1, 4 5, 8 9, 12 13 in the first quad,
 * 2 3, 6 7, 10 11, 14 15 in the second -------------------------------------------------------------------------- */

AVX2 void
column_load(struct quad q[2], const struct argon2_block *z, unsigned pair)
{
	q[0].a = load(z, pair);
	q[1].a = load(z, pair + ROW_VECTORS);
	q[0].b = load(z, pair + 2 * ROW_VECTORS);
	q[1].b = load(z, pair + 3 * ROW_VECTORS);
	q[0].c = load(z, pair + 4 * ROW_VECTORS);
	q[1].c = load(z, pair + 5 * ROW_VECTORS);
	q[0].d = load(z, pair + 6 * ROW_VECTORS);
	q[1].d = load(z, pair + 7 * ROW_VECTORS);
}

AVX2 void
column_slant(struct quad q[2])
{
	vector b0 = q[0].b, c0 = q[0].c, d0 = q[0].d;

	q[0].b = _mm256_alignr_epi8(q[1].b, b0, 8);     /* words 5 6 */
	q[1].b = _mm256_alignr_epi8(b0, q[1].b, 8);     /* words 7 4 */
	q[0].c = q[1].c;
	q[1].c = c0;
	q[0].d = _mm256_alignr_epi8(d0, q[1].d, 8);     /* words 15 12 */
	q[1].d = _mm256_alignr_epi8(q[1].d, d0, 8);     /* words 13 14 */
}

AVX2 void
column_straighten(struct quad q[2])
{
	vector b0 = q[0].b, c0 = q[0].c, d0 = q[0].d;

	q[0].b = _mm256_alignr_epi8(b0, q[1].b, 8);
	q[1].b = _mm256_alignr_epi8(q[1].b, b0, 8);
	q[0].c = q[1].c;
	q[1].c = c0;
	q[0].d = _mm256_alignr_epi8(q[1].d, d0, 8);
	q[1].d = _mm256_alignr_epi8(d0, q[1].d, 8);
}

/* XOR the two columns with what BLOCK has in their place. */
AVX2 void
column_xor(struct quad q[2], const struct argon2_block *block, unsigned pair)
{
	q[0].a = _mm256_xor_si256(q[0].a, load(block, pair));
	q[1].a = _mm256_xor_si256(q[1].a, load(block, pair + ROW_VECTORS));
	q[0].b = _mm256_xor_si256(q[0].b, load(block, pair + 2 * ROW_VECTORS));
	q[1].b = _mm256_xor_si256(q[1].b, load(block, pair + 3 * ROW_VECTORS));
	q[0].c = _mm256_xor_si256(q[0].c, load(block, pair + 4 * ROW_VECTORS));
	q[1].c = _mm256_xor_si256(q[1].c, load(block, pair + 5 * ROW_VECTORS));
	q[0].d = _mm256_xor_si256(q[0].d, load(block, pair + 6 * ROW_VECTORS));
	q[1].d = _mm256_xor_si256(q[1].d, load(block, pair + 7 * ROW_VECTORS));
}

AVX2 void
column_store(const struct quad q[2], struct argon2_block *block, unsigned pair)
{
	store(block, pair, q[0].a);
	store(block, pair + ROW_VECTORS, q[1].a);
	store(block, pair + 2 * ROW_VECTORS, q[0].b);
	store(block, pair + 3 * ROW_VECTORS, q[1].b);
	store(block, pair + 4 * ROW_VECTORS, q[0].c);
	store(block, pair + 5 * ROW_VECTORS, q[1].c);
	store(block, pair + 6 * ROW_VECTORS, q[0].d);
	store(block, pair + 7 * ROW_VECTORS, q[1].d);
}

/* The last XORs of G, and the result to its place. */
AVX2 void
column_finish(struct quad q[2], const struct argon2_step *step, unsigned pair)
{
	if (step->over)
		column_xor(q, step->next, pair);
	column_xor(q, step->prev, pair);
	column_xor(q, step->ref, pair);
	column_store(q, step->next, pair);
}

/* --- the block ---------------------------------------------------------------------------------------------------- */

AVX2 void
four_rows(const struct argon2_step *step, unsigned row)
{
	struct quad q[4];

	row_load(&q[0], step, row);
	row_load(&q[1], step, row + 1);
	row_load(&q[2], step, row + 2);
	row_load(&q[3], step, row + 3);
	mix(q);
	EACH(row_slant, q);
	mix(q);
	EACH(row_straighten, q);
	row_store(&q[0], step->scratch, row);
	row_store(&q[1], step->scratch, row + 1);
	row_store(&q[2], step->scratch, row + 2);
	row_store(&q[3], step->scratch, row + 3);
}

/* PAIR counts pairs of columns; two of them. */
AVX2 void
four_columns(const struct argon2_step *step, unsigned pair)
{
	struct quad q[4];

	column_load(&q[0], step->scratch, pair);
	column_load(&q[2], step->scratch, pair + 1);
	mix(q);
	column_slant(&q[0]);
	column_slant(&q[2]);
	mix(q);
	column_straighten(&q[0]);
	column_straighten(&q[2]);
	column_finish(&q[0], step, pair);
	column_finish(&q[2], step, pair + 1);
}

__attribute__((target("avx2"))) static void
compress(const struct argon2_step *borrowed)
{
	const struct argon2_step own = *borrowed, *step = &own; /* no store into a block can change it: no loading anew */

	for (unsigned row = 0; row < 8; row += 4)
		four_rows(step, row);
	argon2_prefetch(step->next);    /* or else the stores would wait, and what comes after them */
	for (unsigned pair = 0; pair < 4; pair += 2) {
		four_columns(step, pair);
		if (pair == 0)
			argon2_fetch_ahead(step);
	}
}

static bool
is_usable(void)
{
	return __builtin_cpu_supports("avx2") != 0;
}

const struct argon2_kernel argon2_kernel_avx2 = { "avx2", compress, is_usable };
#endif
