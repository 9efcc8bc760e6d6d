/* descriptors.h: what the first three file descriptors of a program are. */
#ifndef COUNTERFOIL_DESCRIPTORS_H
#define COUNTERFOIL_DESCRIPTORS_H

#include "core/base/bytes.h"
#include "core/base/status.h"

/* Whoever started us may have closed standard input, output or error.  The next file or socket would take the free number,
 * and what is printed, a secret perhaps, would go into it: to the database, or into a key file.  This puts something in their
 * place that can neither be read nor written.  Call it first of all.
 * STATUS_UNAVAILABLE: /dev/null cannot be opened. */
enum status descriptors_hold_standard(void) NODISCARD;

#endif
