/* argon2_arena.h: memory that Argon2 fills: mapped once, in huge pages where the system has them, never in a core dump or
 * a child, locked where that is allowed, wiped.  One thread at a time. */
#ifndef COUNTERFOIL_ARGON2_ARENA_H
#define COUNTERFOIL_ARGON2_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

struct argon2_arena;

/* Address space for SIZE bytes; it costs no memory yet.  STATUS_NO_MEMORY. */
enum status argon2_arena_new(size_t size, struct argon2_arena **out) NODISCARD;

/* Give it memory, all at once: a page fault in the middle of a hash costs more than the arithmetic.  Nothing happens when
 * it has some.  STATUS_NO_MEMORY: the system gave none; the arena is as it was. */
enum status argon2_arena_warm(struct argon2_arena *arena) NODISCARD;

/* Wipe, and give the memory back to the system until it is needed again. */
void argon2_arena_cool(struct argon2_arena *arena);

bool argon2_arena_is_warm(const struct argon2_arena *arena);
size_t argon2_arena_size(const struct argon2_arena *arena);

/* The first SIZE bytes, to be written to: from now on they count as dirty.  NULL when SIZE is more than the arena has. */
void *argon2_arena_take(struct argon2_arena *arena, size_t size);

/* How much, from the start on, may hold something of a hash. */
size_t argon2_arena_dirty(const struct argon2_arena *arena);

/* Wipe what is dirty beyond the first KEEP bytes, MAX bytes of it at most, the end first: so a caller who works in small
 * parts can be called away in between. */
void argon2_arena_wipe(struct argon2_arena *arena, size_t keep, size_t max);

/* Wipes, unmaps, leaves NULL.  NULL and *arena == NULL are fine. */
void argon2_arena_free(struct argon2_arena **arena);

#endif
