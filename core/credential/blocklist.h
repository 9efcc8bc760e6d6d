/* blocklist.h: passwords that everybody guesses, as one compact file that is mapped, never copied.
 *
 * The file holds a sorted set of numbers, one an entry: the first 64 bits of the entry's SHA-1 (what lists of breached
 * passwords are made of), scaled to the range 0 .. 2^14 times the number of entries.  Neighbours differ by 2^14 on
 * average; the differences are Golomb-Rice coded, which takes 15.6 bits an entry, and with the index 15.9: under 2 bytes.
 * What is in the list is always found.  A password that is not in it is found with probability 2^-14 (1 in 16384) a
 * look-up; it is looked up twice, as typed and folded. */
#ifndef COUNTERFOIL_BLOCKLIST_H
#define COUNTERFOIL_BLOCKLIST_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/base/config.h"
#include "core/base/status.h"

struct blocklist;

/* Map PATH: owned by root or the effective user, not writable by others.  Head and index are checked here, a block of
 * entries when it is looked at.  The file may be replaced by rename() at any time, never changed in place.
 * STATUS_NOT_FOUND / STATUS_INVALID: ERROR says what is wrong with it. */
enum status blocklist_open(const char *path, struct blocklist **out, char error[static CONFIG_ERROR_BYTES]) NODISCARD;
void blocklist_close(struct blocklist **list);

/* How many entries it has. */
uint64_t blocklist_count(const struct blocklist *list);

/* Is PASSWORD, in the form of text_password(), or the same without regard to case, an entry?
 * STATUS_INTERNAL: the file is damaged; an outage, not an answer.  Thread-safe. */
enum status blocklist_find(const struct blocklist *list, struct bytes password, bool *out_found) NODISCARD;

/* Look at every block.  STATUS_INTERNAL: damaged. */
enum status blocklist_check(const struct blocklist *list) NODISCARD;

#endif
