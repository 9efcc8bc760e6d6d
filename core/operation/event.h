/* event.h: reading the audit trail, and the outbox in it: what owners are to be told. */
#ifndef COUNTERFOIL_EVENT_H
#define COUNTERFOIL_EVENT_H

#include "core/operation/caller.h"
#include "core/operation/core.h"
#include "core/store/event_sql.h"

#define EVENT_LIST_MAX 1000
#define EVENT_KIND_MAX 47       /* bytes, a-z and _ */

bool event_is_kind(const char *text);

/* Events of the caller's realm behind a cursor, oldest first, free() the rows.
 * STATUS_INVALID: a filter is out of bounds: AFTER negative, MAX not from 1 to EVENT_LIST_MAX, no UUID, no kind. */
enum status event_list(struct core *core, const struct caller *caller, const struct event_filter *filter,
    struct event_item **out, unsigned *out_count) NODISCARD;

#endif
