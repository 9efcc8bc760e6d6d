/* output.h: what goes to the terminal: text, JSON, complaints.  Whatever came from outside is made printable first. */
#ifndef COUNTERFOIL_CLI_OUTPUT_H
#define COUNTERFOIL_CLI_OUTPUT_H

#include <stdint.h>

#include <jansson.h>

#include "core/base/status.h"

/* Once, before any JSON: jansson's memory is wiped when it is freed. */
void output_prepare(void);

/* RC, or EX_IOERR where standard output could not be written: a key that nobody saw is no success. */
int output_finish(int rc);

/* Our own words and values that are known to be plain (ids, numbers, times). */
__attribute__((format(printf, 1, 2))) void output_text(const char *format, ...);

/* "label:   text", the text made printable; an empty or NULL text prints "none". */
void output_field(const char *label, const char *text);
void output_time_field(const char *label, int64_t time_s);     /* RFC 3339; 0: "never" */

/* BODY is consumed; NULL is out of memory.  Returns an exit code. */
int output_json(json_t *body);
json_t *output_json_time(int64_t time_s);       /* a string, or null for 0 */
json_t *output_json_optional(const char *text); /* a string, or null for an empty one */

/* One printable line to standard error; returns RC. */
__attribute__((format(printf, 2, 3))) int output_fail(int rc, const char *format, ...);

/* What STATUS means for WHAT ("account alice"), and what to do next; returns the exit code.  Never for STATUS_OK. */
int output_fail_status(enum status status, const char *what);

/* The exit code of a status. */
int output_exit_code(enum status status);

#endif
