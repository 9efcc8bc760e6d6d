/* clock.h: what time it is.  The only file that asks the system; a test program links
 * tests/support/clock_settable.c in its place and moves time by hand. */
#ifndef COUNTERFOIL_CLOCK_H
#define COUNTERFOIL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Seconds since the epoch, UTC.  64 bits, so the year 2038 is a year like any other. */
int64_t clock_now_s(void);

/* Milliseconds of a clock that never steps: for deadlines and durations only. */
int64_t clock_monotonic_ms(void);

/* The same clock in microseconds: for measuring short things. */
int64_t clock_monotonic_us(void);

/* Microseconds of processor time that the calling thread has used. */
int64_t clock_thread_us(void);

#define CLOCK_RFC3339_BYTES sizeof "2026-11-23T20:34:31Z"

/* UTC, RFC 3339 section 5.6, without the locale.  Times before 1970 or after 9999 are clamped. */
void clock_format_rfc3339(int64_t time_s, char out[static CLOCK_RFC3339_BYTES]);

/* The reverse of exactly that form, from 1970 on.  False: TEXT is another form, or no time of any calendar. */
bool clock_parse_rfc3339(const char *text, int64_t *out_s);

#endif
