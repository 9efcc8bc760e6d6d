#include "core/base/entropy.h"

#include <errno.h>
#include <stdio.h>
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
	uint8_t raw[16];
	enum status st;

	if ((st = entropy_fill(raw, sizeof raw)) != STATUS_OK)
		return st;
	raw[6] = (uint8_t)((raw[6] & 0x0f) | 0x40);     /* version 4 */
	raw[8] = (uint8_t)((raw[8] & 0x3f) | 0x80);     /* the RFC's variant */
	(void)snprintf(out, UUID_TEXT_BYTES, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
	    raw[0], raw[1], raw[2], raw[3], raw[4], raw[5], raw[6], raw[7], raw[8], raw[9], raw[10], raw[11],
	    raw[12], raw[13], raw[14], raw[15]);
	secret_wipe(raw, sizeof raw);
	return STATUS_OK;
}
