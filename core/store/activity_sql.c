#include "core/store/activity_sql.h"

static const struct db_column event_columns[] = {
	DB_COLUMN(activity_event, DB_NUMBER, "at", at_s),
	DB_COLUMN(activity_event, DB_TEXT, "kind", kind),
	DB_COLUMN(activity_event, DB_TEXT, "outcome", outcome),
	DB_COLUMN(activity_event, DB_TEXT, "reason", reason),
	DB_COLUMN(activity_event, DB_TEXT, "source", source),
	DB_COLUMN(activity_event, DB_TEXT, "user_agent", user_agent),
};
static const struct db_function events_function = DB_FUNCTION("page_activity", "Cvv", event_columns, activity_event);
static const struct db_function end_session_function = DB_DONE("page_session_end", "Cvv");
static const struct db_function end_device_function = DB_DONE("page_device_end", "Cvv");

enum status
activity_sql_events(struct db *db, const struct db_caller *page, struct bytes page_digest, int64_t max,
    struct activity_event **out_rows, unsigned *out_count)
{
	struct db_params params;
	void *rows = NULL;
	enum status st;

	db_begin(&params, page);
	db_bytes(&params, page_digest);
	db_number(&params, max);
	st = db_rows(db, &events_function, &params, &rows, out_count);
	*out_rows = rows;
	return st;
}

static enum status
end_one(struct db *db, const struct db_function *function, const struct db_caller *page, struct bytes page_digest,
    const char *id)
{
	struct db_params params;

	db_begin(&params, page);
	db_bytes(&params, page_digest);
	db_text(&params, id);
	return db_done(db, function, &params);
}

enum status
activity_sql_end_session(struct db *db, const struct db_caller *page, struct bytes page_digest, const char *session_id)
{
	return end_one(db, &end_session_function, page, page_digest, session_id);
}

enum status
activity_sql_end_device(struct db *db, const struct db_caller *page, struct bytes page_digest, const char *device_id)
{
	return end_one(db, &end_device_function, page, page_digest, device_id);
}

struct ended_row { int64_t ended; };
static const struct db_column ended_columns[] = { DB_COLUMN(ended_row, DB_NUMBER, "ended", ended) };
static const struct db_function end_all_function = DB_FUNCTION("page_sign_out", "Cv", ended_columns, ended_row);

enum status
activity_sql_end_all(struct db *db, const struct db_caller *page, struct bytes page_digest)
{
	struct db_params params;
	struct ended_row row;

	db_begin(&params, page);
	db_bytes(&params, page_digest);
	return db_row(db, &end_all_function, &params, &row);
}
