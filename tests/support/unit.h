/* unit.h: what every cmocka program begins with. */
#ifndef COUNTERFOIL_UNIT_H
#define COUNTERFOIL_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The bytes of a literal, which may hold NULs, without the one behind it. */
#define BYTES(literal) ((struct bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

#endif
