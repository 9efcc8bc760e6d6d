/* qr.h: QR codes (libqrencode) of a short text as SVG, PNG or terminal half-blocks.
 * Level M, level L where M needs a version over 15; quiet zone of 4 modules; dark on light whatever the theme. */
#ifndef COUNTERFOIL_QR_H
#define COUNTERFOIL_QR_H

#include "core/base/bytes.h"
#include "core/base/secret.h"
#include "core/base/status.h"

/* A whole <svg> element, integer modules, at least 200 px, shape-rendering="crispEdges", role="img". */
enum status qr_svg(struct bytes text, struct secret **out) NODISCARD;

/* A PNG image, 8 pixels a module. */
enum status qr_png(struct bytes text, struct secret **out) NODISCARD;

/* Lines of UTF-8 half-blocks with explicit black-on-white colours, readable on dark and light terminals. */
enum status qr_terminal(struct bytes text, struct secret **out) NODISCARD;

/* The modules alone, for somebody else to draw: rows of lower-case hex digits, four modules each, the first in the highest
 * bit, dark is 1, each row filled up at its end; no quiet zone.  Level L: a small picture in good light. */
enum status qr_modules(struct bytes text, struct secret **out) NODISCARD;

/* Each: STATUS_INVALID for an empty text or one over OTPAUTH_URI_MAX_BYTES; STATUS_NO_MEMORY. */

#endif
