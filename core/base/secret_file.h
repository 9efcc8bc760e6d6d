/* secret_file.h: a small file that holds a secret: a keyring, a host's key. */
#ifndef COUNTERFOIL_SECRET_FILE_H
#define COUNTERFOIL_SECRET_FILE_H

#include "core/base/config.h"
#include "core/base/secret.h"

/* The whole of PATH.  The file is as config_open_trusted() wants it, for its owner alone, and has one name; a program that
 * is set-gid, the PAM helper for screen lockers, reads one that its own group may read as well.
 * STATUS_NOT_FOUND, STATUS_INVALID, STATUS_NO_MEMORY: ERROR says what is wrong and how to mend it. */
enum status secret_file_read(const char *path, size_t max_bytes, struct secret **out,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

#endif
