/* test_status.c: the one table that ends every path, row by row as docs/architecture.md and the design have it. */
#include "tests/support/unit.h"

#include <string.h>

#include <security/_pam_types.h>

#include "core/base/status.h"

enum { STATUSES = STATUS_INTERNAL + 1, VERDICTS = VERDICT_GRANTED + 1 };

struct row { enum status status; enum verdict verdict; int http; const char *problem; int pam; };

static const struct row wanted[] = {
	{ STATUS_OK, VERDICT_GRANTED, 200, NULL, PAM_SUCCESS },
	{ STATUS_OK, VERDICT_CHALLENGE, 403, "second-factor-required", PAM_AUTH_ERR },
	{ STATUS_OK, VERDICT_CHANGE_REQUIRED, 403, "password-change-required", PAM_NEW_AUTHTOK_REQD },
	{ STATUS_OK, VERDICT_DENIED, 403, "denied", PAM_AUTH_ERR },
	{ STATUS_OK, VERDICT_THROTTLED, 429, "throttled", PAM_MAXTRIES },
	{ STATUS_INVALID, VERDICT_DENIED, 422, "invalid", PAM_AUTH_ERR },
	{ STATUS_NOT_FOUND, VERDICT_DENIED, 404, "not-found", PAM_AUTH_ERR },
	{ STATUS_CONFLICT, VERDICT_DENIED, 409, "conflict", PAM_AUTH_ERR },
	{ STATUS_EXPIRED, VERDICT_DENIED, 410, "expired", PAM_AUTH_ERR },
	{ STATUS_UNAUTHENTICATED, VERDICT_DENIED, 401, "unauthenticated", PAM_SERVICE_ERR },
	{ STATUS_FORBIDDEN, VERDICT_DENIED, 403, "forbidden", PAM_SERVICE_ERR },
	{ STATUS_UNAVAILABLE, VERDICT_DENIED, 503, "unavailable", PAM_AUTHINFO_UNAVAIL },
	{ STATUS_OVERLOADED, VERDICT_DENIED, 503, "overloaded", PAM_AUTHINFO_UNAVAIL },
	{ STATUS_NO_MEMORY, VERDICT_DENIED, 503, "unavailable", PAM_BUF_ERR },
	{ STATUS_INTERNAL, VERDICT_DENIED, 500, "internal", PAM_SERVICE_ERR },
};

enum { WANTED = sizeof wanted / sizeof wanted[0] };

static void
zero_denies(void **state)
{
	(void)state;
	assert_int_equal(VERDICT_DENIED, 0);
	assert_int_equal(outcome_of(STATUS_OK, (enum verdict)0)->http_status, 403);
}

static void
each_outcome_is_what_the_design_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < WANTED; i++) {
		const struct outcome *found = outcome_of(wanted[i].status, wanted[i].verdict);

		assert_int_equal(found->status, wanted[i].status);
		assert_int_equal(found->http_status, wanted[i].http);
		assert_int_equal(found->pam_code, wanted[i].pam);
		if (wanted[i].problem == NULL)
			assert_null(found->problem);
		else
			assert_string_equal(found->problem, wanted[i].problem);
		assert_int_equal(found->title == NULL, found->problem == NULL);
	}
}

static void
the_table_has_these_rows_and_no_others(void **state)
{
	unsigned count;
	const struct outcome *rows = outcome_rows(&count);

	(void)state;
	assert_int_equal(count, WANTED);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(rows[i].status, wanted[i].status);
		assert_int_equal(rows[i].verdict, wanted[i].verdict);
		assert_ptr_equal(outcome_of(rows[i].status, rows[i].verdict), &rows[i]);
	}
}

/* A caller that looks at nothing but the code fails closed: over the whole plane, and outside it. */
static void
only_ok_and_granted_lets_somebody_in(void **state)
{
	(void)state;
	for (int status = -2; status < STATUSES + 3; status++) {
		for (int verdict = -2; verdict < VERDICTS + 3; verdict++) {
			const struct outcome *found = outcome_of((enum status)status, (enum verdict)verdict);
			bool in = status == STATUS_OK && verdict == VERDICT_GRANTED;

			assert_non_null(found);
			assert_int_equal(found->http_status < 300, in);
			assert_int_equal(found->pam_code == PAM_SUCCESS, in);
			assert_int_not_equal(found->pam_code, PAM_IGNORE);
		}
	}
}

static void
a_verdict_means_nothing_when_the_machinery_failed(void **state)
{
	(void)state;
	for (int status = STATUS_OK + 1; status < STATUSES; status++) {
		const struct outcome *denied = outcome_of((enum status)status, VERDICT_DENIED);

		assert_int_equal(denied->status, status);
		for (int verdict = 0; verdict < VERDICTS; verdict++)
			assert_ptr_equal(outcome_of((enum status)status, (enum verdict)verdict), denied);
	}
}

static void
what_the_table_lacks_is_an_internal_error(void **state)
{
	const struct outcome *internal = outcome_of(STATUS_INTERNAL, VERDICT_DENIED);

	(void)state;
	assert_int_equal(internal->http_status, 500);
	assert_ptr_equal(outcome_of((enum status)STATUSES, VERDICT_GRANTED), internal);
	assert_ptr_equal(outcome_of((enum status)-1, VERDICT_GRANTED), internal);
	assert_ptr_equal(outcome_of(STATUS_OK, (enum verdict)VERDICTS), internal);
	assert_ptr_equal(outcome_of(STATUS_OK, (enum verdict)-1), internal);
}

static void
names_are_stable_and_cover_every_value(void **state)
{
	static const char *const statuses[STATUSES] = { "ok", "invalid", "not_found", "conflict", "expired", "unauthenticated",
		"forbidden", "unavailable", "overloaded", "no_memory", "internal" };
	static const char *const verdicts[VERDICTS] = { "denied", "throttled", "challenge", "change_required", "granted" };

	(void)state;
	for (int i = 0; i < STATUSES; i++)
		assert_string_equal(status_name((enum status)i), statuses[i]);
	for (int i = 0; i < VERDICTS; i++)
		assert_string_equal(verdict_name((enum verdict)i), verdicts[i]);
	assert_string_equal(status_name((enum status)STATUSES), "unknown");
	assert_string_equal(status_name((enum status)-1), "unknown");
	assert_string_equal(verdict_name((enum verdict)VERDICTS), "unknown");
	assert_string_equal(verdict_name((enum verdict)-1), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_denies),
		cmocka_unit_test(each_outcome_is_what_the_design_says),
		cmocka_unit_test(the_table_has_these_rows_and_no_others),
		cmocka_unit_test(only_ok_and_granted_lets_somebody_in),
		cmocka_unit_test(a_verdict_means_nothing_when_the_machinery_failed),
		cmocka_unit_test(what_the_table_lacks_is_an_internal_error),
		cmocka_unit_test(names_are_stable_and_cover_every_value),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
