/* secret.h: memory that holds a secret.  Locked, kept out of core dumps, wiped when freed, with a page behind its last byte
 * that nobody may touch.  There is no way from here into a log or a format string. */
#ifndef COUNTERFOIL_SECRET_H
#define COUNTERFOIL_SECRET_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

struct secret;          /* capacity is fixed at birth: it never moves, so no copy stays behind */

/* A zero-filled secret of CAPACITY bytes, its length CAPACITY.  STATUS_NO_MEMORY on failure. */
enum status secret_new(size_t capacity, struct secret **out) NODISCARD;

/* A copy of VALUE.  The caller still owns, and ought to wipe, the original. */
enum status secret_copy(struct bytes value, struct secret **out) NODISCARD;

/* Wipes, frees, leaves NULL.  NULL and *secret == NULL are fine.  Aborts if something wrote right in front of the secret. */
void secret_free(struct secret **secret);

/* A view that lives as long as the secret.  NULL gives the empty view. */
struct bytes secret_view(const struct secret *secret);

/* The writable bytes; LEN may be shortened afterwards with secret_truncate(). */
uint8_t *secret_data(struct secret *secret);
void secret_truncate(struct secret *secret, size_t len);

/* Constant time in the content; the lengths are not secret.  Two empty views are not equal:
 * the absence of a credential is a denial. */
bool secret_equal(struct bytes a, struct bytes b) NODISCARD;

/* Overwrite LEN bytes in a way the compiler keeps.  For arrays on the stack and library buffers. */
void secret_wipe(void *data, size_t len);

/* malloc() and free() for a library that carries secrets through its own memory, such as jansson: every block is wiped when
 * it is freed.  Neither locked nor fixed in place.  NULL when out of memory; freeing NULL is fine. */
void *secret_block_new(size_t size);
void secret_block_free(void *block);

#endif
