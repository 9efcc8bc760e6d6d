/* test_breakglass.c: what a host keeps for an outage, without a host. */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/credential/breakglass.h"
#include "tests/support/failing.h"

static const struct password_cost cheap = { .memory_kib = 12288, .passes = 3 };
static char codes[BREAKGLASS_CODES_MAX][RECOVERY_CODE_TEXT_BYTES];

static struct breakglass *
with(const char *login, unsigned count)
{
	static struct breakglass made;

	memset(&made, 0, sizeof made);
	memset(made.host, 7, sizeof made.host);
	assert_int_equal(breakglass_issue(&made, login, count, &cheap, 1000, 2000, codes), STATUS_OK);
	return &made;
}

static bool
opens(struct breakglass *of, const char *login, const char *code)
{
	struct breakglass_person *person = breakglass_find(of, login);
	uint8_t tag[BREAKGLASS_TAG_BYTES];

	return person != NULL && breakglass_tag(of, person, code, tag) == STATUS_OK && breakglass_burn(person, tag);
}

static void
each_code_opens_once_whichever_comes_first(void **state)
{
	struct breakglass *glass = with("alice", 3);

	(void)state;
	assert_true(opens(glass, "alice", codes[1]));
	assert_false(opens(glass, "alice", codes[1]));
	assert_true(opens(glass, "alice", codes[2]));
	assert_true(opens(glass, "alice", codes[0]));
	assert_int_equal(breakglass_find(glass, "alice")->code_count, 0);
	assert_false(opens(glass, "alice", codes[0]));
}

static void
a_code_is_bound_to_host_login_and_end(void **state)
{
	struct breakglass *glass = with("alice", 1);
	struct breakglass_person *alice = breakglass_find(glass, "alice");

	(void)state;
	glass->host[0]++;
	assert_false(opens(glass, "alice", codes[0]));
	glass->host[0]--;
	alice->expires_at_s++;
	assert_false(opens(glass, "alice", codes[0]));
	alice->expires_at_s--;
	(void)strcpy(alice->login, "alicf");
	assert_false(opens(glass, "alicf", codes[0]));
	(void)strcpy(alice->login, "alice");
	assert_true(opens(glass, "alice", codes[0]));
}

static void
what_is_no_code_is_invalid(void **state)
{
	struct breakglass *glass = with("alice", 1);
	uint8_t tag[BREAKGLASS_TAG_BYTES];

	(void)state;
	assert_int_equal(breakglass_tag(glass, breakglass_find(glass, "alice"), "123456", tag), STATUS_INVALID);
	assert_int_equal(breakglass_tag(glass, breakglass_find(glass, "alice"), "", tag), STATUS_INVALID);
}

static void
bounds_of_people_and_codes_hold(void **state)
{
	struct breakglass *glass = with("p0", 1);
	char login[8];

	(void)state;
	assert_int_equal(breakglass_issue(glass, "p0", 0, &cheap, 1, 2, codes), STATUS_INVALID);
	assert_int_equal(breakglass_issue(glass, "p0", BREAKGLASS_CODES_MAX + 1, &cheap, 1, 2, codes), STATUS_INVALID);
	for (unsigned i = 1; i < BREAKGLASS_PEOPLE_MAX; i++) {
		(void)snprintf(login, sizeof login, "p%u", i);
		assert_int_equal(breakglass_issue(glass, login, 1, &cheap, 1, 2, codes), STATUS_OK);
	}
	assert_int_equal(breakglass_issue(glass, "one-more", 1, &cheap, 1, 2, codes), STATUS_CONFLICT);
	assert_int_equal(breakglass_issue(glass, "p3", 2, &cheap, 1, 2, codes), STATUS_OK);        /* in the place of the old ones */
	breakglass_remove(glass, breakglass_find(glass, "p3"));
	assert_null(breakglass_find(glass, "p3"));
	assert_int_equal(breakglass_issue(glass, "one-more", 1, &cheap, 1, 2, codes), STATUS_OK);
}

/* As many reports as there may be, each as long as it may be, and everybody with every code. */
static void
the_fullest_file_there_can_be_is_read_as_it_was_written(void **state)
{
	struct breakglass *glass = with("p0", BREAKGLASS_CODES_MAX);
	struct breakglass *again = calloc(1, sizeof *again);
	const char *wrong = NULL;
	char *text = NULL;
	size_t len = 0;

	(void)state;
	for (unsigned i = 1; i < BREAKGLASS_PEOPLE_MAX; i++) {
		glass->people[i] = glass->people[0];
		memset(glass->people[i].login, (int)('a' + i), TEXT_LOGIN_MAX_BYTES);
	}
	glass->person_count = BREAKGLASS_PEOPLE_MAX;
	for (unsigned i = 0; i < BREAKGLASS_REPORTS_MAX; i++)
		assert_int_equal(breakglass_report(glass, BREAKGLASS_USED, &glass->people[1 + i % 15], 253402300799), STATUS_OK);
	assert_int_equal(breakglass_report(glass, BREAKGLASS_USED, &glass->people[0], 1), STATUS_OVERLOADED);
	assert_int_equal(breakglass_print(glass, &text, &len), STATUS_OK);
	assert_in_range(len, 1, BREAKGLASS_TEXT_MAX);
	assert_int_equal(breakglass_parse((struct bytes){ (const uint8_t *)text, len }, again, &wrong), STATUS_OK);
	assert_memory_equal(again->reports, glass->reports, sizeof again->reports);
	assert_int_equal(again->person_count, BREAKGLASS_PEOPLE_MAX);
	for (size_t at = 0; at < len; at += 997) {      /* any byte that is another */
		text[at] ^= 1;
		assert_int_equal(breakglass_parse((struct bytes){ (const uint8_t *)text, len }, again, &wrong), STATUS_INVALID);
		text[at] ^= 1;
	}
	assert_int_equal(breakglass_parse((struct bytes){ NULL, 0 }, again, &wrong), STATUS_INVALID);
	free(text);
	free(again);
}

static void
uses_of_tickets_leave_room_for_everything_that_can_happen_to_codes(void **state)
{
	struct breakglass *glass = with("alice", BREAKGLASS_CODES_MAX);
	unsigned tickets = 0, others = 0;

	(void)state;
	while (breakglass_report(glass, BREAKGLASS_TICKET_USED, &glass->people[0], 5) == STATUS_OK)
		tickets++;
	while (breakglass_report(glass, BREAKGLASS_USED, &glass->people[0], 5) == STATUS_OK)
		others++;
	assert_in_range(tickets, 400, BREAKGLASS_REPORTS_MAX);
	assert_in_range(others, BREAKGLASS_PEOPLE_MAX * (BREAKGLASS_CODES_MAX + 2), BREAKGLASS_REPORTS_MAX);
}

static void
reports_leave_in_any_order_and_others_stay(void **state)
{
	struct breakglass *glass = with("alice", 2);
	char first[UUID_TEXT_BYTES];

	(void)state;
	assert_int_equal(breakglass_report(glass, BREAKGLASS_USED, &glass->people[0], 5), STATUS_OK);
	assert_int_equal(breakglass_report(glass, BREAKGLASS_REVOKED, &glass->people[0], 6), STATUS_OK);
	assert_int_equal(glass->reports[0].left, 2);
	assert_int_equal(glass->reports[1].left, 0);
	memcpy(first, glass->reports[0].id, sizeof first);
	breakglass_forget_report(glass, first);
	breakglass_forget_report(glass, first);
	assert_int_equal(glass->report_count, 1);
	assert_int_equal(glass->reports[0].event, BREAKGLASS_REVOKED);
}

static void
without_entropy_or_memory_nothing_is_issued(void **state)
{
	struct breakglass *glass = with("alice", 1);
	char *text = NULL;
	size_t len = 0;

	(void)state;
	failing_at(FAILING_ENTROPY, 1, EIO);
	assert_int_equal(breakglass_issue(glass, "bob", 1, &cheap, 1, 2, codes), STATUS_INTERNAL);
	assert_null(breakglass_find(glass, "bob"));
	failing_at(FAILING_ENTROPY, 1, EIO);
	assert_int_equal(breakglass_report(glass, BREAKGLASS_USED, &glass->people[0], 5), STATUS_INTERNAL);
	assert_int_equal(glass->report_count, 0);
	failing_at(FAILING_MEMORY, 1, ENOMEM);
	assert_int_equal(breakglass_print(glass, &text, &len), STATUS_NO_MEMORY);
}

static void
events_have_names_and_nothing_else_has(void **state)
{
	(void)state;
	assert_string_equal(breakglass_event_name(BREAKGLASS_USED), "used");
	assert_null(breakglass_event_name(0));
	assert_null(breakglass_event_name(BREAKGLASS_EVENTS_END));
	assert_null(breakglass_event_name(UINT32_MAX));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_code_opens_once_whichever_comes_first),
		cmocka_unit_test(a_code_is_bound_to_host_login_and_end),
		cmocka_unit_test(what_is_no_code_is_invalid),
		cmocka_unit_test(bounds_of_people_and_codes_hold),
		cmocka_unit_test(the_fullest_file_there_can_be_is_read_as_it_was_written),
		cmocka_unit_test(uses_of_tickets_leave_room_for_everything_that_can_happen_to_codes),
		cmocka_unit_test(reports_leave_in_any_order_and_others_stay),
		cmocka_unit_test_teardown(without_entropy_or_memory_nothing_is_issued, failing_stop),
		cmocka_unit_test(events_have_names_and_nothing_else_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
