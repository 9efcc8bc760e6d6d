/* repeats.h: an alarm that a broken host would write at every call is written once in ten seconds, with a count.
 * The module keeps no state, so a small file does, where the installation has put one; the module never makes it. */
#ifndef COUNTERFOIL_PAM_REPEATS_H
#define COUNTERFOIL_PAM_REPEATS_H

#include <stdbool.h>
#include <stdint.h>

#define REPEATS_PAUSE_S 10
#define REPEATS_RECORDS 16              /* alarms remembered; the oldest makes room */
#define REPEATS_IDENTITY_BYTES 1012     /* with the NUL */

/* Is an alarm due that says IDENTITY?  False: the same was written less than REPEATS_PAUSE_S ago, and this one is counted.
 * *out_held: how many were held back since.  True also wherever the file is absent, locked, full, or not to be trusted: to
 * write is the rule, to hold back a courtesy.  Never waits. */
bool repeats_due(const char *identity, uint32_t *out_held);

#endif
