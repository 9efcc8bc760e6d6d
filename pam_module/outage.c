#include "pam_module/outage.h"

enum { GAP_S = 600 };           /* failures further apart are two outages: nobody knows what was in between */

void
outage_count(struct breakglass *record, int64_t now_s)
{
	bool same = record->outage_count > 0 && now_s >= record->outage_last_s && now_s - record->outage_last_s <= GAP_S;

	if (!same) {
		record->outage_first_s = now_s;
		record->outage_count = 0;
	}
	record->outage_last_s = now_s;
	record->outage_count++;
}

/* One that was recorded long ago has ended for all we know, and so has one of the future. */
bool
outage_is_sustained(const struct breakglass *record, const struct helper_settings *settings, int64_t now_s)
{
	return record->outage_count >= settings->breakglass_failures && now_s >= record->outage_last_s &&
	    now_s - record->outage_last_s <= GAP_S && now_s - record->outage_first_s >= settings->breakglass_outage_s;
}

bool
outage_forget(struct breakglass *record)
{
	bool was = record->outage_count > 0;

	record->outage_first_s = record->outage_last_s = record->outage_count = 0;
	return was;
}
