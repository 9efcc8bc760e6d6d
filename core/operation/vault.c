#include "core/operation/vault.h"

#include <string.h>

#include "core/base/log.h"

enum status
vault_digest(const struct core *core, enum realm realm, const char *use, struct bytes value,
    uint8_t out[static DIGEST_BYTES])
{
	enum status st = keyring_digest(core->keyring, realm, use, value, out);

	if (st == STATUS_OK)
		return st;
	log_event(LOG_LEVEL_ERROR, "digest_key_missing", (const struct log_field[]){
	    LOG_TEXT("realm", realm_name(realm)), LOG_TEXT("use", use), LOG_END });
	return STATUS_INTERNAL;
}

enum status
vault_token_digest(const struct core *core, enum realm realm, const char *use, const char *text,
    uint8_t out[static DIGEST_BYTES])
{
	uint8_t raw[TOKEN_RAW_BYTES];
	enum status st;

	if ((st = token_parse(text, strlen(text), raw)) != STATUS_OK)
		return st;
	st = vault_digest(core, realm, use, (struct bytes){ raw, sizeof raw }, out);
	secret_wipe(raw, sizeof raw);
	return st;
}

enum status
vault_token_new(const struct core *core, enum realm realm, const char *use, struct vault_token *out)
{
	enum status st;

	if ((st = token_generate(out->text)) == STATUS_OK)
		st = vault_token_digest(core, realm, use, out->text, out->digest);
	return st == STATUS_INVALID ? STATUS_INTERNAL : st;
}

void
vault_token_wipe(struct vault_token *token)
{
	secret_wipe(token, sizeof *token);
}

enum status
vault_login(const struct core *core, enum realm realm, struct bytes typed,
    char canonical[static TEXT_LOGIN_MAX_BYTES + 1], uint8_t digest[static DIGEST_BYTES])
{
	enum status st;

	if ((st = text_canonical_login(typed, canonical)) != STATUS_OK)
		return st;
	return vault_digest(core, realm, "login", bytes_of(canonical), digest);
}

enum status
vault_seal(const struct core *core, const struct seal_place *place, struct bytes value, struct db_bytes *out,
    int64_t *out_key_id)
{
	enum status st;
	int key_id;

	if (value.len + SEAL_OVERHEAD_BYTES > sizeof out->data)
		return STATUS_INTERNAL;
	if ((st = seal_close(core->keyring, place, value, out->data, &key_id)) != STATUS_OK)
		return st;
	out->len = value.len + SEAL_OVERHEAD_BYTES;
	*out_key_id = key_id;
	return STATUS_OK;
}

enum status
vault_open(const struct core *core, const struct seal_place *place, const struct db_bytes *sealed, int64_t key_id,
    struct secret **out)
{
	enum status st = key_id > 0 && key_id <= INT32_MAX ?
	    seal_open(core->keyring, place, (int)key_id, vault_view(sealed), out) : STATUS_INTERNAL;

	if (st == STATUS_INTERNAL)      /* forged, moved, or sealed with a key that is not in this keyring */
		log_event(LOG_LEVEL_CRITICAL, "sealed_value_unreadable", (const struct log_field[]){
		    LOG_TEXT("column", place->column), LOG_TEXT("row", place->row_id), LOG_NUMBER("key_id", key_id), LOG_END });
	return st;
}

enum status
vault_open_login(const struct core *core, enum realm realm, const char *account_id, const struct db_bytes *sealed,
    int64_t key_id, char out[static TEXT_LOGIN_MAX_BYTES + 1])
{
	const struct seal_place place = { realm, "account.login", account_id, account_id };
	struct secret *login = NULL;
	struct bytes view;
	enum status st;

	out[0] = '\0';
	if (sealed->len == 0)
		return STATUS_OK;
	if ((st = vault_open(core, &place, sealed, key_id, &login)) != STATUS_OK)
		return st;
	view = secret_view(login);
	if (view.len <= TEXT_LOGIN_MAX_BYTES) {
		memcpy(out, view.data, view.len);
		out[view.len] = '\0';
	} else {
		st = STATUS_INTERNAL;
	}
	secret_free(&login);
	return st;
}
