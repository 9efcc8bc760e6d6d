/* route_meta.c: the contract, and what the operator's probes ask. */
#include <stdlib.h>
#include <string.h>

#include "authd/route_handlers.h"
#include "core/base/encoding.h"
#include "core/operation/client.h"

const char *
route_uuid(struct request *request, unsigned n)
{
	const char *text = request_parameter(request, n);
	enum status st = STATUS_NOT_FOUND;

	if (encoding_is_uuid(text))
		return text;
	/* the operation was not asked, so the key was not either */
	if (request->match.route->scope != 0) {
		st = client_check(request->service->core, &request->caller, (enum scope)request->match.route->scope);
		if (st == STATUS_OK)
			st = STATUS_NOT_FOUND;
	}
	reply_outcome(&request->reply, request->id, st, VERDICT_DENIED, 0, NULL);
	return NULL;
}

void
route_contract(struct request *request)
{
	struct service *service = request->service;

	if (service->contract == NULL) {
		reply_outcome(&request->reply, request->id, STATUS_NOT_FOUND, VERDICT_DENIED, 0, NULL);
		return;
	}
	reply_bytes(&request->reply, 200, "application/yaml; charset=utf-8", service->contract, service->contract_len,
	    NULL);
}

void
route_health(struct request *request)
{
	reply_json(&request->reply, 200, json_pack("{s:s}", "status", "alive"));
}

void
route_readiness(struct request *request)
{
	struct core_readiness ready = { false, false, false, false };
	enum status st = core_readiness(request->service->core, &ready);
	bool draining = atomic_load(&request->service->draining);
	bool all = st == STATUS_OK && ready.database && ready.schema && ready.keys && ready.clock && !draining;
	json_t *body = json_pack("{s:b, s:b, s:b, s:b, s:b}", "database", ready.database, "schema", ready.schema,
	    "keys", ready.keys, "clock", ready.clock, "draining", draining);

	if (all) {
		(void)json_object_set_new(body, "status", json_string("ready"));
		reply_json(&request->reply, 200, body);
		return;
	}
	reply_outcome(&request->reply, request->id, STATUS_UNAVAILABLE, VERDICT_DENIED, 0, body);
}

void
route_metrics(struct request *request)
{
	struct service *service = request->service;
	size_t len;
	char *text = metrics_text(service->metrics, service->workers, service->core, &len);

	if (text == NULL) {
		reply_outcome(&request->reply, request->id, STATUS_NO_MEMORY, VERDICT_DENIED, 0, NULL);
		return;
	}
	reply_bytes(&request->reply, 200, "text/plain; version=0.0.4; charset=utf-8", text, len, free);
}
