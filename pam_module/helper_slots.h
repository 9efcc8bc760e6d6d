/* helper_slots.h: a limit on the helpers that work at once on this host: a storm of connections must not become a storm
 * of password hashes.  The kernel gives a slot back when its holder ends, however it ends. */
#ifndef COUNTERFOIL_PAM_HELPER_SLOTS_H
#define COUNTERFOIL_PAM_HELPER_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/config.h"

/* Take one of COUNT slots for the rest of this process, waiting until DEADLINE_MS (clock_monotonic_ms()).
 * OF_LOCKERS: from those of set-gid helpers, whose callers could stop them and so hold a slot as long as they like: one
 * each, by real user id.
 * STATUS_OVERLOADED: none became free.  STATUS_INVALID: ERROR says what is wrong with the folder. */
enum status helper_slots_take(const char *directory, bool of_lockers, int64_t count, int64_t deadline_ms,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

#endif
