/* host_key.h: this host's own API key, which it proves itself to the service with. */
#ifndef COUNTERFOIL_PAM_HOST_KEY_H
#define COUNTERFOIL_PAM_HOST_KEY_H

#include "core/base/config.h"
#include "core/base/secret.h"
#include "core/credential/token.h"

struct host_key {
	char id[API_KEY_ID_BYTES];      /* public: names this host */
	struct secret *text;            /* the whole "cf_<id>_<secret>", with a NUL behind it that is not counted */
};

/* The one line of the file at PATH, which is a secret_file.h; a key of realm staff.
 * STATUS_INVALID: ERROR says what is wrong and how to mend it.  STATUS_NO_MEMORY. */
enum status host_key_read(const char *path, struct host_key *out, char error[static CONFIG_ERROR_BYTES]) NODISCARD;
void host_key_free(struct host_key *key);

/* The part of it that is secret; borrowed. */
struct bytes host_key_secret(const struct host_key *key);

#endif
