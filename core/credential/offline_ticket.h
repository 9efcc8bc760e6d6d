/* offline_ticket.h: what the service signs after an online sign-in with an ssh key and a code, and a PAM host verifies while
 * the service is out of reach: "this user may sign in to this host with this ssh key until then".  Pure: knows no clock and
 * no file.  The host holds the public key alone.
 *
 * Text:    cft1.ISSUED.EXPIRES.SIGNATURE     seconds since the epoch, decimal; base64url without padding; one spelling each
 * Signed:  Ed25519 (RFC 8032 section 5.1) over "counterfoil offline ticket v1" with its NUL; user, host and ssh key, each
 *          behind its length in two bytes; both times in eight bytes; all numbers most significant byte first
 * User, host and key are not in the text: who verifies says whom and what it has before it, and no comparison can be
 * forgotten. */
#ifndef COUNTERFOIL_OFFLINE_TICKET_H
#define COUNTERFOIL_OFFLINE_TICKET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/encoding.h"
#include "core/base/status.h"
#include "core/credential/keyring.h"

#define OFFLINE_TICKET_SEED_BYTES      KEYRING_KEY_BYTES
#define OFFLINE_TICKET_KEY_BYTES       32       /* public */
#define OFFLINE_TICKET_SIGNATURE_BYTES 64
#define OFFLINE_TICKET_TEXT_BYTES      120      /* with the NUL: the longest has 117 characters */
#define OFFLINE_TICKET_LIFE_MAX_S      28800    /* 8 h, whatever was signed */
#define OFFLINE_TICKET_SKEW_S          60       /* that a host's clock may be behind the service's */
#define OFFLINE_TICKET_FIELD_MAX       256      /* bytes of user, host, ssh key */

/* All borrowed. */
struct offline_ticket_bound {
	const char *user;
	const char *host;               /* the id of the host's API key */
	const char *ssh_key;            /* its fingerprint, SHA256:... (ssh_key.h) */
};

struct offline_ticket_life {
	int64_t issued_at_s, expires_at_s;      /* seconds since the epoch, by the service's clock */
};

/* The seed that authd signs with: of the newest seal key of realm service, which no PAM host has.  The caller wipes OUT.
 * STATUS_NOT_FOUND: this keyring lacks it. */
enum status offline_ticket_seed(const struct keyring *keyring, uint8_t out[static OFFLINE_TICKET_SEED_BYTES]) NODISCARD;

/* SEED is secret.  STATUS_INVALID: a text is empty or too long, or the times are no life within the bound. */
enum status offline_ticket_sign(const uint8_t seed[static OFFLINE_TICKET_SEED_BYTES],
    const struct offline_ticket_bound *bound, const struct offline_ticket_life *life,
    char out[static OFFLINE_TICKET_TEXT_BYTES]) NODISCARD;

/* Zero refuses. */
enum offline_ticket_state {
	OFFLINE_TICKET_INVALID = 0,     /* no ticket, or not signed by any of the keys for this user, host and ssh key */
	OFFLINE_TICKET_EXPIRED,
	OFFLINE_TICKET_FUTURE,          /* issued later than now: this clock was set back, or is wrong */
	OFFLINE_TICKET_GOOD
};

/* --- public keys -------------------------------------------------------------------------------------------------- */

#define OFFLINE_TICKET_KEYS_MAX       4
#define OFFLINE_TICKET_KEY_LINE_BYTES (sizeof "counterfoil-ticket-key " + 43)
#define OFFLINE_TICKET_KEYS_TEXT_MAX  4096

struct offline_ticket_keys {
	unsigned count;
	uint8_t keys[OFFLINE_TICKET_KEYS_MAX][OFFLINE_TICKET_KEY_BYTES];
};

/* The line of a host's file for SEED's public half, without its end. */
void offline_ticket_key_line(const uint8_t seed[static OFFLINE_TICKET_SEED_BYTES],
    char out[static OFFLINE_TICKET_KEY_LINE_BYTES]);

/* Such lines, one to OFFLINE_TICKET_KEYS_MAX; empty ones and those that begin with '#' do not count.
 * STATUS_INVALID: anything else. */
enum status offline_ticket_keys_parse(struct bytes text, struct offline_ticket_keys *out) NODISCARD;

/* --- judging ------------------------------------------------------------------------------------------------------ */

/* Any TEXT.  OUT is written unless it is invalid. */
enum offline_ticket_state offline_ticket_judge(struct bytes text, const struct offline_ticket_bound *bound,
    const struct offline_ticket_keys *keys, int64_t now_s, struct offline_ticket_life *out) NODISCARD;

#endif
