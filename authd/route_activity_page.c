/* route_activity_page.c: what the script of the page of recent sign-ins asks for: see, and end. */
#include "authd/route_handlers.h"
#include "authd/visitor.h"
#include "core/base/encoding.h"
#include "core/operation/activity.h"

static json_t *
event_json(const struct activity_event *event)
{
	return json_pack("{s:o, s:s, s:s, s:o, s:o, s:o}", "at", reply_time(event->at_s), "kind", event->kind, "outcome",
	    event->outcome, "reason", reply_optional(event->reason), "source", reply_optional(event->source),
	    "user_agent", reply_optional(event->user_agent));
}

static json_t *
session_json(const struct session_item *session)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "id", session->id, "auth_time", reply_time(session->auth_time_s),
	    "last_used_at", reply_time(session->last_used_at_s), "source", reply_optional(session->source),
	    "user_agent", reply_optional(session->user_agent));
}

static json_t *
device_json(const struct device_item *device)
{
	return json_pack("{s:s, s:o, s:o, s:o}", "id", device->id, "created_at", reply_time(device->created_at_s),
	    "last_used_at", reply_time(device->last_used_at_s), "user_agent", reply_optional(device->user_agent));
}

static void
reply_activity(struct request *request, const struct activity *activity)
{
	json_t *body = visitor_page_json(request, &activity->page);
	json_t *events = json_array(), *sessions = json_array(), *devices = json_array();

	for (unsigned i = 0; i < activity->event_count; i++)
		(void)json_array_append_new(events, event_json(&activity->events[i]));
	for (unsigned i = 0; i < activity->session_count; i++)
		(void)json_array_append_new(sessions, session_json(&activity->sessions[i]));
	for (unsigned i = 0; i < activity->device_count; i++)
		(void)json_array_append_new(devices, device_json(&activity->devices[i]));
	(void)json_object_set_new(body, "events", events);
	(void)json_object_set_new(body, "sessions", sessions);
	(void)json_object_set_new(body, "devices", devices);
	reply_json(&request->reply, 200, body);
}

void
route_activity_page_get(struct request *request)
{
	struct activity activity;
	struct visitor visitor;
	enum status st;

	if (!visitor_with_token(request, PAGE_ACTIVITY, &visitor))
		return;
	st = activity_get(request->service->core, &visitor.caller, visitor.token, &activity);
	if (st != STATUS_OK)
		request_outcome(request, visitor_no_such_page(st), VERDICT_DENIED, 0);
	else
		reply_activity(request, &activity);
	activity_free(&activity);
}

/* What BODY names: one thing, and one only. */
static enum status
end_what(struct request *request, const struct visitor *visitor, const json_t *body)
{
	struct core *core = request->service->core;
	const char *session = json_body_string(body, "session"), *device = json_body_string(body, "device");

	if (session != NULL)
		return activity_end_session(core, &visitor->caller, visitor->token, session);
	if (device != NULL)
		return activity_end_device(core, &visitor->caller, visitor->token, device);
	return activity_end_all(core, &visitor->caller, visitor->token);
}

static bool
names_one_thing(const json_t *body)
{
	return json_object_size(body) == 1 &&
	    (json_object_get(body, "everything") == NULL || json_body_flag(body, "everything"));
}

void
route_activity_page_end(struct request *request)
{
	static const struct field fields[] = {
		{ "session", FIELD_STRING, false, UUID_TEXT_BYTES - 1, UUID_TEXT_BYTES - 1, NULL, 0 },
		{ "device", FIELD_STRING, false, UUID_TEXT_BYTES - 1, UUID_TEXT_BYTES - 1, NULL, 0 },
		{ "everything", FIELD_BOOLEAN, false, 0, 0, NULL, 0 },
	};
	struct visitor visitor;
	enum status st;
	json_t *body;

	if ((body = visitor_body(request, fields, 3)) == NULL)
		return;
	if (!visitor_with_token(request, PAGE_ACTIVITY, &visitor))
		goto out;
	if (!names_one_thing(body)) {
		request_refuse_field(request, "body", "must name one session, one device, or everything");
		goto out;
	}
	if ((st = end_what(request, &visitor, body)) == STATUS_OK)
		reply_json(&request->reply, 204, NULL);
	else
		request_outcome(request, st, VERDICT_DENIED, 0);
out:
	json_decref(body);
}
