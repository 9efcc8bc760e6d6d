/* test_login_grant.c: the one place that says GRANTED says it only when everything holds. */
#include "tests/support/unit.h"

#include <string.h>

#include "core/operation/login_grant.h"

#define ACCOUNT "5b4c2f7e-3d0c-4b4e-9a51-0a6d8f1c2e37"
#define SESSION "0f9e0d6c-7d0b-4b43-8f8e-5f9a3e0a7c11"

static const struct vault_token token = { .text = "9xT1cJvLq0sHk2mB7nE4wY6uR8aZ3dG5fP0iQ2oS1tU" };
static const struct vault_token no_token;
static const struct caller client = { .kind = CALLER_CLIENT, .realm = REALM_STORE };
static const struct caller host = { .kind = CALLER_HOST };
static const struct caller operator = { .kind = CALLER_OPERATOR, .realm = REALM_STAFF };

static const struct login_proof both_steps = { .verdict = "granted", .account_id = ACCOUNT, .code = true,
	.code_after_password = true, .aal = 2, .auth_time_s = 10, .expires_at_s = 20, .session_id = SESSION, .session = &token };
static const struct login_proof password_alone = { .verdict = "granted", .account_id = ACCOUNT, .password = true, .aal = 1,
	.session_id = SESSION, .session = &token };
static const struct login_proof code_alone = { .verdict = "granted", .account_id = ACCOUNT, .code = true, .aal = 1,
	.session_id = "", .session = &no_token };
static const struct login_proof step_up = { .verdict = "granted", .account_id = ACCOUNT, .code = true, .step_up = true,
	.aal = 1, .session_id = "", .session = &no_token };

static void
expect_granted(const struct caller *caller, const struct login_proof *proof, unsigned amr_count)
{
	struct login_result result = { .verdict = VERDICT_DENIED };

	assert_int_equal(login_grant(caller, proof, &result), STATUS_OK);
	assert_int_equal(result.verdict, VERDICT_GRANTED);
	assert_string_equal(result.account_id, ACCOUNT);
	assert_int_equal(result.amr_count, amr_count);
	assert_int_equal(result.aal, proof->aal);
}

static void
expect_nothing(const struct caller *caller, const struct login_proof *proof)
{
	struct login_result result = { .verdict = VERDICT_DENIED };

	assert_int_equal(login_grant(caller, proof, &result), STATUS_INTERNAL);
	assert_int_equal(result.verdict, VERDICT_DENIED);
	assert_int_equal(result.session_token[0], '\0');
	assert_int_equal(result.aal, 0);
}

static void
what_was_proven_is_granted(void **state)
{
	struct login_proof proof = both_steps;

	(void)state;
	expect_granted(&client, &both_steps, 3);
	expect_granted(&client, &password_alone, 1);
	expect_granted(&client, &step_up, 1);
	expect_granted(&host, &code_alone, 1);
	proof.session = &no_token;
	proof.session_id = "";
	expect_granted(&host, &proof, 3);
	expect_granted(&operator, &proof, 3);
}

static void
without_sqls_word_nothing_is_granted(void **state)
{
	static const char *const words[] = { "", "denied", "challenge", "change_required", "GRANTED", "granted " };
	struct login_proof proof = both_steps;

	(void)state;
	for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
		proof.verdict = words[i];
		expect_nothing(&client, &proof);
	}
}

static void
without_an_account_nothing_is_granted(void **state)
{
	struct login_proof proof = both_steps;

	(void)state;
	proof.account_id = "";
	expect_nothing(&client, &proof);
	proof.account_id = NULL;
	expect_nothing(&client, &proof);
}

static void
without_a_verified_secret_nothing_is_granted(void **state)
{
	struct login_proof proof = both_steps;

	(void)state;
	proof.code = false;
	expect_nothing(&client, &proof);
	proof = password_alone;
	proof.password = false;
	expect_nothing(&client, &proof);
	proof = code_alone;
	proof.code = false;
	expect_nothing(&host, &proof);
	proof = step_up;
	proof.code = false;
	expect_nothing(&client, &proof);
}

static void
nothing_is_worth_more_than_what_was_proven_r089(void **state)
{
	struct login_proof proof = password_alone;

	(void)state;
	proof.aal = 2;
	expect_nothing(&client, &proof);
	proof = step_up;
	proof.aal = 2;
	expect_nothing(&client, &proof);
	proof = both_steps;
	proof.code_after_password = false;
	expect_nothing(&client, &proof);
	for (int64_t aal = -1; aal <= 4; aal += 1) {
		proof = both_steps;
		proof.aal = aal;
		if (aal != 2)
			expect_nothing(&client, &proof);
	}
}

static void
clients_get_a_session_and_nobody_else_does(void **state)
{
	struct login_proof proof = both_steps;

	(void)state;
	expect_nothing(&host, &both_steps);
	expect_nothing(&operator, &both_steps);
	proof.session = &no_token;
	expect_nothing(&client, &proof);
	proof = both_steps;
	proof.session_id = "";
	expect_nothing(&client, &proof);
	proof = step_up;
	proof.session = &token;
	proof.session_id = SESSION;
	expect_nothing(&client, &proof);
}

static void
a_zeroed_proof_proves_nothing(void **state)
{
	const struct login_proof nothing = { .verdict = "" };

	(void)state;
	expect_nothing(&client, &nothing);
	expect_nothing(&host, &nothing);
	expect_nothing(&operator, &nothing);
}

static void
words_that_grant_nothing_mean_what_they_say_and_all_others_deny(void **state)
{
	(void)state;
	assert_int_equal(login_refusal_of("challenge"), VERDICT_CHALLENGE);
	assert_int_equal(login_refusal_of("change_required"), VERDICT_CHANGE_REQUIRED);
	assert_int_equal(login_refusal_of("denied"), VERDICT_DENIED);
	assert_int_equal(login_refusal_of("granted"), VERDICT_DENIED);
	assert_int_equal(login_refusal_of(""), VERDICT_DENIED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_proven_is_granted),
		cmocka_unit_test(without_sqls_word_nothing_is_granted),
		cmocka_unit_test(without_an_account_nothing_is_granted),
		cmocka_unit_test(without_a_verified_secret_nothing_is_granted),
		cmocka_unit_test(nothing_is_worth_more_than_what_was_proven_r089),
		cmocka_unit_test(clients_get_a_session_and_nobody_else_does),
		cmocka_unit_test(a_zeroed_proof_proves_nothing),
		cmocka_unit_test(words_that_grant_nothing_mean_what_they_say_and_all_others_deny),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
