/* encoding.h: bytes as text and back: hex, base32, base64url (RFC 4648).  Decoders are strict:
 * one spelling a value, everything else is STATUS_INVALID. */
#ifndef COUNTERFOIL_ENCODING_H
#define COUNTERFOIL_ENCODING_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

#define ENCODING_HEX_BYTES(n)       (2 * (n) + 1)                   /* with the NUL */
#define ENCODING_BASE32_BYTES(n)    (((n) * 8 + 4) / 5 + 1)         /* unpadded, with the NUL */
#define ENCODING_BASE64URL_BYTES(n) (((n) * 4 + 2) / 3 + 1)         /* unpadded, with the NUL */

/* Encoders cannot fail: OUT holds at least the number of bytes that the macros above say. */
void encoding_hex(struct bytes in, char *out);                      /* lower case */
void encoding_base32(struct bytes in, char *out);                   /* section 6, upper case, no padding */
void encoding_base64url(struct bytes in, char *out);                /* section 5, no padding */

/* Decoders take TEXT_LEN characters and write at most CAPACITY bytes.  STATUS_INVALID: a character
 * outside the alphabet, padding, an impossible length, non-zero spare bits, or no room. */
enum status encoding_hex_decode(const char *text, size_t text_len, uint8_t *out, size_t capacity,
    size_t *out_len) NODISCARD;                                      /* either case */
enum status encoding_base32_decode(const char *text, size_t text_len, uint8_t *out, size_t capacity,
    size_t *out_len) NODISCARD;                                      /* either case */
enum status encoding_base64url_decode(const char *text, size_t text_len, uint8_t *out, size_t capacity,
    size_t *out_len) NODISCARD;

#define UUID_RAW_BYTES  16
#define UUID_TEXT_BYTES 37      /* 8-4-4-4-12 lower-case hex and the NUL */
void encoding_uuid(const uint8_t raw[static UUID_RAW_BYTES], char out[static UUID_TEXT_BYTES]);

/* Is TEXT a UUID in its one accepted spelling: lower-case 8-4-4-4-12? */
bool encoding_is_uuid(const char *text);

#endif
