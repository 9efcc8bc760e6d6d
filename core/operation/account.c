#include "core/operation/account.h"

#include <stdio.h>
#include <string.h>

#include "core/operation/hashing.h"
#include "core/operation/password_policy.h"
#include "core/operation/client.h"
#include "core/store/account_sql.h"

#define EXTERNAL_ID_MIN 1
#define IDEMPOTENCY_KEY_MAX 128

static struct seal_place
place_of(enum realm realm, const char *column, const char *account_id)
{
	return (struct seal_place){ realm, column, account_id, account_id };
}

/* What SQL knows of an account, with its login opened. */
static enum status
take_row(const struct core *core, const struct account_row *row, struct account *out)
{
	enum status st;

	memset(out, 0, sizeof *out);
	out->realm = (enum realm)row->realm;
	st = vault_open_login(core, out->realm, row->account_id, &row->login_sealed, row->login_key_id, out->login);
	if (st != STATUS_OK)
		return st;
	memcpy(out->id, row->account_id, sizeof out->id);
	(void)snprintf(out->external_id, sizeof out->external_id, "%s", row->external_id);
	(void)snprintf(out->state, sizeof out->state, "%.15s", row->state);
	out->has_password = row->has_password;
	out->must_change = row->must_change;
	out->second_factor = row->second_factor;
	out->created_at_s = row->created_at_s;
	out->password_changed_at_s = row->password_changed_at_s;
	out->hold_until_s = row->hold_until_s;
	return STATUS_OK;
}

/* --- creating -------------------------------------------------------------------------------------------------------- */

/* One creation on its way to SQL. */
struct creation {
	enum realm realm;
	char id[UUID_TEXT_BYTES];
	char login[TEXT_LOGIN_MAX_BYTES + 1], external_id[ACCOUNT_EXTERNAL_ID_MAX + 1];
	uint8_t login_digest[DIGEST_BYTES], idempotency_digest[DIGEST_BYTES], request_digest[DIGEST_BYTES];
	struct db_bytes login_sealed, password_sealed;
	int64_t login_key_id, password_key_id;
};

static enum status
take_external_id(struct bytes id, char out[static ACCOUNT_EXTERNAL_ID_MAX + 1])
{
	if (id.len > ACCOUNT_EXTERNAL_ID_MAX || !text_is_printable(id))
		return STATUS_INVALID;
	if (id.len > 0)
		memcpy(out, id.data, id.len);
	out[id.len] = '\0';
	return STATUS_OK;
}

/* The request as a whole under a key, each part led by its length: the same request again is recognised, and nobody who
 * reads the digest can test a password against it. */
static enum status
digest_request(const struct core *core, const struct account_new *request, struct creation *creation)
{
	size_t key_len = strlen(request->idempotency_key);
	struct secret *joined = NULL;
	enum status st;
	int n;

	if (key_len == 0 || key_len > IDEMPOTENCY_KEY_MAX)
		return STATUS_INVALID;
	st = vault_digest(core, creation->realm, "idempotency", bytes_of(request->idempotency_key),
	    creation->idempotency_digest);
	if (st != STATUS_OK || (st = secret_new(64 + sizeof creation->login + request->password.len +
	    sizeof creation->external_id, &joined)) != STATUS_OK)
		return st;
	n = snprintf((char *)secret_data(joined), 64 + sizeof creation->login + sizeof creation->external_id,
	    "%zu:%s%zu:%s%zu:", strlen(creation->login), creation->login, strlen(creation->external_id),
	    creation->external_id, request->password.len);
	if (request->password.len > 0)
		memcpy(secret_data(joined) + n, request->password.data, request->password.len);
	secret_truncate(joined, (size_t)n + request->password.len);
	st = vault_digest(core, creation->realm, "request", secret_view(joined), creation->request_digest);
	secret_free(&joined);
	return st;
}

static enum status
seal_creation(struct core *core, const struct caller *caller, const struct secret *password, struct creation *creation)
{
	const struct seal_place login = place_of(creation->realm, "account.login", creation->id);
	const struct seal_place hash = place_of(creation->realm, "account.password", creation->id);
	struct slots_turn turn;
	enum status st;

	st = vault_seal(core, &login, bytes_of(creation->login), &creation->login_sealed, &creation->login_key_id);
	if (st != STATUS_OK || password == NULL)
		return st;
	if ((st = hashing_enter(core, caller, creation->realm, &turn)) == STATUS_OK) {
		st = hashing_seal(core, &turn, &hash, secret_view(password), &creation->password_sealed,
		    &creation->password_key_id);
		hashing_leave(core, &turn, false);
	}
	return st;
}

static enum status
store_creation(const struct core *core, const struct db_caller *caller, const struct creation *creation,
    bool idempotent, struct account *out)
{
	const struct bytes none = { NULL, 0 };
	const struct account_create in = {
		.account_id = creation->id,
		.login_digest = vault_digest_view(creation->login_digest),
		.login_sealed = vault_view(&creation->login_sealed),
		.login_key_id = creation->login_key_id,
		.external_id = creation->external_id[0] != '\0' ? creation->external_id : NULL,
		.password_sealed = vault_view(&creation->password_sealed),
		.password_key_id = creation->password_key_id,
		.password_form = creation->password_sealed.len > 0 ? hashing_form(core, creation->realm) : NULL,
		.idempotency_digest = idempotent ? vault_digest_view(creation->idempotency_digest) : none,
		.request_digest = idempotent ? vault_digest_view(creation->request_digest) : none,
	};
	struct account_row row;
	enum status st;

	if ((st = account_sql_create(core->db, caller, &in, &row)) == STATUS_OK)
		st = take_row(core, &row, out);
	return st;
}

/* Everything that is the caller's to get right. */
static enum status
take_request(const struct core *core, const struct account_new *request, struct creation *creation,
    struct secret **out_password, struct password_refusal *refusal)
{
	enum status st;

	if ((st = vault_login(core, creation->realm, request->login, creation->login, creation->login_digest)) !=
	    STATUS_OK || (st = take_external_id(request->external_id, creation->external_id)) != STATUS_OK)
		return st;
	if (request->idempotency_key != NULL && (st = digest_request(core, request, creation)) != STATUS_OK)
		return st;
	if (request->password.len == 0)
		return STATUS_OK;
	return password_policy_take(core, creation->realm, creation->login, request->password, out_password, refusal);
}

static enum realm
realm_for(const struct caller *caller, const struct account_new *request)
{
	return caller->kind == CALLER_OPERATOR && request->realm != REALM_NONE ? request->realm : caller_realm(caller);
}

enum status
account_create(struct core *core, const struct caller *caller, const struct account_new *new_account,
    struct account *out, struct password_refusal *refusal)
{
	struct creation creation;
	struct caller_bound bound;
	struct secret *password = NULL;
	enum status st;

	memset(&creation, 0, sizeof creation);
	refusal->reason = NULL;
	/* a stranger learns nothing of the policy, and costs no hash */
	if ((st = client_check(core, caller, SCOPE_ACCOUNTS)) != STATUS_OK ||
	    (st = caller_bind(core, caller, &bound)) != STATUS_OK)
		goto out;
	creation.realm = realm_for(caller, new_account);
	bound.db.realm = creation.realm;
	if ((st = take_request(core, new_account, &creation, &password, refusal)) != STATUS_OK ||
	    (st = entropy_uuid(creation.id)) != STATUS_OK ||
	    (st = seal_creation(core, caller, password, &creation)) != STATUS_OK)
		goto out;
	st = store_creation(core, &bound.db, &creation, new_account->idempotency_key != NULL, out);
out:
	secret_free(&password);
	secret_wipe(&creation, sizeof creation);
	return st;
}

/* --- looking, locking ------------------------------------------------------------------------------------------------ */

enum status
account_get(struct core *core, const struct caller *caller, const char *account_id, struct account *out)
{
	struct caller_bound bound;
	struct account_row row;
	enum status st;

	if ((st = caller_bind(core, caller, &bound)) == STATUS_OK &&
	    (st = account_sql_get(core->db, &bound.db, account_id, &row)) == STATUS_OK)
		st = take_row(core, &row, out);
	return st;
}

enum status
account_find(struct core *core, const struct caller *caller, struct bytes login, struct account *out)
{
	char canonical[TEXT_LOGIN_MAX_BYTES + 1];
	uint8_t digest[DIGEST_BYTES];
	struct caller_bound bound;
	struct account_row row;
	enum status st;

	if ((st = caller_bind(core, caller, &bound)) == STATUS_OK &&
	    (st = vault_login(core, caller_realm(caller), login, canonical, digest)) == STATUS_OK &&
	    (st = account_sql_find(core->db, &bound.db, vault_digest_view(digest), &row)) == STATUS_OK)
		st = take_row(core, &row, out);
	return st;
}

static enum status
set_state(struct core *core, const struct caller *caller, const char *account_id, const char *state,
    const char *reason, struct account *out)
{
	struct caller_bound bound;
	struct account_row row;
	enum status st;

	if ((st = caller_bind(core, caller, &bound)) == STATUS_OK &&
	    (st = account_sql_set_state(core->db, &bound.db, account_id, state, reason, &row)) == STATUS_OK)
		st = take_row(core, &row, out);
	return st;
}

enum status
account_lock(struct core *core, const struct caller *caller, const char *account_id, const char *reason,
    struct account *out)
{
	return set_state(core, caller, account_id, "locked", reason, out);
}

enum status
account_unlock(struct core *core, const struct caller *caller, const char *account_id, struct account *out)
{
	return set_state(core, caller, account_id, "active", NULL, out);
}

enum status
account_status(struct core *core, const struct caller *caller, struct bytes login, struct account_status *out)
{
	char canonical[TEXT_LOGIN_MAX_BYTES + 1];
	uint8_t digest[DIGEST_BYTES];
	struct account_status_row row;
	struct caller_bound bound;
	enum status st;

	if ((st = caller_bind(core, caller, &bound)) != STATUS_OK ||
	    (st = vault_login(core, caller_realm(caller), login, canonical, digest)) != STATUS_OK ||
	    (st = account_sql_status(core->db, &bound.db, vault_digest_view(digest), &row)) != STATUS_OK)
		return st;
	memset(out, 0, sizeof *out);
	out->known = row.account_id[0] != '\0';
	memcpy(out->account_id, row.account_id, sizeof out->account_id);
	(void)snprintf(out->state, sizeof out->state, "%.15s", row.state);
	out->is_active = out->known && strcmp(row.state, "active") == 0;
	out->must_change = row.must_change;
	out->second_factor = row.second_factor;
	out->training_due_at_s = row.training_due_at_s;
	return STATUS_OK;
}
