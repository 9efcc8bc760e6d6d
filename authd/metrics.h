/* metrics.h: counters of this process, and their Prometheus text. */
#ifndef COUNTERFOIL_AUTHD_METRICS_H
#define COUNTERFOIL_AUTHD_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "authd/workers.h"
#include "core/base/status.h"
#include "core/operation/core.h"

struct route;
struct metrics;

/* All counters at zero. */
enum status metrics_new(struct metrics **out) NODISCARD;
void metrics_free(struct metrics **metrics);

/* One request came to its end after MS milliseconds. */
void metrics_request(struct metrics *metrics, int http_status, int64_t ms);
/* One sign-in was decided. */
void metrics_verdict(struct metrics *metrics, enum verdict verdict);
/* A connection came (+1) or went (-1). */
void metrics_connection(struct metrics *metrics, int change);
/* A connection was cut because its request or reply took too long. */
void metrics_cut(struct metrics *metrics);

/* What the last round of maintenance counted; before the first there is no such metric. */
void metrics_weak_hashes(struct metrics *metrics, const struct core_weak_hashes *counted);

int64_t metrics_connections(struct metrics *metrics);

/* A request began (+1) or came to its end (-1); how many there are. */
void metrics_begin(struct metrics *metrics, int change);
int64_t metrics_in_flight(struct metrics *metrics);

/* The text format 0.0.4; free() it.  NULL when out of memory. */
char *metrics_text(struct metrics *metrics, struct workers *workers, const struct core *core, size_t *out_len);

#endif
