/* clock_format.c: times as text.  Apart from clock.c, so that a test program can replace the clock alone. */
#include "core/base/clock.h"

#include <string.h>
#include <time.h>

#define LAST_SECOND_OF_9999 INT64_C(253402300799)

static void
put(char *out, int number, unsigned digits)
{
	for (; digits > 0; number /= 10)
		out[--digits] = (char)('0' + number % 10);
}

/* Without strftime(), which takes a thousand instructions: the answer to a look-up has three times in it, and its line in
 * the log another one. */
void
clock_format_rfc3339(int64_t time_s, char out[static CLOCK_RFC3339_BYTES])
{
	time_t clamped = time_s < 0 ? 0 : time_s > LAST_SECOND_OF_9999 ? LAST_SECOND_OF_9999 : time_s;
	struct tm utc;

	memcpy(out, "1970-01-01T00:00:00Z", CLOCK_RFC3339_BYTES);
	if (gmtime_r(&clamped, &utc) == NULL)
		return;
	put(out, utc.tm_year + 1900, 4);
	put(out + 5, utc.tm_mon + 1, 2);
	put(out + 8, utc.tm_mday, 2);
	put(out + 11, utc.tm_hour, 2);
	put(out + 14, utc.tm_min, 2);
	put(out + 17, utc.tm_sec, 2);
}

bool
clock_parse_rfc3339(const char *text, int64_t *out_s)
{
	char again[CLOCK_RFC3339_BYTES];
	struct tm utc = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &utc);
	int64_t time_s;

	if (end == NULL || *end != '\0')
		return false;
	/* strptime() takes blanks, single digits and the 31st of February: only what is written back the same is a time */
	time_s = timegm(&utc);
	clock_format_rfc3339(time_s, again);
	if (time_s < 0 || strcmp(text, again) != 0)
		return false;
	*out_s = time_s;
	return true;
}
