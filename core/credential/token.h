/* token.h: opaque 256-bit bearer tokens: sessions, challenges, tickets, trusted devices; and API keys.
 * The text goes to its owner once; the database holds a keyed digest (keyring.h). */
#ifndef COUNTERFOIL_TOKEN_H
#define COUNTERFOIL_TOKEN_H

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/credential/keyring.h"

#define TOKEN_RAW_BYTES  32
#define TOKEN_TEXT_BYTES 44             /* 43 base64url characters and NUL */

/* A fresh token. */
enum status token_generate(char out[static TOKEN_TEXT_BYTES]) NODISCARD;

/* The raw bytes of exactly 43 base64url characters.  STATUS_INVALID otherwise. */
enum status token_parse(const char *text, size_t text_len, uint8_t out[static TOKEN_RAW_BYTES]) NODISCARD;

/* 16 lower-case hex characters and NUL: public, names the client.  The first is the number of its realm, so that a login
 * can be digested under that realm's key before the database is asked; the database checks it like the rest. */
#define API_KEY_ID_BYTES   17
#define API_KEY_TEXT_BYTES (sizeof "cf_" + 16 + 1 + TOKEN_TEXT_BYTES)

/* A fresh API key "cf_<id>_<secret>" for a client of REALM, store or staff; OUT_ID is its <id>. */
enum status api_key_generate(enum realm realm, char out[static API_KEY_TEXT_BYTES], char out_id[static API_KEY_ID_BYTES]) NODISCARD;

/* Split "cf_<id>_<secret>" of TEXT_LEN characters.  STATUS_INVALID: any other form. */
enum status api_key_parse(const char *text, size_t text_len, enum realm *out_realm,
    char out_id[static API_KEY_ID_BYTES], uint8_t out_secret[static TOKEN_RAW_BYTES]) NODISCARD;

#endif
