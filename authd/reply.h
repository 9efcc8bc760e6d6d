/* reply.h: what goes back: a status, headers, bytes.  JSON and problem+json (RFC 9457).  Knows no transport. */
#ifndef COUNTERFOIL_AUTHD_REPLY_H
#define COUNTERFOIL_AUTHD_REPLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/entropy.h"
#include "core/base/status.h"

#define REPLY_HEADERS_MAX       8
#define REPLY_HEADER_BYTES      320
#define REPLY_PROBLEM_BASE      "https://counterfoil.example/problems/"
#define REPLY_RETRY_UNAVAILABLE_S 2
#define REPLY_RETRY_OVERLOADED_S  1

struct reply_header {
	const char *name;               /* a constant */
	char value[REPLY_HEADER_BYTES];
};

struct reply {
	int http_status;                /* 0: nothing was decided yet */
	const char *content_type;       /* a constant; NULL: no content */
	void *data;                     /* owned through RELEASE */
	size_t len;
	void (*release)(void *data);    /* wipes and frees DATA; NULL: DATA outlives the reply */
	struct reply_header headers[REPLY_HEADERS_MAX];
	unsigned header_count;
	bool close;                     /* the connection ends with this reply */
	const char *slug;               /* of the problem, for the log; NULL for success */
};

/* A problem of our own that is no row of outcome_of(): what the wire asked for wrongly. */
struct problem {
	int http_status;
	const char *slug;               /* last path segment of the type */
	const char *title;
};
extern const struct problem problem_malformed, problem_too_large, problem_media_type, problem_method,
    problem_password, problem_framing, problem_length, problem_target, problem_headers, problem_step_up;

/* Let jansson wipe whatever it frees: request and reply bodies hold passwords, codes and tokens.
 * Once, before threads. */
void reply_prepare_json(void);

/* Forget what was decided and release what is held. */
void reply_reset(struct reply *reply);

/* Success with BODY (stolen), or with no content where BODY is NULL and HTTP_STATUS is 204. */
void reply_json(struct reply *reply, int http_status, json_t *body);

/* Bytes as they are.  RELEASE as in struct reply. */
void reply_bytes(struct reply *reply, int http_status, const char *content_type, void *data, size_t len,
    void (*release)(void *data));

/* A problem.  DETAIL may be NULL; MEMBERS (stolen, may be NULL) are added to the object. */
void reply_problem(struct reply *reply, const char *request_id, const struct problem *problem, const char *detail,
    json_t *members);

/* The row of outcome_of() as a problem (or an empty 200 for GRANTED, which callers answer with reply_json()).
 * Adds Retry-After, WWW-Authenticate where they belong; RETRY_AFTER_S counts for THROTTLED. */
void reply_outcome(struct reply *reply, const char *request_id, enum status status, enum verdict verdict,
    int64_t retry_after_s, json_t *members);

/* Set a header of this reply.  VALUE is cut to REPLY_HEADER_BYTES - 1; no CR or LF goes out. */
void reply_header(struct reply *reply, const char *name, const char *value);

/* A host-only session cookie: __Host- rules (RFC 6265bis): Secure, HttpOnly, SameSite=Strict, Path=/.
 * NAME begins with "__Host-".  MAX_AGE_S 0 or less deletes it. */
void reply_cookie(struct reply *reply, const char *name, const char *value, int64_t max_age_s);

/* Seconds since the epoch as RFC 3339 text; 0 is JSON null.  A new reference. */
json_t *reply_time(int64_t time_s);
/* TEXT, or null where it is empty.  A new reference. */
json_t *reply_optional(const char *text);

#endif
