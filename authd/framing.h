/* framing.h: what libmicrohttpd lets through and HTTP does not: requests that two readers could read in two ways
 * (RFC 9112 section 6.3 and 11.2).  Each is answered 400 and the connection ends. */
#ifndef COUNTERFOIL_AUTHD_FRAMING_H
#define COUNTERFOIL_AUTHD_FRAMING_H

#include <stdbool.h>
#include <stdint.h>

struct MHD_Connection;

struct framing {
	const char *fault;              /* a constant that says what is wrong; NULL: nothing */
	int64_t content_length;         /* -1: none given */
	bool chunked, expects_continue;
};

/* METHOD and VERSION are those of the request line.  Call it before any of the body is read. */
void framing_check(struct MHD_Connection *connection, const char *method, const char *version, struct framing *out);

#endif
