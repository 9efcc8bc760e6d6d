#include "core/credential/offline_ticket.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "core/base/secret.h"

#define HEAD "cft1."
#define KEY_WORD "counterfoil-ticket-key "
#define TIME_MAX INT64_C(253402300799)          /* the last second of the year 9999 */

enum { KEY_TEXT_LEN = ENCODING_BASE64URL_BYTES(OFFLINE_TICKET_KEY_BYTES) - 1,
	SIGNATURE_TEXT_LEN = ENCODING_BASE64URL_BYTES(OFFLINE_TICKET_SIGNATURE_BYTES) - 1, TIME_DIGITS_MAX = 12 };

_Static_assert(sizeof HEAD + TIME_DIGITS_MAX + 1 + TIME_DIGITS_MAX + 1 + SIGNATURE_TEXT_LEN <= OFFLINE_TICKET_TEXT_BYTES,
    "the longest ticket fits");
_Static_assert(OFFLINE_TICKET_KEY_LINE_BYTES == sizeof KEY_WORD + KEY_TEXT_LEN, "a line is a word and a key");
_Static_assert(OFFLINE_TICKET_SEED_BYTES == crypto_sign_SEEDBYTES &&
    OFFLINE_TICKET_KEY_BYTES == crypto_sign_PUBLICKEYBYTES && OFFLINE_TICKET_SIGNATURE_BYTES == crypto_sign_BYTES, "libsodium's are those of RFC 8032");

/* --- what is signed --------------------------------------------------------------------------------------------------- */

static const char purpose[] = "counterfoil offline ticket v1";

struct message {
	size_t len;
	uint8_t data[sizeof purpose + 3 * (2 + OFFLINE_TICKET_FIELD_MAX) + 2 * sizeof(uint64_t)];
};

static void
add_number(struct message *message, uint64_t number, unsigned bytes)
{
	while (bytes-- > 0)
		message->data[message->len++] = (uint8_t)(number >> (8 * bytes));
}

static bool
add_text(struct message *message, const char *text)
{
	size_t len = strnlen(text, OFFLINE_TICKET_FIELD_MAX + 1);

	if (len == 0 || len > OFFLINE_TICKET_FIELD_MAX)
		return false;
	add_number(message, len, 2);
	memcpy(message->data + message->len, text, len);
	message->len += len;
	return true;
}

static bool
is_bounded(const struct offline_ticket_life *life)
{
	return life->issued_at_s > 0 && life->expires_at_s <= TIME_MAX && life->expires_at_s > life->issued_at_s &&
	    life->expires_at_s - life->issued_at_s <= OFFLINE_TICKET_LIFE_MAX_S;
}

static bool
compose(const struct offline_ticket_bound *bound, const struct offline_ticket_life *life, struct message *out)
{
	memcpy(out->data, purpose, sizeof purpose);
	out->len = sizeof purpose;
	if (!is_bounded(life) || !add_text(out, bound->user) || !add_text(out, bound->host) || !add_text(out, bound->ssh_key))
		return false;
	add_number(out, (uint64_t)life->issued_at_s, 8);
	add_number(out, (uint64_t)life->expires_at_s, 8);
	return true;
}

/* --- signing ---------------------------------------------------------------------------------------------------------- */

enum status
offline_ticket_seed(const struct keyring *keyring, uint8_t out[static OFFLINE_TICKET_SEED_BYTES])
{
	return keyring_signing_seed(keyring, REALM_SERVICE, keyring_seal_id(keyring, REALM_SERVICE), "offline ticket", out);
}

enum status
offline_ticket_sign(const uint8_t seed[static OFFLINE_TICKET_SEED_BYTES], const struct offline_ticket_bound *bound,
    const struct offline_ticket_life *life, char out[static OFFLINE_TICKET_TEXT_BYTES])
{
	uint8_t public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES], signature[crypto_sign_BYTES];
	struct message message;
	int n;

	if (!compose(bound, life, &message))
		return STATUS_INVALID;
	(void)crypto_sign_seed_keypair(public, secret, seed);
	(void)crypto_sign_detached(signature, NULL, message.data, message.len, secret);
	secret_wipe(secret, sizeof secret);
	n = snprintf(out, OFFLINE_TICKET_TEXT_BYTES, HEAD "%lld.%lld.", (long long)life->issued_at_s,
	    (long long)life->expires_at_s);
	encoding_base64url((struct bytes){ signature, sizeof signature }, out + n);
	return STATUS_OK;
}

/* --- reading ---------------------------------------------------------------------------------------------------------- */

struct ticket {
	struct offline_ticket_life life;
	uint8_t signature[OFFLINE_TICKET_SIGNATURE_BYTES];
};

/* Decimal digits without a leading zero, and the dot behind them. */
static bool
take_time(struct bytes *text, int64_t *out)
{
	size_t len = 0;

	*out = 0;
	for (; len < text->len && text->data[len] >= '0' && text->data[len] <= '9' && len < TIME_DIGITS_MAX; len++)
		*out = *out * 10 + (text->data[len] - '0');
	if (len == 0 || text->data[0] == '0' || len == text->len || text->data[len] != '.')
		return false;
	text->data += len + 1;
	text->len -= len + 1;
	return true;
}

static bool
parse(struct bytes text, struct ticket *out)
{
	size_t len = 0;

	if (text.len < sizeof HEAD - 1 || memcmp(text.data, HEAD, sizeof HEAD - 1) != 0)
		return false;
	text.data += sizeof HEAD - 1;
	text.len -= sizeof HEAD - 1;
	return take_time(&text, &out->life.issued_at_s) && take_time(&text, &out->life.expires_at_s) &&
	    text.len == SIGNATURE_TEXT_LEN && encoding_base64url_decode((const char *)text.data, text.len, out->signature,
	    sizeof out->signature, &len) == STATUS_OK && len == sizeof out->signature;
}

static bool
is_signed(const struct ticket *ticket, const struct offline_ticket_bound *bound, const struct offline_ticket_keys *keys)
{
	struct message message;

	if (!compose(bound, &ticket->life, &message))
		return false;
	for (unsigned i = 0; i < keys->count; i++)
		if (crypto_sign_verify_detached(ticket->signature, message.data, message.len, keys->keys[i]) == 0)
			return true;
	return false;
}

enum offline_ticket_state
offline_ticket_judge(struct bytes text, const struct offline_ticket_bound *bound, const struct offline_ticket_keys *keys,
    int64_t now_s, struct offline_ticket_life *out)
{
	struct ticket ticket;

	if (!parse(text, &ticket) || !is_signed(&ticket, bound, keys))
		return OFFLINE_TICKET_INVALID;
	*out = ticket.life;
	if (now_s < ticket.life.issued_at_s - OFFLINE_TICKET_SKEW_S)
		return OFFLINE_TICKET_FUTURE;
	return now_s < ticket.life.expires_at_s ? OFFLINE_TICKET_GOOD : OFFLINE_TICKET_EXPIRED;
}

/* --- public keys ------------------------------------------------------------------------------------------------------ */

void
offline_ticket_key_line(const uint8_t seed[static OFFLINE_TICKET_SEED_BYTES],
    char out[static OFFLINE_TICKET_KEY_LINE_BYTES])
{
	uint8_t public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];

	(void)crypto_sign_seed_keypair(public, secret, seed);
	secret_wipe(secret, sizeof secret);
	memcpy(out, KEY_WORD, sizeof KEY_WORD);
	encoding_base64url((struct bytes){ public, sizeof public }, out + sizeof KEY_WORD - 1);
}

static bool
take_key(struct bytes line, struct offline_ticket_keys *out)
{
	const char *text = (const char *)line.data;
	size_t len = 0;

	return out->count < OFFLINE_TICKET_KEYS_MAX && line.len == OFFLINE_TICKET_KEY_LINE_BYTES - 1 &&
	    memcmp(text, KEY_WORD, sizeof KEY_WORD - 1) == 0 && encoding_base64url_decode(text + sizeof KEY_WORD - 1,
	    KEY_TEXT_LEN, out->keys[out->count++], OFFLINE_TICKET_KEY_BYTES, &len) == STATUS_OK &&
	    len == OFFLINE_TICKET_KEY_BYTES;
}

enum status
offline_ticket_keys_parse(struct bytes text, struct offline_ticket_keys *out)
{
	*out = (struct offline_ticket_keys){ .count = 0 };
	while (text.len > 0) {
		const uint8_t *newline = memchr(text.data, '\n', text.len);
		size_t len = newline != NULL ? (size_t)(newline - text.data) : text.len;

		if (len > 0 && text.data[0] != '#' && !take_key((struct bytes){ text.data, len }, out)) {
			out->count = 0;
			return STATUS_INVALID;
		}
		len += newline != NULL;
		text.data += len;
		text.len -= len;
	}
	return out->count > 0 ? STATUS_OK : STATUS_INVALID;
}
