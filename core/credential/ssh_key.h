/* ssh_key.h: the name by which people and logs know an ssh key. */
#ifndef COUNTERFOIL_SSH_KEY_H
#define COUNTERFOIL_SSH_KEY_H

#include <stdbool.h>

#include "core/base/bytes.h"

#define SSH_KEY_MAX               1024  /* bytes of a key's text */
#define SSH_KEY_FINGERPRINT_BYTES 51    /* "SHA256:", 43 characters of base64, NUL */

/* KEY is "type base64", as sshd writes it and authorized_keys has it.  OUT is as ssh-keygen -l writes it: SHA256 of the key.
 * False: it has not that form, or is longer than SSH_KEY_MAX; OUT is then not written. */
bool ssh_key_fingerprint(const char *key, char out[static SSH_KEY_FINGERPRINT_BYTES]) NODISCARD;

#endif
