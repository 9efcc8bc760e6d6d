#include "core/store/activity_sql.h"

static const struct db_column event_columns[] = {
	DB_COLUMN(activity_event, DB_NUMBER, "at", at_s),
	DB_COLUMN(activity_event, DB_TEXT, "kind", kind),
	DB_COLUMN(activity_event, DB_TEXT, "outcome", outcome),
	DB_COLUMN(activity_event, DB_TEXT, "reason", reason),
	DB_COLUMN(activity_event, DB_TEXT, "source", source),
	DB_COLUMN(activity_event, DB_TEXT, "user_agent", user_agent),
};
static const struct db_column session_columns[] = {
	DB_COLUMN(activity_session, DB_TEXT, "session_id", id),
	DB_COLUMN(activity_session, DB_NUMBER, "aal", aal),
	DB_COLUMN(activity_session, DB_NUMBER, "auth_time", auth_time_s),
	DB_COLUMN(activity_session, DB_NUMBER, "last_used_at", last_used_at_s),
	DB_COLUMN(activity_session, DB_NUMBER, "expires_at", expires_at_s),
	DB_COLUMN(activity_session, DB_FLAG, "device", device),
	DB_COLUMN(activity_session, DB_TEXT, "source", source),
	DB_COLUMN(activity_session, DB_TEXT, "user_agent", user_agent),
};
static const struct db_column device_columns[] = {
	DB_COLUMN(activity_device, DB_TEXT, "device_id", id),
	DB_COLUMN(activity_device, DB_NUMBER, "created_at", created_at_s),
	DB_COLUMN(activity_device, DB_NUMBER, "last_used_at", last_used_at_s),
	DB_COLUMN(activity_device, DB_NUMBER, "expires_at", expires_at_s),
	DB_COLUMN(activity_device, DB_TEXT, "user_agent", user_agent),
};

static const struct db_function events_function = DB_FUNCTION("page_activity", "Cvv", event_columns, activity_event);
static const struct db_function sessions_function =
    DB_FUNCTION("page_sessions", "Cvv", session_columns, activity_session);
static const struct db_function devices_function = DB_FUNCTION("page_devices", "Cvv", device_columns, activity_device);
static const struct db_function end_session_function = DB_DONE("page_session_end", "Cvv");
static const struct db_function end_device_function = DB_DONE("page_device_end", "Cvv");

static enum status
rows_of(struct db *db, const struct db_function *function, const struct db_caller *page, struct bytes page_digest,
    int64_t max, void **out_rows, unsigned *out_count)
{
	struct db_params params;

	db_begin(&params, page);
	db_bytes(&params, page_digest);
	db_number(&params, max);
	return db_rows(db, function, &params, out_rows, out_count);
}

enum status
activity_sql_events(struct db *db, const struct db_caller *page, struct bytes page_digest, int64_t max,
    struct activity_event **out_rows, unsigned *out_count)
{
	void *rows = NULL;
	enum status st = rows_of(db, &events_function, page, page_digest, max, &rows, out_count);

	*out_rows = rows;
	return st;
}

enum status
activity_sql_sessions(struct db *db, const struct db_caller *page, struct bytes page_digest, int64_t max,
    struct activity_session **out_rows, unsigned *out_count)
{
	void *rows = NULL;
	enum status st = rows_of(db, &sessions_function, page, page_digest, max, &rows, out_count);

	*out_rows = rows;
	return st;
}

enum status
activity_sql_devices(struct db *db, const struct db_caller *page, struct bytes page_digest, int64_t max,
    struct activity_device **out_rows, unsigned *out_count)
{
	void *rows = NULL;
	enum status st = rows_of(db, &devices_function, page, page_digest, max, &rows, out_count);

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
