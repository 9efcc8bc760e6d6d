/* fuzz.h: what every fuzz target begins with. */
#ifndef COUNTERFOIL_FUZZ_H
#define COUNTERFOIL_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer's entrance: any input, any number of times; 0 is the one answer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What must hold for every input; a crash otherwise, which libFuzzer reports with the input. */
#define INSIST(truth) do { \
	if (!(truth)) { \
		(void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #truth); \
		abort(); \
	} \
} while (0)

#endif
