/* failing.h: calls of the system and of libraries that fail when a test says so.  The linker puts them between the code
 * under test and the real ones (--wrap, see tests/unit/fragment.am); libraries go on calling the real ones. */
#ifndef COUNTERFOIL_FAILING_H
#define COUNTERFOIL_FAILING_H

#include <stdbool.h>
#include <sys/types.h>

enum failing {
	FAILING_MEMORY,         /* malloc, calloc, strdup, sodium_malloc */
	FAILING_ENTROPY,        /* getrandom */
	FAILING_READ, FAILING_WRITE, FAILING_FSTAT, FAILING_FSYNC, FAILING_FCHOWN, FAILING_RENAME,
	FAILING_KINDS
};

/* The Nth call from now on fails once with CAUSE, an errno; 0: none will.  Counting begins anew. */
void failing_at(enum failing kind, unsigned n, int cause);

/* How many calls there were since. */
unsigned failing_calls(enum failing kind);

/* read, write and getrandom do one byte a call while this is on. */
void failing_one_byte_a_call(bool on);

/* fstat tells OWNER instead of the real one; (uid_t)-1: the truth. */
void failing_owner(uid_t owner);

/* cmocka tear-down: everything works again. */
int failing_stop(void **state);

#endif
