/* test_qr.c: a camera reads what was written.  zbarimg reads the PNG; SVG and terminal must show the very same modules. */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "core/credential/otpauth.h"
#include "core/credential/qr.h"
#include "tests/support/failing.h"
#include "tests/support/scratch.h"

#define URI "otpauth://totp/Shop:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Shop&algorithm=SHA1&digits=6&period=30"

enum { SIDE_MAX = 128, QUIET = 4, PIXELS = 8, MODULES_OF_VERSION_15 = 77 };

/* Modules with the quiet zone around them; dark is true. */
struct modules { int side; bool dark[SIDE_MAX][SIDE_MAX]; };

typedef enum status drawer(struct bytes text, struct secret **out);

static struct secret *
drawn(drawer *draw, struct bytes text)
{
	struct secret *image = NULL;

	assert_int_equal(draw(text, &image), STATUS_OK);
	return image;
}

/* Letters and digits that no mode of QR packs tighter than a byte each. */
static struct bytes
text_of(size_t len)
{
	static char text[OTPAUTH_URI_MAX_BYTES + 2];

	for (size_t i = 0; i < len; i++)
		text[i] = (char)('a' + i * 7 % 26);
	return (struct bytes){ (const uint8_t *)text, len };
}

/* --- three readers ---------------------------------------------------------------------------------------------------- */

static void
read_png(struct bytes png, struct modules *out)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	uint8_t *pixels;

	assert_int_equal(png_image_begin_read_from_memory(&image, png.data, png.len), 1);
	image.format = PNG_FORMAT_GRAY;
	assert_int_equal(image.width, image.height);
	assert_int_equal(image.width % PIXELS, 0);
	out->side = (int)image.width / PIXELS;
	assert_in_range(out->side, 21 + 2 * QUIET, SIDE_MAX);
	pixels = malloc(PNG_IMAGE_SIZE(image));
	assert_int_equal(png_image_finish_read(&image, NULL, pixels, 0, NULL), 1);
	for (int y = 0; y < (int)image.height; y++) {
		for (int x = 0; x < (int)image.width; x++) {
			uint8_t pixel = pixels[y * (int)image.width + x];

			assert_true(pixel == 0 || pixel == 0xff);
			if (x % PIXELS == 0 && y % PIXELS == 0)
				out->dark[y / PIXELS][x / PIXELS] = pixel == 0;
			assert_int_equal(out->dark[y / PIXELS][x / PIXELS], pixel == 0);
		}
	}
	free(pixels);
}

static void
read_svg(struct bytes svg, struct modules *out)
{
	char *text = strndup((const char *)svg.data, svg.len), *at;
	int width, height, x, y, run, back, used;

	at = strstr(text, " width=\"");
	assert_non_null(at);
	assert_int_equal(sscanf(at, " width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %*d\"", &width, &height, &out->side), 3);
	assert_in_range(out->side, 21 + 2 * QUIET, SIDE_MAX);
	assert_int_equal(width, height);
	assert_true(width >= 200 && width % out->side == 0);    /* whole pixels a module */
	memset(out->dark, 0, sizeof out->dark);
	at = strstr(text, "<path fill=\"#000\" d=\"");
	assert_non_null(at);
	at += strlen("<path fill=\"#000\" d=\"");
	while (sscanf(at, "M%d,%dh%dv1h-%dz%n", &x, &y, &run, &back, &used) == 4) {
		assert_int_equal(run, back);
		assert_true(x >= 0 && y >= 0 && run > 0 && x + run <= out->side && y < out->side);
		while (run-- > 0)
			out->dark[y][x + run] = true;
		at += used;
	}
	assert_string_equal(at, "\"/></svg>");
	free(text);
}

static void
read_terminal(struct bytes lines, struct modules *out)
{
	static const char begin[] = "\033[38;5;16;48;5;231m", end[] = "\033[0m\n";
	char *text = strndup((const char *)lines.data, lines.len);
	int y = 0;

	memset(out->dark, 0, sizeof out->dark);
	for (char *at = text; *at != '\0'; at += sizeof end - 1, y += 2) {
		int x = 0;

		assert_int_equal(strncmp(at, begin, sizeof begin - 1), 0);
		for (at += sizeof begin - 1; *at != '\033'; x++) {
			bool upper = strncmp(at, "\u2580", 3) == 0 || strncmp(at, "\u2588", 3) == 0;
			bool lower = strncmp(at, "\u2584", 3) == 0 || strncmp(at, "\u2588", 3) == 0;

			assert_true(x < SIDE_MAX && y + 1 < SIDE_MAX);
			assert_true(upper || lower || *at == ' ');
			out->dark[y][x] = upper;
			out->dark[y + 1][x] = lower;
			at += upper || lower ? 3 : 1;
		}
		assert_int_equal(strncmp(at, end, sizeof end - 1), 0);
		out->side = x;
	}
	assert_int_equal((y + 1) / 2, (out->side + 1) / 2);
	free(text);
}

static void
expect_same(const struct modules *a, const struct modules *b)
{
	assert_int_equal(a->side, b->side);
	for (int y = 0; y < a->side; y++)
		assert_memory_equal(a->dark[y], b->dark[y], (size_t)a->side * sizeof a->dark[y][0]);
}

static void
expect_quiet_zone(const struct modules *modules)
{
	for (int y = 0; y < modules->side; y++) {
		for (int x = 0; x < modules->side; x++) {
			if (x < QUIET || y < QUIET || x >= modules->side - QUIET || y >= modules->side - QUIET)
				assert_false(modules->dark[y][x]);
		}
	}
	assert_true(modules->dark[QUIET][QUIET]);       /* the corner of a finder pattern */
}

/* A second program reads the image, as a phone would. */
static void
expect_read_by_zbar(void **state, struct bytes png, struct bytes wanted)
{
	char path[SCRATCH_PATH_BYTES], command[2 * SCRATCH_PATH_BYTES], found[2 * OTPAUTH_URI_MAX_BYTES];
	FILE *pipe;
	size_t len;

	scratch_write(*state, "qr.png", 0600, png, path);
	(void)snprintf(command, sizeof command, "zbarimg --raw -q -Sdisable -Sqrcode.enable %s", path);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	len = fread(found, 1, sizeof found, pipe);
	if (pclose(pipe) != 0)
		fail_msg("zbarimg (package zbar-tools) is missing, or read nothing");
	assert_int_equal(len, wanted.len + 1);
	assert_memory_equal(found, wanted.data, wanted.len);
}

/* --- what is promised --------------------------------------------------------------------------------------------------- */

static void
expect_all_forms(void **state, struct bytes text)
{
	struct secret *png = drawn(qr_png, text), *svg = drawn(qr_svg, text), *terminal = drawn(qr_terminal, text);
	struct modules in_png, in_svg, in_terminal;

	read_png(secret_view(png), &in_png);
	read_svg(secret_view(svg), &in_svg);
	read_terminal(secret_view(terminal), &in_terminal);
	expect_quiet_zone(&in_png);
	expect_same(&in_png, &in_svg);
	expect_same(&in_png, &in_terminal);
	expect_read_by_zbar(state, secret_view(png), text);
	secret_free(&png);
	secret_free(&svg);
	secret_free(&terminal);
}

static void
a_key_uri_is_read_from_every_form(void **state)
{
	expect_all_forms(state, BYTES(URI));
}

static void
the_shortest_and_the_longest_text_are_read(void **state)
{
	expect_all_forms(state, BYTES("a"));
	expect_all_forms(state, text_of(OTPAUTH_URI_MAX_BYTES));
}

/* 412 bytes are what version 15 holds at level M; a 413th is rather held at level L than in smaller modules. */
static void
a_long_text_keeps_its_modules_large(void **state)
{
	struct secret *at_m = drawn(qr_png, text_of(412)), *at_l = drawn(qr_png, text_of(413));
	struct modules modules;

	read_png(secret_view(at_m), &modules);
	assert_int_equal(modules.side, MODULES_OF_VERSION_15 + 2 * QUIET);
	expect_read_by_zbar(state, secret_view(at_m), text_of(412));
	read_png(secret_view(at_l), &modules);
	assert_true(modules.side <= MODULES_OF_VERSION_15 + 2 * QUIET);
	expect_read_by_zbar(state, secret_view(at_l), text_of(413));
	secret_free(&at_m);
	secret_free(&at_l);
}

static void
the_svg_is_one_element_for_sighted_and_blind(void **state)
{
	struct secret *svg = drawn(qr_svg, BYTES(URI));
	char *text = strndup((const char *)secret_view(svg).data, secret_view(svg).len);

	(void)state;
	assert_int_equal(strncmp(text, "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 40), 0);
	assert_non_null(strstr(text, "role=\"img\""));
	assert_non_null(strstr(text, "aria-label=\"QR code for an authenticator app\""));
	assert_non_null(strstr(text, "shape-rendering=\"crispEdges\""));
	assert_non_null(strstr(text, "<path fill=\"#fff\" d=\"M0,0h"));
	assert_null(strstr(text, "GEZDGNBV"));
	free(text);
	secret_free(&svg);
}

static void
empty_and_overlong_texts_are_refused(void **state)
{
	static drawer *const drawers[] = { qr_svg, qr_png, qr_terminal };
	struct secret *image = NULL;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(drawers[i](bytes_of(NULL), &image), STATUS_INVALID);
		assert_int_equal(drawers[i](text_of(OTPAUTH_URI_MAX_BYTES + 1), &image), STATUS_INVALID);
		assert_null(image);
	}
}

static void
without_memory_there_is_no_image(void **state)
{
	static drawer *const drawers[] = { qr_svg, qr_png, qr_terminal };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct secret *image = NULL;
		unsigned n = 0;
		enum status st;

		do {
			failing_at(FAILING_MEMORY, ++n, ENOMEM);
			st = drawers[i](BYTES(URI), &image);
			assert_true(st == STATUS_OK || (st == STATUS_NO_MEMORY && image == NULL));
		} while (st != STATUS_OK);
		assert_in_range(n, 3, 10);
		secret_free(&image);
		(void)failing_stop(NULL);
	}
}

/* A text that only level L can hold, so that the PNG is of the same code. */
static void
the_modules_alone_are_those_of_the_image(void **state)
{
	struct secret *png = drawn(qr_png, text_of(500)), *rows = drawn(qr_modules, text_of(500)), *nothing = NULL;
	const char *digits = (const char *)secret_view(rows).data;
	static struct modules image;
	int side, per_row;

	(void)state;
	read_png(secret_view(png), &image);
	side = image.side - 2 * QUIET;
	per_row = (side + 3) / 4;
	assert_int_equal(secret_view(rows).len, side * per_row);
	for (int y = 0; y < side; y++)
		for (int x = 0; x < 4 * per_row; x++) {
			char digit = digits[y * per_row + x / 4];
			int bits = digit <= '9' ? digit - '0' : digit - 'a' + 10;

			assert_int_equal(bits >> (3 - x % 4) & 1, x < side && image.dark[y + QUIET][x + QUIET]);
		}
	assert_int_equal(qr_modules((struct bytes){ NULL, 0 }, &nothing), STATUS_INVALID);
	secret_free(&png);
	secret_free(&rows);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_modules_alone_are_those_of_the_image),
		TEST(a_key_uri_is_read_from_every_form),
		TEST(the_shortest_and_the_longest_text_are_read),
		TEST(a_long_text_keeps_its_modules_large),
		TEST(the_svg_is_one_element_for_sighted_and_blind),
		TEST(empty_and_overlong_texts_are_refused),
		TEST(without_memory_there_is_no_image),
	};

	return cmocka_run_group_tests_name("qr", tests, NULL, NULL);
}
