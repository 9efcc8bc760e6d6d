/* argon2_selftest.h: is a kernel, single and paired, the same as libargon2?  And is libargon2 what RFC 9106 says? */
#ifndef COUNTERFOIL_ARGON2_SELFTEST_H
#define COUNTERFOIL_ARGON2_SELFTEST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/credential/argon2_fill.h"

/* Cases at every start: some milliseconds. */
#define ARGON2_SELFTEST_AT_START 24

/* Known answers, then CASES pairs of jobs made from SEED: costs, lengths of password, salt and tag; each pair on
 * libargon2, singly and paired on KERNEL.  False on any difference, and when there is no memory. */
bool argon2_selftest(const struct argon2_kernel *kernel, unsigned cases, uint64_t seed);

#endif
