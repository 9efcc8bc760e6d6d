/* exchange.h: one question to pam-helper, one answer, within a time, leaving the host process as it was: no descriptor,
 * no child, no changed signal. */
#ifndef COUNTERFOIL_PAM_EXCHANGE_H
#define COUNTERFOIL_PAM_EXCHANGE_H

#include <stdint.h>

#include <security/pam_modules.h>

#include "pam_module/answer.h"
#include "pam_module/wire.h"

struct exchange {
	pam_handle_t *pamh;
	const char *helper;             /* absolute path of the program */
	const char *helper_conf;        /* its --config, or NULL for its own default */
	int timeout_ms;                 /* then it is killed */
	uint8_t *buffer;                /* WIRE_MESSAGE_MAX bytes for the request, the owner wipes them */
	uint8_t *reply_buffer;          /* WIRE_MESSAGE_MAX bytes, in which the reply's texts live */
};

/* Returns the helper's answer, which is ANSWER_ALLOW only in a whole, well-formed reply with the request's id and user
 * from a helper that then ended in order; or ANSWER_HELPER_BROKEN, ANSWER_HELPER_LATE, ANSWER_INTERNAL.
 * *REPLY is filled in the former case only, and zeroed in the latter. */
enum answer exchange_run(const struct exchange *exchange, const struct wire_request *request, struct wire_reply *reply);

/* Milliseconds of a clock that never steps. */
int64_t exchange_now_ms(void);

#endif
