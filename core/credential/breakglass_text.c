/* breakglass_text.c: the one text of a host's break-glass codes:
 *
 *     counterfoil-breakglass 1
 *     host DIGEST
 *     outage FIRST LAST COUNT
 *     person LOGIN ISSUED EXPIRES FAILURES BLOCKED-UNTIL MEMORY-KIB PASSES SALT       any number, each with its codes:
 *     code TAG
 *     report ID EVENT LOGIN AT LEFT EXPIRES                                           any number, oldest first
 *     end DIGEST-OF-ALL-ABOVE
 *
 * Logins and bytes are hex, times are seconds since the epoch.  A value has one spelling: what is read is printed again,
 * and has to come out the same. */
#include "core/credential/breakglass.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/base/encoding.h"

#define HEAD "counterfoil-breakglass 1\n"
#define END_BYTES (sizeof "end \n" - 1 + 2 * DIGEST_BYTES_OF_END)
#define DIGEST_BYTES_OF_END 32
#define NUMBER_MAX 253402300799                 /* the last second of the year 9999 */
#define HEX_MAX ENCODING_HEX_BYTES(TEXT_LOGIN_MAX_BYTES)

const char *
breakglass_event_name(uint32_t event)
{
	static const char *const names[BREAKGLASS_EVENTS_END] = { NULL, "issued", "used", "revoked", "expired", "ticket_used" };

	return event < BREAKGLASS_EVENTS_END ? names[event] : NULL;
}

/* --- printing ------------------------------------------------------------------------------------------------------- */

struct text {
	char *data;             /* of BREAKGLASS_TEXT_MAX bytes */
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void
add(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->data + text->len, BREAKGLASS_TEXT_MAX - text->len, format, args);
	va_end(args);
	if (n > 0)
		text->len += (size_t)n;
}

static void
add_hex(struct text *text, struct bytes bytes, const char *behind)
{
	char hex[HEX_MAX];

	encoding_hex(bytes, hex);
	add(text, "%s%s", hex, behind);
}

static void
add_person(struct text *text, const struct breakglass_person *person)
{
	add(text, "person ");
	add_hex(text, bytes_of(person->login), "");
	add(text, " %lld %lld %lld %lld %u %u ", (long long)person->issued_at_s, (long long)person->expires_at_s,
	    (long long)person->failures, (long long)person->blocked_until_s, person->cost.memory_kib, person->cost.passes);
	add_hex(text, (struct bytes){ person->salt, BREAKGLASS_SALT_BYTES }, "\n");
	for (unsigned i = 0; i < person->code_count; i++) {
		add(text, "code ");
		add_hex(text, (struct bytes){ person->tags[i], BREAKGLASS_TAG_BYTES }, "\n");
	}
}

static void
add_report(struct text *text, const struct breakglass_report *report)
{
	add(text, "report %s %s ", report->id, breakglass_event_name(report->event));
	add_hex(text, bytes_of(report->login), "");
	add(text, " %lld %u %lld\n", (long long)report->at_s, report->left, (long long)report->expires_at_s);
}

static void
digest_of(const char *data, size_t len, uint8_t out[static DIGEST_BYTES_OF_END])
{
	(void)crypto_generichash(out, DIGEST_BYTES_OF_END, (const uint8_t *)data, len, NULL, 0);
}

enum status
breakglass_print(const struct breakglass *from, char **out, size_t *out_len)
{
	struct text text = { .data = malloc(BREAKGLASS_TEXT_MAX) };
	uint8_t digest[DIGEST_BYTES_OF_END];

	if (text.data == NULL)
		return STATUS_NO_MEMORY;
	add(&text, HEAD "host ");
	add_hex(&text, (struct bytes){ from->host, BREAKGLASS_HOST_BYTES }, "\n");
	add(&text, "outage %lld %lld %lld\n", (long long)from->outage_first_s, (long long)from->outage_last_s,
	    (long long)from->outage_count);
	for (unsigned i = 0; i < from->person_count; i++)
		add_person(&text, &from->people[i]);
	for (unsigned i = 0; i < from->report_count; i++)
		add_report(&text, &from->reports[i]);
	digest_of(text.data, text.len, digest);
	add(&text, "end ");
	add_hex(&text, (struct bytes){ digest, sizeof digest }, "\n");
	*out = text.data;
	*out_len = text.len;
	return STATUS_OK;
}

_Static_assert(BREAKGLASS_TEXT_MAX > 512 + BREAKGLASS_PEOPLE_MAX * (HEX_MAX + 192 + BREAKGLASS_CODES_MAX * 70) +
    BREAKGLASS_REPORTS_MAX * (HEX_MAX + 128), "all that may be in it fits");

/* --- reading -------------------------------------------------------------------------------------------------------- */

struct cursor {
	const char *at, *end;
};

/* The next word, at most CAPACITY - 1 bytes, and the one byte behind it. */
static bool
take_word(struct cursor *cursor, char *out, size_t capacity)
{
	size_t len = 0;

	while (cursor->at + len < cursor->end && cursor->at[len] != ' ' && cursor->at[len] != '\n')
		len++;
	if (len == 0 || len >= capacity || cursor->at + len == cursor->end)
		return false;
	memcpy(out, cursor->at, len);
	out[len] = '\0';
	cursor->at += len + 1;
	return true;
}

static bool
take_keyword(struct cursor *cursor, const char *keyword)
{
	size_t len = strlen(keyword);

	if ((size_t)(cursor->end - cursor->at) <= len || memcmp(cursor->at, keyword, len) != 0 || cursor->at[len] != ' ')
		return false;
	cursor->at += len + 1;
	return true;
}

static bool
take_number(struct cursor *cursor, int64_t max, int64_t *out)
{
	char word[sizeof "253402300799"];
	int64_t number = 0;

	if (!take_word(cursor, word, sizeof word))
		return false;
	for (const char *at = word; *at != '\0'; at++) {
		if (*at < '0' || *at > '9')
			return false;
		number = number * 10 + (*at - '0');
	}
	*out = number;
	return number <= max;
}

static bool
take_hex(struct cursor *cursor, uint8_t *out, size_t len)
{
	char word[HEX_MAX];
	size_t got = 0;

	return take_word(cursor, word, sizeof word) &&
	    encoding_hex_decode(word, strlen(word), out, len, &got) == STATUS_OK && got == len;
}

/* Only what is a login in its canonical form. */
static bool
take_login(struct cursor *cursor, char out[static TEXT_LOGIN_MAX_BYTES + 1])
{
	char word[HEX_MAX], canonical[TEXT_LOGIN_MAX_BYTES + 1];
	size_t len = 0;

	if (!take_word(cursor, word, sizeof word) ||
	    encoding_hex_decode(word, strlen(word), (uint8_t *)out, TEXT_LOGIN_MAX_BYTES, &len) != STATUS_OK)
		return false;
	out[len] = '\0';
	return strlen(out) == len && text_canonical_login(bytes_of(out), canonical) == STATUS_OK && strcmp(canonical, out) == 0;
}

static bool
take_codes(struct cursor *cursor, struct breakglass_person *person)
{
	while (take_keyword(cursor, "code"))
		if (person->code_count == BREAKGLASS_CODES_MAX ||
		    !take_hex(cursor, person->tags[person->code_count++], BREAKGLASS_TAG_BYTES))
			return false;
	return true;
}

static bool
take_person(struct cursor *cursor, struct breakglass *to)
{
	struct breakglass_person *person = &to->people[to->person_count];
	int64_t memory_kib, passes;

	if (to->person_count == BREAKGLASS_PEOPLE_MAX || !take_login(cursor, person->login) ||
	    breakglass_find(to, person->login) != NULL || !take_number(cursor, NUMBER_MAX, &person->issued_at_s) ||
	    !take_number(cursor, NUMBER_MAX, &person->expires_at_s) || !take_number(cursor, NUMBER_MAX, &person->failures) ||
	    !take_number(cursor, NUMBER_MAX, &person->blocked_until_s) ||
	    !take_number(cursor, PASSWORD_STORED_MEMORY_KIB_MAX, &memory_kib) ||
	    !take_number(cursor, PASSWORD_STORED_PASSES_MAX, &passes) ||
	    !take_hex(cursor, person->salt, BREAKGLASS_SALT_BYTES) || !take_codes(cursor, person))
		return false;
	person->cost = (struct password_cost){ .memory_kib = (uint32_t)memory_kib, .passes = (uint32_t)passes };
	to->person_count++;
	return password_cost_is_acceptable(&person->cost);
}

static bool
take_event(struct cursor *cursor, enum breakglass_event *out)
{
	char word[16];

	if (!take_word(cursor, word, sizeof word))
		return false;
	for (uint32_t event = BREAKGLASS_ISSUED; event < BREAKGLASS_EVENTS_END; event++)
		if (strcmp(word, breakglass_event_name(event)) == 0) {
			*out = (enum breakglass_event)event;
			return true;
		}
	return false;
}

static bool
take_report(struct cursor *cursor, struct breakglass *to)
{
	struct breakglass_report *report = &to->reports[to->report_count];
	int64_t left;

	if (to->report_count == BREAKGLASS_REPORTS_MAX || !take_word(cursor, report->id, sizeof report->id) ||
	    !encoding_is_uuid(report->id) || !take_event(cursor, &report->event) || !take_login(cursor, report->login) ||
	    !take_number(cursor, NUMBER_MAX, &report->at_s) || !take_number(cursor, BREAKGLASS_CODES_MAX, &left) ||
	    !take_number(cursor, NUMBER_MAX, &report->expires_at_s))
		return false;
	report->left = (unsigned)left;
	to->report_count++;
	return true;
}

static bool
take_all(struct cursor *cursor, struct breakglass *out)
{
	if (!take_keyword(cursor, "host") || !take_hex(cursor, out->host, BREAKGLASS_HOST_BYTES) ||
	    !take_keyword(cursor, "outage") || !take_number(cursor, NUMBER_MAX, &out->outage_first_s) ||
	    !take_number(cursor, NUMBER_MAX, &out->outage_last_s) || !take_number(cursor, NUMBER_MAX, &out->outage_count))
		return false;
	while (take_keyword(cursor, "person"))
		if (!take_person(cursor, out))
			return false;
	while (take_keyword(cursor, "report"))
		if (!take_report(cursor, out))
			return false;
	return cursor->at == cursor->end;
}

static bool
is_whole(struct bytes text)
{
	char hex[ENCODING_HEX_BYTES(DIGEST_BYTES_OF_END)], end[END_BYTES + 1];
	uint8_t digest[DIGEST_BYTES_OF_END];

	digest_of((const char *)text.data, text.len - END_BYTES, digest);
	encoding_hex((struct bytes){ digest, sizeof digest }, hex);
	(void)snprintf(end, sizeof end, "end %s\n", hex);
	return memcmp(text.data + text.len - END_BYTES, end, END_BYTES) == 0;
}

static enum status
compare_with_print(struct bytes text, const struct breakglass *parsed, const char **out_wrong)
{
	char *again = NULL;
	size_t len = 0;
	enum status st = breakglass_print(parsed, &again, &len);

	if (st == STATUS_OK && (len != text.len || memcmp(again, text.data, len) != 0)) {
		*out_wrong = "is not spelled as it was written";
		st = STATUS_INVALID;
	}
	free(again);
	return st;
}

enum status
breakglass_parse(struct bytes text, struct breakglass *out, const char **out_wrong)
{
	struct cursor cursor;

	memset(out, 0, sizeof *out);
	*out_wrong = "is no file of break-glass codes";
	if (text.len < sizeof HEAD - 1 + END_BYTES || text.len > BREAKGLASS_TEXT_MAX ||
	    memcmp(text.data, HEAD, sizeof HEAD - 1) != 0)
		return STATUS_INVALID;
	*out_wrong = "is damaged: issue the codes again";
	cursor.at = (const char *)text.data + sizeof HEAD - 1;
	cursor.end = (const char *)text.data + text.len - END_BYTES;
	if (!is_whole(text) || !take_all(&cursor, out))
		return STATUS_INVALID;
	return compare_with_print(text, out, out_wrong);
}
