#include "core/store/host_sql.h"

struct session_row { int64_t throttled_s; };
static const struct db_column session_columns[] = { DB_COLUMN(session_row, DB_NUMBER, "throttled_s", throttled_s) };
static const struct db_function session_function = DB_FUNCTION("host_session", "CvvvvT", session_columns, session_row);

enum status
host_sql_session(struct db *db, const struct db_caller *caller, const struct host_session *in,
    const struct db_throttle *throttle, int64_t *out_throttled_s)
{
	struct db_params params;
	struct session_row row;
	enum status st;

	db_begin(&params, caller);
	db_text(&params, in->kind);
	db_bytes(&params, in->login_digest);
	db_text(&params, in->target);
	db_text(&params, in->tty);
	db_throttle(&params, throttle);
	if ((st = db_row(db, &session_function, &params, &row)) == STATUS_OK)
		*out_throttled_s = row.throttled_s;
	return st;
}

static const struct db_column decided_columns[] = {
	DB_COLUMN(host_decided, DB_FLAG, "known", known),
	DB_COLUMN(host_decided, DB_TEXT, "decision", decision),
	DB_COLUMN(host_decided, DB_TEXT, "reason", reason),
	DB_COLUMN(host_decided, DB_FLAG, "password_right", password_right),
	DB_COLUMN(host_decided, DB_FLAG, "must_change", must_change),
	DB_COLUMN(host_decided, DB_NUMBER, "retry_after_s", retry_after_s),
};
static const struct db_function begin_function =
    DB_FUNCTION("host_request_begin", "Cv", decided_columns, host_decided);
static const struct db_function finish_function =
    DB_FUNCTION("host_request_finish", "Cvvvvv", decided_columns, host_decided);

enum status
host_sql_begin(struct db *db, const struct db_caller *caller, struct bytes body_digest, struct host_decided *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_bytes(&params, body_digest);
	return db_row(db, &begin_function, &params, out);
}

enum status
host_sql_finish(struct db *db, const struct db_caller *caller, struct host_decided *inout)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, inout->decision);
	db_text(&params, inout->reason);
	db_flag(&params, inout->password_right);
	db_flag(&params, inout->must_change);
	db_number(&params, inout->retry_after_s);
	return db_row(db, &finish_function, &params, inout);
}
