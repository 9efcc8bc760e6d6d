/* fuzz_text.c: logins have one canonical form, passwords one normal form, and what is shown is printable. */
#include <string.h>

#include <unistr.h>
#include <uninorm.h>

#include "core/base/text.h"
#include "tests/fuzz/fuzz.h"

static void
login(struct bytes typed)
{
	char once[TEXT_LOGIN_MAX_BYTES + 1], twice[TEXT_LOGIN_MAX_BYTES + 1];

	if (text_canonical_login(typed, once) != STATUS_OK)
		return;
	INSIST(once[0] != '\0' && strlen(once) <= TEXT_LOGIN_MAX_BYTES);
	INSIST(text_is_printable(bytes_of(once)) && strpbrk(once, " \t\n") == NULL);
	INSIST(text_canonical_login(bytes_of(once), twice) == STATUS_OK && strcmp(once, twice) == 0);
}

static void
password(struct bytes typed)
{
	struct secret *once = NULL, *twice = NULL;
	size_t points = 0, points_again = 0;

	if (text_password(typed, &once, &points) != STATUS_OK)
		return;
	INSIST(typed.len <= TEXT_PASSWORD_MAX_BYTES && points >= 1 && points <= TEXT_PASSWORD_MAX_POINTS);
	INSIST(u8_mbsnlen(secret_view(once).data, secret_view(once).len) == points);
	if (text_password(secret_view(once), &twice, &points_again) == STATUS_OK)
		INSIST(points == points_again && bytes_equal(secret_view(once), secret_view(twice)));
	secret_free(&once);
	secret_free(&twice);
}

static void
shown(struct bytes text, size_t capacity)
{
	char *out = malloc(capacity);

	text_sanitize(text, out, capacity);
	INSIST(strlen(out) < capacity);
	INSIST(text_is_printable(bytes_of(out)));
	if (text.len < capacity && text_is_printable(text))
		INSIST(strlen(out) == text.len && memcmp(out, text.data, text.len) == 0);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes text = { data, len };

	login(text);
	password(text);
	shown(text, len > 0 ? 1u + data[0] : 1u);
	shown(text, 1024);
	return 0;
}
