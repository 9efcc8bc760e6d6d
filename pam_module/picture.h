/* picture.h: a QR code in the characters of a terminal: half blocks, dark on light whatever the theme. */
#ifndef COUNTERFOIL_PAM_PICTURE_H
#define COUNTERFOIL_PAM_PICTURE_H

#include <stdbool.h>

#define PICTURE_LINE_BYTES 400

/* How many lines MODULES (wire.h: enroll_picture) make; 0: it is no such picture. */
unsigned picture_lines(const char *modules);

/* Line NUMBER, from 0, without an end of line. */
void picture_line(const char *modules, unsigned number, char out[static PICTURE_LINE_BYTES]);

#endif
