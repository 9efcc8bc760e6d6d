#include "core/store/account_sql.h"

#include <string.h>

static const struct db_column account_columns[] = {
	DB_COLUMN(account_row, DB_TEXT, "account_id", account_id),
	DB_COLUMN(account_row, DB_NUMBER, "realm", realm),
	DB_COLUMN(account_row, DB_BYTES, "login_sealed", login_sealed),
	DB_COLUMN(account_row, DB_NUMBER, "login_key_id", login_key_id),
	DB_COLUMN(account_row, DB_TEXT, "external_id", external_id),
	DB_COLUMN(account_row, DB_TEXT, "state", state),
	DB_COLUMN(account_row, DB_FLAG, "has_password", has_password),
	DB_COLUMN(account_row, DB_FLAG, "must_change", must_change),
	DB_COLUMN(account_row, DB_FLAG, "second_factor", second_factor),
	DB_COLUMN(account_row, DB_NUMBER, "created_at", created_at_s),
	DB_COLUMN(account_row, DB_NUMBER, "password_changed_at", password_changed_at_s),
	DB_COLUMN(account_row, DB_NUMBER, "hold_until", hold_until_s),
};
static const struct db_function create_function = DB_FUNCTION("account_create", "Cvvvvvvvvvv", account_columns, account_row);
static const struct db_function get_function = DB_FUNCTION("account_get", "Cv", account_columns, account_row);
static const struct db_function find_function = DB_FUNCTION("account_find", "Cv", account_columns, account_row);
static const struct db_function set_state_function = DB_FUNCTION("account_set_state", "Cvvv", account_columns, account_row);

/* A sealed value and the key that sealed it are there together or not at all. */
static void
sealed(struct db_params *params, struct bytes value, int64_t key_id)
{
	db_bytes(params, value);
	if (value.data != NULL)
		db_number(params, key_id);
	else
		db_text(params, NULL);
}

enum status
account_sql_create(struct db *db, const struct db_caller *caller, const struct account_create *in,
    struct account_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, in->account_id);
	db_bytes(&params, in->login_digest);
	sealed(&params, in->login_sealed, in->login_key_id);
	db_text(&params, in->external_id);
	sealed(&params, in->password_sealed, in->password_key_id);
	db_text(&params, in->password_form);
	db_bytes(&params, in->idempotency_digest);
	db_bytes(&params, in->request_digest);
	return db_row(db, &create_function, &params, out);
}

enum status
account_sql_get(struct db *db, const struct db_caller *caller, const char *account_id, struct account_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	return db_row(db, &get_function, &params, out);
}

enum status
account_sql_find(struct db *db, const struct db_caller *caller, struct bytes login_digest, struct account_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_bytes(&params, login_digest);
	return db_row(db, &find_function, &params, out);
}

enum status
account_sql_set_state(struct db *db, const struct db_caller *caller, const char *account_id, const char *state,
    const char *reason, struct account_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_text(&params, state);
	db_text(&params, reason);
	return db_row(db, &set_state_function, &params, out);
}

static const struct db_column status_columns[] = {
	DB_COLUMN(account_status_row, DB_TEXT, "account_id", account_id),
	DB_COLUMN(account_status_row, DB_TEXT, "state", state),
	DB_COLUMN(account_status_row, DB_FLAG, "must_change", must_change),
	DB_COLUMN(account_status_row, DB_FLAG, "second_factor", second_factor),
	DB_COLUMN(account_status_row, DB_NUMBER, "training_due_at", training_due_at_s),
};
static const struct db_function status_function = DB_FUNCTION("account_status", "Cv", status_columns, account_status_row);

enum status
account_sql_status(struct db *db, const struct db_caller *caller, struct bytes login_digest,
    struct account_status_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_bytes(&params, login_digest);
	return db_row(db, &status_function, &params, out);
}

/* --- passwords ------------------------------------------------------------------------------------------------------- */

static const struct db_column begin_columns[] = {
	DB_COLUMN(password_begin_row, DB_NUMBER, "throttled_s", throttled_s),
	DB_COLUMN(password_begin_row, DB_TEXT, "attempt", attempt),
	DB_COLUMN(password_begin_row, DB_TEXT, "familiar", familiar),
	DB_COLUMN(password_begin_row, DB_BYTES, "login_digest", login_digest),
	DB_COLUMN(password_begin_row, DB_BYTES, "login_sealed", login_sealed),
	DB_COLUMN(password_begin_row, DB_BYTES, "password_sealed", password_sealed),
	DB_COLUMN(password_begin_row, DB_NUMBER, "login_key_id", login_key_id),
	DB_COLUMN(password_begin_row, DB_NUMBER, "password_key_id", password_key_id),
	DB_COLUMN(password_begin_row, DB_NUMBER, "password_no", password_no),
	DB_COLUMN(password_begin_row, DB_FLAG, "second_factor", second_factor),
};
static const struct db_function begin_function = DB_FUNCTION("password_begin", "CvT", begin_columns, password_begin_row);

enum status
account_sql_password_begin(struct db *db, const struct db_caller *caller, const char *account_id,
    const struct db_throttle *throttle, struct password_begin_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_throttle(&params, throttle);
	return db_row(db, &begin_function, &params, out);
}

struct verdict_row { char verdict[ACCOUNT_SQL_WORD_MAX]; };
static const struct db_column verdict_columns[] = { DB_COLUMN(verdict_row, DB_TEXT, "verdict", verdict) };
static const struct db_function finish_function = 
    DB_FUNCTION("password_finish", "CvvvvvvvvT", verdict_columns, verdict_row);
static const struct db_function ticket_use_function = DB_FUNCTION("ticket_use", "Cvvvvv", verdict_columns, verdict_row);

static enum status
verdict_of(struct db *db, const struct db_function *function, const struct db_params *params, bool *out_granted)
{
	struct verdict_row row;
	enum status st;

	if ((st = db_row(db, function, params, &row)) == STATUS_OK)
		*out_granted = strcmp(row.verdict, "granted") == 0;
	return st;
}

enum status
account_sql_password_finish(struct db *db, const struct db_caller *caller, const struct password_finish *in,
    const struct db_throttle *throttle, bool *out_granted)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, in->account_id);
	db_text(&params, in->attempt);
	db_text(&params, in->familiar);
	db_flag(&params, in->matched);
	db_number(&params, in->password_no);
	sealed(&params, in->new_sealed, in->new_key_id);
	db_text(&params, in->new_form);
	db_throttle(&params, throttle);
	return verdict_of(db, &finish_function, &params, out_granted);
}

static const struct db_function abandon_function = DB_DONE("password_abandon", "CvvvT");

enum status
account_sql_password_abandon(struct db *db, const struct db_caller *caller, const char *account_id, const char *attempt,
    const char *familiar, const struct db_throttle *throttle)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_text(&params, attempt);
	db_text(&params, familiar);
	db_throttle(&params, throttle);
	return db_done(db, &abandon_function, &params);
}

static const struct db_column reset_columns[] = {
	DB_COLUMN(password_reset_row, DB_NUMBER, "expires_at", expires_at_s),
	DB_COLUMN(password_reset_row, DB_NUMBER, "throttled_s", throttled_s),
};
static const struct db_function reset_function = DB_FUNCTION("password_reset", "CvvvvT", reset_columns, password_reset_row);

enum status
account_sql_password_reset(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes ticket_digest, int64_t ttl_s, int64_t limit, const struct db_throttle *throttle,
    struct password_reset_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_bytes(&params, ticket_digest);
	db_number(&params, ttl_s);
	db_number(&params, limit);
	db_throttle(&params, throttle);
	return db_row(db, &reset_function, &params, out);
}

static const struct db_column look_columns[] = {
	DB_COLUMN(ticket_look_row, DB_FLAG, "live", live),
	DB_COLUMN(ticket_look_row, DB_BYTES, "login_sealed", login_sealed),
	DB_COLUMN(ticket_look_row, DB_NUMBER, "login_key_id", login_key_id),
	DB_COLUMN(ticket_look_row, DB_FLAG, "second_factor", second_factor),
};
static const struct db_function look_function = DB_FUNCTION("ticket_look", "Cvv", look_columns, ticket_look_row);

enum status
account_sql_ticket_look(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes ticket_digest, struct ticket_look_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_bytes(&params, ticket_digest);
	return db_row(db, &look_function, &params, out);
}

enum status
account_sql_ticket_use(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes ticket_digest, struct bytes new_sealed, int64_t new_key_id, const char *new_form, bool *out_granted)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_bytes(&params, ticket_digest);
	sealed(&params, new_sealed, new_key_id);
	db_text(&params, new_form);
	return verdict_of(db, &ticket_use_function, &params, out_granted);
}

static const struct db_function set_function = DB_DONE("password_set", "Cvvvvv");

enum status
account_sql_password_set(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes new_sealed, int64_t new_key_id, const char *new_form, bool must_change)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	sealed(&params, new_sealed, new_key_id);
	db_text(&params, new_form);
	db_flag(&params, must_change);
	return db_done(db, &set_function, &params);
}
