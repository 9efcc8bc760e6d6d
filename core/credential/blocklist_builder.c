#include "core/credential/blocklist_builder.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/base/secret.h"
#include "core/base/text.h"
#include "core/credential/blocklist_file.h"

enum {
	PARTS = 256,            /* by the highest byte of the key, so that part follows part in order */
	BUFFER_KEYS = 2048      /* of one part, before they go to its file */
};

struct part {
	FILE *file;             /* unlinked already; NULL: nothing came */
	uint64_t keys[BUFFER_KEYS];
	unsigned buffered;
	uint64_t count;         /* in the file */
};

struct blocklist_builder {
	char path[PATH_MAX], fresh[PATH_MAX + sizeof ".XXXXXX"];
	struct part *parts;
	FILE *out;
	unsigned sorted, encoded;       /* parts */
	uint64_t count;                 /* different keys */
	uint64_t *index, blocks, index_room;
	struct blocklist_block block;   /* the one being filled */
	size_t bits;                    /* in it */
	uint64_t last;                  /* entry */
};

static enum status
fault(char *error, enum status st, const char *path, const char *what)
{
	(void)snprintf(error, CONFIG_ERROR_BYTES, "%.380s: %.120s", path, what);
	return st;
}

enum status
blocklist_builder_new(const char *path, struct blocklist_builder **out, char error[static CONFIG_ERROR_BYTES])
{
	struct blocklist_builder *builder = calloc(1, sizeof *builder);
	int n, fd;

	if (builder == NULL || (builder->parts = calloc(PARTS, sizeof *builder->parts)) == NULL) {
		free(builder);
		return fault(error, STATUS_NO_MEMORY, path, "out of memory");
	}
	n = snprintf(builder->path, sizeof builder->path, "%s", path);
	(void)snprintf(builder->fresh, sizeof builder->fresh, "%s.XXXXXX", builder->path);
	fd = n > 0 && (size_t)n < sizeof builder->path ? mkstemp(builder->fresh) : -1;
	if (fd < 0 || (builder->out = fdopen(fd, "w+")) == NULL || fchmod(fd, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH) != 0) {
		(void)fault(error, STATUS_INVALID, path, strerror(errno));
		if (fd < 0)
			builder->fresh[0] = '\0';
		else if (builder->out == NULL)
			(void)close(fd);
		blocklist_builder_free(&builder);
		return STATUS_INVALID;
	}
	*out = builder;
	return STATUS_OK;
}

void
blocklist_builder_free(struct blocklist_builder **pointer)
{
	struct blocklist_builder *builder = pointer != NULL ? *pointer : NULL;

	if (builder == NULL)
		return;
	for (unsigned i = 0; i < PARTS; i++)
		if (builder->parts[i].file != NULL)
			(void)fclose(builder->parts[i].file);
	if (builder->out != NULL)
		(void)fclose(builder->out);
	if (builder->fresh[0] != '\0')
		(void)unlink(builder->fresh);
	free(builder->parts);
	free(builder->index);
	free(builder);
	*pointer = NULL;
}

/* --- adding -------------------------------------------------------------------------------------------------------- */

/* A file beside the new one: that is where there must be room anyway. */
static FILE *
open_part(const struct blocklist_builder *builder)
{
	char name[PATH_MAX + sizeof ".part-XXXXXX"];
	FILE *file;
	int fd;

	(void)snprintf(name, sizeof name, "%s.part-XXXXXX", builder->path);
	if ((fd = mkstemp(name)) < 0)
		return NULL;
	(void)unlink(name);
	if ((file = fdopen(fd, "w+")) == NULL)
		(void)close(fd);
	else
		(void)setvbuf(file, NULL, _IONBF, 0);
	return file;
}

static enum status
flush_part(const struct blocklist_builder *builder, struct part *part)
{
	if (part->buffered == 0)
		return STATUS_OK;
	if (part->file == NULL && (part->file = open_part(builder)) == NULL)
		return STATUS_UNAVAILABLE;
	if (fwrite(part->keys, sizeof part->keys[0], part->buffered, part->file) != part->buffered)
		return STATUS_UNAVAILABLE;
	part->count += part->buffered;
	part->buffered = 0;
	return STATUS_OK;
}

static enum status
add_key(struct blocklist_builder *builder, uint64_t key)
{
	struct part *part = &builder->parts[key >> 56];

	part->keys[part->buffered++] = key;
	return part->buffered < BUFFER_KEYS ? STATUS_OK : flush_part(builder, part);
}

/* Printable ASCII is its own normal form: most words of most lists are, and there may be millions. */
static bool
is_plain(struct bytes word)
{
	for (size_t i = 0; i < word.len; i++)
		if (word.data[i] < 0x20 || word.data[i] > 0x7e)
			return false;
	return word.len > 0 && word.len <= TEXT_PASSWORD_MAX_POINTS;
}

static enum status
add_normal(struct blocklist_builder *builder, struct bytes normal)
{
	uint8_t folded[TEXT_FOLDED_MAX_BYTES];
	size_t len;
	enum status st;

	if ((st = text_fold(normal, folded, &len)) == STATUS_OK)
		st = add_key(builder, blocklist_key((struct bytes){ folded, len }));
	return st;
}

enum status
blocklist_builder_add_word(struct blocklist_builder *builder, struct bytes word)
{
	struct secret *normal = NULL;
	size_t points;
	enum status st;

	if (is_plain(word))
		return add_normal(builder, word);
	if ((st = text_password(word, &normal, &points)) == STATUS_OK)
		st = add_normal(builder, secret_view(normal));
	secret_free(&normal);
	return st;
}

enum status
blocklist_builder_add_sha1(struct blocklist_builder *builder, const uint8_t sha1[static BLOCKLIST_SHA1_BYTES])
{
	return add_key(builder, blocklist_key_of_sha1(sha1));
}

/* --- sorting ------------------------------------------------------------------------------------------------------- */

static int
by_value(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return (x > y) - (x < y);
}

static uint64_t
drop_doubles(uint64_t *keys, uint64_t count)
{
	uint64_t kept = 0;

	for (uint64_t i = 0; i < count; i++)
		if (kept == 0 || keys[kept - 1] != keys[i])
			keys[kept++] = keys[i];
	return kept;
}

/* All keys of PART, from the beginning; free() them. */
static enum status
load_part(struct part *part, uint64_t **out)
{
	uint64_t *keys = calloc(part->count + 1, sizeof *keys);

	if (keys == NULL)
		return STATUS_NO_MEMORY;
	if (part->count > 0 && (fseeko(part->file, 0, SEEK_SET) != 0 ||
	    fread(keys, sizeof *keys, part->count, part->file) != part->count)) {
		free(keys);
		return STATUS_UNAVAILABLE;
	}
	*out = keys;
	return STATUS_OK;
}

static enum status
sort_part(struct blocklist_builder *builder, struct part *part)
{
	uint64_t *keys = NULL, kept;
	enum status st;

	if ((st = flush_part(builder, part)) != STATUS_OK || (st = load_part(part, &keys)) != STATUS_OK)
		return st;
	qsort(keys, part->count, sizeof *keys, by_value);
	kept = drop_doubles(keys, part->count);
	if (kept > 0 && (fseeko(part->file, 0, SEEK_SET) != 0 ||
	    fwrite(keys, sizeof *keys, kept, part->file) != kept))
		st = STATUS_UNAVAILABLE;
	part->count = kept;
	builder->count += kept;
	free(keys);
	return st;
}

/* --- encoding ------------------------------------------------------------------------------------------------------ */

static void
put_bits(struct blocklist_builder *builder, uint64_t value, unsigned count)
{
	for (unsigned i = 0; i < count; i++, builder->bits++)
		if (((value >> i) & 1) != 0)
			builder->block.bits[builder->bits / 8] |= (uint8_t)(1U << (builder->bits % 8));
}

static enum status
write_block(struct blocklist_builder *builder)
{
	struct blocklist_block *block = &builder->block;

	if (builder->blocks == 0)
		return STATUS_OK;
	block->further = htole16(block->further);
	block->checksum = htole64(blocklist_block_checksum(block));
	if (fwrite(block, sizeof *block, 1, builder->out) != 1)
		return STATUS_UNAVAILABLE;
	return STATUS_OK;
}

static enum status
begin_block(struct blocklist_builder *builder, uint64_t entry)
{
	enum status st;

	if ((st = write_block(builder)) != STATUS_OK)
		return st;
	if (builder->blocks == builder->index_room) {
		uint64_t room = 2 * builder->index_room + 1024, *grown;

		if ((grown = reallocarray(builder->index, room, sizeof *grown)) == NULL)
			return STATUS_NO_MEMORY;
		builder->index = grown;
		builder->index_room = room;
	}
	builder->index[builder->blocks++] = htole64(entry);
	memset(&builder->block, 0, sizeof builder->block);
	builder->bits = 0;
	builder->last = entry;
	return STATUS_OK;
}

static enum status
put_entry(struct blocklist_builder *builder, uint64_t entry)
{
	uint64_t difference = entry - builder->last, high = difference >> BLOCKLIST_RICE_BITS;

	if (builder->blocks == 0 || high > BLOCKLIST_UNARY_MAX ||
	    builder->bits + high + 1 + BLOCKLIST_RICE_BITS > BLOCKLIST_BLOCK_BITS)
		return begin_block(builder, entry);
	put_bits(builder, (UINT64_C(1) << high) - 1, (unsigned)high + 1);
	put_bits(builder, difference, BLOCKLIST_RICE_BITS);
	builder->block.further++;
	builder->last = entry;
	return STATUS_OK;
}

static enum status
encode_part(struct blocklist_builder *builder, struct part *part)
{
	uint64_t *keys = NULL;
	enum status st;

	if ((st = load_part(part, &keys)) != STATUS_OK)
		return st;
	for (uint64_t i = 0; i < part->count && st == STATUS_OK; i++)
		st = put_entry(builder, blocklist_place(keys[i], builder->count));
	free(keys);
	if (part->file != NULL)
		(void)fclose(part->file);
	part->file = NULL;
	return st;
}

/* --- the file ------------------------------------------------------------------------------------------------------ */

/* The head's place is left free: it says what comes behind it, and is written last. */
static enum status
begin_file(struct blocklist_builder *builder)
{
	static const uint8_t zeros[sizeof(struct blocklist_head)];

	if (builder->count == 0 || builder->count > BLOCKLIST_ENTRIES_MAX)
		return STATUS_INVALID;
	return fwrite(zeros, sizeof zeros, 1, builder->out) == 1 ? STATUS_OK : STATUS_UNAVAILABLE;
}

static void
fill_head(const struct blocklist_builder *builder, struct blocklist_head *head)
{
	crypto_generichash_state state;

	*head = (struct blocklist_head){ .magic = BLOCKLIST_MAGIC, .count = htole64(builder->count),
	    .blocks = htole64(builder->blocks), .block_bytes = htole32(BLOCKLIST_BLOCK_BYTES),
	    .rice_bits = htole32(BLOCKLIST_RICE_BITS) };
	(void)crypto_generichash_init(&state, NULL, 0, sizeof head->checksum);
	(void)crypto_generichash_update(&state, (const uint8_t *)head, offsetof(struct blocklist_head, checksum));
	(void)crypto_generichash_update(&state, (const uint8_t *)builder->index, builder->blocks * 8);
	(void)crypto_generichash_final(&state, head->checksum, sizeof head->checksum);
}

static enum status
finish_file(struct blocklist_builder *builder)
{
	struct blocklist_head head;
	enum status st;

	if ((st = write_block(builder)) != STATUS_OK)
		return st;
	fill_head(builder, &head);
	if (fwrite(builder->index, 8, builder->blocks, builder->out) != builder->blocks ||
	    fseeko(builder->out, 0, SEEK_SET) != 0 || fwrite(&head, sizeof head, 1, builder->out) != 1 ||
	    fflush(builder->out) != 0 || fsync(fileno(builder->out)) != 0 ||
	    rename(builder->fresh, builder->path) != 0)
		return STATUS_UNAVAILABLE;
	builder->fresh[0] = '\0';
	return STATUS_OK;
}

static enum status
step(struct blocklist_builder *builder)
{
	enum status st;

	if (builder->sorted < PARTS) {
		if ((st = sort_part(builder, &builder->parts[builder->sorted])) != STATUS_OK)
			return st;
		return ++builder->sorted < PARTS ? STATUS_OK : begin_file(builder);
	}
	if (builder->encoded == PARTS)
		return STATUS_OK;
	if ((st = encode_part(builder, &builder->parts[builder->encoded])) != STATUS_OK)
		return st;
	return ++builder->encoded < PARTS ? STATUS_OK : finish_file(builder);
}

enum status
blocklist_builder_step(struct blocklist_builder *builder, unsigned *out_left, uint64_t *out_count,
    char error[static CONFIG_ERROR_BYTES])
{
	enum status st = step(builder);

	*out_left = 2 * PARTS - builder->sorted - builder->encoded;
	*out_count = builder->count;
	if (st == STATUS_INVALID)
		return fault(error, st, builder->path, "there is no entry for it");
	if (st == STATUS_NO_MEMORY)
		return fault(error, st, builder->path, "out of memory");
	return st == STATUS_OK ? st : fault(error, st, builder->path, strerror(errno));
}
