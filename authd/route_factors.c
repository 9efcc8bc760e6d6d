/* route_factors.c: what is bound to an account: list (never a secret), revoke, recovery codes. */
#include <string.h>

#include "authd/json_body.h"
#include "authd/route_handlers.h"
#include "core/operation/enrollment.h"

static json_t *
factor_json(const struct factor *factor)
{
	return json_pack("{s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o}", "id", factor->id, "kind", factor->kind, "name",
	    reply_optional(factor->name), "state", factor->state, "created_at", reply_time(factor->created_at_s),
	    "bound_at", reply_time(factor->bound_at_s), "revoked_at", reply_time(factor->revoked_at_s), "last_used_at",
	    reply_time(factor->last_used_at_s));
}

void
route_factor_list(struct request *request)
{
	const char *id = route_uuid(request, 0);
	struct factor_list list = { NULL, 0, 0 };
	enum status st;
	json_t *array;

	if (id == NULL)
		return;
	if ((st = enrollment_list(request->service->core, &request->caller, id, &list)) != STATUS_OK) {
		request_outcome(request, st, VERDICT_DENIED, 0);
		return;
	}
	array = json_array();
	for (unsigned i = 0; i < list.count; i++)
		(void)json_array_append_new(array, factor_json(&list.items[i]));
	reply_json(&request->reply, 200, json_pack("{s:o, s:i}", "factors", array, "recovery_codes_left",
	    list.recovery_codes_left));
	factor_list_free(&list);
}

void
route_factor_revoke(struct request *request)
{
	const char *account, *factor;
	enum status st;

	if ((account = route_uuid(request, 0)) == NULL || (factor = route_uuid(request, 1)) == NULL)
		return;
	if ((st = enrollment_revoke(request->service->core, &request->caller, account, factor)) != STATUS_OK)
		request_outcome(request, st, VERDICT_DENIED, 0);
	else
		reply_json(&request->reply, 204, NULL);
}

void
route_recovery_codes(struct request *request)
{
	struct recovery_codes codes;
	const char *id;
	enum status st;
	json_t *body;

	memset(&codes, 0, sizeof codes);
	if ((body = json_body_read(request, NULL, 0, true)) == NULL)
		return;
	json_decref(body);
	if ((id = route_uuid(request, 0)) == NULL)
		return;
	if ((st = enrollment_new_recovery_codes(request->service->core, &request->caller, id, &codes)) != STATUS_OK)
		request_outcome(request, st, VERDICT_DENIED, 0);
	else
		reply_json(&request->reply, 201, json_pack("{s:o}", "recovery_codes", route_codes_json(&codes)));
	recovery_codes_wipe(&codes);
}
