#include "pam_module/text_rules.h"

#include <stdint.h>
#include <string.h>

/* The number of bytes of the character at TEXT, 0 when it is malformed (Unicode 15, table 3-7). */
static size_t
character(const unsigned char *text, size_t left)
{
	static const struct {
		unsigned char first_low, first_high, second_low, second_high;
		size_t len;
	} forms[] = {
		{ 0x20, 0x7e, 0, 0, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		if (text[0] < forms[i].first_low || text[0] > forms[i].first_high)
			continue;
		if (forms[i].len > left)
			return 0;
		if (forms[i].len > 1 && (text[1] < forms[i].second_low || text[1] > forms[i].second_high))
			return 0;
		for (size_t k = 2; k < forms[i].len; k++)
			if (text[k] < 0x80 || text[k] > 0xbf)
				return 0;
		return forms[i].len;
	}
	return 0;
}

bool
text_rules_hold(const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n)
		if ((n = character((const unsigned char *)text + i, len - i)) == 0)
			return false;
	return true;
}

bool
text_rules_is_token(const char *text, size_t max)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.@";
	size_t len = strnlen(text, max + 1);

	return len > 0 && len <= max && strspn(text, allowed) == len;
}
