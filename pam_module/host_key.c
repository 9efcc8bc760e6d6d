#include "pam_module/host_key.h"

#include <stdio.h>
#include <string.h>

#include "core/base/secret_file.h"

enum {
	SECRET_LEN = TOKEN_TEXT_BYTES - 1,
	KEY_LEN = sizeof "cf_" - 1 + API_KEY_ID_BYTES - 1 + sizeof "_" - 1 + SECRET_LEN,
	FILE_MAX_BYTES = KEY_LEN + 1    /* and a line's end */
};

static enum status
parse(const char *path, struct secret *text, struct host_key *out, char *error)
{
	const char *at = (const char *)secret_view(text).data;
	size_t len = secret_view(text).len;
	uint8_t raw[TOKEN_RAW_BYTES];
	enum realm realm = REALM_NONE;
	enum status st;

	if (len > 0 && at[len - 1] == '\n')
		len--;
	st = api_key_parse(at, len, &realm, out->id, raw);
	secret_wipe(raw, sizeof raw);
	if (st != STATUS_OK)
		(void)snprintf(error, CONFIG_ERROR_BYTES, "%s: must hold one line, cf_ID_SECRET, and nothing else", path);
	else if (realm != REALM_STAFF)
		(void)snprintf(error, CONFIG_ERROR_BYTES, "%s: a key of realm %s; a host's is of realm staff", path,
		    realm_name(realm));
	return st == STATUS_OK && realm != REALM_STAFF ? STATUS_INVALID : st;
}

enum status
host_key_read(const char *path, struct host_key *out, char error[static CONFIG_ERROR_BYTES])
{
	struct secret *text = NULL;
	enum status st;

	*out = (struct host_key){ .text = NULL };
	if ((st = secret_file_read(path, FILE_MAX_BYTES, &text, error)) != STATUS_OK)
		return st == STATUS_NOT_FOUND ? STATUS_INVALID : st;
	if ((st = parse(path, text, out, error)) == STATUS_OK &&
	    (st = secret_new(KEY_LEN + 1, &out->text)) == STATUS_OK) {
		memcpy(secret_data(out->text), secret_view(text).data, KEY_LEN);
		secret_truncate(out->text, KEY_LEN);
	}
	secret_free(&text);
	return st;
}

void
host_key_free(struct host_key *key)
{
	secret_free(&key->text);
}

struct bytes
host_key_secret(const struct host_key *key)
{
	return (struct bytes){ secret_view(key->text).data + KEY_LEN - SECRET_LEN, SECRET_LEN };
}
