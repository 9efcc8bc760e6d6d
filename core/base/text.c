#include "core/base/text.h"

#include <stdlib.h>
#include <string.h>

#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#define NFC_GROWTH_MAX 3        /* bytes out for a byte in, UTF-8: Unicode annex 15, section 9 */
#define LOGIN_TYPED_MAX_BYTES (4 * TEXT_LOGIN_MAX_BYTES)        /* before folding, which may shrink it */

static bool
is_control(ucs4_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* Kinds of character that no login holds: invisible, unassigned, private, or space. */
static bool
is_forbidden_in_login(ucs4_t c)
{
	static const uint32_t kinds = UC_CATEGORY_MASK_C | UC_CATEGORY_MASK_Z;

	return uc_is_general_category_withtable(c, kinds) || uc_is_property_white_space(c) ||
	    uc_is_property_default_ignorable_code_point(c);
}

static struct bytes
without_white_space_around(struct bytes text)
{
	ucs4_t c;
	int n;

	while (text.len > 0 && (n = u8_mbtouc(&c, text.data, text.len)) > 0 && uc_is_property_white_space(c)) {
		text.data += n;
		text.len -= (size_t)n;
	}
	while (text.len > 0) {
		const uint8_t *last = u8_prev(&c, text.data + text.len, text.data);

		if (last == NULL || !uc_is_property_white_space(c))
			break;
		text.len = (size_t)(last - text.data);
	}
	return text;
}

static bool
is_ascii(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] >= 0x80)
			return false;
	return true;
}

/* What all of fold_unicode() comes to for ASCII, which nearly every login is, at a twentieth of the cost. */
static uint8_t *
fold_ascii(struct bytes text, size_t *out_len)
{
	uint8_t *folded = malloc(text.len);

	for (size_t i = 0; folded != NULL && i < text.len; i++)
		folded[i] = text.data[i] >= 'A' && text.data[i] <= 'Z' ? (uint8_t)(text.data[i] | 0x20) : text.data[i];
	*out_len = text.len;
	return folded;
}

/* NFKC, then folded and NFKC again, because some compatibility forms decompose into capitals.
 * The result is on the heap; logins are not secret. */
static uint8_t *
fold_unicode(struct bytes text, size_t *out_len)
{
	uint8_t *compatible = NULL, *folded = NULL;
	size_t len = 0;

	compatible = u8_normalize(UNINORM_NFKC, text.data, text.len, NULL, &len);
	if (compatible != NULL)
		folded = u8_casefold(compatible, len, NULL, UNINORM_NFKC, NULL, out_len);
	free(compatible);
	return folded;
}

static bool
is_acceptable_login(struct bytes folded)
{
	ucs4_t c;

	if (folded.len == 0 || folded.len > TEXT_LOGIN_MAX_BYTES)
		return false;
	for (size_t i = 0; i < folded.len;) {
		int n = u8_mbtouc(&c, folded.data + i, folded.len - i);

		if (n <= 0 || is_forbidden_in_login(c))
			return false;
		i += (size_t)n;
	}
	return true;
}

enum status
text_canonical_login(struct bytes typed, char out[static TEXT_LOGIN_MAX_BYTES + 1])
{
	uint8_t *folded = NULL;
	size_t len = 0;
	enum status st = STATUS_INVALID;

	if (typed.len == 0 || typed.len > LOGIN_TYPED_MAX_BYTES || u8_check(typed.data, typed.len) != NULL)
		goto out;
	typed = without_white_space_around(typed);
	if (typed.len == 0)
		goto out;
	st = STATUS_NO_MEMORY;
	if ((folded = (is_ascii(typed) ? fold_ascii : fold_unicode)(typed, &len)) == NULL)
		goto out;
	st = STATUS_INVALID;
	if (!is_acceptable_login((struct bytes){ folded, len }))
		goto out;
	memcpy(out, folded, len);
	out[len] = '\0';
	st = STATUS_OK;
out:
	free(folded);
	return st;
}

bool
text_is_canonical_login(const char *login)
{
	char canonical[TEXT_LOGIN_MAX_BYTES + 1];

	return text_canonical_login(bytes_of(login), canonical) == STATUS_OK && strcmp(login, canonical) == 0;
}

static bool
is_acceptable_password(struct bytes typed)
{
	if (typed.len == 0 || typed.len > TEXT_PASSWORD_MAX_BYTES || u8_check(typed.data, typed.len) != NULL)
		return false;
	for (size_t i = 0; i < typed.len; i++) {
		if (typed.data[i] < 0x20 || typed.data[i] == 0x7f)
			return false;
	}
	return true;
}

enum status
text_password(struct bytes typed, struct secret **out, size_t *out_points)
{
	struct secret *normal = NULL;
	uint8_t *made;
	size_t len, points;
	enum status st;

	if (!is_acceptable_password(typed))
		return STATUS_INVALID;
	len = typed.len * NFC_GROWTH_MAX;
	if ((st = secret_new(len, &normal)) != STATUS_OK)
		return st;
	made = u8_normalize(UNINORM_NFC, typed.data, typed.len, secret_data(normal), &len);
	if (made != secret_data(normal)) {      /* it did not fit, against annex 15: keep no copy outside */
		if (made != NULL)
			secret_wipe(made, len);
		free(made);
		secret_free(&normal);
		return STATUS_INTERNAL;
	}
	secret_truncate(normal, len);
	points = u8_mbsnlen(secret_data(normal), len);
	if (points > TEXT_PASSWORD_MAX_POINTS) {
		secret_free(&normal);
		return STATUS_INVALID;
	}
	*out = normal;
	*out_points = points;
	return STATUS_OK;
}

enum status
text_fold(struct bytes text, uint8_t out[static TEXT_FOLDED_MAX_BYTES], size_t *out_len)
{
	size_t len = TEXT_FOLDED_MAX_BYTES;
	uint8_t *made;

	if (text.len == 0 || text.len > NFC_GROWTH_MAX * TEXT_PASSWORD_MAX_BYTES || u8_check(text.data, text.len) != NULL)
		return STATUS_INVALID;
	made = u8_casefold(text.data, text.len, NULL, NULL, out, &len);
	if (made != out) {      /* it did not fit after all: keep no copy outside */
		if (made != NULL)
			secret_wipe(made, len);
		free(made);
		return STATUS_INTERNAL;
	}
	*out_len = len;
	return STATUS_OK;
}

bool
text_is_printable(struct bytes text)
{
	ucs4_t c;

	for (size_t i = 0; i < text.len;) {
		int n = u8_mbtoucr(&c, text.data + i, text.len - i);

		if (n <= 0 || is_control(c))
			return false;
		i += (size_t)n;
	}
	return true;
}

size_t
text_points(struct bytes text)
{
	return text.len == 0 || u8_check(text.data, text.len) != NULL ? 0 : u8_mbsnlen(text.data, text.len);
}

void
text_sanitize(struct bytes text, char *out, size_t capacity)
{
	size_t at = 0;
	ucs4_t c;

	if (capacity == 0)
		return;
	for (size_t i = 0; i < text.len;) {
		int n = u8_mbtoucr(&c, text.data + i, text.len - i);
		bool good = n > 0 && !is_control(c);
		size_t taken = n > 0 ? (size_t)n : 1, wanted = good ? taken : 1;

		if (at + wanted >= capacity)
			break;
		if (good)
			memcpy(out + at, text.data + i, taken);
		else
			out[at] = '?';
		at += wanted;
		i += taken;
	}
	out[at] = '\0';
}
