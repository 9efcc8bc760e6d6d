/* report.h: the one line in which every call ends; a critical one that says the same again is held back (repeats.h). */
#ifndef COUNTERFOIL_PAM_REPORT_H
#define COUNTERFOIL_PAM_REPORT_H

#include "pam_module/call.h"

#define REPORT_LINE_MAX_BYTES 900

/* Through pam_syslog(), which leaves the application's own log settings alone. */
void report(const struct call *call, enum answer answer);

/* The line itself, for tests.  HELD: how many of the same were held back before it; 0 is not said.  OUT is NUL-terminated;
 * no value can end its quotes or the line. */
void report_line(const struct call *call, enum answer answer, int64_t elapsed_ms, uint32_t held,
    char out[static REPORT_LINE_MAX_BYTES + 1]);

#endif
