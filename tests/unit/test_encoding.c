/* test_encoding.c: RFC 4648's vectors, and everything that a strict decoder refuses. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/encoding.h"

typedef enum status decoder(const char *text, size_t text_len, uint8_t *out, size_t capacity, size_t *out_len);
typedef void encoder(struct bytes in, char *out);

struct vector { const char *clear, *text; };

/* RFC 4648 section 10, without the padding that we neither write nor take. */
static const struct vector base32_vectors[] = { { "", "" }, { "f", "MY" }, { "fo", "MZXQ" }, { "foo", "MZXW6" },
	{ "foob", "MZXW6YQ" }, { "fooba", "MZXW6YTB" }, { "foobar", "MZXW6YTBOI" } };
static const struct vector base64_vectors[] = { { "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" },
	{ "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" } };
static const struct vector hex_vectors[] = { { "", "" }, { "f", "66" }, { "fo", "666f" }, { "foobar", "666f6f626172" } };

static void
walk(const struct vector *vectors, size_t count, encoder *encode, decoder *decode)
{
	for (size_t i = 0; i < count; i++) {
		char text[32];
		uint8_t clear[16];
		size_t len = 99;

		memset(text, 'x', sizeof text);
		encode(bytes_of(vectors[i].clear), text);
		assert_string_equal(text, vectors[i].text);
		assert_int_equal(decode(text, strlen(text), clear, sizeof clear, &len), STATUS_OK);
		assert_int_equal(len, strlen(vectors[i].clear));
		assert_memory_equal(clear, vectors[i].clear, len);
	}
}

static void
base32_is_rfc_4648s(void **state)
{
	(void)state;
	walk(base32_vectors, 7, encoding_base32, encoding_base32_decode);
}

static void
base64url_is_rfc_4648s(void **state)
{
	uint8_t clear[3];
	char text[5];
	size_t len;

	(void)state;
	walk(base64_vectors, 7, encoding_base64url, encoding_base64url_decode);
	encoding_base64url(BYTES("\xfb\xff\xbf"), text);
	assert_string_equal(text, "-_-_");
	assert_int_equal(encoding_base64url_decode("-_-_", 4, clear, sizeof clear, &len), STATUS_OK);
	assert_memory_equal(clear, "\xfb\xff\xbf", 3);
}

static void
hex_is_lower_case_and_read_in_either(void **state)
{
	uint8_t clear[2];
	size_t len;

	(void)state;
	walk(hex_vectors, 4, encoding_hex, encoding_hex_decode);
	assert_int_equal(encoding_hex_decode("aBCd", 4, clear, sizeof clear, &len), STATUS_OK);
	assert_memory_equal(clear, "\xab\xcd", 2);
}

static void
base32_is_read_in_either_case(void **state)
{
	uint8_t clear[10];
	size_t len;

	(void)state;
	assert_int_equal(encoding_base32_decode("jBsWy3dPeHpK3PxP", 16, clear, sizeof clear, &len), STATUS_OK);
	assert_int_equal(len, 10);
	assert_memory_equal(clear, "Hello!\xde\xad\xbe\xef", 10);
}

/* The seeds of RFC 6238 appendix B, 20, 32 and 64 bytes. */
static void
seeds_of_rfc_6238_are_written_as_everybody_writes_them(void **state)
{
	static const char digits[] = "1234567890123456789012345678901234567890123456789012345678901234";
	static const char sha512[] = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	    "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA";
	char text[ENCODING_BASE32_BYTES(64)];

	(void)state;
	encoding_base32((struct bytes){ (const uint8_t *)digits, 20 }, text);
	assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
	encoding_base32((struct bytes){ (const uint8_t *)digits, 32 }, text);
	assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA");
	encoding_base32((struct bytes){ (const uint8_t *)digits, 64 }, text);
	assert_string_equal(text, sha512);
}

static void
refuses(decoder *decode, const char *text, size_t len)
{
	uint8_t clear[64];
	size_t out_len;

	if (decode(text, len, clear, sizeof clear, &out_len) != STATUS_INVALID)
		fail_msg("\"%.*s\" was taken", (int)len, text);
}

static void
padding_is_refused(void **state)
{
	(void)state;
	refuses(encoding_base32_decode, "MY======", 8);
	refuses(encoding_base32_decode, "MZXW6YQ=", 8);
	refuses(encoding_base64url_decode, "Zg==", 4);
	refuses(encoding_base64url_decode, "Zm8=", 4);
}

/* Every byte in turn at the end of a text that is good otherwise. */
static void
expect_alphabet(decoder *decode, const char *good, const char *alphabet)
{
	char text[16];
	size_t len = strlen(good), out_len;
	uint8_t clear[16];

	for (int byte = 0; byte < 256; byte++) {
		bool belongs = byte != 0 && strchr(alphabet, byte) != NULL;

		memcpy(text, good, len);
		text[len] = (char)byte;
		if ((decode(text, len + 1, clear, sizeof clear, &out_len) == STATUS_OK) != belongs)
			fail_msg("byte %02x was %s", (unsigned)byte, belongs ? "refused" : "taken");
	}
}

#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define SMALLS "abcdefghijklmnopqrstuvwxyz"

static void
characters_outside_the_alphabet_are_refused(void **state)
{
	(void)state;
	expect_alphabet(encoding_base32_decode, "MZXW6YT", CAPITALS SMALLS "234567");
	expect_alphabet(encoding_base64url_decode, "Zm9", CAPITALS SMALLS "0123456789-_");
	expect_alphabet(encoding_hex_decode, "6", "0123456789abcdefABCDEF");
	refuses(encoding_base64url_decode, "\xff""m9v", 4);
	refuses(encoding_hex_decode, "66:6f", 5);
	refuses(encoding_hex_decode, " 666f", 5);
}

static void
impossible_lengths_are_refused(void **state)
{
	(void)state;
	refuses(encoding_base32_decode, "A", 1);
	refuses(encoding_base32_decode, "AAA", 3);
	refuses(encoding_base32_decode, "AAAAAA", 6);
	refuses(encoding_base32_decode, "AAAAAAAAA", 9);
	refuses(encoding_base64url_decode, "A", 1);
	refuses(encoding_base64url_decode, "AAAAA", 5);
	refuses(encoding_hex_decode, "a", 1);
	refuses(encoding_hex_decode, "aba", 3);
}

static void
spare_bits_that_are_not_zero_are_refused(void **state)
{
	(void)state;
	refuses(encoding_base32_decode, "MZ", 2);
	refuses(encoding_base32_decode, "MZXR", 4);
	refuses(encoding_base32_decode, "MZXW7", 5);
	refuses(encoding_base32_decode, "MZXW6YR", 7);
	refuses(encoding_base64url_decode, "Zh", 2);
	refuses(encoding_base64url_decode, "Zm9", 3);
}

static void
a_decoder_fills_its_room_and_not_a_byte_more(void **state)
{
	static const struct { decoder *decode; const char *text; } cases[] = { { encoding_hex_decode, "666f6f62" },
		{ encoding_base32_decode, "MZXW6YQ" }, { encoding_base64url_decode, "Zm9vYg" } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		size_t len = 0;
		uint8_t *clear = malloc(4);

		assert_int_equal(cases[i].decode(cases[i].text, strlen(cases[i].text), clear, 4, &len), STATUS_OK);
		assert_int_equal(len, 4);
		clear[3] = 0x55;
		assert_int_equal(cases[i].decode(cases[i].text, strlen(cases[i].text), clear, 3, &len), STATUS_INVALID);
		assert_int_equal(clear[3], 0x55);
		free(clear);
	}
}

/* Every length to 70 and back; the buffers are exactly what the macros promise, so that a sanitizer sees a byte more. */
static void
every_length_comes_back_as_it_went(void **state)
{
	uint8_t in[70], back[70];

	(void)state;
	for (size_t len = 0; len <= sizeof in; len++) {
		struct bytes view = { in, len };
		struct { encoder *encode; decoder *decode; size_t room; } forms[] = {
			{ encoding_hex, encoding_hex_decode, ENCODING_HEX_BYTES(len) },
			{ encoding_base32, encoding_base32_decode, ENCODING_BASE32_BYTES(len) },
			{ encoding_base64url, encoding_base64url_decode, ENCODING_BASE64URL_BYTES(len) } };

		for (size_t i = 0; i < len; i++)
			in[i] = (uint8_t)(i * 37 + len * 101);
		for (size_t form = 0; form < 3; form++) {
			char *text = malloc(forms[form].room);
			size_t back_len = 0;

			forms[form].encode(view, text);
			assert_int_equal(strlen(text), forms[form].room - 1);
			assert_int_equal(forms[form].decode(text, strlen(text), back, sizeof back, &back_len), STATUS_OK);
			assert_int_equal(back_len, len);
			assert_memory_equal(back, in, len);
			free(text);
		}
	}
}

static void
a_uuid_has_one_spelling(void **state)
{
	static const uint8_t raw[UUID_RAW_BYTES] = { 0x01, 0x23, 0xab, 0xcd, 0x45, 0x67, 0x89, 0xef, 0x01, 0x23, 0x45, 0x67,
		0x89, 0xab, 0xcd, 0xef };
	char text[UUID_TEXT_BYTES];

	(void)state;
	encoding_uuid(raw, text);
	assert_string_equal(text, "0123abcd-4567-89ef-0123-456789abcdef");
	assert_true(encoding_is_uuid(text));
	assert_false(encoding_is_uuid(NULL));
	assert_false(encoding_is_uuid(""));
	assert_false(encoding_is_uuid("0123ABCD-4567-89EF-0123-456789ABCDEF"));
	assert_false(encoding_is_uuid("0123abcd-4567-89ef-0123-456789abcde"));
	assert_false(encoding_is_uuid("0123abcd-4567-89ef-0123-456789abcdef0"));
	assert_false(encoding_is_uuid("0123abcd04567-89ef-0123-456789abcdef"));
	assert_false(encoding_is_uuid("0123abcd-4567-89ef-0123-45678-abcdef"));
	assert_false(encoding_is_uuid("{123abcd-4567-89ef-0123-456789abcde}"));
	assert_false(encoding_is_uuid("0123abcd-4567-89ef-0123-456789abcdeg"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base32_is_rfc_4648s),
		cmocka_unit_test(base64url_is_rfc_4648s),
		cmocka_unit_test(hex_is_lower_case_and_read_in_either),
		cmocka_unit_test(base32_is_read_in_either_case),
		cmocka_unit_test(seeds_of_rfc_6238_are_written_as_everybody_writes_them),
		cmocka_unit_test(padding_is_refused),
		cmocka_unit_test(characters_outside_the_alphabet_are_refused),
		cmocka_unit_test(impossible_lengths_are_refused),
		cmocka_unit_test(spare_bits_that_are_not_zero_are_refused),
		cmocka_unit_test(a_decoder_fills_its_room_and_not_a_byte_more),
		cmocka_unit_test(every_length_comes_back_as_it_went),
		cmocka_unit_test(a_uuid_has_one_spelling),
	};

	return cmocka_run_group_tests_name("encoding", tests, NULL, NULL);
}
