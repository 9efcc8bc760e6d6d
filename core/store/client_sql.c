#include "core/store/client_sql.h"

struct created_row { int64_t created_at_s; };
static const struct db_column created_columns[] = { DB_COLUMN(created_row, DB_NUMBER, "created_at", created_at_s) };
static const struct db_function create_function = DB_FUNCTION("client_create", "Cvvvvvv", created_columns, created_row);

enum status
client_sql_create(struct db *db, const struct db_caller *caller, const struct client_row *in, struct bytes key_digest,
    int64_t *out_created_at_s)
{
	struct db_params params;
	struct created_row row;
	enum status st;

	db_begin(&params, caller);
	db_text(&params, in->id);
	db_text(&params, in->name);
	db_realm(&params, in->realm);
	db_number(&params, in->scopes);
	db_bytes(&params, key_digest);
	db_number(&params, in->expires_at_s);
	if ((st = db_row(db, &create_function, &params, &row)) == STATUS_OK)
		*out_created_at_s = row.created_at_s;
	return st;
}

static const struct db_column list_columns[] = {
	DB_COLUMN(client_row, DB_TEXT, "id", id),
	DB_COLUMN(client_row, DB_TEXT, "name", name),
	DB_COLUMN(client_row, DB_NUMBER, "realm", realm),
	DB_COLUMN(client_row, DB_NUMBER, "scopes", scopes),
	DB_COLUMN(client_row, DB_NUMBER, "created_at", created_at_s),
	DB_COLUMN(client_row, DB_NUMBER, "expires_at", expires_at_s),
	DB_COLUMN(client_row, DB_NUMBER, "revoked_at", revoked_at_s),
	DB_COLUMN(client_row, DB_NUMBER, "last_used_at", last_used_at_s),
};
static const struct db_function list_function = DB_FUNCTION("client_list", "C", list_columns, client_row);

enum status
client_sql_list(struct db *db, const struct db_caller *caller, struct client_row **out_rows, unsigned *out_count)
{
	struct db_params params;
	void *rows = NULL;
	enum status st;

	db_begin(&params, caller);
	if ((st = db_rows(db, &list_function, &params, &rows, out_count)) == STATUS_OK)
		*out_rows = rows;
	return st;
}

static const struct db_function revoke_function = DB_DONE("client_revoke", "Cv");
static const struct db_function check_function = DB_DONE("client_check", "Cv");

enum status
client_sql_revoke(struct db *db, const struct db_caller *caller, const char *id)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, id);
	return db_done(db, &revoke_function, &params);
}

enum status
client_sql_check(struct db *db, const struct db_caller *caller, const char *scope)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, scope);
	return db_done(db, &check_function, &params);
}
