#include "core/store/event_sql.h"

static const struct db_column event_columns[] = {
	DB_COLUMN(event_item, DB_NUMBER, "id", id),
	DB_COLUMN(event_item, DB_NUMBER, "at", at_s),
	DB_COLUMN(event_item, DB_TEXT, "account_id", account_id),
	DB_COLUMN(event_item, DB_TEXT, "client_id", client_id),
	DB_COLUMN(event_item, DB_TEXT, "actor", actor),
	DB_COLUMN(event_item, DB_TEXT, "kind", kind),
	DB_COLUMN(event_item, DB_TEXT, "outcome", outcome),
	DB_COLUMN(event_item, DB_TEXT, "reason", reason),
	DB_COLUMN(event_item, DB_FLAG, "notify", notify),
	DB_COLUMN(event_item, DB_TEXT, "request_id", request_id),
	DB_COLUMN(event_item, DB_TEXT, "source", source),
	DB_COLUMN(event_item, DB_TEXT, "user_agent", user_agent),
	DB_COLUMN(event_item, DB_TEXT, "service", service),
	DB_COLUMN(event_item, DB_TEXT, "detail", detail),
};
static const struct db_function list_function = DB_FUNCTION("event_list", "Cvvvvvvv", event_columns, event_item);

static void
number_or_null(struct db_params *params, int64_t number)
{
	if (number != 0)
		db_number(params, number);
	else
		db_text(params, NULL);
}

enum status
event_sql_list(struct db *db, const struct db_caller *caller, const struct event_filter *filter,
    struct event_item **out_rows, unsigned *out_count)
{
	struct db_params params;
	void *rows = NULL;
	enum status st;

	db_begin(&params, caller);
	db_number(&params, filter->after);
	db_number(&params, filter->max);
	db_text(&params, filter->account_id);
	db_text(&params, filter->kind);
	db_flag(&params, filter->notify);
	number_or_null(&params, filter->since_s);
	number_or_null(&params, filter->until_s);
	st = db_rows(db, &list_function, &params, &rows, out_count);
	*out_rows = rows;
	return st;
}

static const struct db_column export_columns[] = {
	DB_COLUMN(export_row, DB_BYTES, "login_sealed", login_sealed),
	DB_COLUMN(export_row, DB_NUMBER, "login_key_id", login_key_id),
	DB_COLUMN(export_row, DB_LONG_TEXT, "document", document),
	DB_COLUMN(export_row, DB_NUMBER, "throttled_s", throttled_s),
};
static const struct db_function export_function = DB_FUNCTION("account_export", "CvvvT", export_columns, export_row);

enum status
event_sql_export(struct db *db, const struct db_caller *caller, const char *account_id, int64_t limit,
    int64_t client_limit, const struct db_throttle *throttle, struct export_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_number(&params, limit);
	db_number(&params, client_limit);
	db_throttle(&params, throttle);
	return db_row(db, &export_function, &params, out);
}

static const struct db_function erase_function = DB_DONE("account_erase", "Cv");

enum status
event_sql_erase(struct db *db, const struct db_caller *caller, const char *account_id)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	return db_done(db, &erase_function, &params);
}
