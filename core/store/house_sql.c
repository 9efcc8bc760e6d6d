#include "core/store/house_sql.h"

static const struct db_column readiness_columns[] = {
	DB_COLUMN(readiness_row, DB_NUMBER, "schema_number", schema_number),
	DB_COLUMN(readiness_row, DB_NUMBER, "now_s", now_s),
	DB_COLUMN(readiness_row, DB_FLAG, "writable", writable),
};
static const struct db_function readiness_function = DB_FUNCTION("readiness", "", readiness_columns, readiness_row);

enum status
house_sql_readiness(struct db *db, struct readiness_row *out)
{
	struct db_params params;

	db_begin(&params, NULL);
	return db_row(db, &readiness_function, &params, out);
}

struct removed_row { int64_t removed; };
static const struct db_column maintain_columns[] = { DB_COLUMN(removed_row, DB_NUMBER, "removed", removed) };
static const struct db_function maintain_function = DB_FUNCTION("maintain", "vvvv", maintain_columns, removed_row);

enum status
house_sql_maintain(struct db *db, int64_t budgets_max, int64_t forget_s, int64_t keep_s, int64_t batch,
    int64_t *out_removed)
{
	struct db_params params;
	struct removed_row row;
	enum status st;

	db_begin(&params, NULL);
	db_number(&params, budgets_max);
	db_number(&params, forget_s);
	db_number(&params, keep_s);
	db_number(&params, batch);
	if ((st = db_row(db, &maintain_function, &params, &row)) == STATUS_OK)
		*out_removed = row.removed;
	return st;
}

static const struct db_column form_columns[] = {
	DB_COLUMN(password_form_row, DB_NUMBER, "realm", realm),
	DB_COLUMN(password_form_row, DB_TEXT, "form", form),
	DB_COLUMN(password_form_row, DB_NUMBER, "accounts", accounts),
};
static const struct db_function forms_function = DB_FUNCTION("password_forms", "v", form_columns, password_form_row);

enum status
house_sql_password_forms(struct db *db, int64_t max, struct password_form_row **out_rows, unsigned *out_count)
{
	struct db_params params;
	void *rows = NULL;
	enum status st;

	db_begin(&params, NULL);
	db_number(&params, max);
	if ((st = db_rows(db, &forms_function, &params, &rows, out_count)) == STATUS_OK)
		*out_rows = rows;
	return st;
}
