/* blocklist_file.h: the file format, shared by blocklist.c and blocklist_builder.c.  Nobody else includes it.
 *
 *   head    64 bytes
 *   blocks  1024 bytes each: checksum, number of further entries, their bits, zeros
 *   index   8 bytes a block: its first entry
 * Numbers are little-endian. */
#ifndef COUNTERFOIL_BLOCKLIST_FILE_H
#define COUNTERFOIL_BLOCKLIST_FILE_H

#include "core/base/bytes.h"
#include "core/base/status.h"

#define BLOCKLIST_MAGIC       "CFBLOCK1"
#define BLOCKLIST_RICE_BITS   14        /* of each difference: the false-positive rate is 2^-14 */
#define BLOCKLIST_UNARY_MAX   40        /* of a difference above those bits: 55 bits are read at once; a longer one begins a block */
#define BLOCKLIST_BLOCK_BYTES 1024
#define BLOCKLIST_ENTRIES_MAX (UINT64_C(1) << 40)

struct blocklist_head {
	char magic[8];
	uint64_t count;         /* entries */
	uint64_t blocks;
	uint32_t block_bytes, rice_bits;
	uint8_t checksum[32];   /* BLAKE2b of all before it and of the index */
};

struct blocklist_block {
	uint64_t checksum;      /* SipHash of the block's other bytes, under a key that everybody knows: against accidents */
	uint16_t further;       /* entries behind the first, which is in the index */
	uint8_t bits[BLOCKLIST_BLOCK_BYTES - 10];
};

#define BLOCKLIST_BLOCK_BITS (8 * sizeof ((struct blocklist_block *)0)->bits)

/* The 64 bits that stand for TEXT. */
uint64_t blocklist_key(struct bytes text);
uint64_t blocklist_key_of_sha1(const uint8_t *sha1);

/* Where KEY lies among COUNT entries. */
uint64_t blocklist_place(uint64_t key, uint64_t count);

uint64_t blocklist_block_checksum(const struct blocklist_block *block);

#endif
