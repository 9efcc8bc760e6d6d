/* route_sessions.c: what a sign-in opened: look, list, end; and trusted devices. */
#include <stdlib.h>
#include <string.h>

#include "authd/json_body.h"
#include "authd/route_handlers.h"
#include "core/operation/session.h"

enum { TOKEN_TYPED_MAX = 256 };

/* "pwd otp" as a JSON array. */
static json_t *
amr_json(const char *amr)
{
	json_t *array = json_array();
	size_t len;

	for (; *amr != '\0'; amr += len + (amr[len] == ' ')) {
		len = strcspn(amr, " ");
		(void)json_array_append_new(array, json_stringn(amr, len));
	}
	return array;
}

static json_t *
info_json(const struct session_info *info)
{
	if (!info->active)
		return json_pack("{s:b}", "active", 0);
	return json_pack("{s:b, s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:b, s:o}", "active", 1, "session_id", info->session_id,
	    "account_id", info->account_id, "aal", info->aal, "amr", amr_json(info->amr), "auth_time",
	    reply_time(info->auth_time_s), "expires_at", reply_time(info->expires_at_s), "idle_expires_at",
	    reply_time(info->idle_at_s), "trusted_device", info->trusted_device, "hold_until",
	    reply_time(info->hold_until_s));
}

void
route_session_introspect(struct request *request)
{
	static const struct field fields[] = { { "token", FIELD_STRING, true, 1, TOKEN_TYPED_MAX, NULL, 0 } };
	struct session_info info;
	enum status st;
	json_t *body;

	if ((body = json_body_read(request, fields, 1, false)) == NULL)
		return;
	st = session_introspect(request->service->core, &request->caller, json_body_string(body, "token"), &info);
	if (st != STATUS_OK)
		request_outcome(request, st, VERDICT_DENIED, 0);
	else
		reply_json(&request->reply, 200, info_json(&info));
	json_decref(body);
}

static json_t *
session_json(const struct session_item *session)
{
	return json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:b, s:o, s:o}", "id", session->id, "aal",
	    (json_int_t)session->aal, "amr", amr_json(session->amr), "auth_time", reply_time(session->auth_time_s),
	    "last_used_at", reply_time(session->last_used_at_s), "expires_at", reply_time(session->expires_at_s),
	    "trusted_device", session->device, "source", reply_optional(session->source), "user_agent",
	    reply_optional(session->user_agent));
}

void
route_session_list(struct request *request)
{
	const char *id = route_uuid(request, 0);
	struct session_item *items = NULL;
	unsigned count = 0;
	enum status st;
	json_t *array;

	if (id == NULL)
		return;
	if ((st = session_list(request->service->core, &request->caller, id, &items, &count)) != STATUS_OK) {
		request_outcome(request, st, VERDICT_DENIED, 0);
		return;
	}
	array = json_array();
	for (unsigned i = 0; i < count; i++)
		(void)json_array_append_new(array, session_json(&items[i]));
	reply_json(&request->reply, 200, json_pack("{s:o}", "sessions", array));
	free(items);
}

void
route_session_end(struct request *request)
{
	const char *id = route_uuid(request, 0);
	enum status st;

	if (id == NULL)
		return;
	if ((st = session_end(request->service->core, &request->caller, id)) != STATUS_OK)
		request_outcome(request, st, VERDICT_DENIED, 0);
	else
		reply_json(&request->reply, 204, NULL);
}

static void
reply_ended(struct request *request, enum status st, int64_t ended)
{
	if (st != STATUS_OK)
		request_outcome(request, st, VERDICT_DENIED, 0);
	else
		reply_json(&request->reply, 200, json_pack("{s:I}", "ended", (json_int_t)ended));
}

void
route_session_end_all(struct request *request)
{
	const char *id = route_uuid(request, 0);
	int64_t ended = 0;
	enum status st;

	if (id == NULL)
		return;
	st = session_end_all(request->service->core, &request->caller, id, NULL, &ended);
	reply_ended(request, st, ended);
}

/* --- trusted devices ------------------------------------------------------------------------------------------------- */

static json_t *
device_json(const struct device_item *device)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "id", device->id, "created_at", reply_time(device->created_at_s),
	    "last_used_at", reply_time(device->last_used_at_s), "expires_at", reply_time(device->expires_at_s),
	    "user_agent", reply_optional(device->user_agent));
}

void
route_device_list(struct request *request)
{
	const char *id = route_uuid(request, 0);
	struct device_item *items = NULL;
	unsigned count = 0;
	enum status st;
	json_t *array;

	if (id == NULL)
		return;
	if ((st = session_devices(request->service->core, &request->caller, id, &items, &count)) != STATUS_OK) {
		request_outcome(request, st, VERDICT_DENIED, 0);
		return;
	}
	array = json_array();
	for (unsigned i = 0; i < count; i++)
		(void)json_array_append_new(array, device_json(&items[i]));
	reply_json(&request->reply, 200, json_pack("{s:o}", "trusted_devices", array));
	free(items);
}

void
route_device_revoke(struct request *request)
{
	const char *account, *device;
	int64_t ended = 0;
	enum status st;

	if ((account = route_uuid(request, 0)) == NULL || (device = route_uuid(request, 1)) == NULL)
		return;
	st = session_revoke_device(request->service->core, &request->caller, account, device, &ended);
	if (st != STATUS_OK)
		request_outcome(request, st, VERDICT_DENIED, 0);
	else
		reply_json(&request->reply, 204, NULL);
}

void
route_device_revoke_all(struct request *request)
{
	const char *id = route_uuid(request, 0);
	int64_t ended = 0;
	enum status st;

	if (id == NULL)
		return;
	st = session_revoke_device(request->service->core, &request->caller, id, NULL, &ended);
	reply_ended(request, st, ended);
}
