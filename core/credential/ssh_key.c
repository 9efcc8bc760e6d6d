#include "core/credential/ssh_key.h"

#include <string.h>

#include <sodium.h>

bool
ssh_key_fingerprint(const char *key, char out[static SSH_KEY_FINGERPRINT_BYTES])
{
	static const char prefix[] = "SHA256:";
	uint8_t blob[SSH_KEY_MAX], digest[crypto_hash_sha256_BYTES];
	const char *encoded = strchr(key, ' ');
	size_t len;

	if (encoded == NULL || sodium_base642bin(blob, sizeof blob, encoded + 1, strcspn(encoded + 1, " "), NULL, &len,
	    NULL, sodium_base64_VARIANT_ORIGINAL) != 0 || len == 0)
		return false;
	(void)crypto_hash_sha256(digest, blob, len);
	memcpy(out, prefix, sizeof prefix);
	(void)sodium_bin2base64(out + sizeof prefix - 1, SSH_KEY_FINGERPRINT_BYTES - sizeof prefix + 1, digest,
	    sizeof digest, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	return true;
}
