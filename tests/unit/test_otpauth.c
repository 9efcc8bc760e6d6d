/* test_otpauth.c: the Key URI that every authenticator app reads in the same way. */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/credential/otpauth.h"
#include "tests/support/failing.h"

static const struct bytes seed = { (const uint8_t *)"12345678901234567890", 20 };
#define TAIL "&algorithm=SHA1&digits=6&period=30"
#define SECRET "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

static void
uri_is(const char *issuer, const char *account, const char *wanted)
{
	struct secret *uri = NULL;

	assert_int_equal(otpauth_uri(issuer, account, seed, &uri), STATUS_OK);
	assert_int_equal(secret_view(uri).len, strlen(wanted));
	assert_string_equal((const char *)secret_data(uri), wanted);
	secret_free(&uri);
}

static void
refused(const char *issuer, const char *account, struct bytes with_seed)
{
	struct secret *uri = NULL;

	assert_int_equal(otpauth_uri(issuer, account, with_seed, &uri), STATUS_INVALID);
	assert_null(uri);
}

/* COUNT times PIECE; free() it. */
static char *
repeat(const char *piece, size_t count)
{
	char *text = calloc(count * strlen(piece) + 1, 1);

	assert_non_null(text);
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * strlen(piece), piece, strlen(piece));
	return text;
}

static void
the_uri_names_issuer_account_and_seed(void **state)
{
	(void)state;
	uri_is("Shop", "alice", "otpauth://totp/Shop:alice?" SECRET "&issuer=Shop" TAIL);
}

static void
what_is_not_unreserved_is_percent_encoded(void **state)
{
	(void)state;
	uri_is("Big Shop & Co", "alice+x@example.com",
	    "otpauth://totp/Big%20Shop%20%26%20Co:alice%2Bx%40example.com?" SECRET "&issuer=Big%20Shop%20%26%20Co" TAIL);
	uri_is("Caf\u00e9", "a-b._~9", "otpauth://totp/Caf%C3%A9:a-b._~9?" SECRET "&issuer=Caf%C3%A9" TAIL);
	uri_is("a?b=c#d/e", "%41", "otpauth://totp/a%3Fb%3Dc%23d%2Fe:%2541?" SECRET "&issuer=a%3Fb%3Dc%23d%2Fe" TAIL);
}

static void
a_colon_would_split_the_label_in_another_place(void **state)
{
	(void)state;
	refused("Sh:op", "alice", seed);
	refused("Shop", "al:ice", seed);
}

static void
labels_are_not_empty_and_have_no_control_characters(void **state)
{
	(void)state;
	refused("", "alice", seed);
	refused("Shop", "", seed);
	refused(NULL, "alice", seed);
	refused("Shop", NULL, seed);
	refused("Sh\nop", "alice", seed);
	refused("Shop", "al\x7fice", seed);
	refused("Shop", "al\xc3", seed);
}

static void
labels_keep_to_their_length_in_code_points(void **state)
{
	char *issuer = repeat("a", 32), *issuer_over = repeat("a", 33), *account = repeat("\u00e9", 32),
	    *long_account = repeat("a", 64), *account_over = repeat("a", 65);
	struct secret *uri = NULL;

	(void)state;
	assert_int_equal(otpauth_uri(issuer, long_account, seed, &uri), STATUS_OK);
	secret_free(&uri);
	assert_int_equal(otpauth_uri(issuer, account, seed, &uri), STATUS_OK);
	secret_free(&uri);
	refused(issuer_over, "alice", seed);
	refused("Shop", account_over, seed);
	free(issuer);
	free(issuer_over);
	free(account);
	free(long_account);
	free(account_over);
}

/* A Chinese character takes nine bytes of the URI, so that 64 of them would be too many. */
static void
a_uri_has_at_most_512_bytes(void **state)
{
	const size_t room = OTPAUTH_URI_MAX_BYTES - strlen("otpauth://totp/I:?" SECRET "&issuer=I" TAIL);
	struct secret *uri = NULL;

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		size_t wide = (room + over) / 9, plain = (room + over) % 9;
		char *account = repeat("\u5f20", wide + plain);

		memset(account + 3 * wide, 'a', plain);
		account[3 * wide + plain] = '\0';
		assert_in_range(wide + plain, 1, OTPAUTH_ACCOUNT_MAX_POINTS);
		if (over) {
			refused("I", account, seed);
		} else {
			assert_int_equal(otpauth_uri("I", account, seed, &uri), STATUS_OK);
			assert_int_equal(secret_view(uri).len, OTPAUTH_URI_MAX_BYTES);
			assert_int_equal(strlen((const char *)secret_data(uri)), OTPAUTH_URI_MAX_BYTES);
			secret_free(&uri);
		}
		free(account);
	}
}

static void
the_worst_label_overruns_nothing(void **state)
{
	char *issuer = repeat("\U0001f512", 32), *account = repeat("\U0001f512", 64);

	(void)state;
	refused(issuer, account, seed);
	free(issuer);
	free(account);
}

static void
a_seed_has_16_to_64_bytes(void **state)
{
	static const uint8_t bytes[65];
	struct secret *uri = NULL;

	(void)state;
	refused("Shop", "alice", (struct bytes){ bytes, 0 });
	refused("Shop", "alice", (struct bytes){ bytes, 15 });
	refused("Shop", "alice", (struct bytes){ bytes, 65 });
	assert_int_equal(otpauth_uri("Shop", "alice", (struct bytes){ bytes, 16 }, &uri), STATUS_OK);
	secret_free(&uri);
	assert_int_equal(otpauth_uri("Shop", "alice", (struct bytes){ bytes, 64 }, &uri), STATUS_OK);
	secret_free(&uri);
}

static void
without_memory_there_is_no_uri(void **state)
{
	struct secret *uri = NULL;

	(void)state;
	failing_at(FAILING_MEMORY, 1, ENOMEM);
	assert_int_equal(otpauth_uri("Shop", "alice", seed, &uri), STATUS_NO_MEMORY);
	assert_null(uri);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_uri_names_issuer_account_and_seed),
		cmocka_unit_test(what_is_not_unreserved_is_percent_encoded),
		cmocka_unit_test(a_colon_would_split_the_label_in_another_place),
		cmocka_unit_test(labels_are_not_empty_and_have_no_control_characters),
		cmocka_unit_test(labels_keep_to_their_length_in_code_points),
		cmocka_unit_test(a_uri_has_at_most_512_bytes),
		cmocka_unit_test(the_worst_label_overruns_nothing),
		cmocka_unit_test(a_seed_has_16_to_64_bytes),
		cmocka_unit_test_teardown(without_memory_there_is_no_uri, failing_stop),
	};

	return cmocka_run_group_tests_name("otpauth", tests, NULL, NULL);
}
