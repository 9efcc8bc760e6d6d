#include "core/base/encoding.h"

#include <string.h>

#include <sodium.h>

static const char base32_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void
encoding_hex(struct bytes in, char *out)
{
	(void)sodium_bin2hex(out, ENCODING_HEX_BYTES(in.len), in.data, in.len);
}

void
encoding_base64url(struct bytes in, char *out)
{
	(void)sodium_bin2base64(out, sodium_base64_ENCODED_LEN(in.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
	    in.data, in.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void
encoding_base32(struct bytes in, char *out)
{
	unsigned held = 0, bits = 0;

	for (size_t i = 0; i < in.len; i++) {
		held = (held << 8 | in.data[i]) & 0xfff;
		for (bits += 8; bits >= 5; bits -= 5)
			*out++ = base32_alphabet[held >> (bits - 5) & 31];
	}
	if (bits > 0)
		*out++ = base32_alphabet[held << (5 - bits) & 31];
	*out = '\0';
}

enum status
encoding_hex_decode(const char *text, size_t text_len, uint8_t *out, size_t capacity, size_t *out_len)
{
	if (sodium_hex2bin(out, capacity, text, text_len, NULL, out_len, NULL) != 0)
		return STATUS_INVALID;
	return STATUS_OK;
}

/* libsodium 1.0.18 takes every byte over 0x7f for a base64 character, of a value that makes no sense. */
static bool
is_ascii(const char *text, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++)
		all |= (unsigned char)text[i];
	return all < 0x80;
}

enum status
encoding_base64url_decode(const char *text, size_t text_len, uint8_t *out, size_t capacity, size_t *out_len)
{
	if (!is_ascii(text, text_len) || sodium_base642bin(out, capacity, text, text_len, NULL, out_len, NULL,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
		return STATUS_INVALID;
	return STATUS_OK;
}

/* 0 to 31, or -1. */
static int
base32_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

/* A last group of 1, 3 or 6 characters is no number of whole bytes. */
static bool
base32_length_is_possible(size_t text_len)
{
	size_t rest = text_len % 8;

	return rest != 1 && rest != 3 && rest != 6;
}

enum status
encoding_base32_decode(const char *text, size_t text_len, uint8_t *out, size_t capacity, size_t *out_len)
{
	unsigned held = 0, bits = 0;
	size_t len = 0;

	if (!base32_length_is_possible(text_len))
		return STATUS_INVALID;
	for (size_t i = 0; i < text_len; i++) {
		int value = base32_value(text[i]);

		if (value < 0)
			return STATUS_INVALID;
		held = (held << 5 | (unsigned)value) & 0xfff;
		if ((bits += 5) < 8)
			continue;
		if (len == capacity)
			return STATUS_INVALID;
		bits -= 8;
		out[len++] = (uint8_t)(held >> bits);
	}
	if ((held & ((1u << bits) - 1)) != 0)
		return STATUS_INVALID;
	*out_len = len;
	return STATUS_OK;
}

void
encoding_uuid(const uint8_t raw[static UUID_RAW_BYTES], char out[static UUID_TEXT_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < UUID_RAW_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = digits[raw[i] >> 4];
		*out++ = digits[raw[i] & 15];
	}
	*out = '\0';
}

bool
encoding_is_uuid(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (text == NULL || strlen(text) != sizeof form - 1)
		return false;
	for (size_t i = 0; form[i] != '\0'; i++) {
		if (form[i] == '-' ? text[i] != '-' : strchr("0123456789abcdef", text[i]) == NULL)
			return false;
	}
	return true;
}
