#include "core/credential/argon2_arena.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/base/secret.h"

#define HUGE_PAGE ((size_t)2 * 1024 * 1024)

struct argon2_arena {
	uint8_t *mapping, *base;        /* BASE: the first huge page boundary in MAPPING */
	size_t mapping_size, size;
	size_t dirty;
	bool warm;
};

static size_t
round_up(size_t size)
{
	return (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

enum status
argon2_arena_new(size_t size, struct argon2_arena **out)
{
	struct argon2_arena *arena;
	void *mapping;

	if (size == 0 || size > SIZE_MAX - 2 * HUGE_PAGE || (arena = calloc(1, sizeof *arena)) == NULL)
		return STATUS_NO_MEMORY;
	arena->size = round_up(size);
	arena->mapping_size = arena->size + HUGE_PAGE;
	mapping = mmap(NULL, arena->mapping_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mapping == MAP_FAILED) {
		free(arena);
		return STATUS_NO_MEMORY;
	}
	arena->mapping = mapping;
	arena->base = arena->mapping + (HUGE_PAGE - (uintptr_t)mapping % HUGE_PAGE) % HUGE_PAGE;
	/* Each of these is a favour that a system may refuse: slower, or less private, but not wrong. */
	(void)madvise(arena->base, arena->size, MADV_HUGEPAGE);
	(void)madvise(arena->mapping, arena->mapping_size, MADV_DONTDUMP);
	(void)madvise(arena->mapping, arena->mapping_size, MADV_DONTFORK);
	*out = arena;
	return STATUS_OK;
}

/* Linux before 5.14 does not know MADV_POPULATE_WRITE: touch every page. */
static int
populate(uint8_t *base, size_t size)
{
#ifdef MADV_POPULATE_WRITE
	if (madvise(base, size, MADV_POPULATE_WRITE) == 0)
		return 0;
	if (errno != EINVAL)
		return -1;
#endif
	for (size_t at = 0; at < size; at += 4096)
		((volatile uint8_t *)base)[at] = 0;
	return 0;
}

enum status
argon2_arena_warm(struct argon2_arena *arena)
{
	if (arena->warm)
		return STATUS_OK;
	if (populate(arena->base, arena->size) != 0)
		return STATUS_NO_MEMORY;
	(void)mlock(arena->base, arena->size);  /* RLIMIT_MEMLOCK may forbid it */
	arena->warm = true;
	return STATUS_OK;
}

void
argon2_arena_cool(struct argon2_arena *arena)
{
	argon2_arena_wipe(arena, 0, arena->size);
	(void)munlock(arena->base, arena->size);
	(void)madvise(arena->base, arena->size, MADV_DONTNEED);
	arena->warm = false;
}

bool
argon2_arena_is_warm(const struct argon2_arena *arena)
{
	return arena->warm;
}

size_t
argon2_arena_size(const struct argon2_arena *arena)
{
	return arena->size;
}

void *
argon2_arena_take(struct argon2_arena *arena, size_t size)
{
	if (size > arena->size)
		return NULL;
	if (size > arena->dirty)
		arena->dirty = size;
	return arena->base;
}

size_t
argon2_arena_dirty(const struct argon2_arena *arena)
{
	return arena->dirty;
}

void
argon2_arena_wipe(struct argon2_arena *arena, size_t keep, size_t max)
{
	size_t len = arena->dirty > keep ? arena->dirty - keep : 0;

	if (len > max)
		len = max;
	arena->dirty -= len;
	secret_wipe(arena->base + arena->dirty, len);
}

void
argon2_arena_free(struct argon2_arena **arena)
{
	if (arena == NULL || *arena == NULL)
		return;
	argon2_arena_wipe(*arena, 0, (*arena)->size);
	(void)munmap((*arena)->mapping, (*arena)->mapping_size);
	free(*arena);
	*arena = NULL;
}
