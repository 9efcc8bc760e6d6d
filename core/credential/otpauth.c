#include "core/credential/otpauth.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/base/encoding.h"
#include "core/base/text.h"
#include "core/credential/totp.h"

#define SEED_MAX 64
#define LABEL_ENCODED_MAX (3 * 4 * OTPAUTH_ACCOUNT_MAX_POINTS + 1)      /* %XX for each of 4 bytes a point */

static size_t
count_points(const char *text)
{
	size_t points = 0;

	for (; *text != '\0'; text++)
		points += ((unsigned char)*text & 0xc0) != 0x80;
	return points;
}

/* A ':' splits issuer from account in every app's parser, encoded or not. */
static bool
is_label(const char *text, size_t max_points)
{
	return text != NULL && *text != '\0' && strchr(text, ':') == NULL && text_is_printable(bytes_of(text)) &&
	    count_points(text) <= max_points;
}

/* RFC 3986 section 2.3; never '+' for a space, which several apps show as a plus. */
static void
percent_encode(const char *text, char *out)
{
	static const char kept[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text != '\0'; text++) {
		if (strchr(kept, *text) != NULL)
			*out++ = *text;
		else
			out += snprintf(out, sizeof "%FF", "%%%02X", (unsigned)(unsigned char)*text);
	}
	*out = '\0';
}

enum status
otpauth_uri(const char *issuer, const char *account, struct bytes seed, struct secret **out)
{
	char issuer_encoded[LABEL_ENCODED_MAX], account_encoded[LABEL_ENCODED_MAX];
	char seed_text[ENCODING_BASE32_BYTES(SEED_MAX)];
	struct secret *uri = NULL;
	enum status st;
	int n;

	if (!is_label(issuer, OTPAUTH_ISSUER_MAX_POINTS) || !is_label(account, OTPAUTH_ACCOUNT_MAX_POINTS) ||
	    seed.len < TOTP_SEED_MIN || seed.len > SEED_MAX)
		return STATUS_INVALID;
	if ((st = secret_new(OTPAUTH_URI_MAX_BYTES + 1, &uri)) != STATUS_OK)
		return st;
	percent_encode(issuer, issuer_encoded);
	percent_encode(account, account_encoded);
	encoding_base32(seed, seed_text);
	n = snprintf((char *)secret_data(uri), OTPAUTH_URI_MAX_BYTES + 1,
	    "otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=%d&period=%d", issuer_encoded,
	    account_encoded, seed_text, issuer_encoded, TOTP_DIGITS, TOTP_PERIOD_S);
	secret_wipe(seed_text, sizeof seed_text);
	if (n < 0 || n > OTPAUTH_URI_MAX_BYTES) {
		secret_free(&uri);
		return STATUS_INVALID;
	}
	secret_truncate(uri, (size_t)n);
	*out = uri;
	return STATUS_OK;
}
