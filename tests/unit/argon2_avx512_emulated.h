/* argon2_avx512_emulated.h: the AVX-512 kernel with its few instructions replaced by plain C, so that its arithmetic is
 * tested on every machine.  (Where the CPU has AVX-512, the kernel itself is tested like all others.) */
#ifndef COUNTERFOIL_ARGON2_AVX512_EMULATED_H
#define COUNTERFOIL_ARGON2_AVX512_EMULATED_H

#include "core/credential/argon2_fill.h"

#ifdef __x86_64__
extern const struct argon2_kernel argon2_avx512_emulated;
#endif

#endif
