/* test_pam_reply_mac.c: the code that binds a reply to one question of one host. */
#include "tests/support/unit.h"

#include <string.h>

#include "core/credential/pam_reply_mac.h"

#define SECRET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ"         /* 43 characters */
/* From Python's hashlib.blake2b, after the text of pam_reply_mac.h. */
#define KNOWN "1OFOznQsVZZffOUEvAZh4-QcQbsa4JlpU6jVgqBKm0U"

static struct pam_reply_bound
known(void)
{
	return (struct pam_reply_bound){ .secret = bytes_of(SECRET), .request_id = "3f2b8c1e-5a77-4d0e-9c53-0c9d6e1f2a4b",
	    .operation = "verify", .host = "2f00112233445566", .request = bytes_of("{\"user\":\"alice\"}"),
	    .reply = bytes_of("{\"v\":1,\"answer\":\"allow\"}") };
}

static void
it_is_the_code_that_another_program_computes(void **state)
{
	const struct pam_reply_bound bound = known();
	char mac[PAM_REPLY_MAC_TEXT_BYTES];

	(void)state;
	assert_int_equal(pam_reply_mac(&bound, mac), STATUS_OK);
	assert_string_equal(mac, KNOWN);
	assert_true(pam_reply_mac_holds(&bound, KNOWN));
}

static void
expect_other(struct pam_reply_bound bound)
{
	assert_false(pam_reply_mac_holds(&bound, KNOWN));
}

static void
it_holds_for_no_other_question_host_key_or_reply(void **state)
{
	struct pam_reply_bound bound;

	(void)state;
	bound = known(), bound.secret = bytes_of("BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ"), expect_other(bound);
	bound = known(), bound.request_id = "3f2b8c1e-5a77-4d0e-9c53-0c9d6e1f2a4c", expect_other(bound);
	bound = known(), bound.operation = "decoy", expect_other(bound);
	bound = known(), bound.host = "2f00112233445567", expect_other(bound);
	bound = known(), bound.request = bytes_of("{\"user\":\"alicf\"}"), expect_other(bound);
	bound = known(), bound.reply = bytes_of("{\"v\":1,\"answer\":\"alloy\"}"), expect_other(bound);
	bound = known(), bound.reply = bytes_of("{\"v\":1,\"answer\":\"allow\"} "), expect_other(bound);
	bound = known(), bound.reply = bytes_of(""), expect_other(bound);
}

static void
another_text_is_no_code(void **state)
{
	static const char *const texts[] = { "", "=", KNOWN "=", KNOWN "A", "1OFOznQsVZZffOUEvAZh4-QcQbsa4JlpU6jVgqBKm0V",
		"1OFOznQsVZZffOUEvAZh4+QcQbsa4JlpU6jVgqBKm0U", "1OFOznQsVZZffOUEvAZh4-QcQbsa4JlpU6jVgqBKm0" };
	const struct pam_reply_bound bound = known();

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_false(pam_reply_mac_holds(&bound, texts[i]));
	assert_false(pam_reply_mac_holds(&bound, NULL));
}

static void
without_a_secret_there_is_no_code(void **state)
{
	struct pam_reply_bound bound = known();
	char mac[PAM_REPLY_MAC_TEXT_BYTES];

	(void)state;
	bound.secret = bytes_of("");
	assert_int_equal(pam_reply_mac(&bound, mac), STATUS_INVALID);
	assert_false(pam_reply_mac_holds(&bound, ""));
	bound.secret = bytes_of("fifteen letters");
	assert_int_equal(pam_reply_mac(&bound, mac), STATUS_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_code_that_another_program_computes),
		cmocka_unit_test(it_holds_for_no_other_question_host_key_or_reply),
		cmocka_unit_test(another_text_is_no_code),
		cmocka_unit_test(without_a_secret_there_is_no_code),
	};

	return cmocka_run_group_tests_name("pam_reply_mac", tests, NULL, NULL);
}
