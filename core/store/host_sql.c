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
