/* text.h: Unicode rules for what people type: passwords and logins.  UTF-8 throughout. */
#ifndef COUNTERFOIL_TEXT_H
#define COUNTERFOIL_TEXT_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/base/secret.h"
#include "core/base/status.h"

#define TEXT_LOGIN_MAX_BYTES     254    /* of the canonical form; RFC 5321 section 4.5.3.1.3 */
#define TEXT_PASSWORD_MAX_BYTES  1024   /* as received */
#define TEXT_PASSWORD_MAX_POINTS 256    /* after NFC; NIST SP 800-63B-4 asks for at least 64 */

/* The canonical form of a login: NFKC, lower case (full Unicode case folding), no white space around it;
 * 1 to TEXT_LOGIN_MAX_BYTES bytes; no control character, white space or unassigned form inside.
 * "Alice ", full-width "alice" and "ALICE" are one account.  OUT is NUL-terminated.
 * STATUS_INVALID: not UTF-8, empty, too long, or a forbidden character. */
enum status text_canonical_login(struct bytes typed, char out[static TEXT_LOGIN_MAX_BYTES + 1]) NODISCARD;

/* Is LOGIN its own canonical form, byte for byte?  A host tells its users by their bytes: there "Alice" is somebody else. */
bool text_is_canonical_login(const char *login);

/* The form of a password that is hashed: NFC and nothing else (standards R005, R006).
 * STATUS_INVALID: not UTF-8, empty, NUL or a C0 control or DEL inside, over TEXT_PASSWORD_MAX_BYTES as
 * typed, or over TEXT_PASSWORD_MAX_POINTS code points after NFC.  *out_points is the number of code points. */
enum status text_password(struct bytes typed, struct secret **out, size_t *out_points) NODISCARD;

/* A copy for comparing without regard to case (full Unicode case folding).  TEXT is in the form of text_password(), which
 * may be three times as long as what was typed, and folding may triple that.  The caller wipes OUT.
 * STATUS_INVALID: empty, not UTF-8, or too long. */
#define TEXT_FOLDED_MAX_BYTES (9 * TEXT_PASSWORD_MAX_BYTES)
enum status text_fold(struct bytes text, uint8_t out[static TEXT_FOLDED_MAX_BYTES], size_t *out_len) NODISCARD;

/* Is this well-formed UTF-8 (no surrogates, nothing overlong) with no control character (C0, DEL, C1)? */
bool text_is_printable(struct bytes text);

/* How many code points TEXT has; 0 where it is not well-formed UTF-8. */
size_t text_points(struct bytes text);

/* Copy TEXT for a log line or terminal: anything that is not printable UTF-8 becomes '?'.
 * Writes at most CAPACITY bytes with the NUL, cut at a code point. */
void text_sanitize(struct bytes text, char *out, size_t capacity);

#endif
