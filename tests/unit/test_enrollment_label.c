/* test_enrollment_label.c: every login gets a label that authenticator apps take. */
#include "tests/support/unit.h"

#include <string.h>

#include "core/credential/otpauth.h"
#include "core/operation/enrollment_label.h"

static const uint8_t seed[20] = { 1 };

static void
expect_label(const char *login, const char *label)
{
	char wanted[2048] = "otpauth://totp/Shop:";
	struct secret *uri = NULL;

	assert_int_equal(enrollment_uri("Shop", login, (struct bytes){ seed, sizeof seed }, &uri), STATUS_OK);
	(void)strncat(wanted, label, sizeof wanted - strlen(wanted) - 1);
	(void)strncat(wanted, "?secret=", sizeof wanted - strlen(wanted) - 1);
	assert_memory_equal(secret_view(uri).data, wanted, strlen(wanted));
	assert_true(secret_view(uri).len <= OTPAUTH_URI_MAX_BYTES);
	secret_free(&uri);
}

static void
a_login_is_its_label(void **state)
{
	(void)state;
	expect_label("bob@example.com", "bob%40example.com");
	expect_label("b", "b");
}

static void
a_colon_becomes_a_dot(void **state)
{
	(void)state;
	expect_label("realm:bob", "realm.bob");
}

static void
a_long_login_is_cut_at_a_character(void **state)
{
	char login[TEXT_LOGIN_MAX_BYTES + 1], wanted[OTPAUTH_ACCOUNT_MAX_POINTS + 1];

	(void)state;
	memset(login, 'x', sizeof login - 1);
	login[sizeof login - 1] = '\0';
	memset(wanted, 'x', sizeof wanted - 1);
	wanted[sizeof wanted - 1] = '\0';
	expect_label(login, wanted);
}

static void
a_script_that_takes_nine_bytes_a_character_is_cut_until_it_fits(void **state)
{
	static const char swan[] = "\xe7\x99\xbd";
	char login[TEXT_LOGIN_MAX_BYTES + 1] = "", wanted[2048] = "";

	(void)state;
	for (int i = 0; i < 80; i++)
		(void)strcat(login, swan);
	for (int i = 0; i < 32; i++)
		(void)strcat(wanted, "%E7%99%BD");
	expect_label(login, wanted);
}

static void
an_issuer_that_no_app_takes_is_found_at_the_start(void **state)
{
	(void)state;
	assert_int_equal(enrollment_check_issuer("Lantern Shop"), STATUS_OK);
	assert_int_equal(enrollment_check_issuer("Lantern: Shop"), STATUS_INVALID);
	assert_int_equal(enrollment_check_issuer(""), STATUS_INVALID);
	assert_int_equal(enrollment_check_issuer("a name of thirty-three characters"), STATUS_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_login_is_its_label),
		cmocka_unit_test(a_colon_becomes_a_dot),
		cmocka_unit_test(a_long_login_is_cut_at_a_character),
		cmocka_unit_test(a_script_that_takes_nine_bytes_a_character_is_cut_until_it_fits),
		cmocka_unit_test(an_issuer_that_no_app_takes_is_found_at_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
