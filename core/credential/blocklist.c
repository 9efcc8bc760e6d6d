#include "core/credential/blocklist.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nettle/sha1.h>
#include <sodium.h>

#include "core/base/secret.h"
#include "core/base/text.h"
#include "core/credential/blocklist_file.h"

_Static_assert(sizeof(struct blocklist_head) == 64, "the file's head has no padding");
_Static_assert(sizeof(struct blocklist_block) == BLOCKLIST_BLOCK_BYTES, "the file's blocks have no padding");

struct blocklist {
	const uint8_t *map;
	size_t len;
	uint64_t count, blocks;
	const struct blocklist_block *block;
	const uint8_t *index;   /* of little-endian 64-bit numbers */
};

/* --- numbers of entries -------------------------------------------------------------------------------------------- */

uint64_t
blocklist_key_of_sha1(const uint8_t *sha1)
{
	uint64_t key;

	memcpy(&key, sha1, sizeof key);
	return be64toh(key);
}

uint64_t
blocklist_key(struct bytes text)
{
	uint8_t digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx context;
	uint64_t key;

	sha1_init(&context);
	sha1_update(&context, text.len, text.data);
	sha1_digest(&context, sizeof digest, digest);
	key = blocklist_key_of_sha1(digest);
	secret_wipe(&context, sizeof context);
	secret_wipe(digest, sizeof digest);
	return key;
}

uint64_t
blocklist_place(uint64_t key, uint64_t count)
{
	return (uint64_t)(((unsigned __int128)key * (count << BLOCKLIST_RICE_BITS)) >> 64);
}

uint64_t
blocklist_block_checksum(const struct blocklist_block *block)
{
	static const uint8_t key[crypto_shorthash_KEYBYTES] = "counterfoil";
	uint64_t sum;

	(void)crypto_shorthash((uint8_t *)&sum, (const uint8_t *)&block->further, sizeof *block - sizeof block->checksum,
	    key);
	return sum;
}

/* --- opening ------------------------------------------------------------------------------------------------------- */

static bool
head_fits(const struct blocklist_head *head, size_t len)
{
	uint64_t blocks = le64toh(head->blocks), count = le64toh(head->count);

	return memcmp(head->magic, BLOCKLIST_MAGIC, sizeof head->magic) == 0 &&
	    le32toh(head->block_bytes) == BLOCKLIST_BLOCK_BYTES && le32toh(head->rice_bits) == BLOCKLIST_RICE_BITS &&
	    count > 0 && count <= BLOCKLIST_ENTRIES_MAX && blocks > 0 && blocks <= count &&
	    (len - sizeof *head) / (BLOCKLIST_BLOCK_BYTES + 8) == blocks &&
	    (len - sizeof *head) % (BLOCKLIST_BLOCK_BYTES + 8) == 0;
}

static bool
is_index_whole(const struct blocklist_head *head, const uint8_t *index, uint64_t blocks)
{
	crypto_generichash_state state;
	uint8_t sum[sizeof head->checksum];

	(void)crypto_generichash_init(&state, NULL, 0, sizeof sum);
	(void)crypto_generichash_update(&state, (const uint8_t *)head, offsetof(struct blocklist_head, checksum));
	(void)crypto_generichash_update(&state, index, blocks * 8);
	(void)crypto_generichash_final(&state, sum, sizeof sum);
	return memcmp(sum, head->checksum, sizeof sum) == 0;
}

/* Head and index are good, or nothing of the file is looked at. */
static bool
take_map(struct blocklist *list)
{
	struct blocklist_head head;

	if (list->len < sizeof head)
		return false;
	memcpy(&head, list->map, sizeof head);
	if (!head_fits(&head, list->len))
		return false;
	list->count = le64toh(head.count);
	list->blocks = le64toh(head.blocks);
	list->block = (const struct blocklist_block *)(const void *)(list->map + sizeof head);
	list->index = list->map + sizeof head + BLOCKLIST_BLOCK_BYTES * list->blocks;
	return is_index_whole(&head, list->index, list->blocks);
}

enum status
blocklist_open(const char *path, struct blocklist **out, char error[static CONFIG_ERROR_BYTES])
{
	struct blocklist *list = calloc(1, sizeof *list);
	void *map = MAP_FAILED;
	int fd = -1;
	enum status st = STATUS_NO_MEMORY;
	struct stat stat;

	(void)snprintf(error, CONFIG_ERROR_BYTES, "%s: out of memory", path);
	if (list == NULL || (st = config_open_trusted(path, S_IWGRP | S_IWOTH, SIZE_MAX, &fd, error)) != STATUS_OK)
		goto out;
	st = STATUS_NO_MEMORY;
	(void)snprintf(error, CONFIG_ERROR_BYTES, "%s: cannot be mapped", path);
	if (fstat(fd, &stat) != 0)
		goto out;
	list->len = (size_t)stat.st_size;
	if (list->len > 0 && (map = mmap(NULL, list->len, PROT_READ, MAP_SHARED, fd, 0)) == MAP_FAILED)
		goto out;
	list->map = map;
	st = STATUS_INVALID;
	(void)snprintf(error, CONFIG_ERROR_BYTES, "%s: not a blocklist, or damaged; \"counterfoil blocklist build\" makes one",
	    path);
	if (!take_map(list))
		goto out;
	*out = list;
	list = NULL;
	map = MAP_FAILED;
	st = STATUS_OK;
out:
	if (map != MAP_FAILED)
		(void)munmap(map, list->len);
	free(list);
	if (fd >= 0)
		(void)close(fd);
	return st;
}

void
blocklist_close(struct blocklist **list)
{
	if (list == NULL || *list == NULL)
		return;
	(void)munmap((void *)(uintptr_t)(*list)->map, (*list)->len);
	free(*list);
	*list = NULL;
}

uint64_t
blocklist_count(const struct blocklist *list)
{
	return list->count;
}

/* --- looking up ---------------------------------------------------------------------------------------------------- */

struct bit_reader {
	const uint8_t *bits;
	size_t at;              /* the next bit, from the lowest of the first byte */
};

/* At least 57 of the next bits; what lies behind the block reads as zeros. */
static uint64_t
peek(const struct bit_reader *reader)
{
	size_t byte = reader->at / 8, left = BLOCKLIST_BLOCK_BITS / 8 - byte;
	uint64_t word = 0;

	if (left >= sizeof word)
		memcpy(&word, reader->bits + byte, sizeof word);
	else
		memcpy(&word, reader->bits + byte, left);
	return le64toh(word) >> (reader->at % 8);
}

/* The next difference.  False: the block's bits end before it does. */
static bool
take_difference(struct bit_reader *reader, uint64_t *out)
{
	uint64_t next;
	unsigned high;

	if (reader->at >= BLOCKLIST_BLOCK_BITS)
		return false;
	next = peek(reader);
	high = (unsigned)__builtin_ctzll(~next | UINT64_C(1) << (BLOCKLIST_UNARY_MAX + 1));
	*out = (uint64_t)high << BLOCKLIST_RICE_BITS | ((next >> (high + 1)) & ((1U << BLOCKLIST_RICE_BITS) - 1));
	reader->at += high + 1 + BLOCKLIST_RICE_BITS;
	return high <= BLOCKLIST_UNARY_MAX && reader->at <= BLOCKLIST_BLOCK_BITS;
}

static uint64_t
first_of(const struct blocklist *list, uint64_t block)
{
	uint64_t first;

	memcpy(&first, list->index + 8 * block, sizeof first);
	return le64toh(first);
}

/* The last block that begins at or before PLACE.  False: all begin behind it. */
static bool
find_block(const struct blocklist *list, uint64_t place, uint64_t *out)
{
	uint64_t low = 0, high = list->blocks;  /* the answer is below HIGH, and at least LOW - 1 */

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (first_of(list, middle) <= place)
			low = middle + 1;
		else
			high = middle;
	}
	*out = low - 1;
	return low > 0;
}

static enum status
find_in_block(const struct blocklist_block *block, uint64_t entry, uint64_t place, bool *out_found)
{
	struct bit_reader reader = { block->bits, 0 };
	unsigned further = le16toh(block->further);
	uint64_t difference;

	if (le64toh(block->checksum) != blocklist_block_checksum(block))
		return STATUS_INTERNAL;
	for (unsigned i = 0; i < further && entry < place; i++) {
		if (!take_difference(&reader, &difference))
			return STATUS_INTERNAL;
		entry += difference;
	}
	*out_found = entry == place;
	return STATUS_OK;
}

static enum status
find_text(const struct blocklist *list, struct bytes text, bool *out_found)
{
	uint64_t place = blocklist_place(blocklist_key(text), list->count), block;

	*out_found = false;
	if (!find_block(list, place, &block))
		return STATUS_OK;
	return find_in_block(&list->block[block], first_of(list, block), place, out_found);
}

enum status
blocklist_find(const struct blocklist *list, struct bytes password, bool *out_found)
{
	uint8_t folded[TEXT_FOLDED_MAX_BYTES];
	bool found = false;
	size_t len = 0;
	enum status st;

	if ((st = find_text(list, password, &found)) == STATUS_OK && !found &&
	    (st = text_fold(password, folded, &len)) == STATUS_OK &&
	    !secret_equal(password, (struct bytes){ folded, len }))
		st = find_text(list, (struct bytes){ folded, len }, &found);
	secret_wipe(folded, len);
	if (st == STATUS_OK)
		*out_found = found;
	return st;
}

enum status
blocklist_check(const struct blocklist *list)
{
	uint64_t last = 0, entries = 0;

	for (uint64_t i = 0; i < list->blocks; i++) {
		const struct blocklist_block *block = &list->block[i];
		bool ignored;

		if (first_of(list, i) < last || find_in_block(block, first_of(list, i), UINT64_MAX, &ignored) != STATUS_OK)
			return STATUS_INTERNAL;
		last = first_of(list, i);
		entries += 1U + le16toh(block->further);
	}
	return entries == list->count ? STATUS_OK : STATUS_INTERNAL;
}
