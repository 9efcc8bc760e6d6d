/* clock_settable.h: the hands of the clock that test programs link in the place of core/base/clock.c. */
#ifndef COUNTERFOIL_CLOCK_SETTABLE_H
#define COUNTERFOIL_CLOCK_SETTABLE_H

#include <stdint.h>

/* Stop the clock at NOW_S, seconds since the epoch.  The other clock, clock_monotonic_ms(), stops where it is. */
void clock_set(int64_t now_s);

/* Move both clocks on by MS milliseconds.  A clock that still runs is stopped first. */
void clock_advance_ms(int64_t ms);

#endif
