/* https_client.h: one POST of JSON to one service over TLS 1.3, within a time.  It trusts the authority and the key that it is
 * told to trust, and nothing that the system trusts: no proxy, no redirect, no cookie, no other protocol.
 * Knows nothing of PAM, and gives no meaning to what comes back. */
#ifndef COUNTERFOIL_PAM_HTTPS_CLIENT_H
#define COUNTERFOIL_PAM_HTTPS_CLIENT_H

#include "core/base/bytes.h"
#include "core/base/config.h"

#define HTTPS_BODY_MAX    4096          /* bytes of a reply's body; its headers may have HTTPS_HEADERS_MAX together */
#define HTTPS_HEADERS_MAX 16384
#define HTTPS_WORD_BYTES  96            /* of a header's value that is looked at */
#define HTTPS_ERROR_BYTES 256           /* CURL_ERROR_SIZE */

/* All borrowed. */
struct https_service {
	const char *url;                /* https://HOST[:PORT] */
	const char *ca_file, *pin;      /* as in helper_settings.h; at least one is not empty */
};

/* NULL, or what is wrong with the settings. */
const char *https_service_fault(const struct https_service *service);

struct https_question {
	const char *path;               /* "/v1/..." */
	const char *bearer;             /* the API key */
	const char *mac_header;         /* the header whose value is to be kept beside those that HTTP knows */
	struct bytes body;
	int64_t deadline_ms;            /* of clock_monotonic_ms() */
	int64_t connect_ms;             /* for the connection, its TLS handshake included */
};

enum https_outcome {
	HTTPS_REPLIED = 1,      /* a whole reply of at most HTTPS_BODY_MAX bytes, or the head of a longer one: is_whole */
	HTTPS_UNREACHABLE,      /* no address, no connection, or no end in time: the service may have done its work */
	HTTPS_LOST,             /* the connection ended without one byte of a reply: likewise */
	HTTPS_CUT,              /* it ended in the middle of a reply: likewise */
	HTTPS_UNUSABLE,         /* TLS, certificate, pin, or no HTTP: nothing that came can be trusted */
	HTTPS_MISCONFIGURED,    /* the authority's file cannot be used */
	HTTPS_NO_MEMORY
};

/* A header that is missing, doubled or longer is the empty text. */
struct https_reply {
	long status;
	bool is_whole;
	bool is_encoded;                        /* there is a Content-Encoding */
	char content_type[HTTPS_WORD_BYTES];
	char mac[HTTPS_WORD_BYTES];
	int64_t date_s;                         /* the service's clock, seconds since the epoch; 0: it did not say */
	size_t len;
	uint8_t body[HTTPS_BODY_MAX];
	char error[HTTPS_ERROR_BYTES];          /* what went wrong, in the library's words */
};

/* OUT is filled as far as its outcome says; ERROR always. */
enum https_outcome https_post(const struct https_service *service, const struct https_question *question,
    struct https_reply *out);

#endif
