#include "core/store/session_sql.h"

static const struct db_column introspect_columns[] = {
	DB_COLUMN(introspect_row, DB_FLAG, "active", active),
	DB_COLUMN(introspect_row, DB_TEXT, "session_id", session_id),
	DB_COLUMN(introspect_row, DB_TEXT, "account_id", account_id),
	DB_COLUMN(introspect_row, DB_NUMBER, "aal", aal),
	DB_COLUMN(introspect_row, DB_TEXT, "amr", amr),
	DB_COLUMN(introspect_row, DB_NUMBER, "auth_time", auth_time_s),
	DB_COLUMN(introspect_row, DB_NUMBER, "expires_at", expires_at_s),
	DB_COLUMN(introspect_row, DB_NUMBER, "idle_at", idle_at_s),
	DB_COLUMN(introspect_row, DB_FLAG, "device", device),
	DB_COLUMN(introspect_row, DB_NUMBER, "hold_until", hold_until_s),
};
static const struct db_function introspect_function =
    DB_FUNCTION("session_introspect", "Cv", introspect_columns, introspect_row);

enum status
session_sql_introspect(struct db *db, const struct db_caller *caller, struct bytes digest, struct introspect_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_bytes(&params, digest);
	return db_row(db, &introspect_function, &params, out);
}

/* --- lists ----------------------------------------------------------------------------------------------------------- */

static const struct db_column session_columns[] = {
	DB_COLUMN(session_item, DB_TEXT, "session_id", id),
	DB_COLUMN(session_item, DB_NUMBER, "aal", aal),
	DB_COLUMN(session_item, DB_TEXT, "amr", amr),
	DB_COLUMN(session_item, DB_NUMBER, "auth_time", auth_time_s),
	DB_COLUMN(session_item, DB_NUMBER, "last_used_at", last_used_at_s),
	DB_COLUMN(session_item, DB_NUMBER, "expires_at", expires_at_s),
	DB_COLUMN(session_item, DB_FLAG, "device", device),
	DB_COLUMN(session_item, DB_TEXT, "source", source),
	DB_COLUMN(session_item, DB_TEXT, "user_agent", user_agent),
};
static const struct db_column device_columns[] = {
	DB_COLUMN(device_item, DB_TEXT, "device_id", id),
	DB_COLUMN(device_item, DB_NUMBER, "created_at", created_at_s),
	DB_COLUMN(device_item, DB_NUMBER, "last_used_at", last_used_at_s),
	DB_COLUMN(device_item, DB_NUMBER, "expires_at", expires_at_s),
	DB_COLUMN(device_item, DB_TEXT, "user_agent", user_agent),
};
static const struct db_function list_function = DB_FUNCTION("session_list", "Cvv", session_columns, session_item);
static const struct db_function devices_function = DB_FUNCTION("device_list", "Cvv", device_columns, device_item);
static const struct db_function page_list_function = DB_FUNCTION("page_sessions", "Cvv", session_columns, session_item);
static const struct db_function page_devices_function = DB_FUNCTION("page_devices", "Cvv", device_columns, device_item);

static enum status
rows_of(struct db *db, const struct db_function *function, const struct db_caller *caller, const char *account_id,
    struct bytes page_digest, int64_t max, void **out_rows, unsigned *out_count)
{
	struct db_params params;

	db_begin(&params, caller);
	if (account_id != NULL)
		db_text(&params, account_id);
	else
		db_bytes(&params, page_digest);
	db_number(&params, max);
	return db_rows(db, function, &params, out_rows, out_count);
}

enum status
session_sql_list(struct db *db, const struct db_caller *caller, const char *account_id, int64_t max,
    struct session_item **out_rows, unsigned *out_count)
{
	void *rows = NULL;
	enum status st = rows_of(db, &list_function, caller, account_id, (struct bytes){ NULL, 0 }, max, &rows, out_count);

	*out_rows = rows;
	return st;
}

enum status
session_sql_devices(struct db *db, const struct db_caller *caller, const char *account_id, int64_t max,
    struct device_item **out_rows, unsigned *out_count)
{
	void *rows = NULL;
	enum status st = rows_of(db, &devices_function, caller, account_id, (struct bytes){ NULL, 0 }, max, &rows,
	    out_count);

	*out_rows = rows;
	return st;
}

enum status
session_sql_page_list(struct db *db, const struct db_caller *page, struct bytes page_digest, int64_t max,
    struct session_item **out_rows, unsigned *out_count)
{
	void *rows = NULL;
	enum status st = rows_of(db, &page_list_function, page, NULL, page_digest, max, &rows, out_count);

	*out_rows = rows;
	return st;
}

enum status
session_sql_page_devices(struct db *db, const struct db_caller *page, struct bytes page_digest, int64_t max,
    struct device_item **out_rows, unsigned *out_count)
{
	void *rows = NULL;
	enum status st = rows_of(db, &page_devices_function, page, NULL, page_digest, max, &rows, out_count);

	*out_rows = rows;
	return st;
}

/* --- ending ---------------------------------------------------------------------------------------------------------- */

struct end_row { bool done; };
static const struct db_column end_columns[] = { DB_COLUMN(end_row, DB_FLAG, "done", done) };
static const struct db_function end_function = DB_FUNCTION("session_end", "Cv", end_columns, end_row);

enum status
session_sql_end(struct db *db, const struct db_caller *caller, const char *session_id)
{
	struct db_params params;
	struct end_row row;

	db_begin(&params, caller);
	db_text(&params, session_id);
	return db_row(db, &end_function, &params, &row);        /* over already: done is false, and that is fine */
}

struct ended_row { int64_t ended; };
static const struct db_column ended_columns[] = { DB_COLUMN(ended_row, DB_NUMBER, "ended", ended) };
static const struct db_function end_all_function = DB_FUNCTION("session_end_all", "Cvv", ended_columns, ended_row);
static const struct db_function device_revoke_function = DB_FUNCTION("device_revoke", "Cvv", ended_columns, ended_row);

enum status
session_sql_end_all(struct db *db, const struct db_caller *caller, const char *account_id, struct bytes but_digest,
    int64_t *out_ended)
{
	struct db_params params;
	struct ended_row row;
	enum status st;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_bytes(&params, but_digest);
	if ((st = db_row(db, &end_all_function, &params, &row)) == STATUS_OK)
		*out_ended = row.ended;
	return st;
}

enum status
session_sql_device_revoke(struct db *db, const struct db_caller *caller, const char *account_id, const char *device_id,
    int64_t *out_ended)
{
	struct db_params params;
	struct ended_row row;
	enum status st;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_text(&params, device_id);
	if ((st = db_row(db, &device_revoke_function, &params, &row)) == STATUS_OK)
		*out_ended = row.ended;
	return st;
}

/* --- a fresh factor -------------------------------------------------------------------------------------------------- */

static const struct db_column step_up_columns[] = {
	DB_COLUMN(step_up_row, DB_NUMBER, "expires_at", expires_at_s),
	DB_COLUMN(step_up_row, DB_FLAG, "has_totp", has_totp),
	DB_COLUMN(step_up_row, DB_FLAG, "has_recovery", has_recovery),
};
static const struct db_function step_up_function = DB_FUNCTION("step_up_begin", "Cvvvvv", step_up_columns, step_up_row);

enum status
session_sql_step_up_begin(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes challenge_digest, const char *purpose, struct bytes transaction_digest, int64_t ttl_s,
    struct step_up_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_bytes(&params, challenge_digest);
	db_text(&params, purpose);
	db_bytes(&params, transaction_digest);
	db_number(&params, ttl_s);
	return db_row(db, &step_up_function, &params, out);
}
