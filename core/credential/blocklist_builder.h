/* blocklist_builder.h: making the file of blocklist.h out of words and hashes, of any number: they are spread over
 * temporary files beside the new one, so memory holds a 256th of them. */
#ifndef COUNTERFOIL_BLOCKLIST_BUILDER_H
#define COUNTERFOIL_BLOCKLIST_BUILDER_H

#include "core/base/bytes.h"
#include "core/base/config.h"
#include "core/base/status.h"

#define BLOCKLIST_SHA1_BYTES 20

struct blocklist_builder;

/* PATH is written when all is done: whoever opens it sees the old file or the new one. */
enum status blocklist_builder_new(const char *path, struct blocklist_builder **out,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;
/* Without blocklist_builder_step() having ended: nothing stays behind. */
void blocklist_builder_free(struct blocklist_builder **builder);

/* WORD as text; it is kept normal and folded, so that look-ups find it in any case.
 * STATUS_INVALID: no password could ever be WORD (text.h); it is not taken.  STATUS_UNAVAILABLE: the disk is full. */
enum status blocklist_builder_add_word(struct blocklist_builder *builder, struct bytes word) NODISCARD;

/* The SHA-1 of a password as it was typed. */
enum status blocklist_builder_add_sha1(struct blocklist_builder *builder,
    const uint8_t sha1[static BLOCKLIST_SHA1_BYTES]) NODISCARD;

/* All were added: sort, encode, write.  A step a call, so that the caller can tell how far it is; *out_left is how many
 * are left, *out_count at the end the number of different entries.  STATUS_INVALID: there is no entry. */
enum status blocklist_builder_step(struct blocklist_builder *builder, unsigned *out_left, uint64_t *out_count,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

#endif
