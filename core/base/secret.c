#include "core/base/secret.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sodium.h>

enum {
	PAGES_AT_ONCE = 16,
	FENCE_BYTES = 16        /* in front of a secret, zero as long as nobody writes there */
};

struct secret {
	uint8_t *data;          /* its last byte is the last before a guard page */
	size_t len;
	size_t capacity;
	uint8_t *page;          /* NULL: more than a page, from sodium_malloc() */
	struct secret *next;    /* while nobody has it */
};

struct chunk {
	struct chunk *next;
	struct secret secrets[PAGES_AT_ONCE];
};

/* Pages that nobody has: all zero, mapped, locked and fenced once, because that takes ten system calls, some of which
 * interrupt the other processors, and a request needs several secrets.  Never given back: as many as were ever in use at
 * once.  Mutable for the whole process, as malloc()'s own lists are. */
static struct {
	pthread_mutex_t lock;
	struct chunk *chunks;
	struct secret *free;
} pages = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The one place that starts libsodium: before main, hence before threads, in every program that can
 * hold a secret.  Without it sodium_malloc() has no page size and no canary, so there is no going on. */
__attribute__((constructor)) static void
start_libsodium(void)
{
	if (sodium_init() < 0)
		abort();
}

static size_t
page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* A guard page, a page, a guard page, a page, ..., a guard page. */
static uint8_t *
map_pages(void)
{
	size_t page = page_bytes(), size = (2 * PAGES_AT_ONCE + 1) * page;
	uint8_t *base = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED)
		return NULL;
	(void)madvise(base, size, MADV_DONTDUMP);
	for (unsigned i = 0; i < PAGES_AT_ONCE; i++) {
		uint8_t *at = base + (2 * i + 1) * page;

		if (mprotect(at, page, PROT_READ | PROT_WRITE) != 0) {
			(void)munmap(base, size);
			return NULL;
		}
		(void)mlock(at, page);          /* RLIMIT_MEMLOCK may forbid it */
	}
	return base;
}

/* With the lock held.  False: out of memory. */
static bool
add_pages(void)
{
	struct chunk *chunk = calloc(1, sizeof *chunk);
	uint8_t *base = chunk != NULL ? map_pages() : NULL;

	if (base == NULL) {
		free(chunk);
		return false;
	}
	chunk->next = pages.chunks;
	pages.chunks = chunk;
	for (unsigned i = 0; i < PAGES_AT_ONCE; i++) {
		chunk->secrets[i].page = base + (2 * i + 1) * page_bytes();
		chunk->secrets[i].next = pages.free;
		pages.free = &chunk->secrets[i];
	}
	return true;
}

/* NULL: out of memory. */
static struct secret *
take_page(void)
{
	struct secret *secret = NULL;

	(void)pthread_mutex_lock(&pages.lock);
	if (pages.free != NULL || add_pages()) {
		secret = pages.free;
		pages.free = secret->next;
	}
	(void)pthread_mutex_unlock(&pages.lock);
	return secret;
}

static void
give_page(struct secret *secret)
{
	size_t gap = (size_t)(secret->data - secret->page), fence = gap < FENCE_BYTES ? gap : FENCE_BYTES;

	if (fence > 0 && sodium_is_zero(secret->data - fence, fence) == 0)
		abort();                /* somebody wrote in front of it */
	sodium_memzero(secret->data, secret->capacity);
	(void)pthread_mutex_lock(&pages.lock);
	secret->next = pages.free;
	pages.free = secret;
	(void)pthread_mutex_unlock(&pages.lock);
}

static struct secret *
new_large(size_t capacity)
{
	struct secret *secret = calloc(1, sizeof *secret);

	if (secret == NULL || (secret->data = sodium_malloc(capacity)) == NULL) {
		free(secret);
		return NULL;
	}
	memset(secret->data, 0, capacity);
	return secret;
}

enum status
secret_new(size_t capacity, struct secret **out)
{
	size_t page = page_bytes();
	struct secret *secret = capacity <= page ? take_page() : new_large(capacity);

	if (secret == NULL)
		return STATUS_NO_MEMORY;
	if (secret->page != NULL)
		secret->data = secret->page + (page - capacity);
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
	if ((*secret)->page != NULL) {
		give_page(*secret);
	} else {
		sodium_free((*secret)->data);   /* wipes, and aborts if a guard byte was touched */
		free(*secret);
	}
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
