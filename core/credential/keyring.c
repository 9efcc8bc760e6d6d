#include "core/credential/keyring.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/credential/keyring_file.h"

static const char *const realm_names[] = { [REALM_NONE] = "none", [REALM_STORE] = "store", [REALM_STAFF] = "staff",
	[REALM_SERVICE] = "service" };

const char *
realm_name(enum realm realm)
{
	return realm_names[(unsigned)realm < sizeof realm_names / sizeof realm_names[0] ? (unsigned)realm : 0];
}

enum realm
realm_of(const char *name)
{
	for (enum realm realm = REALM_STORE; name != NULL && realm <= REALM_SERVICE; realm++) {
		if (strcmp(realm_names[realm], name) == 0)
			return realm;
	}
	return REALM_NONE;
}

const struct keyring_key *
keyring_find(const struct keyring *keyring, enum realm realm, enum keyring_purpose purpose, int id)
{
	for (unsigned i = 0; i < keyring->count; i++) {
		const struct keyring_key *key = &keyring->keys[i];

		if (key->realm == realm && key->purpose == purpose && (id == KEYRING_ANY_ID || key->id == id))
			return key;
	}
	return NULL;
}

bool
keyring_has_realm(const struct keyring *keyring, enum realm realm)
{
	return keyring_find(keyring, realm, KEYRING_DIGEST, KEYRING_ANY_ID) != NULL;
}

int
keyring_seal_id(const struct keyring *keyring, enum realm realm)
{
	int highest = 0;

	for (unsigned i = 0; i < keyring->count; i++) {
		const struct keyring_key *key = &keyring->keys[i];

		if (key->realm == realm && key->purpose == KEYRING_SEAL && key->id > highest)
			highest = key->id;
	}
	return highest;
}

void
keyring_free(struct keyring **keyring)
{
	if (keyring == NULL || *keyring == NULL)
		return;
	for (unsigned i = 0; i < (*keyring)->count; i++)
		secret_free(&(*keyring)->keys[i].value);
	free(*keyring);
	*keyring = NULL;
}

/* BLAKE2b keyed with KEY over a label that ends in NUL, then VALUE: the label keeps the uses apart. */
static enum status
keyed_hash(struct bytes key, const char *label, struct bytes value, uint8_t out[static 32])
{
	crypto_generichash_state state;
	int failed;

	failed = crypto_generichash_init(&state, key.data, key.len, 32) != 0 ||
	    crypto_generichash_update(&state, (const uint8_t *)label, strlen(label) + 1) != 0 ||
	    crypto_generichash_update(&state, value.data, value.len) != 0 ||
	    crypto_generichash_final(&state, out, 32) != 0;
	secret_wipe(&state, sizeof state);
	return failed ? STATUS_INTERNAL : STATUS_OK;
}

/* LABEL keeps what is derived for sealing and for signing apart. */
static enum status
derive(const struct keyring *keyring, enum realm realm, int key_id, const char *label, const char *use,
    uint8_t out[static KEYRING_KEY_BYTES])
{
	const struct keyring_key *key = keyring_find(keyring, realm, KEYRING_SEAL, key_id);

	if (key == NULL || key_id == KEYRING_ANY_ID)
		return STATUS_NOT_FOUND;
	return keyed_hash(secret_view(key->value), label, bytes_of(use), out);
}

enum status
keyring_sealing_key(const struct keyring *keyring, enum realm realm, int key_id, const char *use,
    uint8_t out[static KEYRING_KEY_BYTES])
{
	return derive(keyring, realm, key_id, "counterfoil seal key 1", use, out);
}

enum status
keyring_signing_seed(const struct keyring *keyring, enum realm realm, int key_id, const char *use,
    uint8_t out[static KEYRING_KEY_BYTES])
{
	return derive(keyring, realm, key_id, "counterfoil sign key 1", use, out);
}

enum status
keyring_digest(const struct keyring *keyring, enum realm realm, const char *use, struct bytes value,
    uint8_t out[static DIGEST_BYTES])
{
	const struct keyring_key *key = keyring_find(keyring, realm, KEYRING_DIGEST, KEYRING_ANY_ID);
	uint8_t use_key[KEYRING_KEY_BYTES];
	enum status st;

	if (key == NULL)
		return STATUS_NOT_FOUND;
	if ((st = keyed_hash(secret_view(key->value), "counterfoil digest key 1", bytes_of(use), use_key)) == STATUS_OK)
		st = keyed_hash((struct bytes){ use_key, sizeof use_key }, use, value, out);
	secret_wipe(use_key, sizeof use_key);
	return st;
}
