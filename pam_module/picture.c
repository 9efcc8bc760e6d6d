#include "pam_module/picture.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Two modules of quiet zone: cameras take it, and a console has few lines. */
enum { VERSION_MAX = 17, QUIET = 2, SIDE_MAX = 17 + 4 * VERSION_MAX, BLOCK_BYTES = 3 };

/* Fixed palette entries: the first sixteen are what a theme redefines. */
static const char black_on_white[] = "\033[38;5;16;48;5;231m", plain[] = "\033[0m";

_Static_assert(sizeof black_on_white + sizeof plain + (SIDE_MAX + 2 * QUIET) * BLOCK_BYTES <= PICTURE_LINE_BYTES,
    "a line of the largest code has room");

static unsigned
digits_of(unsigned side)
{
	return (side + 3) / 4;
}

/* 0: no code has so many modules. */
static unsigned
side_of(const char *modules)
{
	size_t len = strspn(modules, "0123456789abcdef");

	for (unsigned side = 21; modules[len] == '\0' && side <= SIDE_MAX; side += 4)
		if (len == (size_t)side * digits_of(side))
			return side;
	return 0;
}

/* Everything outside is light. */
static bool
is_dark(const char *modules, unsigned side, unsigned x, unsigned y)
{
	char digit;

	if (x < QUIET || y < QUIET || x >= side + QUIET || y >= side + QUIET)
		return false;
	x -= QUIET;
	digit = modules[(y - QUIET) * digits_of(side) + x / 4];
	return ((digit <= '9' ? digit - '0' : digit - 'a' + 10) >> (3 - x % 4) & 1) != 0;
}

unsigned
picture_lines(const char *modules)
{
	unsigned side = side_of(modules);

	return side == 0 ? 0 : (side + 2 * QUIET + 1) / 2;
}

void
picture_line(const char *modules, unsigned number, char out[static PICTURE_LINE_BYTES])
{
	static const char *const halves[] = { " ", "\u2584", "\u2580", "\u2588" };
	unsigned side = side_of(modules), y = 2 * number;
	char *at = stpcpy(out, black_on_white);

	for (unsigned x = 0; x < side + 2 * QUIET; x++)
		at = stpcpy(at, halves[2 * is_dark(modules, side, x, y) + is_dark(modules, side, x, y + 1)]);
	(void)stpcpy(at, plain);
}
