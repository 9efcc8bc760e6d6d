#include "core/store/enroll_code_sql.h"

struct issue_row { int64_t expires_at_s; };
static const struct db_column issue_columns[] = { DB_COLUMN(issue_row, DB_NUMBER, "expires_at", expires_at_s) };
static const struct db_function issue_function = DB_FUNCTION("enroll_code_issue", "Cvvv", issue_columns, issue_row);

enum status
enroll_code_sql_issue(struct db *db, const struct db_caller *caller, const char *account_id, struct bytes code_digest,
    int64_t ttl_s, int64_t *out_expires_at_s)
{
	struct issue_row row;
	struct db_params params;
	enum status st;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_bytes(&params, code_digest);
	db_number(&params, ttl_s);
	if ((st = db_row(db, &issue_function, &params, &row)) == STATUS_OK)
		*out_expires_at_s = row.expires_at_s;
	return st;
}

static const struct db_column check_columns[] = {
	DB_COLUMN(enroll_code_row, DB_NUMBER, "throttled_s", throttled_s),
	DB_COLUMN(enroll_code_row, DB_TEXT, "reason", reason),
};
static const struct db_function check_function =
    DB_FUNCTION("enroll_code_check", "CvvT", check_columns, enroll_code_row);

enum status
enroll_code_sql_check(struct db *db, const struct db_caller *caller, const char *account_id, struct bytes code_digest,
    const struct db_throttle *throttle, struct enroll_code_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_bytes(&params, code_digest);
	db_throttle(&params, throttle);
	return db_row(db, &check_function, &params, out);
}

static const struct db_function again_function = DB_DONE("enroll_confirm_again", "Cvvv");

enum status
enroll_code_sql_confirm_again(struct db *db, const struct db_caller *caller, const char *account_id,
    const char *factor_id, struct bytes recovery_digests)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_text(&params, factor_id);
	db_bytes(&params, recovery_digests);
	return db_done(db, &again_function, &params);
}
