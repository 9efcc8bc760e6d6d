/* helper_reply.h: a reply with the memory for its texts, some of which are secret: secret_wipe() it. */
#ifndef COUNTERFOIL_PAM_HELPER_REPLY_H
#define COUNTERFOIL_PAM_HELPER_REPLY_H

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/credential/offline_ticket.h"
#include "pam_module/answer.h"
#include "pam_module/wire.h"

struct helper_reply {
	struct wire_reply wire;
	char reason[WIRE_REASON_MAX + 1], detail[WIRE_DETAIL_MAX + 1];
	char ssh_key[64], user_digest[64];
	char factor_id[WIRE_FACTOR_MAX + 1], enroll_key[WIRE_KEY_MAX + 1], enroll_picture[WIRE_PICTURE_MAX + 1];
	char recovery_codes[WIRE_CODES_MAX + 1], enroll_url[WIRE_URL_MAX + 1];
	char ticket[OFFLINE_TICKET_TEXT_BYTES];         /* for this host to keep, not for the module; empty: there is none */
};

/* A refusal of REQUEST, to be made into what it turns out to be.  REQUEST is borrowed. */
void helper_reply_begin(const struct wire_request *request, struct helper_reply *out);

/* REASON is a token; DETAIL goes into the log, sanitized, or is NULL. */
void helper_reply_set(struct helper_reply *reply, enum answer answer, const char *reason, const char *detail);

/* The detail alone. */
void helper_reply_say(struct helper_reply *reply, const char *detail);

/* What is shown of an authenticator that is pending, beside the answer: its id, the key in base32, and the otpauth URI as a
 * picture; one too large for the wire is left out, for the key says the same.
 * STATUS_INVALID: a text is empty or over its bound; nothing was set. */
enum status helper_reply_enrollment(struct helper_reply *reply, const char *factor_id, const char *key,
    const char *uri) NODISCARD;

/* Of the enrolment page; at most WIRE_URL_MAX bytes. */
void helper_reply_enroll_url(struct helper_reply *reply, const char *url);

/* A space between; at most WIRE_CODES_MAX bytes. */
void helper_reply_recovery_codes(struct helper_reply *reply, const char *codes);

/* For the log: the fingerprint of the key that sshd accepted, and a digest in the place of a name that nobody has. */
void helper_reply_describe(struct helper_reply *reply, const struct wire_request *request);

#endif
