/* fuzz_otpauth.c: issuer, NUL, account, NUL, seed: a URI of harmless characters within its bound, or refused. */
#include <string.h>

#include "core/credential/otpauth.h"
#include "core/credential/totp.h"
#include "tests/fuzz/fuzz.h"

static void
expect_uri(const struct secret *uri)
{
	static const char kept[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%:/?&=";
	struct bytes view = secret_view(uri);
	const char *text = (const char *)view.data, *label = text + strlen("otpauth://totp/"), *query;

	INSIST(view.len <= OTPAUTH_URI_MAX_BYTES && text[view.len] == '\0' && strlen(text) == view.len);
	INSIST(strncmp(text, "otpauth://totp/", 15) == 0 && strspn(text, kept) == view.len);
	query = strchr(label, '?');
	INSIST(query != NULL && strncmp(query, "?secret=", 8) == 0 && strchr(query + 1, '?') == NULL);
	INSIST(strchr(label, ':') < query && strrchr(text, ':') == strchr(label, ':'));
	INSIST(strcmp(text + view.len - strlen("&algorithm=SHA1&digits=6&period=30"), "&algorithm=SHA1&digits=6&period=30") == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 3), *account, *seed;
	struct secret *uri = NULL;

	memcpy(text, data, len);
	memset(text + len, 0, 3);
	account = text + strlen(text) + 1;
	if (account > text + len)
		account = text + len;
	seed = account + strlen(account) + 1;
	if (seed > text + len)
		seed = text + len;
	if (otpauth_uri(text, account, (struct bytes){ (uint8_t *)seed, (size_t)(text + len - seed) }, &uri) == STATUS_OK) {
		INSIST(text + len - seed >= TOTP_SEED_MIN);
		expect_uri(uri);
	}
	secret_free(&uri);
	free(text);
	return 0;
}
