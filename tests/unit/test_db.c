/* test_db.c: what SQLSTATEs mean, and where an address leads.  Calls themselves are tested against PostgreSQL. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "core/store/db_connection.h"

static void
refusals_of_functions_keep_their_kind(void **state)
{
	(void)state;
	assert_int_equal(db_status_of("CF400"), STATUS_INVALID);
	assert_int_equal(db_status_of("CF401"), STATUS_UNAUTHENTICATED);
	assert_int_equal(db_status_of("CF403"), STATUS_FORBIDDEN);
	assert_int_equal(db_status_of("CF404"), STATUS_NOT_FOUND);
	assert_int_equal(db_status_of("CF409"), STATUS_CONFLICT);
	assert_int_equal(db_status_of("CF410"), STATUS_EXPIRED);
}

static void
an_outage_is_an_outage(void **state)
{
	static const char *const outages[] = { "08000", "08003", "08006", "53100", "53200", "53300", "57P01", "57P02",
		"57P03", "57014", "55P03", "25P03", "25006", "40001", "40P01" };

	(void)state;
	for (unsigned i = 0; i < sizeof outages / sizeof outages[0]; i++)
		assert_int_equal(db_status_of(outages[i]), STATUS_UNAVAILABLE);
}

static void
everything_else_is_a_defect(void **state)
{
	static const char *const defects[] = { "", "00000", "42501", "42883", "42P01", "23505", "22P02", "P0001", "CF999",
		"57P04", "57", "C", "XX000", "0A000" };

	(void)state;
	for (unsigned i = 0; i < sizeof defects / sizeof defects[0]; i++)
		assert_int_equal(db_status_of(defects[i]), STATUS_INTERNAL);
}

/* --- addresses ------------------------------------------------------------------------------------------------------- */

static enum status
make(const char *url, const char *user, struct db_conninfo *out, char error[static CONFIG_ERROR_BYTES])
{
	const struct db_settings settings = { .url = url, .user = user, .application = "test", .connections = 1,
	    .connect_timeout_ms = 1000, .statement_timeout_ms = 1500 };

	return db_conninfo_make(&settings, out, error);
}

static const char *
value_of(const struct db_conninfo *info, const char *keyword)
{
	for (unsigned i = 0; info->keywords[i] != NULL; i++)
		if (strcmp(info->keywords[i], keyword) == 0)
			return info->values[i];
	return NULL;
}

static void
an_address_is_completed_with_what_must_not_be_left_to_chance(void **state)
{
	char error[CONFIG_ERROR_BYTES] = "";
	struct db_conninfo info;

	(void)state;
	assert_int_equal(make("host=/run/postgresql dbname=shop user=somebody application_name=x", "counterfoil_authd", &info,
	    error), STATUS_OK);
	assert_string_equal(value_of(&info, "host"), "/run/postgresql");
	assert_string_equal(value_of(&info, "dbname"), "shop");
	assert_string_equal(value_of(&info, "user"), "counterfoil_authd");
	assert_string_equal(value_of(&info, "application_name"), "test");
	assert_string_equal(value_of(&info, "client_encoding"), "UTF8");
	assert_string_equal(value_of(&info, "target_session_attrs"), "read-write");
	assert_non_null(strstr(value_of(&info, "options"), "statement_timeout=1500"));
	db_conninfo_free(&info);
}

static void
what_the_operator_chose_stays(void **state)
{
	char error[CONFIG_ERROR_BYTES] = "";
	struct db_conninfo info;

	(void)state;
	assert_int_equal(make("postgresql://me@db.example:5433/shop?sslmode=verify-full&sslrootcert=/etc/ca.pem&"
	    "target_session_attrs=any&keepalives_idle=60", NULL, &info, error), STATUS_OK);
	assert_string_equal(value_of(&info, "user"), "me");
	assert_string_equal(value_of(&info, "port"), "5433");
	assert_string_equal(value_of(&info, "sslmode"), "verify-full");
	assert_string_equal(value_of(&info, "target_session_attrs"), "any");
	assert_string_equal(value_of(&info, "keepalives_idle"), "60");
	db_conninfo_free(&info);
}

static void
this_machine_needs_no_certificate(void **state)
{
	static const char *const urls[] = { "dbname=a", "host=/run dbname=a", "host=@abstract dbname=a",
		"host=localhost dbname=a", "host=127.0.0.1,::1,/run dbname=a", "hostaddr=127.0.0.1 dbname=a" };
	char error[CONFIG_ERROR_BYTES];
	struct db_conninfo info;

	(void)state;
	for (unsigned i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		assert_int_equal(make(urls[i], NULL, &info, error), STATUS_OK);
		db_conninfo_free(&info);
	}
}

static void
another_machine_must_prove_itself(void **state)
{
	static const char *const urls[] = { "host=db dbname=a", "host=10.0.0.1 dbname=a sslmode=require",
		"host=127.0.0.1,db dbname=a", "hostaddr=10.0.0.1 dbname=a", "host=localhost hostaddr=10.0.0.1 dbname=a",
		"host=db dbname=a sslmode=verify-ca", "host=127.0.0.10 dbname=a", "host=localhost.evil dbname=a",
		"service=a dbname=a" };
	char error[CONFIG_ERROR_BYTES];
	struct db_conninfo info;

	(void)state;
	for (unsigned i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		error[0] = '\0';
		assert_int_equal(make(urls[i], NULL, &info, error), STATUS_INVALID);
		assert_non_null(strstr(error, "sslmode=verify-full"));
	}
}

static void
an_address_that_is_none_is_refused_without_being_repeated(void **state)
{
	static const char *const urls[] = { "", "host=localhost", "nonsense", "host=localhost dbname=a passwort=geheim",
		"postgresql://me:geheim@[::1/a" };
	char error[CONFIG_ERROR_BYTES];
	struct db_conninfo info;

	(void)state;
	for (unsigned i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		error[0] = '\0';
		assert_int_equal(make(urls[i], NULL, &info, error), STATUS_INVALID);
		assert_int_not_equal(error[0], '\0');
		assert_null(strstr(error, "geheim"));
	}
}

static void
the_environment_loses_what_libpq_would_read_and_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(setenv("PGHOST", "evil", 1), 0);
	assert_int_equal(setenv("PGPASSWORD", "evil", 1), 0);
	assert_int_equal(setenv("PGSERVICEFILE", "/evil", 1), 0);
	assert_int_equal(setenv("UNRELATED", "kept", 1), 0);
	assert_int_equal(setenv("XPGHOST", "kept", 1), 0);
	db_conninfo_scrub_environment();
	assert_null(getenv("PGHOST"));
	assert_null(getenv("PGPASSWORD"));
	assert_null(getenv("PGSERVICEFILE"));
	assert_string_equal(getenv("UNRELATED"), "kept");
	assert_string_equal(getenv("XPGHOST"), "kept");
}

/* --- parameters ------------------------------------------------------------------------------------------------------ */

/* In PostgreSQL's binary format. */
static void
assert_parameter(const struct db_params *params, unsigned place, const char *wire, int len)
{
	assert_int_equal(params->formats[place], 1);
	assert_int_equal(params->lengths[place], len);
	assert_memory_equal(params->values[place], wire, (size_t)len);
}

static void
parameters_are_counted_as_the_types_of_the_schema_are_made(void **state)
{
	static const struct db_function function = { .name = "f", .arguments = "CvvTL" };
	const struct db_caller caller = { .kind = "client", .realm = 1 };
	const struct db_throttle throttle = { .pair_limit = 5 };
	const struct db_login_policy policy = { .challenge_ttl_s = 300 };
	struct db_params params;

	(void)state;
	db_begin(&params, &caller);
	db_text(&params, NULL);
	db_number(&params, INT64_MIN);
	db_throttle(&params, &throttle);
	db_login_policy(&params, &policy);
	assert_int_equal(params.count, db_connection_param_count(&function));
	assert_string_equal(params.values[0], "client");
	assert_null(params.values[1]);
	assert_parameter(&params, 3, "\0\1", 2);
	assert_null(params.values[8]);
	assert_parameter(&params, 9, "\200\0\0\0\0\0\0\0", 8);
	assert_parameter(&params, 10, "\0\0\0\0\0\0\0\5", 8);
}

static void
too_many_parameters_overflow_nothing(void **state)
{
	struct db_params params;

	(void)state;
	db_begin(&params, NULL);
	for (int i = 0; i < 3 * DB_PARAMS_MAX; i++)
		db_number(&params, i);
	assert_int_equal(params.count, 3 * DB_PARAMS_MAX);      /* and no call takes them */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_of_functions_keep_their_kind),
		cmocka_unit_test(an_outage_is_an_outage),
		cmocka_unit_test(everything_else_is_a_defect),
		cmocka_unit_test(an_address_is_completed_with_what_must_not_be_left_to_chance),
		cmocka_unit_test(what_the_operator_chose_stays),
		cmocka_unit_test(this_machine_needs_no_certificate),
		cmocka_unit_test(another_machine_must_prove_itself),
		cmocka_unit_test(an_address_that_is_none_is_refused_without_being_repeated),
		cmocka_unit_test(the_environment_loses_what_libpq_would_read_and_nothing_else),
		cmocka_unit_test(parameters_are_counted_as_the_types_of_the_schema_are_made),
		cmocka_unit_test(too_many_parameters_overflow_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
