/* fuzz_encoding.c: what a strict decoder takes is the one spelling of what it gives; what is encoded comes back. */
#include <string.h>
#include <strings.h>

#include "core/base/encoding.h"
#include "tests/fuzz/fuzz.h"

static const struct form {
	void (*encode)(struct bytes in, char *out);
	enum status (*decode)(const char *text, size_t text_len, uint8_t *out, size_t capacity, size_t *out_len);
	int (*compare)(const char *a, const char *b, size_t len);
} forms[] = { { encoding_hex, encoding_hex_decode, strncasecmp }, { encoding_base32, encoding_base32_decode, strncasecmp },
	{ encoding_base64url, encoding_base64url_decode, strncmp } };

static void
decode(const struct form *form, const char *text, size_t len)
{
	size_t clear_len = 0;
	uint8_t *clear = malloc(len + 1);
	char *again;

	if (form->decode(text, len, clear, len, &clear_len) == STATUS_OK) {
		INSIST(clear_len <= len);
		again = malloc(ENCODING_HEX_BYTES(clear_len));
		form->encode((struct bytes){ clear, clear_len }, again);
		INSIST(strlen(again) == len && form->compare(again, text, len) == 0);
		INSIST(clear_len == 0 || form->decode(text, len, clear, clear_len - 1, &clear_len) == STATUS_INVALID);
		free(again);
	}
	free(clear);
}

static void
encode(const struct form *form, const uint8_t *data, size_t len)
{
	char *text = malloc(ENCODING_HEX_BYTES(len));
	uint8_t *back = malloc(len + 1);
	size_t back_len = 0;

	form->encode((struct bytes){ data, len }, text);
	INSIST(form->decode(text, strlen(text), back, len, &back_len) == STATUS_OK);
	INSIST(back_len == len && memcmp(back, data, len) == 0);
	free(back);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);

	memcpy(text, data, len);
	text[len] = '\0';
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		decode(&forms[i], text, len);
		encode(&forms[i], data, len);
	}
	if (encoding_is_uuid(text))
		INSIST(strlen(text) == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-');
	free(text);
	return 0;
}
