/* recovery_code.h: saved look-up secrets (NIST SP 800-63B-4 section 3.1.2): 120 bits as 24 base32 characters
 * in groups of four: "ABCD-EFGH-IJKL-MNOP-QRST-UVWX".  Stored as a keyed digest (keyring.h), never in clear. */
#ifndef COUNTERFOIL_RECOVERY_CODE_H
#define COUNTERFOIL_RECOVERY_CODE_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

#define RECOVERY_CODE_COUNT      10
#define RECOVERY_CODE_RAW_BYTES  15
#define RECOVERY_CODE_TEXT_BYTES 30     /* 24 characters, 5 dashes, NUL */

/* One fresh code as people see it. */
enum status recovery_code_generate(char out[static RECOVERY_CODE_TEXT_BYTES]) NODISCARD;

/* The 15 bytes behind what was typed: case, dashes and spaces do not matter.
 * STATUS_INVALID: anything but 24 base32 characters. */
enum status recovery_code_parse(const char *typed, uint8_t out[static RECOVERY_CODE_RAW_BYTES]) NODISCARD;

/* Has TYPED the shape of a recovery code? */
bool recovery_code_is_code(const char *typed);

#endif
