/* typed.h: the shapes of what people type.  Pure: decides nothing but what a text looks like. */
#ifndef COUNTERFOIL_PAM_TYPED_H
#define COUNTERFOIL_PAM_TYPED_H

#include <stdbool.h>
#include <stddef.h>

#include "pam_module/vault.h"

#define TYPED_CODE_DIGITS      6
#define TYPED_RECOVERY_SYMBOLS 24       /* base32, in groups of four with dashes */

enum typed_code { TYPED_NEITHER, TYPED_TOTP, TYPED_RECOVERY };

/* Bring TYPED into the form that is sent: digits alone, or a recovery code without dashes and spaces, and say which it
 * is.  TYPED_NEITHER leaves it as it was. */
enum typed_code typed_normalize_code(struct answer_text *typed);

/* Split "password123456" (or a password with a recovery code in groups behind it) in place: PASSWORD keeps the first
 * part, CODE gets the second.  False, with both unchanged: no code at the end, or nothing before it. */
bool typed_split(struct answer_text *password, struct answer_text *code);

/* What sshd puts in the place of every answer for a user who may not log in: its junk, repeated to the same length. */
bool typed_is_sshd_junk(const char *text);

#endif
