/* vault.h: what is sealed or digested before it reaches the database, and opened behind it.
 * A missing key and a value that does not open are defects of the house (STATUS_INTERNAL), never refusals. */
#ifndef COUNTERFOIL_VAULT_H
#define COUNTERFOIL_VAULT_H

#include "core/base/text.h"
#include "core/credential/seal.h"
#include "core/operation/core_inside.h"

/* A fresh token for its owner, and the digest that the database keeps. */
struct vault_token {
	char text[TOKEN_TEXT_BYTES];
	uint8_t digest[DIGEST_BYTES];
};

/* USE is "session", "challenge", "ticket", "device", "link", "page": keyring_digest() keeps them apart. */
enum status vault_token_new(const struct core *core, enum realm realm, const char *use, struct vault_token *out) NODISCARD;
void vault_token_wipe(struct vault_token *token);

/* The digest of a token as its owner shows it.  STATUS_INVALID: TEXT has not the form of one. */
enum status vault_token_digest(const struct core *core, enum realm realm, const char *use, const char *text,
    uint8_t out[static DIGEST_BYTES]) NODISCARD;

enum status vault_digest(const struct core *core, enum realm realm, const char *use, struct bytes value,
    uint8_t out[static DIGEST_BYTES]) NODISCARD;

/* The canonical form of a login and its digest.  STATUS_INVALID: it has none. */
enum status vault_login(const struct core *core, enum realm realm, struct bytes typed,
    char canonical[static TEXT_LOGIN_MAX_BYTES + 1], uint8_t digest[static DIGEST_BYTES]) NODISCARD;

enum status vault_seal(const struct core *core, const struct seal_place *place, struct bytes value, struct db_bytes *out,
    int64_t *out_key_id) NODISCARD;
enum status vault_open(const struct core *core, const struct seal_place *place, const struct db_bytes *sealed,
    int64_t key_id, struct secret **out) NODISCARD;

/* The login of an account: not secret to those who may see the account.  An empty SEALED gives an empty login. */
enum status vault_open_login(const struct core *core, enum realm realm, const char *account_id,
    const struct db_bytes *sealed, int64_t key_id, char out[static TEXT_LOGIN_MAX_BYTES + 1]) NODISCARD;

static inline struct bytes
vault_view(const struct db_bytes *bytes)
{
	return (struct bytes){ bytes->len > 0 ? bytes->data : NULL, bytes->len };
}

static inline struct bytes
vault_digest_view(const uint8_t digest[static DIGEST_BYTES])
{
	return (struct bytes){ digest, DIGEST_BYTES };
}

#endif
