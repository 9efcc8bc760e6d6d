/* route_accounts.c: accounts: create, look, lock, unlock, change the password. */
#include <string.h>

#include "authd/json_body.h"
#include "authd/route_handlers.h"
#include "core/base/text.h"
#include "core/operation/account.h"

enum { LOGIN_TYPED_MAX = 1024, REASON_MAX = 256, IDEMPOTENCY_KEY_MAX = 128 };

static json_t *
account_json(const struct account *account)
{
	return json_pack("{s:s, s:s, s:o, s:s, s:b, s:b, s:b, s:o, s:o}", "id", account->id, "login", account->login,
	    "external_id", reply_optional(account->external_id), "state", account->state, "has_password",
	    account->has_password, "must_change", account->must_change, "second_factor", account->second_factor,
	    "created_at", reply_time(account->created_at_s), "password_changed_at",
	    reply_time(account->password_changed_at_s));
}

void
route_refuse_password(struct request *request, const struct password_refusal *refusal)
{
	json_t *members = json_pack("{s:s, s:I}", "reason", refusal->reason, "minimum",
	    (json_int_t)refusal->minimum_points);

	reply_problem(&request->reply, request->id, &problem_password, NULL, members);
}

/* "Idempotency-Key: text": true when it is absent or in bounds; otherwise the refusal is in the reply. */
static bool
take_idempotency_key(struct request *request, const char **out)
{
	const char *key = request_header(request, "Idempotency-Key");
	size_t len = key != NULL ? strlen(key) : 1;
	bool fits = len >= 1 && len <= IDEMPOTENCY_KEY_MAX;

	for (const char *c = key; c != NULL && *c != '\0'; c++)
		fits = fits && *c >= 0x20 && *c < 0x7f;
	if (!fits)
		request_refuse_field(request, "Idempotency-Key", "must have 1 to 128 printable ASCII characters");
	*out = key;
	return fits;
}

/* The login's canonical form decides; it is asked for here to name the field that is wrong. */
static bool
login_fits(struct request *request, struct bytes login)
{
	char canonical[TEXT_LOGIN_MAX_BYTES + 1];

	if (text_canonical_login(login, canonical) == STATUS_OK)
		return true;
	request_refuse_field(request, "login", "has no canonical form of 1 to 254 bytes without spaces and controls");
	return false;
}

static bool
external_id_fits(struct request *request, struct bytes id)
{
	if (id.len == 0 || text_is_printable(id))
		return true;
	request_refuse_field(request, "external_id", "must be printable");
	return false;
}

void
route_account_create(struct request *request)
{
	static const struct field fields[] = {
		{ "login", FIELD_STRING, true, 1, LOGIN_TYPED_MAX, NULL, 0 },
		{ "password", FIELD_STRING, false, 1, TEXT_PASSWORD_MAX_BYTES, NULL, 0 },
		{ "external_id", FIELD_STRING, false, 1, ACCOUNT_EXTERNAL_ID_MAX, NULL, 0 },
	};
	struct account_new new_account = { .realm = REALM_STORE };
	struct account account;
	struct password_refusal refusal = { NULL, 0 };
	char location[sizeof "/v1/accounts/" + UUID_TEXT_BYTES] = "/v1/accounts/";
	enum status st;
	json_t *body;

	if ((body = json_body_read(request, fields, 3, false)) == NULL)
		return;
	new_account.login = json_body_text(body, "login");
	new_account.password = json_body_text(body, "password");
	new_account.external_id = json_body_text(body, "external_id");
	if (!login_fits(request, new_account.login) || !external_id_fits(request, new_account.external_id) ||
	    !take_idempotency_key(request, &new_account.idempotency_key))
		goto out;
	st = account_create(request->service->core, &request->caller, &new_account, &account, &refusal);
	if (st == STATUS_INVALID && refusal.reason != NULL) {
		route_refuse_password(request, &refusal);
	} else if (st != STATUS_OK) {
		request_outcome(request, st, VERDICT_DENIED, 0);
	} else {
		reply_json(&request->reply, 201, account_json(&account));
		(void)strncat(location, account.id, UUID_TEXT_BYTES);
		reply_header(&request->reply, "Location", location);
	}
out:
	json_decref(body);
}

void
route_account_get(struct request *request)
{
	const char *id = route_uuid(request, 0);
	struct account account;
	enum status st;

	if (id == NULL)
		return;
	if ((st = account_get(request->service->core, &request->caller, id, &account)) != STATUS_OK)
		request_outcome(request, st, VERDICT_DENIED, 0);
	else
		reply_json(&request->reply, 200, account_json(&account));
}

void
route_account_lock(struct request *request)
{
	static const struct field fields[] = { { "reason", FIELD_STRING, false, 1, REASON_MAX, NULL, 0 } };
	const char *id;
	struct account account;
	enum status st;
	json_t *body;

	if ((body = json_body_read(request, fields, 1, true)) == NULL)
		return;
	if ((id = route_uuid(request, 0)) == NULL)
		goto out;
	if (json_body_string(body, "reason") != NULL && !text_is_printable(json_body_text(body, "reason"))) {
		request_refuse_field(request, "reason", "must be printable");
		goto out;
	}
	st = account_lock(request->service->core, &request->caller, id, json_body_string(body, "reason"), &account);
	if (st != STATUS_OK)
		request_outcome(request, st, VERDICT_DENIED, 0);
	else
		reply_json(&request->reply, 200, account_json(&account));
out:
	json_decref(body);
}

void
route_account_unlock(struct request *request)
{
	const char *id;
	struct account account;
	enum status st;
	json_t *body;

	if ((body = json_body_read(request, NULL, 0, true)) == NULL)
		return;
	json_decref(body);
	if ((id = route_uuid(request, 0)) == NULL)
		return;
	if ((st = account_unlock(request->service->core, &request->caller, id, &account)) != STATUS_OK)
		request_outcome(request, st, VERDICT_DENIED, 0);
	else
		reply_json(&request->reply, 200, account_json(&account));
}

/* The right to change it comes from the current password or from a ticket, never from both. */
static bool
has_one_proof(struct request *request, const json_t *body)
{
	const char *ticket = json_body_string(body, "ticket");
	bool has_current = json_body_string(body, "current") != NULL;

	if (has_current == (ticket != NULL)) {
		request_refuse_field(request, "current", "or ticket is needed, one of the two");
		return false;
	}
	if (ticket != NULL && !route_is_token(ticket)) {
		request_refuse_field(request, "ticket", "is no ticket");
		return false;
	}
	return true;
}

static enum status
change_password(struct request *request, const char *id, const json_t *body, struct password_change_result *out)
{
	struct core *core = request->service->core;
	const char *ticket = json_body_string(body, "ticket");

	if (ticket != NULL)
		return account_use_ticket(core, &request->caller, id, ticket, json_body_text(body, "new"), out);
	return account_change_password(core, &request->caller, id, json_body_text(body, "current"),
	    json_body_text(body, "new"), out);
}

/* Which of the two passwords has no normal form. */
static const char *
unfit_password(const json_t *body)
{
	struct bytes current = json_body_text(body, "current");
	struct secret *normal = NULL;
	size_t points;
	bool fits = current.len == 0 || text_password(current, &normal, &points) == STATUS_OK;

	secret_free(&normal);
	return fits ? "new" : "current";
}

void
route_account_password(struct request *request)
{
	static const struct field fields[] = {
		{ "current", FIELD_STRING, false, 1, TEXT_PASSWORD_MAX_BYTES, NULL, 0 },
		{ "ticket", FIELD_STRING, false, TOKEN_TEXT_BYTES - 1, TOKEN_TEXT_BYTES - 1, NULL, 0 },
		{ "new", FIELD_STRING, true, 1, TEXT_PASSWORD_MAX_BYTES, NULL, 0 },
		ROUTE_SOURCE_FIELD,
	};
	struct password_change_result result = { .verdict = VERDICT_DENIED };
	char user_agent[ROUTE_AGENT_BYTES];
	const char *id;
	enum status st;
	json_t *body;

	if ((body = json_body_read(request, fields, 4, false)) == NULL)
		return;
	if ((id = route_uuid(request, 0)) == NULL || !has_one_proof(request, body) ||
	    !route_take_source(request, body, user_agent))
		goto out;
	st = change_password(request, id, body, &result);
	if (st == STATUS_INVALID && result.refusal.reason == NULL)
		request_refuse_field(request, unfit_password(body), "must have at most 256 characters, none of them a control");
	else if (st == STATUS_INVALID && result.refusal.reason != NULL)
		route_refuse_password(request, &result.refusal);
	else if (st == STATUS_OK && result.verdict == VERDICT_GRANTED)
		reply_json(&request->reply, 204, NULL);
	else
		request_outcome(request, st, result.verdict, result.retry_after_s);
out:
	route_drop_source(request);
	json_decref(body);
}

void
route_account_reset(struct request *request)
{
	struct reset_ticket ticket;
	const char *id;
	enum status st;
	json_t *body;

	if ((body = json_body_read(request, NULL, 0, true)) == NULL)
		return;
	json_decref(body);
	if ((id = route_uuid(request, 0)) == NULL)
		return;
	st = account_start_reset(request->service->core, &request->caller, id, &ticket);
	if (st != STATUS_OK || ticket.retry_after_s > 0)
		request_outcome(request, st, VERDICT_THROTTLED, ticket.retry_after_s);
	else
		reply_json(&request->reply, 201, json_pack("{s:s, s:o}", "ticket", ticket.text, "expires_at",
		    reply_time(ticket.expires_at_s)));
	secret_wipe(&ticket, sizeof ticket);
}
