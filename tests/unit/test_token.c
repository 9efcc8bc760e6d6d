/* test_token.c: bearer tokens and API keys have one form each. */
#include "tests/support/unit.h"

#include <errno.h>
#include <string.h>

#include "core/base/encoding.h"
#include "core/credential/token.h"
#include "tests/support/failing.h"

#define ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"          /* 43 */

static void
token_refused(const char *text, size_t len)
{
	uint8_t raw[TOKEN_RAW_BYTES];

	if (token_parse(text, len, raw) != STATUS_INVALID)
		fail_msg("\"%.*s\" was taken", (int)len, text != NULL ? text : "");
}

static void
a_token_is_43_characters_of_32_random_bytes_r080(void **state)
{
	char text[TOKEN_TEXT_BYTES], again[TOKEN_TEXT_BYTES];
	uint8_t raw[TOKEN_RAW_BYTES], seen[TOKEN_RAW_BYTES] = { 0 };

	(void)state;
	for (int i = 0; i < 64; i++) {
		assert_int_equal(token_generate(text), STATUS_OK);
		assert_int_equal(strlen(text), TOKEN_TEXT_BYTES - 1);
		assert_int_equal(token_parse(text, strlen(text), raw), STATUS_OK);
		encoding_base64url((struct bytes){ raw, sizeof raw }, again);
		assert_string_equal(again, text);
		for (size_t k = 0; k < sizeof raw; k++)
			seen[k] |= raw[k];
	}
	assert_null(memchr(seen, 0, sizeof seen));
}

static void
no_two_tokens_are_alike(void **state)
{
	char one[TOKEN_TEXT_BYTES], other[TOKEN_TEXT_BYTES];

	(void)state;
	assert_int_equal(token_generate(one), STATUS_OK);
	assert_int_equal(token_generate(other), STATUS_OK);
	assert_string_not_equal(one, other);
}

static void
a_token_of_another_form_is_refused(void **state)
{
	(void)state;
	token_refused(NULL, 43);
	token_refused("", 0);
	token_refused(ZEROS, 42);
	token_refused(ZEROS "A", 44);
	token_refused("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB", 43);    /* spare bits */
	token_refused("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 43);
	token_refused("AAAA+AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 43);
	token_refused("AAAA AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 43);
	token_refused("AAAA\0AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 43);
	token_refused("AAAA\xff" "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 43);
}

static void
without_entropy_there_is_no_token(void **state)
{
	char text[API_KEY_TEXT_BYTES] = "untouched", id[API_KEY_ID_BYTES];

	(void)state;
	failing_at(FAILING_ENTROPY, 1, EIO);
	assert_int_equal(token_generate(text), STATUS_INTERNAL);
	assert_string_equal(text, "untouched");
	for (unsigned n = 1; n <= 2; n++) {
		failing_at(FAILING_ENTROPY, n, EIO);
		assert_int_equal(api_key_generate(REALM_STORE, text, id), STATUS_INTERNAL);
		assert_string_equal(text, "untouched");
	}
}

/* --- API keys ------------------------------------------------------------------------------------------------------- */

#define KEY "cf_1123456789abcdef_" ZEROS

static void
an_api_key_names_its_client_and_realm_and_holds_a_secret(void **state)
{
	static const enum realm realms[] = { REALM_STORE, REALM_STAFF };
	char text[API_KEY_TEXT_BYTES], id[API_KEY_ID_BYTES], parsed_id[API_KEY_ID_BYTES], secret_text[TOKEN_TEXT_BYTES];
	uint8_t secret[TOKEN_RAW_BYTES];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		enum realm realm = REALM_NONE;

		assert_int_equal(api_key_generate(realms[i], text, id), STATUS_OK);
		assert_int_equal(strlen(text), 3 + 16 + 1 + 43);
		assert_int_equal(strncmp(text, "cf_", 3), 0);
		assert_int_equal(strlen(id), 16);
		assert_int_equal(strncmp(text + 3, id, 16), 0);
		assert_int_equal(id[0], '0' + (int)realms[i]);
		assert_int_equal(api_key_parse(text, strlen(text), &realm, parsed_id, secret), STATUS_OK);
		assert_int_equal(realm, realms[i]);
		assert_string_equal(parsed_id, id);
		encoding_base64url((struct bytes){ secret, sizeof secret }, secret_text);
		assert_string_equal(secret_text, text + 20);
	}
}

static void
no_two_api_keys_are_alike(void **state)
{
	char one[API_KEY_TEXT_BYTES], other[API_KEY_TEXT_BYTES], id[API_KEY_ID_BYTES], other_id[API_KEY_ID_BYTES];

	(void)state;
	assert_int_equal(api_key_generate(REALM_STORE, one, id), STATUS_OK);
	assert_int_equal(api_key_generate(REALM_STORE, other, other_id), STATUS_OK);
	assert_string_not_equal(id, other_id);
	assert_string_not_equal(one + 20, other + 20);
}

static void
an_api_key_belongs_to_people_of_the_store_or_staff(void **state)
{
	static const enum realm bad[] = { REALM_NONE, REALM_SERVICE, (enum realm)4, (enum realm)-1 };
	char text[API_KEY_TEXT_BYTES] = "untouched", id[API_KEY_ID_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(api_key_generate(bad[i], text, id), STATUS_INVALID);
	assert_string_equal(text, "untouched");
}

static void
key_refused(const char *text, size_t len)
{
	char id[API_KEY_ID_BYTES] = "untouched";
	uint8_t secret[TOKEN_RAW_BYTES];
	enum realm realm = REALM_NONE;

	if (api_key_parse(text, len, &realm, id, secret) != STATUS_INVALID)
		fail_msg("\"%.*s\" was taken", (int)len, text != NULL ? text : "");
	assert_string_equal(id, "untouched");
	assert_int_equal(realm, REALM_NONE);
}

static void
an_api_key_of_another_form_is_refused(void **state)
{
	char id[API_KEY_ID_BYTES];
	uint8_t secret[TOKEN_RAW_BYTES];
	enum realm realm;

	(void)state;
	assert_int_equal(api_key_parse(KEY, 63, &realm, id, secret), STATUS_OK);
	assert_string_equal(id, "1123456789abcdef");
	key_refused(NULL, 63);
	key_refused("", 0);
	key_refused(KEY, 62);
	key_refused(KEY "A", 64);
	key_refused("CF_1123456789abcdef_" ZEROS, 63);
	key_refused("cf-1123456789abcdef_" ZEROS, 63);
	key_refused("cf_1123456789ABCDEF_" ZEROS, 63);
	key_refused("cf_1123456789abcdeg_" ZEROS, 63);
	key_refused("cf_1123456789abcde\0_" ZEROS, 63);
	key_refused("cf_1123456789abcdef-" ZEROS, 63);
	key_refused("cf_0123456789abcdef_" ZEROS, 63);
	key_refused("cf_3123456789abcdef_" ZEROS, 63);
	key_refused("cf_a123456789abcdef_" ZEROS, 63);
	key_refused("cf_1123456789abcdef_" "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB", 63);
	key_refused(" " KEY, 64);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_43_characters_of_32_random_bytes_r080),
		cmocka_unit_test(no_two_tokens_are_alike),
		cmocka_unit_test(a_token_of_another_form_is_refused),
		cmocka_unit_test_teardown(without_entropy_there_is_no_token, failing_stop),
		cmocka_unit_test(an_api_key_names_its_client_and_realm_and_holds_a_secret),
		cmocka_unit_test(no_two_api_keys_are_alike),
		cmocka_unit_test(an_api_key_belongs_to_people_of_the_store_or_staff),
		cmocka_unit_test(an_api_key_of_another_form_is_refused),
	};

	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
