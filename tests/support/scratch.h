/* scratch.h: a folder of one test, with files in it. */
#ifndef COUNTERFOIL_SCRATCH_H
#define COUNTERFOIL_SCRATCH_H

#include <stddef.h>
#include <sys/types.h>

#include "core/base/bytes.h"

#define SCRATCH_PATH_BYTES 256

/* cmocka set-up and tear-down: *state is the folder's path, a string; the folder goes with all that is in it. */
int scratch_make(void **state);
int scratch_remove(void **state);

/* The path of NAME in the folder FOLDER; OUT holds SCRATCH_PATH_BYTES. */
void scratch_path(const char *folder, const char *name, char *out);

/* Write a file of exactly this mode, whatever the umask; OUT as above. */
void scratch_write(const char *folder, const char *name, mode_t mode, struct bytes content, char *out);

/* The content of PATH, with a NUL behind it; free() it. */
char *scratch_read(const char *path, size_t *out_len);

#endif
