/* report.h: the one line in which every call ends. */
#ifndef COUNTERFOIL_PAM_REPORT_H
#define COUNTERFOIL_PAM_REPORT_H

#include "pam_module/call.h"

#define REPORT_LINE_MAX_BYTES 900

/* Through pam_syslog(), which leaves the application's own log settings alone. */
void report(const struct call *call, enum answer answer);

/* The line itself, for tests.  OUT is NUL-terminated; no value can end its quotes or the line. */
void report_line(const struct call *call, enum answer answer, int64_t elapsed_ms,
    char out[static REPORT_LINE_MAX_BYTES + 1]);

#endif
