/* seal.h: secrets at rest: XChaCha20-Poly1305 with a random 192-bit nonce; nonce || ciphertext || tag.
 * The associated data binds a value to its place: moved to another row, account, realm or column it does not open. */
#ifndef COUNTERFOIL_SEAL_H
#define COUNTERFOIL_SEAL_H

#include "core/base/bytes.h"
#include "core/base/secret.h"
#include "core/base/status.h"
#include "core/credential/keyring.h"

#define SEAL_OVERHEAD_BYTES (24 + 16)

struct seal_place {
	enum realm realm;
	const char *column;     /* "account.password", "account.login", "factor.seed": table.column */
	const char *row_id;     /* UUID of the row */
	const char *account_id; /* UUID of the account */
};

/* OUT holds VALUE.len + SEAL_OVERHEAD_BYTES bytes.  *out_key_id goes into the row beside it. */
enum status seal_close(const struct keyring *keyring, const struct seal_place *place, struct bytes value,
    uint8_t *out, int *out_key_id) NODISCARD;

/* STATUS_INTERNAL: forged, moved, cut short, or KEY_ID is not in the keyring: an outage, never a refusal. */
enum status seal_open(const struct keyring *keyring, const struct seal_place *place, int key_id, struct bytes sealed,
    struct secret **out) NODISCARD;

#endif
