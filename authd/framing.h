/* framing.h: what libmicrohttpd lets through and HTTP does not: requests that two readers could read in two ways
 * (RFC 9112 sections 2.2, 3, 5 and 11.2), and more than we take.  Each is answered as the problem says and the
 * connection ends.  Knows no transport. */
#ifndef COUNTERFOIL_AUTHD_FRAMING_H
#define COUNTERFOIL_AUTHD_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "authd/reply.h"

#define FRAMING_TARGET_MAX_BYTES 2048   /* of the request line, query included */
#define FRAMING_HEAD_MAX_BYTES   16384  /* request line and headers */
#define FRAMING_FIELDS_MAX       100    /* headers */

/* A head as libmicrohttpd 0.9.75 leaves it: one block of memory that begins at METHOD and has LEN bytes up to the end
 * of the empty line, in which CR, LF, each colon and the blanks of the request line were overwritten with NUL. */
struct framing_head {
	const char *method, *url, *version;     /* inside the block; URL was decoded in place */
	const char *target;                     /* a copy of what was received where URL is now */
	size_t len;
	/* where the library found each header, for a NUL that was sent looks like a line's end; FIELDS: as many as it found, also
	 * where there is no room for them */
	const char *names[FRAMING_FIELDS_MAX];
	size_t fields;
};

struct framing {
	const struct problem *problem;  /* NULL: nothing is wrong */
	const char *fault;              /* a constant that says what is wrong */
	int64_t content_length;         /* -1: none given */
	bool expects_continue;
};

/* Call it before any of the body is read. */
void framing_check(const struct framing_head *head, struct framing *out);

#endif
