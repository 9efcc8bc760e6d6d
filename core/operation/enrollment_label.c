#include "core/operation/enrollment_label.h"

#include <stdbool.h>

#include "core/credential/otpauth.h"
#include "core/credential/totp.h"

enum status
enrollment_check_issuer(const char *issuer)
{
	static const uint8_t no_seed[TOTP_SEED_BYTES];
	struct secret *uri = NULL;
	enum status st = otpauth_uri(issuer, "account", (struct bytes){ no_seed, sizeof no_seed }, &uri);

	secret_free(&uri);
	return st;
}

static bool
starts_character(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

/* The first POINTS characters of LOGIN. */
static void
write_label(const char *login, unsigned points, char *out)
{
	unsigned seen = 0;

	for (; *login != '\0'; login++) {
		if (starts_character(*login) && ++seen > points)
			break;
		*out++ = *login == ':' ? '.' : *login;
	}
	*out = '\0';
}

enum status
enrollment_uri(const char *issuer, const char *login, struct bytes seed, struct secret **out)
{
	char label[TEXT_LOGIN_MAX_BYTES + 1];
	enum status st = STATUS_INVALID;

	/* Percent-encoded, a script other than Latin takes nine times its characters: shorter until it fits. */
	for (unsigned points = OTPAUTH_ACCOUNT_MAX_POINTS; points > 0 && st == STATUS_INVALID; points /= 2) {
		write_label(login, points, label);
		st = otpauth_uri(issuer, label, seed, out);
	}
	return st;
}
