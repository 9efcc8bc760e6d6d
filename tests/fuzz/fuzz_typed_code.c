/* fuzz_typed_code.c: what people and programs type: one-time codes, recovery codes, tokens, API keys. */
#include <string.h>

#include "core/base/encoding.h"
#include "core/credential/recovery_code.h"
#include "core/credential/token.h"
#include "core/credential/totp.h"
#include "tests/fuzz/fuzz.h"

static void
one_time_code(const char *text)
{
	static const uint8_t seed[TOTP_SEED_BYTES] = "12345678901234567890";
	int64_t step = 77;
	enum status st = totp_match((struct bytes){ seed, sizeof seed }, 1111111109, TOTP_NO_STEP, text, &step);

	INSIST((st == STATUS_OK) == totp_is_code(text));
	INSIST(st == STATUS_OK ? step == TOTP_NO_STEP || step == 37037036 || step == 37037035 : step == 77);
}

static void
recovery_code(const char *text)
{
	uint8_t raw[RECOVERY_CODE_RAW_BYTES];
	bool is_code = recovery_code_parse(text, raw) == STATUS_OK;

	INSIST(is_code == recovery_code_is_code(text));
	INSIST(!is_code || strlen(text) >= 24);
	INSIST(!is_code || !totp_is_code(text));
}

static void
token(const char *text, size_t len)
{
	char id[API_KEY_ID_BYTES], again[TOKEN_TEXT_BYTES];
	uint8_t raw[TOKEN_RAW_BYTES];
	enum realm realm;

	if (token_parse(text, len, raw) == STATUS_OK) {
		encoding_base64url((struct bytes){ raw, sizeof raw }, again);
		INSIST(len == strlen(again) && memcmp(again, text, len) == 0);
	}
	if (api_key_parse(text, len, &realm, id, raw) == STATUS_OK) {
		encoding_base64url((struct bytes){ raw, sizeof raw }, again);
		INSIST(realm == REALM_STORE || realm == REALM_STAFF);
		INSIST(len == 63 && memcmp(text + 3, id, 16) == 0 && memcmp(text + 20, again, 43) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);

	memcpy(text, data, len);
	text[len] = '\0';
	one_time_code(text);
	recovery_code(text);
	token(text, len);
	free(text);
	return 0;
}
