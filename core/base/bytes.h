/* bytes.h: a borrowed view of memory.  Owns nothing, frees nothing. */
#ifndef COUNTERFOIL_BYTES_H
#define COUNTERFOIL_BYTES_H

#include <stddef.h>
#include <stdint.h>

#define NODISCARD __attribute__((warn_unused_result))

struct bytes {
	const uint8_t *data;    /* NULL only when len is 0 */
	size_t len;             /* bytes; the content may hold NUL */
};

/* The bytes of a NUL-terminated string, without the NUL.  NULL gives the empty view. */
struct bytes bytes_of(const char *text);

/* Same length and content?  For public values only: secrets are compared with secret_equal(). */
int bytes_equal(struct bytes a, struct bytes b);

#endif
