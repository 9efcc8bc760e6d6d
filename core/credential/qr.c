#include "core/credential/qr.h"

#include <stdbool.h>
#include <stdio.h>

#include <png.h>
#include <qrencode.h>

#include "core/credential/otpauth.h"

#define QUIET_ZONE 4            /* modules: ISO/IEC 18004 */
#define VERSION_MAX_AT_LEVEL_M 15
#define SVG_PIXELS_MIN 200
#define SVG_MODULE_PIXELS_MIN 4
#define PNG_MODULE_PIXELS 8
#define SVG_RUN_BYTES sizeof "M1000,1000h1000v1h-1000z"
#define SVG_FRAME_BYTES 512
#define TERMINAL_FRAME_BYTES 64 /* colours and line end of one line */

static void
code_free(QRcode *code)
{
	if (code == NULL)
		return;
	secret_wipe(code->data, (size_t)code->width * (size_t)code->width);
	QRcode_free(code);
}

static enum status
code_new_at(struct bytes text, QRecLevel level, QRcode **out)
{
	QRcode *code;

	if (text.len == 0 || text.len > OTPAUTH_URI_MAX_BYTES)
		return STATUS_INVALID;
	code = QRcode_encodeData((int)text.len, text.data, 0, level);
	if (code != NULL && code->version > VERSION_MAX_AT_LEVEL_M) {
		code_free(code);
		code = QRcode_encodeData((int)text.len, text.data, 0, QR_ECLEVEL_L);
	}
	if (code == NULL)
		return STATUS_NO_MEMORY;
	*out = code;
	return STATUS_OK;
}

static enum status
code_new(struct bytes text, QRcode **out)
{
	return code_new_at(text, QR_ECLEVEL_M, out);
}

/* Is the module dark?  X and Y count from the corner of the quiet zone; everything outside is light. */
static bool
is_dark(const QRcode *code, int x, int y)
{
	x -= QUIET_ZONE;
	y -= QUIET_ZONE;
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return false;
	return (code->data[y * code->width + x] & 1) != 0;
}

static int
side(const QRcode *code)
{
	return code->width + 2 * QUIET_ZONE;
}

/* --- SVG ------------------------------------------------------------------------------------------------------ */

/* One path of horizontal runs of dark modules. */
static size_t
write_runs(const QRcode *code, char *out, size_t capacity)
{
	size_t len = 0;

	for (int y = 0; y < side(code); y++) {
		for (int x = 0; x < side(code); x++) {
			int run = 0;

			while (is_dark(code, x + run, y))
				run++;
			if (run == 0)
				continue;
			len += (size_t)snprintf(out + len, capacity - len, "M%d,%dh%dv1h-%dz", x, y, run, run);
			x += run;
		}
	}
	return len;
}

enum status
qr_svg(struct bytes text, struct secret **out)
{
	QRcode *code = NULL;
	struct secret *svg = NULL;
	size_t capacity, len;
	char *at;
	int pixels;
	enum status st;

	if ((st = code_new(text, &code)) != STATUS_OK)
		return st;
	capacity = SVG_FRAME_BYTES + (size_t)side(code) * (size_t)((side(code) + 1) / 2) * SVG_RUN_BYTES;
	if ((st = secret_new(capacity, &svg)) != STATUS_OK)
		goto out;
	at = (char *)secret_data(svg);
	pixels = (SVG_PIXELS_MIN + side(code) - 1) / side(code);
	pixels = side(code) * (pixels > SVG_MODULE_PIXELS_MIN ? pixels : SVG_MODULE_PIXELS_MIN);
	len = (size_t)snprintf(at, capacity,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"QR code for an authenticator app\" "
	    "width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\">"
	    "<path fill=\"#fff\" d=\"M0,0h%dv%dh-%dz\"/><path fill=\"#000\" d=\"", pixels, pixels, side(code),
	    side(code), side(code), side(code), side(code));
	len += write_runs(code, at + len, capacity - len);
	len += (size_t)snprintf(at + len, capacity - len, "\"/></svg>");
	secret_truncate(svg, len);
	*out = svg;
out:
	code_free(code);
	return st;
}

/* --- PNG ------------------------------------------------------------------------------------------------------ */

static void
paint(const QRcode *code, uint8_t *pixels)
{
	int width = side(code) * PNG_MODULE_PIXELS;

	for (int y = 0; y < width; y++) {
		for (int x = 0; x < width; x++)
			*pixels++ = is_dark(code, x / PNG_MODULE_PIXELS, y / PNG_MODULE_PIXELS) ? 0x00 : 0xff;
	}
}

enum status
qr_png(struct bytes text, struct secret **out)
{
	png_image image = { .version = PNG_IMAGE_VERSION, .format = PNG_FORMAT_GRAY };
	QRcode *code = NULL;
	struct secret *pixels = NULL, *png = NULL;
	png_alloc_size_t len = 0;
	enum status st;

	if ((st = code_new(text, &code)) != STATUS_OK)
		return st;
	image.width = image.height = (png_uint_32)(side(code) * PNG_MODULE_PIXELS);
	if ((st = secret_new((size_t)image.width * image.height, &pixels)) != STATUS_OK)
		goto out;
	paint(code, secret_data(pixels));
	/* First the length, then the image: a buffer that grows would leave copies of the seed behind. */
	st = STATUS_INTERNAL;
	if (png_image_write_to_memory(&image, NULL, &len, 0, secret_data(pixels), 0, NULL) == 0)
		goto out;
	if ((st = secret_new(len, &png)) != STATUS_OK)
		goto out;
	if (png_image_write_to_memory(&image, secret_data(png), &len, 0, secret_data(pixels), 0, NULL) == 0) {
		secret_free(&png);
		st = STATUS_INTERNAL;
		goto out;
	}
	secret_truncate(png, len);
	*out = png;
out:
	png_image_free(&image);
	secret_free(&pixels);
	code_free(code);
	return st;
}

/* --- terminal ------------------------------------------------------------------------------------------------- */

enum status
qr_terminal(struct bytes text, struct secret **out)
{
	/* Fixed palette entries: the first sixteen are what a theme redefines. */
	static const char black_on_white[] = "\033[38;5;16;48;5;231m", plain[] = "\033[0m\n";
	static const char *const halves[] = { " ", "\u2584", "\u2580", "\u2588" };
	QRcode *code = NULL;
	struct secret *lines = NULL;
	size_t capacity, len = 0;
	char *at;
	enum status st;

	if ((st = code_new(text, &code)) != STATUS_OK)
		return st;
	capacity = (size_t)((side(code) + 1) / 2) * (TERMINAL_FRAME_BYTES + 3 * (size_t)side(code)) + 1;
	if ((st = secret_new(capacity, &lines)) != STATUS_OK)
		goto out;
	at = (char *)secret_data(lines);
	for (int y = 0; y < side(code); y += 2) {
		len += (size_t)snprintf(at + len, capacity - len, "%s", black_on_white);
		for (int x = 0; x < side(code); x++)
			len += (size_t)snprintf(at + len, capacity - len, "%s",
			    halves[2 * is_dark(code, x, y) + is_dark(code, x, y + 1)]);
		len += (size_t)snprintf(at + len, capacity - len, "%s", plain);
	}
	secret_truncate(lines, len);
	*out = lines;
out:
	code_free(code);
	return st;
}

/* --- for others to draw --------------------------------------------------------------------------------------- */

enum status
qr_modules(struct bytes text, struct secret **out)
{
	static const char digits[] = "0123456789abcdef";
	QRcode *code = NULL;
	struct secret *rows = NULL;
	enum status st;
	char *at;

	if ((st = code_new_at(text, QR_ECLEVEL_L, &code)) != STATUS_OK)
		return st;
	if ((st = secret_new((size_t)code->width * (((size_t)code->width + 3) / 4), &rows)) != STATUS_OK)
		goto out;
	at = (char *)secret_data(rows);
	for (int y = QUIET_ZONE; y < QUIET_ZONE + code->width; y++)
		for (int x = QUIET_ZONE; x < QUIET_ZONE + code->width; x += 4)
			*at++ = digits[8 * is_dark(code, x, y) + 4 * is_dark(code, x + 1, y) + 2 * is_dark(code, x + 2, y) +
			    is_dark(code, x + 3, y)];
	*out = rows;
out:
	code_free(code);
	return st;
}
