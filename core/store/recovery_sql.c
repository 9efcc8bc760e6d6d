#include "core/store/recovery_sql.h"

#include <string.h>

struct request_row { char state[24]; int64_t due_at_s; };
static const struct db_column request_columns[] = {
	DB_COLUMN(request_row, DB_TEXT, "state", state),
	DB_COLUMN(request_row, DB_NUMBER, "due_at", due_at_s),
};
static const struct db_function request_function = DB_FUNCTION("reset_request", "Cvvvvv", request_columns, request_row);

enum status
recovery_sql_request(struct db *db, const struct db_caller *caller, const char *account_id, const char *id,
    const char *reason, const char *by, int64_t delay_s, bool *out_approved, int64_t *out_due_at_s)
{
	struct db_params params;
	struct request_row row;
	enum status st;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_text(&params, id);
	db_text(&params, reason);
	db_text(&params, by);
	db_number(&params, delay_s);
	if ((st = db_row(db, &request_function, &params, &row)) != STATUS_OK)
		return st;
	*out_approved = strcmp(row.state, "approved") == 0;
	*out_due_at_s = row.due_at_s;
	return STATUS_OK;
}

static const struct db_function cancel_function = DB_DONE("reset_cancel", "Cvv");

enum status
recovery_sql_cancel(struct db *db, const struct db_caller *caller, const char *account_id, const char *by)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_text(&params, by);
	return db_done(db, &cancel_function, &params);
}

struct expiry_row { int64_t expires_at_s; };
static const struct db_column expiry_columns[] = { DB_COLUMN(expiry_row, DB_NUMBER, "expires_at", expires_at_s) };
static const struct db_function complete_function = DB_FUNCTION("reset_complete", "Cvvvvv", expiry_columns, expiry_row);

enum status
recovery_sql_complete(struct db *db, const struct db_caller *caller, const char *account_id, struct bytes ticket_digest,
    int64_t ticket_ttl_s, int64_t hold_s, const char *by, int64_t *out_expires_at_s)
{
	struct db_params params;
	struct expiry_row row;
	enum status st;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_bytes(&params, ticket_digest);
	db_number(&params, ticket_ttl_s);
	db_number(&params, hold_s);
	db_text(&params, by);
	if ((st = db_row(db, &complete_function, &params, &row)) == STATUS_OK)
		*out_expires_at_s = row.expires_at_s;
	return st;
}

static const struct db_column show_columns[] = {
	DB_COLUMN(recovery_row, DB_TEXT, "reset_id", reset_id),
	DB_COLUMN(recovery_row, DB_TEXT, "reason", reason),
	DB_COLUMN(recovery_row, DB_TEXT, "requested_by", requested_by),
	DB_COLUMN(recovery_row, DB_NUMBER, "requested_at", requested_at_s),
	DB_COLUMN(recovery_row, DB_TEXT, "approved_by", approved_by),
	DB_COLUMN(recovery_row, DB_NUMBER, "approved_at", approved_at_s),
	DB_COLUMN(recovery_row, DB_NUMBER, "due_at", due_at_s),
};
static const struct db_function show_function = DB_FUNCTION("reset_show", "Cv", show_columns, recovery_row);

enum status
recovery_sql_show(struct db *db, const struct db_caller *caller, const char *account_id, struct recovery_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	return db_row(db, &show_function, &params, out);
}

/* --- staff who leave, staff who learn -------------------------------------------------------------------------------- */

static const struct db_column offboard_columns[] = {
	DB_COLUMN(offboard_row, DB_NUMBER, "factors", factors),
	DB_COLUMN(offboard_row, DB_NUMBER, "sessions", sessions),
	DB_COLUMN(offboard_row, DB_NUMBER, "devices", devices),
	DB_COLUMN(offboard_row, DB_NUMBER, "recovery_codes", recovery_codes),
	DB_COLUMN(offboard_row, DB_NUMBER, "at", at_s),
};
static const struct db_function offboard_function = DB_FUNCTION("offboard", "Cvv", offboard_columns, offboard_row);

enum status
recovery_sql_offboard(struct db *db, const struct db_caller *caller, const char *account_id, const char *reason,
    struct offboard_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_text(&params, reason);
	return db_row(db, &offboard_function, &params, out);
}

static const struct db_function training_function = DB_DONE("training_record", "Cvvv");

enum status
recovery_sql_training_record(struct db *db, const struct db_caller *caller, const char *account_id, bool completed,
    int64_t due_at_s)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_flag(&params, completed);
	db_number(&params, due_at_s);
	return db_done(db, &training_function, &params);
}

static const struct db_column report_columns[] = {
	DB_COLUMN(training_row, DB_TEXT, "account_id", account_id),
	DB_COLUMN(training_row, DB_BYTES, "login_sealed", login_sealed),
	DB_COLUMN(training_row, DB_NUMBER, "login_key_id", login_key_id),
	DB_COLUMN(training_row, DB_TEXT, "state", state),
	DB_COLUMN(training_row, DB_NUMBER, "completed_at", completed_at_s),
	DB_COLUMN(training_row, DB_NUMBER, "due_at", due_at_s),
};
static const struct db_function report_function = DB_FUNCTION("training_report", "C", report_columns, training_row);

enum status
recovery_sql_training_report(struct db *db, const struct db_caller *caller, struct training_row **out_rows,
    unsigned *out_count)
{
	struct db_params params;
	void *rows = NULL;
	enum status st;

	db_begin(&params, caller);
	st = db_rows(db, &report_function, &params, &rows, out_count);
	*out_rows = rows;
	return st;
}
