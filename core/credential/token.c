#include "core/credential/token.h"

#include <stdio.h>
#include <string.h>

#include "core/base/encoding.h"
#include "core/base/entropy.h"
#include "core/base/secret.h"

#define API_KEY_PREFIX "cf_"
#define API_KEY_ID_RAW 8
#define API_KEY_TEXT_LEN (sizeof API_KEY_PREFIX - 1 + API_KEY_ID_BYTES - 1 + 1 + TOKEN_TEXT_BYTES - 1)

enum status
token_generate(char out[static TOKEN_TEXT_BYTES])
{
	uint8_t raw[TOKEN_RAW_BYTES];
	enum status st;

	if ((st = entropy_fill(raw, sizeof raw)) != STATUS_OK)
		return st;
	encoding_base64url((struct bytes){ raw, sizeof raw }, out);
	secret_wipe(raw, sizeof raw);
	return STATUS_OK;
}

enum status
token_parse(const char *text, size_t text_len, uint8_t out[static TOKEN_RAW_BYTES])
{
	size_t len = 0;

	if (text == NULL || text_len != TOKEN_TEXT_BYTES - 1)
		return STATUS_INVALID;
	if (encoding_base64url_decode(text, text_len, out, TOKEN_RAW_BYTES, &len) != STATUS_OK ||
	    len != TOKEN_RAW_BYTES)
		return STATUS_INVALID;
	return STATUS_OK;
}

enum status
api_key_generate(enum realm realm, char out[static API_KEY_TEXT_BYTES], char out_id[static API_KEY_ID_BYTES])
{
	uint8_t raw[API_KEY_ID_RAW];
	char token[TOKEN_TEXT_BYTES];
	enum status st;

	if (realm != REALM_STORE && realm != REALM_STAFF)
		return STATUS_INVALID;
	if ((st = entropy_fill(raw, sizeof raw)) != STATUS_OK || (st = token_generate(token)) != STATUS_OK)
		return st;
	encoding_hex((struct bytes){ raw, sizeof raw }, out_id);
	out_id[0] = (char)('0' + (int)realm);
	(void)snprintf(out, API_KEY_TEXT_BYTES, API_KEY_PREFIX "%s_%s", out_id, token);
	secret_wipe(token, sizeof token);
	return STATUS_OK;
}

enum status
api_key_parse(const char *text, size_t text_len, enum realm *out_realm, char out_id[static API_KEY_ID_BYTES],
    uint8_t out_secret[static TOKEN_RAW_BYTES])
{
	const size_t id_at = sizeof API_KEY_PREFIX - 1, separator_at = id_at + API_KEY_ID_BYTES - 1;
	enum status st;

	if (text == NULL || text_len != API_KEY_TEXT_LEN || memcmp(text, API_KEY_PREFIX, id_at) != 0 ||
	    text[separator_at] != '_' || text[id_at] < '0' + REALM_STORE || text[id_at] > '0' + REALM_STAFF)
		return STATUS_INVALID;
	for (size_t i = id_at; i < separator_at; i++) {
		if (text[i] == '\0' || strchr("0123456789abcdef", text[i]) == NULL)
			return STATUS_INVALID;
	}
	if ((st = token_parse(text + separator_at + 1, TOKEN_TEXT_BYTES - 1, out_secret)) != STATUS_OK)
		return st;
	*out_realm = (enum realm)(text[id_at] - '0');
	memcpy(out_id, text + id_at, API_KEY_ID_BYTES - 1);
	out_id[API_KEY_ID_BYTES - 1] = '\0';
	return STATUS_OK;
}
