#include "core/credential/seal.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "core/base/entropy.h"

#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES
#define PLACE_MAX_BYTES 256

_Static_assert(NONCE_BYTES + TAG_BYTES == SEAL_OVERHEAD_BYTES, "the header promises the layout");
_Static_assert(KEYRING_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "keys fit the cipher");

/* Where a value lies, as associated data.  '|' stands in no realm, column or UUID, so no two places look alike. */
static bool
describe_place(const struct seal_place *place, char out[static PLACE_MAX_BYTES], size_t *out_len)
{
	int n;

	if (place->realm == REALM_NONE || strchr(place->column, '|') != NULL || strchr(place->row_id, '|') != NULL ||
	    strchr(place->account_id, '|') != NULL)
		return false;
	n = snprintf(out, PLACE_MAX_BYTES, "1|%s|%s|%s|%s", realm_name(place->realm), place->column, place->row_id,
	    place->account_id);
	*out_len = (size_t)n;
	return n > 0 && n < PLACE_MAX_BYTES;
}

enum status
seal_close(const struct keyring *keyring, const struct seal_place *place, struct bytes value, uint8_t *out,
    int *out_key_id)
{
	int key_id = keyring_seal_id(keyring, place->realm);
	char where[PLACE_MAX_BYTES];
	uint8_t key[KEYRING_KEY_BYTES];
	size_t where_len;
	enum status st;

	if (key_id == 0 || !describe_place(place, where, &where_len) ||
	    keyring_sealing_key(keyring, place->realm, key_id, place->column, key) != STATUS_OK)
		return STATUS_INTERNAL;
	if ((st = entropy_fill(out, NONCE_BYTES)) != STATUS_OK)
		goto out;
	st = STATUS_INTERNAL;
	if (crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_BYTES, NULL, value.data, value.len,
	    (const uint8_t *)where, where_len, NULL, out, key) != 0)
		goto out;
	*out_key_id = key_id;
	st = STATUS_OK;
out:
	secret_wipe(key, sizeof key);
	return st;
}

enum status
seal_open(const struct keyring *keyring, const struct seal_place *place, int key_id, struct bytes sealed,
    struct secret **out)
{
	char where[PLACE_MAX_BYTES];
	uint8_t key[KEYRING_KEY_BYTES];
	struct secret *value = NULL;
	size_t where_len;
	enum status st;

	if (sealed.len < SEAL_OVERHEAD_BYTES || !describe_place(place, where, &where_len) ||
	    keyring_sealing_key(keyring, place->realm, key_id, place->column, key) != STATUS_OK)
		return STATUS_INTERNAL;
	if ((st = secret_new(sealed.len - SEAL_OVERHEAD_BYTES, &value)) != STATUS_OK)
		goto out;
	st = STATUS_INTERNAL;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(secret_data(value), NULL, NULL, sealed.data + NONCE_BYTES,
	    sealed.len - NONCE_BYTES, (const uint8_t *)where, where_len, sealed.data, key) != 0)
		goto out;
	*out = value;
	value = NULL;
	st = STATUS_OK;
out:
	secret_wipe(key, sizeof key);
	secret_free(&value);
	return st;
}
