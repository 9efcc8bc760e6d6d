/* helper_reply.h: a reply with the memory for its texts. */
#ifndef COUNTERFOIL_PAM_HELPER_REPLY_H
#define COUNTERFOIL_PAM_HELPER_REPLY_H

#include "pam_module/answer.h"
#include "pam_module/wire.h"

struct helper_reply {
	struct wire_reply wire;
	char reason[WIRE_REASON_MAX + 1], detail[WIRE_DETAIL_MAX + 1];
	char ssh_key[64], user_digest[64];
	char factor_id[WIRE_FACTOR_MAX + 1], enroll_key[WIRE_KEY_MAX + 1], enroll_picture[WIRE_PICTURE_MAX + 1];
	char recovery_codes[WIRE_CODES_MAX + 1];
};

/* A refusal of REQUEST, to be made into what it turns out to be.  REQUEST is borrowed. */
void helper_reply_begin(const struct wire_request *request, struct helper_reply *out);

/* REASON is a token; DETAIL goes into the log, sanitized, or is NULL. */
void helper_reply_set(struct helper_reply *reply, enum answer answer, const char *reason, const char *detail);

/* The detail alone. */
void helper_reply_say(struct helper_reply *reply, const char *detail);

/* For the log: the fingerprint of the key that sshd accepted, and a digest in the place of a name that nobody has. */
void helper_reply_describe(struct helper_reply *reply, const struct wire_request *request);

#endif
