#include "tests/unit/argon2_avx512_emulated.h"

#ifdef __x86_64__
#include <immintrin.h>
#include <string.h>

struct emulated {
	uint64_t q[8];
};

static struct emulated
emulated_load(const void *from)
{
	struct emulated v;

	memcpy(v.q, from, sizeof v.q);
	return v;
}

static void
emulated_store(void *to, struct emulated v)
{
	memcpy(to, v.q, sizeof v.q);
}

static struct emulated
emulated_add(struct emulated a, struct emulated b)
{
	for (int i = 0; i < 8; i++)
		a.q[i] += b.q[i];
	return a;
}

static struct emulated
emulated_xor(struct emulated a, struct emulated b)
{
	for (int i = 0; i < 8; i++)
		a.q[i] ^= b.q[i];
	return a;
}

/* VPMULUDQ: the low halves of each word. */
static struct emulated
emulated_mul(struct emulated a, struct emulated b)
{
	for (int i = 0; i < 8; i++)
		a.q[i] = (a.q[i] & UINT32_MAX) * (b.q[i] & UINT32_MAX);
	return a;
}

/* VPRORQ */
static struct emulated
emulated_ror(struct emulated a, int by)
{
	for (int i = 0; i < 8; i++)
		a.q[i] = a.q[i] >> by | a.q[i] << (64 - by);
	return a;
}

/* VSHUFI64X2: two quarters of A, then two of B, each chosen by two bits of CONTROL. */
static struct emulated
emulated_shuffle(struct emulated a, struct emulated b, int control)
{
	struct emulated v;

	for (int i = 0; i < 4; i++) {
		const struct emulated *from = i < 2 ? &a : &b;
		int quarter = control >> 2 * i & 3;

		v.q[2 * i] = from->q[2 * quarter];
		v.q[2 * i + 1] = from->q[2 * quarter + 1];
	}
	return v;
}

/* VPERMQ: within each half, four words chosen by two bits of CONTROL each. */
static struct emulated
emulated_permute(struct emulated a, int control)
{
	struct emulated v;

	for (int i = 0; i < 8; i++)
		v.q[i] = a.q[i / 4 * 4 + (control >> 2 * (i % 4) & 3)];
	return v;
}

/* VPALIGNR by eight bytes: within each quarter, the high word of LOW below the low word of HIGH. */
static struct emulated
emulated_align(struct emulated high, struct emulated low)
{
	struct emulated v;

	for (int i = 0; i < 8; i += 2) {
		v.q[i] = low.q[i + 1];
		v.q[i + 1] = high.q[i];
	}
	return v;
}

/* Some of these are macros of the compiler's header when it does not optimise. */
#undef _mm512_ror_epi64
#undef _mm512_shuffle_i64x2
#undef _mm512_permutex_epi64
#undef _mm512_alignr_epi8
#define __m512i struct emulated
#define _mm512_load_si512(from) emulated_load(from)
#define _mm512_store_si512(to, v) emulated_store(to, v)
#define _mm512_add_epi64(a, b) emulated_add(a, b)
#define _mm512_xor_si512(a, b) emulated_xor(a, b)
#define _mm512_mul_epu32(a, b) emulated_mul(a, b)
#define _mm512_ror_epi64(a, by) emulated_ror(a, by)
#define _mm512_shuffle_i64x2(a, b, control) emulated_shuffle(a, b, control)
#define _mm512_permutex_epi64(a, control) emulated_permute(a, control)
#define _mm512_alignr_epi8(high, low, by) ((void)(by), emulated_align(high, low))
#define AVX512_TARGET           /* or the compiler would use the instructions that are being replaced */
#define argon2_kernel_avx512 argon2_avx512_real_interface

#include "core/credential/argon2_avx512.c"

/* is_usable() answers for the CPU; the emulation runs anywhere. */
static bool
is_emulated(void)
{
	(void)is_usable;
	return true;
}

const struct argon2_kernel argon2_avx512_emulated = { "avx512-emulated", compress, is_emulated };
#endif
