#include "core/operation/event.h"

#include <string.h>

#include "core/base/encoding.h"
#include "core/operation/core_inside.h"

bool
event_is_kind(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= EVENT_KIND_MAX && strspn(text, "abcdefghijklmnopqrstuvwxyz_") == len;
}

static bool
fits(const struct event_filter *filter)
{
	return filter->after >= 0 && filter->max >= 1 && filter->max <= EVENT_LIST_MAX && filter->since_s >= 0 &&
	    filter->until_s >= 0 && (filter->account_id == NULL || encoding_is_uuid(filter->account_id)) &&
	    (filter->kind == NULL || event_is_kind(filter->kind));
}

enum status
event_list(struct core *core, const struct caller *caller, const struct event_filter *filter, struct event_item **out,
    unsigned *out_count)
{
	struct caller_bound bound;
	enum status st;

	if (!fits(filter))
		return STATUS_INVALID;
	if ((st = caller_bind(core, caller, &bound)) == STATUS_OK)
		st = event_sql_list(core->db, &bound.db, filter, out, out_count);
	return st;
}
