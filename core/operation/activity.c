#include "core/operation/activity.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/encoding.h"
#include "core/operation/hosted_page_inside.h"

void
activity_free(struct activity *activity)
{
	free(activity->events);
	free(activity->sessions);
	free(activity->devices);
	memset(activity, 0, sizeof *activity);
}

enum status
activity_get(struct core *core, const struct caller *page, const char *page_token, struct activity *out)
{
	struct page_bound bound;
	struct bytes digest;
	enum status st;

	memset(out, 0, sizeof *out);
	if ((st = hosted_page_get(core, page, PAGE_ACTIVITY, page_token, &out->page)) != STATUS_OK ||
	    (st = hosted_page_bind(core, page, page_token, &bound)) != STATUS_OK)
		return st;
	digest = vault_digest_view(bound.digest);
	if ((st = activity_sql_events(core->db, &bound.bound.db, digest, ACTIVITY_EVENTS_MAX, &out->events,
	    &out->event_count)) != STATUS_OK ||
	    (st = session_sql_page_list(core->db, &bound.bound.db, digest, ACTIVITY_SESSIONS_MAX, &out->sessions,
	    &out->session_count)) != STATUS_OK ||
	    (st = session_sql_page_devices(core->db, &bound.bound.db, digest, ACTIVITY_DEVICES_MAX, &out->devices,
	    &out->device_count)) != STATUS_OK)
		activity_free(out);
	return st;
}

enum status
activity_end_session(struct core *core, const struct caller *page, const char *page_token, const char *session_id)
{
	struct page_bound bound;
	enum status st;

	if (!encoding_is_uuid(session_id))
		return STATUS_INVALID;
	if ((st = hosted_page_bind(core, page, page_token, &bound)) == STATUS_OK)
		st = activity_sql_end_session(core->db, &bound.bound.db, vault_digest_view(bound.digest), session_id);
	return st;
}

enum status
activity_end_device(struct core *core, const struct caller *page, const char *page_token, const char *device_id)
{
	struct page_bound bound;
	enum status st;

	if (!encoding_is_uuid(device_id))
		return STATUS_INVALID;
	if ((st = hosted_page_bind(core, page, page_token, &bound)) == STATUS_OK)
		st = activity_sql_end_device(core->db, &bound.bound.db, vault_digest_view(bound.digest), device_id);
	return st;
}

enum status
activity_end_all(struct core *core, const struct caller *page, const char *page_token)
{
	struct page_bound bound;
	enum status st;

	if ((st = hosted_page_bind(core, page, page_token, &bound)) == STATUS_OK)
		st = activity_sql_end_all(core->db, &bound.bound.db, vault_digest_view(bound.digest));
	return st;
}
