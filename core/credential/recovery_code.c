#include "core/credential/recovery_code.h"

#include <string.h>

#include "core/base/encoding.h"
#include "core/base/entropy.h"
#include "core/base/secret.h"

#define CHARACTERS 24
#define GROUP 4

enum status
recovery_code_generate(char out[static RECOVERY_CODE_TEXT_BYTES])
{
	uint8_t raw[RECOVERY_CODE_RAW_BYTES];
	char plain[ENCODING_BASE32_BYTES(RECOVERY_CODE_RAW_BYTES)];
	enum status st;

	if ((st = entropy_fill(raw, sizeof raw)) != STATUS_OK)
		return st;
	encoding_base32((struct bytes){ raw, sizeof raw }, plain);
	for (size_t i = 0; i < CHARACTERS; i++) {
		if (i > 0 && i % GROUP == 0)
			*out++ = '-';
		*out++ = plain[i];
	}
	*out = '\0';
	secret_wipe(raw, sizeof raw);
	secret_wipe(plain, sizeof plain);
	return STATUS_OK;
}

enum status
recovery_code_parse(const char *typed, uint8_t out[static RECOVERY_CODE_RAW_BYTES])
{
	char plain[CHARACTERS];
	size_t len = 0, raw_len = 0;
	enum status st = STATUS_INVALID;

	if (typed == NULL)
		return STATUS_INVALID;
	for (; *typed != '\0'; typed++) {
		if (*typed == '-' || *typed == ' ')
			continue;
		if (len == CHARACTERS)
			goto out;
		plain[len++] = *typed;
	}
	if (len == CHARACTERS)
		st = encoding_base32_decode(plain, len, out, RECOVERY_CODE_RAW_BYTES, &raw_len);
out:
	secret_wipe(plain, sizeof plain);
	return st;
}

bool
recovery_code_is_code(const char *typed)
{
	uint8_t raw[RECOVERY_CODE_RAW_BYTES];
	bool is_code = recovery_code_parse(typed, raw) == STATUS_OK;

	secret_wipe(raw, sizeof raw);
	return is_code;
}
