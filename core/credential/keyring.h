/* keyring.h: the keys that live apart from the database, one file, mode 0400.
 *
 * A line a key: "<realm> <purpose> <id> <64 hex digits>"; '#' starts a comment line.
 *   realm    store | staff | service
 *   purpose  seal (several; the highest id seals, every id opens) | digest (exactly one a realm)
 * authd's file holds all three realms; a PAM host's file holds staff only, and so opens nothing of a customer's. */
#ifndef COUNTERFOIL_KEYRING_H
#define COUNTERFOIL_KEYRING_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/base/secret.h"
#include "core/base/config.h"
#include "core/base/status.h"

enum realm { REALM_NONE = 0, REALM_STORE = 1, REALM_STAFF = 2, REALM_SERVICE = 3 };    /* numbers as in table realm */

const char *realm_name(enum realm realm);               /* "store", "staff", "service"; "none" otherwise */
enum realm realm_of(const char *name);                  /* REALM_NONE for anything else */

#define KEYRING_KEY_BYTES 32
#define KEYRING_KEYS_MAX  64            /* lines in one file */
#define DIGEST_BYTES      32

struct keyring;

/* Read a keyring file: owner root or the effective user, no access for group and others.
 * STATUS_NOT_FOUND, STATUS_INVALID, STATUS_NO_MEMORY: ERROR says what is wrong, with path and line. */
enum status keyring_open(const char *path, struct keyring **out, char error[static CONFIG_ERROR_BYTES]) NODISCARD;
void keyring_free(struct keyring **keyring);

/* Write a new file (0400, O_EXCL, fsync) with a digest key and seal key 1 for each realm of the zero-ended list. */
enum status keyring_create(const char *path, const enum realm *realms, char error[static CONFIG_ERROR_BYTES]) NODISCARD;

/* Write the keys of REALM alone to a new file: what a PAM host gets. */
enum status keyring_extract(const struct keyring *keyring, enum realm realm, const char *path,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

/* Append a seal key with the next id for REALM (write, fsync, rename). */
enum status keyring_add_seal_key(const char *path, enum realm realm, int *out_id,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

bool keyring_has_realm(const struct keyring *keyring, enum realm realm);
int keyring_seal_id(const struct keyring *keyring, enum realm realm);  /* the id that seals now; 0: none */

/* For seal.c: the key that seals USE, derived from seal key KEY_ID of REALM.  The caller wipes OUT.
 * STATUS_NOT_FOUND: no such key here. */
enum status keyring_sealing_key(const struct keyring *keyring, enum realm realm, int key_id, const char *use,
    uint8_t out[static KEYRING_KEY_BYTES]) NODISCARD;

/* The seed of an Ed25519 key that signs for USE, derived from seal key KEY_ID of REALM: a new seal key is a new signing key.
 * The caller wipes OUT.  STATUS_NOT_FOUND: no such key here. */
enum status keyring_signing_seed(const struct keyring *keyring, enum realm realm, int key_id, const char *use,
    uint8_t out[static KEYRING_KEY_BYTES]) NODISCARD;

/* Keyed BLAKE2b-256 of VALUE under REALM's digest key.  USE keeps kinds apart: the same value digested as a
 * "session" and as a "challenge" differs.  STATUS_NOT_FOUND: no key of that realm here. */
enum status keyring_digest(const struct keyring *keyring, enum realm realm, const char *use, struct bytes value,
    uint8_t out[static DIGEST_BYTES]) NODISCARD;

#endif
