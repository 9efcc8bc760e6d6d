/* vault.h: the memory of one call that holds what was typed: kept out of core dumps and of children, wiped at the end,
 * never moved. */
#ifndef COUNTERFOIL_PAM_VAULT_H
#define COUNTERFOIL_PAM_VAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "pam_module/wire.h"

#define VAULT_SHOWN_BYTES 512           /* PAM_MAX_MSG_SIZE */

struct answer_text { char text[WIRE_ANSWER_MAX + 1]; };        /* NUL-terminated; empty: none */

struct vault {
	struct answer_text password, code, new_password, again;
	struct answer_text enroll_code, code_before;
	char shown[VAULT_SHOWN_BYTES];          /* a prompt, or a line, that is secret itself */
	uint8_t request[WIRE_MESSAGE_MAX];
	uint8_t reply[WIRE_MESSAGE_MAX];
};

/* NULL: out of memory. */
struct vault *vault_open(void);

/* Forget what was typed and sent, for another attempt; the reply stays. */
void vault_clear_answers(struct vault *vault);

/* Wipes, unmaps, leaves NULL.  NULL is fine. */
void vault_close(struct vault **vault);

#endif
