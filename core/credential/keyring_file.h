/* keyring_file.h: the keyring's inside, shared by keyring.c (which uses keys) and keyring_file.c (which reads and
 * writes them).  Nobody else includes it. */
#ifndef COUNTERFOIL_KEYRING_FILE_H
#define COUNTERFOIL_KEYRING_FILE_H

#include "core/credential/keyring.h"

enum keyring_purpose { KEYRING_DIGEST = 1, KEYRING_SEAL = 2 };

#define KEYRING_ANY_ID 0        /* ids begin with 1 */

struct keyring_key {
	enum realm realm;
	enum keyring_purpose purpose;
	int id;
	struct secret *value;   /* KEYRING_KEY_BYTES */
};

struct keyring {
	unsigned count;
	struct keyring_key keys[KEYRING_KEYS_MAX];
};

/* Borrowed from the keyring; NULL: not here. */
const struct keyring_key *keyring_find(const struct keyring *keyring, enum realm realm, enum keyring_purpose purpose,
    int id);

#endif
