/* otpauth.h: the Key URI of an authenticator (standards.md section 3):
 * otpauth://totp/Issuer:account?secret=..&issuer=Issuer&algorithm=SHA1&digits=6&period=30 */
#ifndef COUNTERFOIL_OTPAUTH_H
#define COUNTERFOIL_OTPAUTH_H

#include "core/base/bytes.h"
#include "core/base/secret.h"
#include "core/base/status.h"

#define OTPAUTH_ISSUER_MAX_POINTS  32
#define OTPAUTH_ACCOUNT_MAX_POINTS 64
#define OTPAUTH_URI_MAX_BYTES      512

/* Build the URI; it holds the seed, hence a secret (NUL-terminated inside its capacity).
 * ISSUER and ACCOUNT are UTF-8; everything outside A-Za-z0-9-._~ is percent-encoded, a space as %20.
 * A ':' in either, an empty one, or one over its limit is STATUS_INVALID, as is a seed under TOTP_SEED_MIN or over 64
 * bytes, and a URI that would be over OTPAUTH_URI_MAX_BYTES. */
enum status otpauth_uri(const char *issuer, const char *account, struct bytes seed, struct secret **out) NODISCARD;

#endif
