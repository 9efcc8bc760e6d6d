/* fuzz_config.c: any bytes as a configuration: right in every line, or refused with words. */
#include <string.h>

#include "core/base/config.h"
#include "core/base/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

struct target { char *name, *note, *url; int64_t count; bool on; };

#define AT(member) offsetof(struct target, member)

static const struct config_key keys[] = {
	{ "main", "name", CONFIG_TEXT, AT(name), "nobody", 1, 8, "What it is called." },
	{ "main", "note", CONFIG_TEXT, AT(note), "", 0, 200, "A remark." },
	{ "main", "count", CONFIG_INTEGER, AT(count), "7", -3, 100, "How many." },
	{ "main", "on", CONFIG_BOOLEAN, AT(on), "yes", 0, 0, "Is it on?" },
	{ "realm store", "url", CONFIG_TEXT, AT(url), "", 0, 64, "Where it is." },
	{ "other", NULL, CONFIG_TEXT, 0, NULL, 0, 0, "Another program's." },
};

enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

static void
expect_text(const char *text, size_t min, size_t max)
{
	INSIST(text != NULL && strlen(text) >= min && strlen(text) <= max);
	INSIST(text_is_printable(bytes_of(text)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char error[CONFIG_ERROR_BYTES] = "";
	struct target target = { .name = NULL };
	enum status st = config_load(fuzz_file(data, len), keys, KEY_COUNT, &target, error);

	if (st == STATUS_OK) {
		expect_text(target.name, 1, 8);
		expect_text(target.note, 0, 200);
		expect_text(target.url, 0, 64);
		INSIST(target.count >= -3 && target.count <= 100);
	} else {
		INSIST(st == STATUS_INVALID);
		INSIST(error[0] != '\0' && memchr(error, '\0', sizeof error) != NULL);
		INSIST(target.name == NULL && target.note == NULL && target.url == NULL);
	}
	config_free_values(keys, KEY_COUNT, &target);
	return 0;
}
