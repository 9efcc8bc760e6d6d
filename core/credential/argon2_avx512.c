/* argon2_avx512.c: the compression function in AVX-512, eight words a register, the whole block in sixteen of the
 * thirty-two.  The block is eight rows of eight pairs of words: a register is half a row, or a pair of words of each of
 * four columns. */
#include "core/credential/argon2_fill.h"

#ifdef __x86_64__
#include <immintrin.h>

#ifndef AVX512_TARGET           /* a test runs it without such a CPU */
#define AVX512_TARGET __attribute__((target("avx512f,avx512bw")))
#endif
#define AVX512 AVX512_TARGET __attribute__((always_inline)) static inline

typedef __m512i vector;

AVX512 vector
load(const struct argon2_block *block, unsigned half_row)
{
	return _mm512_load_si512((const char *)block->words + 64 * half_row);
}

AVX512 void
store(struct argon2_block *block, unsigned half_row, vector v)
{
	_mm512_store_si512((char *)block->words + 64 * half_row, v);
}

AVX512 vector
add_and_multiply(vector a, vector b)
{
	vector product = _mm512_mul_epu32(a, b);

	return _mm512_add_epi64(_mm512_add_epi64(a, b), _mm512_add_epi64(product, product));
}

/* What GB mixes: four times eight words.  Four quads go in step, for each step of GB waits for the multiplication of the
 * step before. */
struct quad {
	vector a, b, c, d;
};

/* GB in four steps, on two quads. */
AVX512 void
mix_1(struct quad q[2])
{
	q[0].a = add_and_multiply(q[0].a, q[0].b);
	q[1].a = add_and_multiply(q[1].a, q[1].b);
	q[0].d = _mm512_ror_epi64(_mm512_xor_si512(q[0].d, q[0].a), 32);
	q[1].d = _mm512_ror_epi64(_mm512_xor_si512(q[1].d, q[1].a), 32);
}

AVX512 void
mix_2(struct quad q[2])
{
	q[0].c = add_and_multiply(q[0].c, q[0].d);
	q[1].c = add_and_multiply(q[1].c, q[1].d);
	q[0].b = _mm512_ror_epi64(_mm512_xor_si512(q[0].b, q[0].c), 24);
	q[1].b = _mm512_ror_epi64(_mm512_xor_si512(q[1].b, q[1].c), 24);
}

AVX512 void
mix_3(struct quad q[2])
{
	q[0].a = add_and_multiply(q[0].a, q[0].b);
	q[1].a = add_and_multiply(q[1].a, q[1].b);
	q[0].d = _mm512_ror_epi64(_mm512_xor_si512(q[0].d, q[0].a), 16);
	q[1].d = _mm512_ror_epi64(_mm512_xor_si512(q[1].d, q[1].a), 16);
}

AVX512 void
mix_4(struct quad q[2])
{
	q[0].c = add_and_multiply(q[0].c, q[0].d);
	q[1].c = add_and_multiply(q[1].c, q[1].d);
	q[0].b = _mm512_ror_epi64(_mm512_xor_si512(q[0].b, q[0].c), 63);
	q[1].b = _mm512_ror_epi64(_mm512_xor_si512(q[1].b, q[1].c), 63);
}

AVX512 void
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

/* --- rows: a quad is two rows, one in the low and one in the high halves; words 0 to 3 of each in a, and so on -------- */

AVX512 void
rows_load(struct quad *q, const struct argon2_step *step, unsigned pair)
{
	unsigned at = 4 * pair;
	vector low0 = _mm512_xor_si512(load(step->prev, at), load(step->ref, at));
	vector high0 = _mm512_xor_si512(load(step->prev, at + 1), load(step->ref, at + 1));
	vector low1 = _mm512_xor_si512(load(step->prev, at + 2), load(step->ref, at + 2));
	vector high1 = _mm512_xor_si512(load(step->prev, at + 3), load(step->ref, at + 3));

	q->a = _mm512_shuffle_i64x2(low0, low1, _MM_SHUFFLE(1, 0, 1, 0));
	q->b = _mm512_shuffle_i64x2(low0, low1, _MM_SHUFFLE(3, 2, 3, 2));
	q->c = _mm512_shuffle_i64x2(high0, high1, _MM_SHUFFLE(1, 0, 1, 0));
	q->d = _mm512_shuffle_i64x2(high0, high1, _MM_SHUFFLE(3, 2, 3, 2));
}

/* Bring the diagonals of the four by four words into columns. */
AVX512 void
rows_slant(struct quad *q)
{
	q->b = _mm512_permutex_epi64(q->b, _MM_SHUFFLE(0, 3, 2, 1));
	q->c = _mm512_permutex_epi64(q->c, _MM_SHUFFLE(1, 0, 3, 2));
	q->d = _mm512_permutex_epi64(q->d, _MM_SHUFFLE(2, 1, 0, 3));
}

AVX512 void
rows_straighten(struct quad *q)
{
	q->b = _mm512_permutex_epi64(q->b, _MM_SHUFFLE(2, 1, 0, 3));
	q->c = _mm512_permutex_epi64(q->c, _MM_SHUFFLE(1, 0, 3, 2));
	q->d = _mm512_permutex_epi64(q->d, _MM_SHUFFLE(0, 3, 2, 1));
}

/* --- columns: two quads are four columns; the even rows (words 0 1, 4 5, 8 9, 12 13 of each) in the first, the odd rows
 * (words 2 3, 6 7, 10 11, 14 15) in the second ---------------------------------------------------------------------- */

/* From two rows of a quad to halves of rows: those of columns 0 to 3 into LEFT[0] and LEFT[1], 4 to 7 into RIGHT. */
#define ROWS_TO_COLUMNS(rows, left, right, member) \
	do { \
		(left)[0].member = _mm512_shuffle_i64x2((rows).a, (rows).b, _MM_SHUFFLE(1, 0, 1, 0)); \
		(left)[1].member = _mm512_shuffle_i64x2((rows).a, (rows).b, _MM_SHUFFLE(3, 2, 3, 2)); \
		(right)[0].member = _mm512_shuffle_i64x2((rows).c, (rows).d, _MM_SHUFFLE(1, 0, 1, 0)); \
		(right)[1].member = _mm512_shuffle_i64x2((rows).c, (rows).d, _MM_SHUFFLE(3, 2, 3, 2)); \
	} while (0)

AVX512 void
columns_slant(struct quad q[2])
{
	vector b0 = q[0].b, c0 = q[0].c, d0 = q[0].d;

	q[0].b = _mm512_alignr_epi8(q[1].b, b0, 8);     /* words 5 6 */
	q[1].b = _mm512_alignr_epi8(b0, q[1].b, 8);     /* words 7 4 */
	q[0].c = q[1].c;
	q[1].c = c0;
	q[0].d = _mm512_alignr_epi8(d0, q[1].d, 8);     /* words 15 12 */
	q[1].d = _mm512_alignr_epi8(q[1].d, d0, 8);     /* words 13 14 */
}

AVX512 void
columns_straighten(struct quad q[2])
{
	vector b0 = q[0].b, c0 = q[0].c, d0 = q[0].d;

	q[0].b = _mm512_alignr_epi8(b0, q[1].b, 8);
	q[1].b = _mm512_alignr_epi8(q[1].b, b0, 8);
	q[0].c = q[1].c;
	q[1].c = c0;
	q[0].d = _mm512_alignr_epi8(q[1].d, d0, 8);
	q[1].d = _mm512_alignr_epi8(d0, q[1].d, 8);
}

AVX512 void
columns_xor(struct quad q[2], const struct argon2_block *block, unsigned half)
{
	q[0].a = _mm512_xor_si512(q[0].a, load(block, half));
	q[1].a = _mm512_xor_si512(q[1].a, load(block, half + 2));
	q[0].b = _mm512_xor_si512(q[0].b, load(block, half + 4));
	q[1].b = _mm512_xor_si512(q[1].b, load(block, half + 6));
	q[0].c = _mm512_xor_si512(q[0].c, load(block, half + 8));
	q[1].c = _mm512_xor_si512(q[1].c, load(block, half + 10));
	q[0].d = _mm512_xor_si512(q[0].d, load(block, half + 12));
	q[1].d = _mm512_xor_si512(q[1].d, load(block, half + 14));
}

AVX512 void
columns_store(const struct quad q[2], struct argon2_block *block, unsigned half)
{
	store(block, half, q[0].a);
	store(block, half + 2, q[1].a);
	store(block, half + 4, q[0].b);
	store(block, half + 6, q[1].b);
	store(block, half + 8, q[0].c);
	store(block, half + 10, q[1].c);
	store(block, half + 12, q[0].d);
	store(block, half + 14, q[1].d);
}

/* The last XORs of G, and the result to its place. */
AVX512 void
columns_finish(struct quad q[2], const struct argon2_step *step, unsigned half)
{
	if (step->over)
		columns_xor(q, step->next, half);
	columns_xor(q, step->prev, half);
	columns_xor(q, step->ref, half);
	columns_store(q, step->next, half);
}

/* --- the block ------------------------------------------------------------------------------------------------------- */

AVX512_TARGET static void
compress(const struct argon2_step *borrowed)
{
	const struct argon2_step own = *borrowed, *step = &own; /* no store into a block can change it: no loading anew */
	struct quad rows[4], columns[4];

	rows_load(&rows[0], step, 0);
	rows_load(&rows[1], step, 1);
	rows_load(&rows[2], step, 2);
	rows_load(&rows[3], step, 3);
	mix(rows);
	rows_slant(&rows[0]);
	rows_slant(&rows[1]);
	rows_slant(&rows[2]);
	rows_slant(&rows[3]);
	mix(rows);
	rows_straighten(&rows[0]);
	rows_straighten(&rows[1]);
	rows_straighten(&rows[2]);
	rows_straighten(&rows[3]);
	ROWS_TO_COLUMNS(rows[0], &columns[0], &columns[2], a);
	ROWS_TO_COLUMNS(rows[1], &columns[0], &columns[2], b);
	ROWS_TO_COLUMNS(rows[2], &columns[0], &columns[2], c);
	ROWS_TO_COLUMNS(rows[3], &columns[0], &columns[2], d);
	mix(columns);
	columns_slant(&columns[0]);
	columns_slant(&columns[2]);
	mix(columns);
	columns_straighten(&columns[0]);
	columns_straighten(&columns[2]);
	columns_finish(&columns[0], step, 0);
	argon2_fetch_ahead(step);
	columns_finish(&columns[2], step, 1);
}

static bool
is_usable(void)
{
	return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0;
}

const struct argon2_kernel argon2_kernel_avx512 = { "avx512", compress, is_usable };
#endif
