/* fuzz_keyring.c: any bytes as a keyring: whole realms, or refused without a word of what the file holds. */
#include <string.h>

#include "core/credential/keyring.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

static void
expect_whole_realms(const struct keyring *keyring)
{
	unsigned realms = 0;

	for (enum realm realm = REALM_STORE; realm <= REALM_SERVICE; realm++) {
		uint8_t digest[DIGEST_BYTES], key[KEYRING_KEY_BYTES];
		int id = keyring_seal_id(keyring, realm);
		bool here = keyring_has_realm(keyring, realm);

		INSIST(here == (id > 0) && id <= 1000000);
		INSIST(keyring_digest(keyring, realm, "use", bytes_of("value"), digest) == (here ? STATUS_OK : STATUS_NOT_FOUND));
		INSIST(keyring_sealing_key(keyring, realm, id, "use", key) == (here ? STATUS_OK : STATUS_NOT_FOUND));
		realms += here;
	}
	INSIST(realms > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char error[CONFIG_ERROR_BYTES] = "";
	struct keyring *keyring = NULL;
	enum status st = keyring_open(fuzz_file(data, len), &keyring, error);

	if (st == STATUS_OK) {
		expect_whole_realms(keyring);
	} else {
		INSIST(st == STATUS_INVALID && keyring == NULL);
		INSIST(error[0] != '\0' && memchr(error, '\0', sizeof error) != NULL);
	}
	keyring_free(&keyring);
	return 0;
}
