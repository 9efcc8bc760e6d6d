#include "core/store/breakglass_sql.h"

static const struct db_function report_function = DB_DONE("breakglass_report", "Cvvvvvv");

enum status
breakglass_sql_report(struct db *db, const struct db_caller *caller, const struct breakglass_sql_report *report)
{
	struct db_params params;

	db_begin(&params, caller);
	db_bytes(&params, report->login_digest);
	db_text(&params, report->host);
	db_text(&params, report->event);
	db_number(&params, report->at_s);
	db_number(&params, report->left);
	db_number(&params, report->expires_at_s);
	return db_done(db, &report_function, &params);
}

static const struct db_column list_columns[] = {
	DB_COLUMN(breakglass_row, DB_TEXT, "host", host),
	DB_COLUMN(breakglass_row, DB_NUMBER, "codes_left", codes_left),
	DB_COLUMN(breakglass_row, DB_NUMBER, "issued_at", issued_at_s),
	DB_COLUMN(breakglass_row, DB_NUMBER, "expires_at", expires_at_s),
};
static const struct db_function list_function = DB_FUNCTION("breakglass_list", "Cv", list_columns, breakglass_row);

enum status
breakglass_sql_list(struct db *db, const struct db_caller *caller, const char *account_id, struct breakglass_row **out_rows,
    unsigned *out_count)
{
	struct db_params params;
	void *rows = NULL;
	enum status st;

	db_begin(&params, caller);
	db_text(&params, account_id);
	st = db_rows(db, &list_function, &params, &rows, out_count);
	*out_rows = rows;
	return st;
}
