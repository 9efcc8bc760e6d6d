/* fuzz_file.h: the input as a file, for parsers that open one.  One file a process, in memory where there is /dev/shm. */
#ifndef COUNTERFOIL_FUZZ_FILE_H
#define COUNTERFOIL_FUZZ_FILE_H

#include <stddef.h>
#include <stdint.h>

/* Write the input; the path stays the same for the life of the process, and the file goes with it. */
const char *fuzz_file(const uint8_t *data, size_t len);

#endif
