#include "core/operation/export.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/base/encoding.h"
#include "core/operation/vault.h"
#include "core/store/event_sql.h"

/* In place of its sealed form, the name in clear. */
static enum status
open_name(const struct core *core, enum realm realm, const char *account_id, json_t *factor)
{
	const char *id = json_string_value(json_object_get(factor, "id"));
	const char *hex = json_string_value(json_object_get(factor, "name_sealed"));
	const struct seal_place place = { realm, "factor.name", id != NULL ? id : "", account_id };
	struct db_bytes sealed = { .len = 0 };
	struct secret *name = NULL;
	json_t *clear = NULL;
	enum status st = STATUS_OK;

	if (hex != NULL) {
		if ((st = encoding_hex_decode(hex, strlen(hex), sealed.data, sizeof sealed.data, &sealed.len)) == STATUS_OK)
			st = vault_open(core, &place, &sealed, json_integer_value(json_object_get(factor, "name_key_id")), &name);
		if (st != STATUS_OK)
			return STATUS_INTERNAL;
		clear = json_stringn((const char *)secret_view(name).data, secret_view(name).len);
	}
	secret_free(&name);
	(void)json_object_del(factor, "name_sealed");
	(void)json_object_del(factor, "name_key_id");
	return json_object_set_new(factor, "name", hex != NULL ? clear : json_null()) == 0 ? STATUS_OK : STATUS_NO_MEMORY;
}

/* What is sealed in the document is opened here: SQL has no key. */
static enum status
open_document(const struct core *core, enum realm realm, const char *account_id, const struct export_row *row,
    json_t *document)
{
	char login[TEXT_LOGIN_MAX_BYTES + 1];
	json_t *factor;
	size_t i;
	enum status st;

	st = vault_open_login(core, realm, account_id, &row->login_sealed, row->login_key_id, login);
	if (st == STATUS_OK &&
	    json_object_set_new(json_object_get(document, "account"), "login", json_string(login)) != 0)
		st = STATUS_NO_MEMORY;
	json_array_foreach(json_object_get(document, "factors"), i, factor) {
		if (st == STATUS_OK)
			st = open_name(core, realm, account_id, factor);
	}
	return st;
}

/* Not json_dumps(): a program may have given jansson an allocator of its own, and the caller will free(). */
static enum status
write_out(const json_t *document, char **out)
{
	size_t len = json_dumpb(document, NULL, 0, JSON_COMPACT);
	char *text = len > 0 ? malloc(len + 1) : NULL;

	if (text == NULL || json_dumpb(document, text, len, JSON_COMPACT) != len) {
		free(text);
		return STATUS_NO_MEMORY;
	}
	text[len] = '\0';
	*out = text;
	return STATUS_OK;
}

enum status
export_account(struct core *core, const struct caller *caller, const char *account_id, char **out,
    int64_t *out_retry_after_s)
{
	const enum realm realm = caller_realm(caller);
	struct export_row row = { .document = NULL };
	struct caller_bound bound;
	json_t *document = NULL;
	enum status st;

	if (!encoding_is_uuid(account_id))
		return STATUS_NOT_FOUND;
	if ((st = caller_bind(core, caller, &bound)) != STATUS_OK ||
	    (st = event_sql_export(core->db, &bound.db, account_id, core_policy(core, realm)->throttle_export_limit,
	    core_policy(core, realm)->throttle_client_export_limit, &core->throttles[realm], &row)) != STATUS_OK ||
	    (*out_retry_after_s = row.throttled_s) > 0)
		goto out;
	st = STATUS_INTERNAL;
	if (row.document == NULL || (document = json_loads(row.document, JSON_REJECT_DUPLICATES, NULL)) == NULL)
		goto out;
	if ((st = open_document(core, realm, account_id, &row, document)) == STATUS_OK)
		st = write_out(document, out);
out:
	json_decref(document);
	free(row.document);
	return st;
}

enum status
export_erase(struct core *core, const struct caller *caller, const char *account_id)
{
	struct caller_bound bound;
	enum status st;

	if (!encoding_is_uuid(account_id))
		return STATUS_NOT_FOUND;
	if ((st = caller_bind(core, caller, &bound)) == STATUS_OK)
		st = event_sql_erase(core->db, &bound.db, account_id);
	return st;
}
