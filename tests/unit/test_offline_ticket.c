/* test_offline_ticket.c: a ticket holds for one user, host and ssh key, under one key, for its time; all else is refused. */
#include "core/credential/offline_ticket.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"

#define FINGERPRINT "SHA256:KB/K+YzaIcXpR2Ns8Pu2wDNFHk+MNq+ATcL/easb90U"
#define ISSUED  INT64_C(1795522736)
#define EXPIRES (ISSUED + OFFLINE_TICKET_LIFE_MAX_S)
/* of the seed 00 01 02 ... 1f, by python3-cryptography 38.0.4 over the message that the header describes */
#define SIGNATURE "BDDqQo31AyQM3ev3zZc5XZMLxLpp5u480ueYLGBuBNaGj5GEtjYwmiGTWcjuxC2-uS0x6rwSSOwaOLVRyo2cDQ"
#define TICKET    "cft1.1795522736.1795551536." SIGNATURE
#define KEY_LINE  "counterfoil-ticket-key A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"

static const struct offline_ticket_bound alice = { "alice", "2f00112233445566", FINGERPRINT };
static const struct offline_ticket_life full = { ISSUED, EXPIRES };

static const uint8_t *
seed(uint8_t first)
{
	static uint8_t bytes[OFFLINE_TICKET_SEED_BYTES];

	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(first + i);
	return bytes;
}

static struct offline_ticket_keys
keys_of(const char *text)
{
	struct offline_ticket_keys keys;

	assert_int_equal(offline_ticket_keys_parse(bytes_of(text), &keys), STATUS_OK);
	return keys;
}

static enum offline_ticket_state
judge(const char *ticket, const struct offline_ticket_bound *bound, int64_t now_s)
{
	const struct offline_ticket_keys keys = keys_of(KEY_LINE);
	struct offline_ticket_life life;

	return offline_ticket_judge(bytes_of(ticket), bound, &keys, now_s, &life);
}

static void
signing_gives_what_another_program_computes(void **state)
{
	char ticket[OFFLINE_TICKET_TEXT_BYTES], line[OFFLINE_TICKET_KEY_LINE_BYTES];
	const struct offline_ticket_keys keys = keys_of(KEY_LINE);
	struct offline_ticket_life life = { 0, 0 };

	(void)state;
	assert_int_equal(offline_ticket_sign(seed(0), &alice, &full, ticket), STATUS_OK);
	assert_string_equal(ticket, TICKET);
	offline_ticket_key_line(seed(0), line);
	assert_string_equal(line, KEY_LINE);
	assert_int_equal(offline_ticket_judge(bytes_of(TICKET), &alice, &keys, ISSUED + 1, &life), OFFLINE_TICKET_GOOD);
	assert_int_equal(life.issued_at_s, ISSUED);
	assert_int_equal(life.expires_at_s, EXPIRES);
}

static void
it_holds_for_no_other_user_host_or_ssh_key(void **state)
{
	static const struct offline_ticket_bound others[] = {
		{ "alicf", "2f00112233445566", FINGERPRINT }, { "Alice", "2f00112233445566", FINGERPRINT },
		{ "alice", "2f00112233445567", FINGERPRINT },
		{ "alice", "2f00112233445566", "SHA256:KB/K+YzaIcXpR2Ns8Pu2wDNFHk+MNq+ATcL/easb91U" },
		{ "alice2", "f00112233445566", FINGERPRINT },           /* the same letters in a row */
		{ "", "2f00112233445566", FINGERPRINT }, { "alice", "", FINGERPRINT }, { "alice", "2f00112233445566", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_int_equal(judge(TICKET, &others[i], ISSUED), OFFLINE_TICKET_INVALID);
}

static void
it_has_a_beginning_and_an_end(void **state)
{
	(void)state;
	assert_int_equal(judge(TICKET, &alice, ISSUED - OFFLINE_TICKET_SKEW_S - 1), OFFLINE_TICKET_FUTURE);
	assert_int_equal(judge(TICKET, &alice, ISSUED - OFFLINE_TICKET_SKEW_S), OFFLINE_TICKET_GOOD);
	assert_int_equal(judge(TICKET, &alice, EXPIRES - 1), OFFLINE_TICKET_GOOD);
	assert_int_equal(judge(TICKET, &alice, EXPIRES), OFFLINE_TICKET_EXPIRED);
	assert_int_equal(judge(TICKET, &alice, 0), OFFLINE_TICKET_FUTURE);
	assert_int_equal(judge(TICKET, &alice, INT64_MAX), OFFLINE_TICKET_EXPIRED);
}

static void
no_byte_of_it_may_be_another_and_none_may_be_missing_or_too_many(void **state)
{
	char text[sizeof TICKET + 1];

	(void)state;
	for (size_t i = 0; i < sizeof TICKET - 1; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(text, TICKET, sizeof TICKET);
			text[i] = (char)(text[i] ^ (1 << bit));
			if (text[i] != '\0')
				assert_int_equal(judge(text, &alice, ISSUED), OFFLINE_TICKET_INVALID);
		}
	for (size_t len = 0; len < sizeof TICKET - 1; len++) {
		memcpy(text, TICKET, len);
		text[len] = '\0';
		assert_int_equal(judge(text, &alice, ISSUED), OFFLINE_TICKET_INVALID);
	}
	(void)snprintf(text, sizeof text, "%s\n", TICKET);
	assert_int_equal(judge(text, &alice, ISSUED), OFFLINE_TICKET_INVALID);
}

static void
it_has_one_spelling_and_one_version(void **state)
{
	static const char *const texts[] = {
		"cft2.1795522736.1795551536." SIGNATURE, "CFT1.1795522736.1795551536." SIGNATURE,
		"cft1.01795522736.1795551536." SIGNATURE, "cft1.+1795522736.1795551536." SIGNATURE,
		"cft1. 1795522736.1795551536." SIGNATURE, "cft1.1795522736 .1795551536." SIGNATURE,
		"cft1.1795522736.1795551536." SIGNATURE "==", "cft1.1795522736.1795551536.." SIGNATURE,
		"cft1.1795522736.1795551536.BDDqQo31AyQM3ev3zZc5XZMLxLpp5u480ueYLGBuBNaGj5GEtjYwmiGTWcjuxC2-uS0x6rwSSOwaOLVRyo2cDR",
		"cft1.1795522736.1795551536.BDDqQo31AyQM3ev3zZc5XZMLxLpp5u480ueYLGBuBNaGj5GEtjYwmiGTWcjuxC2+uS0x6rwSSOwaOLVRyo2cDQ",
		"cft1.1795551536.1795522736." SIGNATURE, "cft1.17955227361795551536." SIGNATURE,
		"cft1.1795522736.9999999999999." SIGNATURE, "cft1.0.28800." SIGNATURE, "",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_int_equal(judge(texts[i], &alice, ISSUED), OFFLINE_TICKET_INVALID);
}

static void
another_key_signs_for_nobody_and_one_of_several_is_enough(void **state)
{
	char ticket[OFFLINE_TICKET_TEXT_BYTES], lines[2][OFFLINE_TICKET_KEY_LINE_BYTES], text[256];
	struct offline_ticket_keys both;
	struct offline_ticket_life life;

	(void)state;
	assert_int_equal(offline_ticket_sign(seed(1), &alice, &full, ticket), STATUS_OK);
	assert_int_equal(judge(ticket, &alice, ISSUED), OFFLINE_TICKET_INVALID);
	offline_ticket_key_line(seed(0), lines[0]);
	offline_ticket_key_line(seed(1), lines[1]);
	(void)snprintf(text, sizeof text, "# old and new\n\n%s\n%s\n", lines[0], lines[1]);
	both = keys_of(text);
	assert_int_equal(both.count, 2);
	assert_int_equal(offline_ticket_judge(bytes_of(ticket), &alice, &both, ISSUED, &life), OFFLINE_TICKET_GOOD);
	assert_int_equal(offline_ticket_judge(bytes_of(TICKET), &alice, &both, ISSUED, &life), OFFLINE_TICKET_GOOD);
	both.count = 0;
	assert_int_equal(offline_ticket_judge(bytes_of(TICKET), &alice, &both, ISSUED, &life), OFFLINE_TICKET_INVALID);
}

/* 8 h bound what is signed and what is verified: a service that signs more is not believed. */
static void
nothing_lives_longer_than_eight_hours_or_shorter_than_a_second(void **state)
{
	static const struct offline_ticket_life lives[] = { { ISSUED, EXPIRES + 1 }, { ISSUED, ISSUED },
		{ ISSUED, ISSUED - 1 }, { 0, 1 }, { -1, 1 }, { INT64_MAX - 1, INT64_MAX }, { ISSUED, INT64_MAX } };
	char ticket[OFFLINE_TICKET_TEXT_BYTES], long_name[OFFLINE_TICKET_FIELD_MAX + 2];
	struct offline_ticket_bound bound = alice;

	(void)state;
	for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++)
		assert_int_equal(offline_ticket_sign(seed(0), &alice, &lives[i], ticket), STATUS_INVALID);
	memset(long_name, 'a', sizeof long_name);
	long_name[OFFLINE_TICKET_FIELD_MAX + 1] = '\0';
	bound.user = long_name;
	assert_int_equal(offline_ticket_sign(seed(0), &bound, &full, ticket), STATUS_INVALID);
	long_name[OFFLINE_TICKET_FIELD_MAX] = '\0';
	assert_int_equal(offline_ticket_sign(seed(0), &bound, &full, ticket), STATUS_OK);
	assert_int_equal(judge(ticket, &bound, ISSUED), OFFLINE_TICKET_GOOD);
	bound.user = "";
	assert_int_equal(offline_ticket_sign(seed(0), &bound, &full, ticket), STATUS_INVALID);
}

static void
a_file_of_keys_is_lines_of_keys_and_nothing_else(void **state)
{
	static const char *const bad[] = { "", "\n", "# none\n", "counterfoil-ticket-key \n", KEY_LINE "A\n", KEY_LINE " \n",
		" " KEY_LINE "\n", KEY_LINE "\nx\n", "counterfoil-ticket-key A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbh\n",
		KEY_LINE "\r\n", KEY_LINE "\n" KEY_LINE "\n" KEY_LINE "\n" KEY_LINE "\n" KEY_LINE "\n" };
	struct offline_ticket_keys keys;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(offline_ticket_keys_parse(bytes_of(bad[i]), &keys), STATUS_INVALID);
		assert_int_equal(keys.count, 0);
	}
	assert_int_equal(keys_of(KEY_LINE "\n" KEY_LINE "\n" KEY_LINE "\n" KEY_LINE).count, OFFLINE_TICKET_KEYS_MAX);
}

/* A key of small order verifies nothing: with one, a signature of zeros would do for any message. */
static void
a_key_that_is_no_point_of_full_order_verifies_nothing(void **state)
{
	static const char zeros[] = "counterfoil-ticket-key AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	static const char forged[] = "cft1.1795522736.1795551536.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	    "AAAAAAAAAAAAAAAAAAAAAA";
	const struct offline_ticket_keys keys = keys_of(zeros);
	struct offline_ticket_life life;

	(void)state;
	assert_int_equal(offline_ticket_judge(bytes_of(forged), &alice, &keys, ISSUED, &life), OFFLINE_TICKET_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signing_gives_what_another_program_computes),
		cmocka_unit_test(it_holds_for_no_other_user_host_or_ssh_key),
		cmocka_unit_test(it_has_a_beginning_and_an_end),
		cmocka_unit_test(no_byte_of_it_may_be_another_and_none_may_be_missing_or_too_many),
		cmocka_unit_test(it_has_one_spelling_and_one_version),
		cmocka_unit_test(another_key_signs_for_nobody_and_one_of_several_is_enough),
		cmocka_unit_test(nothing_lives_longer_than_eight_hours_or_shorter_than_a_second),
		cmocka_unit_test(a_file_of_keys_is_lines_of_keys_and_nothing_else),
		cmocka_unit_test(a_key_that_is_no_point_of_full_order_verifies_nothing),
	};

	return cmocka_run_group_tests_name("offline_ticket", tests, NULL, NULL);
}
