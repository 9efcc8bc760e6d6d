/* totp.h: RFC 6238 one-time codes.  Knows no clock, no storage, no account. */
#ifndef COUNTERFOIL_TOTP_H
#define COUNTERFOIL_TOTP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

#define TOTP_DIGITS       6
#define TOTP_PERIOD_S     30
#define TOTP_SEED_BYTES   20    /* what we issue: 32 base32 characters */
#define TOTP_SEED_MIN     16    /* what we accept: RFC 4226 section 4, R6 */
#define TOTP_NO_STEP      (-1)
#define TOTP_PAST_STEPS   1     /* T and T-1: RFC 6238 section 5.2 allows one step of delay */

/* The time step that NOW_S (seconds since the epoch) lies in; T0 = 0. */
int64_t totp_step_at(int64_t now_s);

/* The code of STEP for SEED, as 6 digits and NUL.  SEED is borrowed.
 * STATUS_INVALID: SEED shorter than TOTP_SEED_MIN, or STEP negative.  STATUS_INTERNAL: the HMAC failed. */
enum status totp_code(struct bytes seed, int64_t step, char out[static TOTP_DIGITS + 1]) NODISCARD;

/* Is CODE exactly six ASCII digits? */
bool totp_is_code(const char *code);

/* Find the time step whose code is CODE among T and T-1.
 * STATUS_OK        *out_step is that step, or TOTP_NO_STEP: a wrong code is an answer, not an error.
 * STATUS_INVALID   CODE is not exactly six digits, or SEED is too short.
 * STATUS_INTERNAL  the HMAC failed: an outage, never a refusal.
 * Steps up to LAST_STEP never match.  Every accepted step is generated and compared in constant time.
 * *out_step is written on STATUS_OK only. */
enum status totp_match(struct bytes seed, int64_t now_s, int64_t last_step, const char *code,
    int64_t *out_step) NODISCARD;

/* The same for two codes of adjacent time steps, SECOND being the later: who reads them off has the seed and a clock that
 * runs with ours, which one lucky code does not show.  *out_step is SECOND's. */
enum status totp_match_pair(struct bytes seed, int64_t now_s, const char *first, const char *second,
    int64_t *out_step) NODISCARD;

#endif
