/* entropy.h: random bytes from the kernel.  No fallback: without entropy nothing is issued. */
#ifndef COUNTERFOIL_ENTROPY_H
#define COUNTERFOIL_ENTROPY_H

#include "core/base/bytes.h"
#include "core/base/encoding.h"
#include "core/base/status.h"

/* Fill OUT with LEN bytes of getrandom(2).  STATUS_INTERNAL when the kernel gives none. */
enum status entropy_fill(void *out, size_t len) NODISCARD;

/* A random UUID, RFC 9562 section 5.4 (version 4). */
enum status entropy_uuid(char out[static UUID_TEXT_BYTES]) NODISCARD;

#endif
