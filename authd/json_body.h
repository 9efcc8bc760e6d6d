/* json_body.h: a request's body as strict JSON with typed fields.  What a route does not name is refused. */
#ifndef COUNTERFOIL_AUTHD_JSON_BODY_H
#define COUNTERFOIL_AUTHD_JSON_BODY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "authd/request.h"
#include "core/base/bytes.h"

#define JSON_BODY_DEPTH_MAX 8

enum field_type { FIELD_STRING, FIELD_BOOLEAN, FIELD_INTEGER, FIELD_OBJECT };

struct field {
	const char *name;
	enum field_type type;
	bool required;
	size_t min, max;                /* FIELD_STRING: bytes of UTF-8; FIELD_INTEGER: the number itself */
	const struct field *members;    /* FIELD_OBJECT */
	size_t member_count;
};

/* The body as an object that fits FIELDS; json_decref() it.  NULL: the refusal is in request->reply.
 *   400 malformed              not JSON, a doubled key, bad UTF-8, NUL, deeper than JSON_BODY_DEPTH_MAX, empty
 *   415 unsupported-media-type Content-Type is not application/json
 *   422 invalid                with `field`: unknown, missing, of the wrong type or length
 * An empty body is {} where no field is required and NO_BODY is true. */
json_t *json_body_read(struct request *request, const struct field *fields, size_t count, bool no_body);
/* The same, for whoever needs the bytes themselves as well: request->body stays. */
json_t *json_body_read_and_keep(struct request *request, const struct field *fields, size_t count, bool no_body);

/* The string NAME of BODY, an empty view when it is absent.  Lives as long as BODY. */
struct bytes json_body_text(const json_t *body, const char *name);
/* The same as a C string; NULL when absent. */
const char *json_body_string(const json_t *body, const char *name);
bool json_body_flag(const json_t *body, const char *name);
/* The number NAME of BODY, 0 when it is absent. */
int64_t json_body_number(const json_t *body, const char *name);

#endif
