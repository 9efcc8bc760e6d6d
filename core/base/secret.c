#include "core/base/secret.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

struct secret {
	uint8_t *data;          /* sodium_malloc: locked, with guard pages on both sides */
	size_t len;
	size_t capacity;
};

/* The one place that starts libsodium: before main, hence before threads, in every program that can
 * hold a secret.  Without it sodium_malloc() has no page size and no canary, so there is no going on. */
__attribute__((constructor)) static void
start_libsodium(void)
{
	if (sodium_init() < 0)
		abort();
}

enum status
secret_new(size_t capacity, struct secret **out)
{
	struct secret *secret = calloc(1, sizeof *secret);

	if (secret == NULL)
		return STATUS_NO_MEMORY;
	secret->data = sodium_malloc(capacity);
	if (secret->data == NULL) {
		free(secret);
		return STATUS_NO_MEMORY;
	}
	memset(secret->data, 0, capacity);
	secret->len = secret->capacity = capacity;
	*out = secret;
	return STATUS_OK;
}

enum status
secret_copy(struct bytes value, struct secret **out)
{
	struct secret *secret = NULL;
	enum status st;

	if ((st = secret_new(value.len, &secret)) != STATUS_OK)
		return st;
	if (value.len > 0)
		memcpy(secret->data, value.data, value.len);
	*out = secret;
	return STATUS_OK;
}

void
secret_free(struct secret **secret)
{
	if (secret == NULL || *secret == NULL)
		return;
	sodium_free((*secret)->data);           /* wipes, and aborts if a guard byte was touched */
	free(*secret);
	*secret = NULL;
}

struct bytes
secret_view(const struct secret *secret)
{
	if (secret == NULL || secret->len == 0)
		return (struct bytes){ NULL, 0 };
	return (struct bytes){ secret->data, secret->len };
}

uint8_t *
secret_data(struct secret *secret)
{
	return secret->data;
}

void
secret_truncate(struct secret *secret, size_t len)
{
	if (len >= secret->len)
		return;
	sodium_memzero(secret->data + len, secret->len - len);
	secret->len = len;
}

bool
secret_equal(struct bytes a, struct bytes b)
{
	if (a.len == 0 || a.len != b.len)
		return false;
	return sodium_memcmp(a.data, b.data, a.len) == 0;
}

void
secret_wipe(void *data, size_t len)
{
	sodium_memzero(data, len);
}

/* --- blocks for libraries: the size in front, so that all of it can be wiped ------------------------------------------- */

union block {
	size_t size;
	max_align_t align;
};

void *
secret_block_new(size_t size)
{
	union block *block;

	if (size > SIZE_MAX / 2 || (block = malloc(sizeof *block + size)) == NULL)
		return NULL;
	block->size = size;
	return block + 1;
}

void
secret_block_free(void *data)
{
	union block *block = data;

	if (data == NULL)
		return;
	block--;
	secret_wipe(data, block->size);
	free(block);
}
