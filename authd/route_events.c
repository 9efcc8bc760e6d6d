/* route_events.c: the audit trail, and the rights of the person it is about. */
#include <stdlib.h>
#include <string.h>

#include "authd/route_handlers.h"
#include "core/base/clock.h"
#include "core/base/encoding.h"
#include "core/operation/event.h"
#include "core/operation/export.h"

enum { LIMIT_DEFAULT = 100, NUMBER_DIGITS_MAX = 18 };

/* --- the filter ------------------------------------------------------------------------------------------------------ */

static bool
take_number(const char *text, int64_t *out)
{
	size_t len = strlen(text);

	if (len == 0 || len > NUMBER_DIGITS_MAX || strspn(text, "0123456789") != len)
		return false;
	*out = strtoll(text, NULL, 10);
	return true;
}

/* One parameter into FILTER; NULL when it fits, else what it should be. */
static const char *
take_parameter(const char *name, const char *value, struct event_filter *filter)
{
	if (strcmp(name, "after") == 0)
		return take_number(value, &filter->after) ? NULL : "must be a cursor of an earlier reply";
	if (strcmp(name, "limit") == 0)
		return take_number(value, &filter->max) && filter->max >= 1 && filter->max <= EVENT_LIST_MAX ? NULL :
		    "must be from 1 to 1000";
	if (strcmp(name, "account") == 0) {
		filter->account_id = value;
		return encoding_is_uuid(value) ? NULL : "must be the id of an account";
	}
	if (strcmp(name, "kind") == 0) {
		filter->kind = value;
		return event_is_kind(value) ? NULL : "must be a kind of event";
	}
	if (strcmp(name, "notify") == 0) {
		filter->notify = strcmp(value, "true") == 0;
		return filter->notify || strcmp(value, "false") == 0 ? NULL : "must be true or false";
	}
	if (clock_parse_rfc3339(value, strcmp(name, "since") == 0 ? &filter->since_s : &filter->until_s))
		return NULL;
	return "must be a time such as 2026-08-01T09:30:00Z";
}

/* False: the refusal is in the reply. */
static bool
take_filter(struct request *request, struct event_filter *filter)
{
	static const char *const names[] = { "after", "limit", "account", "kind", "notify", "since", "until" };

	*filter = (struct event_filter){ .max = LIMIT_DEFAULT };
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *value = request_query(request, names[i]);
		const char *wrong = value != NULL ? take_parameter(names[i], value, filter) : NULL;

		if (wrong != NULL) {
			request_refuse_field(request, names[i], wrong);
			return false;
		}
	}
	return true;
}

/* --- the list -------------------------------------------------------------------------------------------------------- */

/* What SQL wrote is JSON; no text of it is anybody else's. */
static json_t *
detail_json(const char *detail)
{
	json_t *value = detail[0] != '\0' ? json_loads(detail, 0, NULL) : NULL;

	return value != NULL ? value : json_null();
}

static json_t *
event_json(const struct event_item *event)
{
	return json_pack("{s:I, s:o, s:o, s:o, s:s, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)event->id,
	    "at", reply_time(event->at_s), "account_id", reply_optional(event->account_id), "actor",
	    reply_optional(event->actor), "kind", event->kind, "outcome", event->outcome, "reason",
	    reply_optional(event->reason), "notify", event->notify, "request_id", reply_optional(event->request_id),
	    "source", reply_optional(event->source), "user_agent", reply_optional(event->user_agent), "service",
	    reply_optional(event->service), "detail", detail_json(event->detail));
}

void
route_event_list(struct request *request)
{
	struct event_filter filter;
	struct event_item *items = NULL;
	unsigned count = 0;
	enum status st;
	json_t *array;

	if (!take_filter(request, &filter))
		return;
	if ((st = event_list(request->service->core, &request->caller, &filter, &items, &count)) != STATUS_OK) {
		request_outcome(request, st, VERDICT_DENIED, 0);
		return;
	}
	array = json_array();
	for (unsigned i = 0; i < count; i++)
		(void)json_array_append_new(array, event_json(&items[i]));
	reply_json(&request->reply, 200, json_pack("{s:o, s:I}", "events", array, "cursor",
	    (json_int_t)(count > 0 ? items[count - 1].id : filter.after)));
	free(items);
}

/* --- seeing everything, being forgotten ------------------------------------------------------------------------------ */

static void
release_text(void *text)
{
	secret_wipe(text, strlen(text));
	free(text);
}

void
route_account_export(struct request *request)
{
	const char *id = route_uuid(request, 0);
	int64_t retry_after_s = 0;
	char *document = NULL;
	enum status st;

	if (id == NULL)
		return;
	st = export_account(request->service->core, &request->caller, id, &document, &retry_after_s);
	if (st != STATUS_OK || retry_after_s > 0)
		request_outcome(request, st, VERDICT_THROTTLED, retry_after_s);
	else
		reply_bytes(&request->reply, 200, "application/json; charset=utf-8", document, strlen(document), release_text);
}

void
route_account_erase(struct request *request)
{
	const char *id = route_uuid(request, 0);
	enum status st;

	if (id == NULL)
		return;
	if ((st = export_erase(request->service->core, &request->caller, id)) != STATUS_OK)
		request_outcome(request, st, VERDICT_DENIED, 0);
	else
		reply_json(&request->reply, 204, NULL);
}
