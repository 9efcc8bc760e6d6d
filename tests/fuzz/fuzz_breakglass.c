/* fuzz_breakglass.c: any bytes as a host's file of break-glass codes, once as they are and once with the sum that belongs to
 * them: what is taken prints as the same bytes, is within all bounds, and a code that nobody made opens nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/base/encoding.h"
#include "core/credential/breakglass.h"
#include "tests/fuzz/fuzz.h"

static void
expect_bounds(struct breakglass *codes)
{
	const uint8_t nothing[BREAKGLASS_TAG_BYTES] = { 0 };

	INSIST(codes->person_count <= BREAKGLASS_PEOPLE_MAX && codes->report_count <= BREAKGLASS_REPORTS_MAX);
	for (unsigned i = 0; i < codes->person_count; i++) {
		struct breakglass_person *person = &codes->people[i];
		unsigned before = person->code_count;

		INSIST(before <= BREAKGLASS_CODES_MAX && person->login[0] != '\0');
		INSIST(password_cost_is_acceptable(&person->cost));
		INSIST(breakglass_find(codes, person->login) == person);
		INSIST(breakglass_burn(person, nothing) == (person->code_count < before));
	}
	for (unsigned i = 0; i < codes->report_count; i++)
		INSIST(encoding_is_uuid(codes->reports[i].id) && breakglass_event_name(codes->reports[i].event) != NULL);
}

static void
try_text(struct bytes text)
{
	static struct breakglass codes;
	const char *wrong = NULL;
	char *again = NULL;
	size_t len = 0;
	enum status st = breakglass_parse(text, &codes, &wrong);

	if (st != STATUS_OK) {
		INSIST(st == STATUS_INVALID && wrong != NULL);
		return;
	}
	INSIST(breakglass_print(&codes, &again, &len) == STATUS_OK);
	INSIST(len == text.len && memcmp(again, text.data, len) == 0);
	free(again);
	expect_bounds(&codes);
}

/* What a forger who knows the form would write. */
static void
try_with_sum(const uint8_t *data, size_t len)
{
	static const char head[] = "counterfoil-breakglass 1\n";
	uint8_t *text = malloc(sizeof head + len + 80), digest[32];
	size_t at = sizeof head - 1 + len;

	INSIST(text != NULL);
	memcpy(text, head, sizeof head - 1);
	if (len > 0)
		memcpy(text + sizeof head - 1, data, len);
	(void)crypto_generichash(digest, sizeof digest, text, at, NULL, 0);
	memcpy(text + at, "end ", 4);
	encoding_hex((struct bytes){ digest, sizeof digest }, (char *)text + at + 4);
	text[at + 68] = '\n';
	try_text((struct bytes){ text, at + 69 });
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try_text((struct bytes){ data, len });
	if (len <= BREAKGLASS_TEXT_MAX)
		try_with_sum(data, len);
	return 0;
}
