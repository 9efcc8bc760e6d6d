/* pam_reply_mac.h: what binds a reply of the service to a PAM host's one question: a message authentication code under the
 * host's own key, over the request's id, its operation, the host, the request's bytes and the reply's.
 * Sent as the header Counterfoil-MAC: base64url without padding. */
#ifndef COUNTERFOIL_PAM_REPLY_MAC_H
#define COUNTERFOIL_PAM_REPLY_MAC_H

#include "core/base/encoding.h"

#define PAM_REPLY_MAC_BYTES      32     /* BLAKE2b-256 */
#define PAM_REPLY_MAC_TEXT_BYTES ENCODING_BASE64URL_BYTES(PAM_REPLY_MAC_BYTES)
#define PAM_REPLY_MAC_HEADER     "Counterfoil-MAC"

/* All borrowed. */
struct pam_reply_bound {
	struct bytes secret;            /* of the host's API key: its last 43 characters, which may hold a '_' themselves */
	const char *request_id;         /* as it stands in the request */
	const char *operation;          /* verify, look, open, start...: as it stands in the reply */
	const char *host;               /* the id of the API key */
	struct bytes request, reply;    /* the bodies, byte for byte */
};

/* STATUS_INVALID: the secret has fewer than 16 or more than 64 bytes. */
enum status pam_reply_mac(const struct pam_reply_bound *bound, char out[static PAM_REPLY_MAC_TEXT_BYTES]) NODISCARD;

/* Is TEXT, of any length, the code of BOUND?  In constant time. */
bool pam_reply_mac_holds(const struct pam_reply_bound *bound, const char *text) NODISCARD;

#endif
