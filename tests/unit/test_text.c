/* test_text.c: what people type: passwords, logins, and what may be shown of them. */
#include "tests/support/unit.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include <unistr.h>

#include "core/base/text.h"
#include "tests/support/failing.h"

/* COUNT times PIECE, on the heap so that a sanitizer guards its end. */
static struct bytes
repeat(const char *piece, size_t count)
{
	size_t len = strlen(piece);
	uint8_t *text = malloc(len * count + 1);

	assert_non_null(text);
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * len, piece, len);
	return (struct bytes){ text, len * count };
}

static void
repeat_free(struct bytes text)
{
	free((void *)(uintptr_t)text.data);
}

/* --- logins --------------------------------------------------------------------------------------------------- */

static void
login_is(struct bytes typed, const char *wanted)
{
	char out[TEXT_LOGIN_MAX_BYTES + 1];

	assert_int_equal(text_canonical_login(typed, out), STATUS_OK);
	assert_string_equal(out, wanted);
}

static void
login_is_refused(struct bytes typed)
{
	char out[TEXT_LOGIN_MAX_BYTES + 1] = "untouched";

	if (text_canonical_login(typed, out) != STATUS_INVALID)
		fail_msg("\"%.*s\" was taken", (int)typed.len, (const char *)typed.data);
	assert_string_equal(out, "untouched");
}

static void
one_person_has_one_login_however_it_is_typed_r195(void **state)
{
	(void)state;
	login_is(BYTES("alice@example.com"), "alice@example.com");
	login_is(BYTES("Alice@Example.COM"), "alice@example.com");
	login_is(BYTES(" \t\n\u00a0\u3000alice\u3000\u2003\r\n"), "alice");
	login_is(BYTES("\uff21\uff4c\uff49\uff43\uff45"), "alice");             /* full width */
	login_is(BYTES("e\u0301lise"), "\u00e9lise");
	login_is(BYTES("\u212bngstr\u00f6m"), "\u00e5ngstr\u00f6m");            /* the Angstrom sign */
	login_is(BYTES("STRASSE"), "strasse");
	login_is(BYTES("stra\u00dfe"), "strasse");
	login_is(BYTES("\ufb01ona"), "fiona");                                  /* the ligature fi */
	login_is(BYTES("\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2"), "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c3");
}

static void
a_turkish_locale_does_not_split_an_account(void **state)
{
	(void)state;
	(void)setlocale(LC_ALL, "tr_TR.UTF-8");
	login_is(BYTES("ALICE"), "alice");
	login_is(BYTES("alice"), "alice");
	(void)setlocale(LC_ALL, "C");
}

static void
scripts_of_the_world_are_welcome(void **state)
{
	(void)state;
	login_is(BYTES("\u5f20\u4f1f"), "\u5f20\u4f1f");
	login_is(BYTES("\u0645\u062d\u0645\u062f"), "\u0645\u062d\u0645\u062f");
	login_is(BYTES("\u0434\u043c\u0438\u0442\u0440\u0438\u0439"), "\u0434\u043c\u0438\u0442\u0440\u0438\u0439");
	login_is(BYTES("o'brien+shop_1@example.com"), "o'brien+shop_1@example.com");
}

static void
what_cannot_be_seen_is_in_no_login(void **state)
{
	static const char *const hidden[] = { "a b", "a\tb", "a\nb", "a\u00a0b", "a\u2028b", "a\u200bb", "a\u200db",
		"a\u202eb", "a\u00adb", "a\ufeffb", "a\xc2\x85" "b", "a\x7f" "b", "a\u034fb", "a\u115fb", "a\ue000b", "a\ufdd0b",
		"a\U000e0061b", "a\u0378b", "a\u00a8b", "\u00a8a" };

	(void)state;
	for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
		login_is_refused(bytes_of(hidden[i]));
	login_is_refused(BYTES("a\0b"));
}

static void
a_login_is_not_empty(void **state)
{
	(void)state;
	login_is_refused(bytes_of(NULL));
	login_is_refused(bytes_of(""));
	login_is_refused(BYTES("   "));
	login_is_refused(BYTES("\u3000\n"));
}

static void
a_login_is_well_formed_utf_8(void **state)
{
	static const char *const bad[] = { "\xc3\x28", "\xed\xa0\x80", "\xc0\x80", "\xf5\x80\x80\x80", "abc\xc3", "\x80", "\xff" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		login_is_refused(bytes_of(bad[i]));
}

/* The other letter is in Unicode's way, so the library has the last word on each character. */
static void
every_ascii_character_becomes_what_it_becomes_beside_another_letter(void **state)
{
	(void)state;
	for (int c = 1; c < 0x80; c++) {
		const char alone[] = { 'a', (char)c, 'Z', '\0' }, beside[] = { 'a', (char)c, 'Z', '\xc3', '\xa9', '\0' };
		char short_form[TEXT_LOGIN_MAX_BYTES + 1] = "", long_form[TEXT_LOGIN_MAX_BYTES + 1] = "";
		enum status st = text_canonical_login(bytes_of(alone), short_form);

		assert_int_equal(text_canonical_login(bytes_of(beside), long_form), st);
		if (st != STATUS_OK)
			continue;
		assert_int_equal(strlen(short_form), 3);
		assert_int_equal(strlen(long_form), 5);
		assert_memory_equal(long_form, short_form, 3);
		assert_string_equal(long_form + 3, "\xc3\xa9");
	}
}

static void
a_login_has_at_most_254_bytes_when_canonical(void **state)
{
	struct bytes most = repeat("a", 254), over = repeat("a", 255), wide = repeat("\uff21", 254),
	    wide_over = repeat("\uff21", 255), spaces = repeat(" ", 1017), grows = repeat("\u00df", 128),
	    accents = repeat("\u00e9", 127), accents_over = repeat("\u00e9", 128);
	char out[TEXT_LOGIN_MAX_BYTES + 1];

	(void)state;
	assert_int_equal(text_canonical_login(most, out), STATUS_OK);
	assert_int_equal(strlen(out), 254);
	login_is_refused(over);
	assert_int_equal(text_canonical_login(wide, out), STATUS_OK);   /* 762 bytes typed, 254 meant */
	assert_int_equal(strlen(out), 254);
	login_is_refused(wide_over);
	assert_int_equal(text_canonical_login(accents, out), STATUS_OK);
	login_is_refused(accents_over);
	login_is_refused(grows);
	((uint8_t *)(uintptr_t)spaces.data)[0] = 'a';
	login_is_refused(spaces);                                       /* one byte over what is looked at */
	spaces.len--;
	login_is(spaces, "a");
	spaces.len++;
	repeat_free(most);
	repeat_free(over);
	repeat_free(wide);
	repeat_free(wide_over);
	repeat_free(spaces);
	repeat_free(grows);
	repeat_free(accents);
	repeat_free(accents_over);
}

/* Whoever types what the screen shows must reach the same account: over every code point that has characters, and a look
 * at the planes behind. */
static void
only_the_canonical_form_is_the_name_of_a_user_of_a_host(void **state)
{
	static const char *const others[] = { "Alice", "ALICE", " alice", "alice ", "\xef\xbd\x81lice", "", "a\nb", "\xff" };

	(void)state;
	assert_true(text_is_canonical_login("alice"));
	assert_true(text_is_canonical_login("m\xc3\xbcller"));
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_false(text_is_canonical_login(others[i]));
}

static void
the_canonical_form_is_canonical(void **state)
{
	unsigned taken = 0;

	(void)state;
	for (ucs4_t c = 1; c < 0x110000; c += c < 0x30000 ? 1 : 251) {
		char once[TEXT_LOGIN_MAX_BYTES + 1], twice[TEXT_LOGIN_MAX_BYTES + 1];
		uint8_t typed[8];
		int len = u8_uctomb(typed, c, sizeof typed);

		if (len <= 0 || text_canonical_login((struct bytes){ typed, (size_t)len }, once) != STATUS_OK)
			continue;
		taken++;
		if (text_canonical_login(bytes_of(once), twice) != STATUS_OK || strcmp(once, twice) != 0)
			fail_msg("U+%04X has two canonical forms", (unsigned)c);
	}
	assert_true(taken > 80000);
}

/* --- passwords -------------------------------------------------------------------------------------------------- */

static void
password_is(struct bytes typed, struct bytes wanted, size_t wanted_points)
{
	struct secret *out = NULL;
	size_t points = 0;

	assert_int_equal(text_password(typed, &out, &points), STATUS_OK);
	assert_true(bytes_equal(secret_view(out), wanted));
	assert_int_equal(points, wanted_points);
	secret_free(&out);
}

static void
password_is_refused(struct bytes typed)
{
	struct secret *out = NULL;
	size_t points = 77;

	assert_int_equal(text_password(typed, &out, &points), STATUS_INVALID);
	assert_null(out);
	assert_int_equal(points, 77);
}

static void
a_password_is_taken_as_it_is_but_for_nfc(void **state)
{
	(void)state;
	password_is(BYTES(" Correct Horse "), BYTES(" Correct Horse "), 15);
	password_is(BYTES("e\u0301"), BYTES("\u00e9"), 1);
	password_is(BYTES("\u00e9"), BYTES("\u00e9"), 1);
	password_is(BYTES("\u212b"), BYTES("\u00c5"), 1);
	password_is(BYTES("foo\u1680bar"), BYTES("foo\u1680bar"), 7);
	password_is(BYTES("\ufb01"), BYTES("\ufb01"), 1);
	password_is(BYTES("\uff21"), BYTES("\uff21"), 1);
	password_is(BYTES("\U0001f512"), BYTES("\U0001f512"), 1);
	password_is(BYTES("\U0001fae8"), BYTES("\U0001fae8"), 1);               /* Unicode 15, newer than the tables */
	password_is(BYTES("a\u200db"), BYTES("a\u200db"), 3);
	password_is(BYTES("\ue000"), BYTES("\ue000"), 1);
	password_is(BYTES("\u05e9\u05dc\u05d5\u05dd"), BYTES("\u05e9\u05dc\u05d5\u05dd"), 4);
}

/* A family of three, joined: five code points in eighteen bytes. */
static void
length_is_counted_in_code_points_r003(void **state)
{
	(void)state;
	password_is(BYTES("\U0001f468\u200d\U0001f469\u200d\U0001f467"),
	    BYTES("\U0001f468\u200d\U0001f469\u200d\U0001f467"), 5);
}

static void
every_printing_ascii_character_is_kept(void **state)
{
	char all[96];

	(void)state;
	for (int i = 0; i < 95; i++)
		all[i] = (char)(' ' + i);
	all[95] = '\0';
	password_is(bytes_of(all), bytes_of(all), 95);
}

static void
control_characters_are_refused(void **state)
{
	(void)state;
	for (int c = 0; c < 0x21; c++) {
		const uint8_t typed[3] = { 'a', (uint8_t)(c == 0x20 ? 0x7f : c), 'b' };

		password_is_refused((struct bytes){ typed, 3 });
		password_is_refused((struct bytes){ typed + 1, 2 });
		password_is_refused((struct bytes){ typed, 2 });
	}
}

static void
a_password_that_is_not_utf_8_is_refused(void **state)
{
	(void)state;
	password_is_refused(BYTES("\xc3\x28"));
	password_is_refused(BYTES("\xed\xa0\x80"));
	password_is_refused(BYTES("\xc0\xaf"));
	password_is_refused(BYTES("horse\xe2\x82"));
	password_is_refused(BYTES("\xf4\x90\x80\x80"));
}

static void
an_empty_password_is_refused(void **state)
{
	(void)state;
	password_is_refused(bytes_of(NULL));
	password_is_refused(bytes_of(""));
}

static void
password_has(const char *piece, size_t count, bool fits)
{
	struct bytes typed = repeat(piece, count);

	if (fits)
		password_is(typed, typed, count);
	else
		password_is_refused(typed);
	repeat_free(typed);
}

static void
at_most_256_code_points_and_1024_bytes_are_taken_and_none_cut(void **state)
{
	struct bytes over = repeat("\U0001f512", 257);

	(void)state;
	password_has("a", 64, true);
	password_has("a", 256, true);
	password_has("a", 257, false);
	password_has("\u00e9", 256, true);
	password_has("\u00e9", 257, false);
	password_has("\U0001f512", 256, true);          /* 1024 bytes, the most there can be */
	over.len = 1025;
	password_is_refused(over);
	repeat_free(over);
}

/* A musical symbol that NFC takes apart into three; a letter and an accent that it puts together. */
static void
the_limit_is_that_of_the_normal_form(void **state)
{
	struct bytes grows = repeat("\U0001d160", 85), over = repeat("\U0001d160", 86), shrinks = repeat("e\u0301", 256);
	struct secret *out = NULL;
	size_t points;

	(void)state;
	assert_int_equal(text_password(grows, &out, &points), STATUS_OK);
	assert_int_equal(points, 255);
	secret_free(&out);
	password_is_refused(over);
	assert_int_equal(text_password(shrinks, &out, &points), STATUS_OK);
	assert_int_equal(points, 256);
	secret_free(&out);
	repeat_free(grows);
	repeat_free(over);
	repeat_free(shrinks);
}

static void
without_memory_a_password_is_neither_taken_nor_refused(void **state)
{
	struct secret *out = NULL;
	size_t points;

	(void)state;
	failing_at(FAILING_MEMORY, 1, ENOMEM);
	assert_int_equal(text_password(BYTES("horse"), &out, &points), STATUS_NO_MEMORY);
	assert_null(out);
}

/* --- comparing without case ---------------------------------------------------------------------------------------- */

static void
folded_is(struct bytes text, struct bytes wanted)
{
	uint8_t out[TEXT_FOLDED_MAX_BYTES];
	size_t len = 0;

	assert_int_equal(text_fold(text, out, &len), STATUS_OK);
	assert_true(bytes_equal((struct bytes){ out, len }, wanted));
}

static void
folding_forgets_case_and_nothing_else(void **state)
{
	(void)state;
	folded_is(BYTES("PassWord 1!"), BYTES("password 1!"));
	folded_is(BYTES("STRASSE"), BYTES("strasse"));
	folded_is(BYTES("Stra\u00dfe"), BYTES("strasse"));
	folded_is(BYTES("\u03a3\u03c2"), BYTES("\u03c3\u03c3"));
	folded_is(BYTES("\uff21"), BYTES("\uff41"));
}

static void
folding_has_room_for_the_longest_password_there_is(void **state)
{
	struct bytes most = repeat("\u0390", 1536), over = repeat("a", 3073);
	uint8_t out[TEXT_FOLDED_MAX_BYTES];
	size_t len = 77;

	(void)state;
	assert_int_equal(text_fold(most, out, &len), STATUS_OK);        /* 3072 bytes become three times as many */
	assert_int_equal(len, TEXT_FOLDED_MAX_BYTES);
	len = 77;
	assert_int_equal(text_fold(over, out, &len), STATUS_INVALID);
	assert_int_equal(text_fold(bytes_of(NULL), out, &len), STATUS_INVALID);
	assert_int_equal(text_fold(BYTES("a\xc3"), out, &len), STATUS_INVALID);
	assert_int_equal(len, 77);
	repeat_free(most);
	repeat_free(over);
}

/* --- for people's eyes -------------------------------------------------------------------------------------------- */

static void
printable_is_utf_8_without_controls(void **state)
{
	static const char *const bad[] = { "a\nb", "\x1b[31m", "\x7f", "\xc2\x85", "\xc2\x9f", "\xc3\x28", "\xed\xa0\x80", "\xc3" };

	(void)state;
	assert_true(text_is_printable(bytes_of("")));
	assert_true(text_is_printable(BYTES("Caf\u00e9 \u00a0\U0001f512 ~")));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(text_is_printable(bytes_of(bad[i])));
	assert_false(text_is_printable(BYTES("a\0b")));
}

static void
points_are_counted_in_well_formed_text_alone(void **state)
{
	(void)state;
	assert_int_equal(text_points(bytes_of("")), 0);
	assert_int_equal(text_points(bytes_of(NULL)), 0);
	assert_int_equal(text_points(BYTES("a")), 1);
	assert_int_equal(text_points(BYTES("caf\u00e9\U0001f512\0")), 6);
	assert_int_equal(text_points(BYTES("caf\xc3")), 0);
	assert_int_equal(text_points(BYTES("\xed\xa0\x80")), 0);
}

static void
shown_as(struct bytes text, size_t capacity, const char *wanted)
{
	char *out = malloc(capacity);

	text_sanitize(text, out, capacity);
	assert_string_equal(out, wanted);
	free(out);
}

static void
what_is_not_printable_is_shown_as_a_question_mark(void **state)
{
	(void)state;
	shown_as(BYTES("a\n\x1b[0m\0b"), 32, "a??[0m?b");
	shown_as(BYTES("caf\u00e9 \xc2\x85 \xc3\x28 \xff"), 32, "caf\u00e9 ? ?( ?");
	shown_as(bytes_of(NULL), 4, "");
}

static void
what_is_shown_is_cut_at_a_code_point(void **state)
{
	char untouched = 'x';

	(void)state;
	shown_as(BYTES("abc"), 4, "abc");
	shown_as(BYTES("abcd"), 4, "abc");
	shown_as(BYTES("ab\u00e9"), 5, "ab\u00e9");
	shown_as(BYTES("ab\u00e9"), 4, "ab");
	shown_as(BYTES("\U0001f512x"), 4, "");
	shown_as(BYTES("abc"), 1, "");
	text_sanitize(BYTES("abc"), &untouched, 0);
	assert_int_equal(untouched, 'x');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_person_has_one_login_however_it_is_typed_r195),
		cmocka_unit_test(a_turkish_locale_does_not_split_an_account),
		cmocka_unit_test(scripts_of_the_world_are_welcome),
		cmocka_unit_test(what_cannot_be_seen_is_in_no_login),
		cmocka_unit_test(a_login_is_not_empty),
		cmocka_unit_test(a_login_is_well_formed_utf_8),
		cmocka_unit_test(every_ascii_character_becomes_what_it_becomes_beside_another_letter),
		cmocka_unit_test(a_login_has_at_most_254_bytes_when_canonical),
		cmocka_unit_test(only_the_canonical_form_is_the_name_of_a_user_of_a_host),
		cmocka_unit_test(the_canonical_form_is_canonical),
		cmocka_unit_test(a_password_is_taken_as_it_is_but_for_nfc),
		cmocka_unit_test(length_is_counted_in_code_points_r003),
		cmocka_unit_test(every_printing_ascii_character_is_kept),
		cmocka_unit_test(control_characters_are_refused),
		cmocka_unit_test(a_password_that_is_not_utf_8_is_refused),
		cmocka_unit_test(an_empty_password_is_refused),
		cmocka_unit_test(at_most_256_code_points_and_1024_bytes_are_taken_and_none_cut),
		cmocka_unit_test(the_limit_is_that_of_the_normal_form),
		cmocka_unit_test_teardown(without_memory_a_password_is_neither_taken_nor_refused, failing_stop),
		cmocka_unit_test(folding_forgets_case_and_nothing_else),
		cmocka_unit_test(folding_has_room_for_the_longest_password_there_is),
		cmocka_unit_test(printable_is_utf_8_without_controls),
		cmocka_unit_test(points_are_counted_in_well_formed_text_alone),
		cmocka_unit_test(what_is_not_printable_is_shown_as_a_question_mark),
		cmocka_unit_test(what_is_shown_is_cut_at_a_code_point),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
