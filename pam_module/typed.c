#include "pam_module/typed.h"

#include <string.h>

enum { GROUP = 4, GROUPED_LEN = TYPED_RECOVERY_SYMBOLS + TYPED_RECOVERY_SYMBOLS / GROUP - 1 };

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_base32(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7');
}

/* Copy TEXT without spaces and with at most MAX_DASHES dashes left out; 0: too long or more dashes than that. */
static size_t
squeeze(const char *text, size_t max_dashes, char *out, size_t capacity)
{
	size_t len = 0, dashes = 0;

	for (; *text != '\0'; text++) {
		if (*text == ' ')
			continue;
		if (*text == '-') {
			if (++dashes > max_dashes)
				return 0;
			continue;
		}
		if (len + 1 >= capacity)
			return 0;
		out[len++] = *text;
	}
	out[len] = '\0';
	return len;
}

static bool
consists_of(const char *text, bool (*belongs)(char))
{
	for (; *text != '\0'; text++)
		if (!belongs(*text))
			return false;
	return true;
}

enum typed_code
typed_normalize_code(struct answer_text *typed)
{
	char code[TYPED_RECOVERY_SYMBOLS + 2];
	enum typed_code kind = TYPED_NEITHER;

	if (squeeze(typed->text, 1, code, sizeof code) == TYPED_CODE_DIGITS && consists_of(code, is_digit))
		kind = TYPED_TOTP;
	else if (squeeze(typed->text, TYPED_RECOVERY_SYMBOLS, code, sizeof code) == TYPED_RECOVERY_SYMBOLS &&
	    consists_of(code, is_base32))
		kind = TYPED_RECOVERY;
	if (kind != TYPED_NEITHER) {
		explicit_bzero(typed, sizeof *typed);
		memcpy(typed->text, code, strlen(code) + 1);
	}
	explicit_bzero(code, sizeof code);
	return kind;
}

/* "ABCD-EFGH-IJKL-MNOP-QRST-UVWX" exactly: without its dashes it could be the end of a long password. */
static bool
is_grouped_recovery_code(const char *text)
{
	for (size_t i = 0; i < GROUPED_LEN; i++) {
		bool dash = i % (GROUP + 1) == GROUP;

		if (dash ? text[i] != '-' : !is_base32(text[i]))
			return false;
	}
	return text[GROUPED_LEN] == '\0';
}

bool
typed_split(struct answer_text *password, struct answer_text *code)
{
	size_t len = strlen(password->text), code_len = 0;

	if (len > GROUPED_LEN && is_grouped_recovery_code(password->text + len - GROUPED_LEN))
		code_len = GROUPED_LEN;
	else if (len > TYPED_CODE_DIGITS && consists_of(password->text + len - TYPED_CODE_DIGITS, is_digit))
		code_len = TYPED_CODE_DIGITS;
	if (code_len == 0)
		return false;
	memcpy(code->text, password->text + len - code_len, code_len + 1);
	explicit_bzero(password->text + len - code_len, code_len);
	return true;
}

bool
typed_is_sshd_junk(const char *text)
{
	static const char junk[] = "\b\n\r\177INCORRECT";
	size_t i;

	for (i = 0; text[i] != '\0'; i++)
		if (text[i] != junk[i % (sizeof junk - 1)])
			return false;
	return i > 0;
}
