/* maintenance.h: a thread that takes out of the database, now and then, what is over. */
#ifndef COUNTERFOIL_AUTHD_MAINTENANCE_H
#define COUNTERFOIL_AUTHD_MAINTENANCE_H

#include "authd/metrics.h"
#include "core/operation/core.h"

struct maintenance;

/* A first round at once, then one each INTERVAL_S seconds; 0: none, and *out stays NULL.  METRICS learns what was counted. */
enum status maintenance_start(struct core *core, struct metrics *metrics, int64_t interval_s,
    struct maintenance **out) NODISCARD;
/* When the batch under way is done.  NULL and *maintenance == NULL are fine. */
void maintenance_stop(struct maintenance **maintenance);

#endif
