#include "core/base/entropy.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

#include "core/base/secret.h"

enum status
entropy_fill(void *out, size_t len)
{
	uint8_t *at = out;

	while (len > 0) {
		ssize_t got = getrandom(at, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return STATUS_INTERNAL;
		at += got;
		len -= (size_t)got;
	}
	return STATUS_OK;
}

enum status
entropy_uuid(char out[static UUID_TEXT_BYTES])
{
	uint8_t raw[UUID_RAW_BYTES];
	enum status st;

	if ((st = entropy_fill(raw, sizeof raw)) != STATUS_OK)
		return st;
	raw[6] = (uint8_t)((raw[6] & 0x0f) | 0x40);     /* version 4 */
	raw[8] = (uint8_t)((raw[8] & 0x3f) | 0x80);     /* the RFC's variant */
	encoding_uuid(raw, out);
	secret_wipe(raw, sizeof raw);
	return STATUS_OK;
}
