#include "core/base/bytes.h"

#include <string.h>

struct bytes
bytes_of(const char *text)
{
	if (text == NULL)
		return (struct bytes){ NULL, 0 };
	return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

int
bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}
