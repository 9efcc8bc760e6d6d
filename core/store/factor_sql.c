#include "core/store/factor_sql.h"

#include <string.h>

static const struct db_column start_columns[] = {
	DB_COLUMN(totp_start_row, DB_BYTES, "login_sealed", login_sealed),
	DB_COLUMN(totp_start_row, DB_NUMBER, "login_key_id", login_key_id),
	DB_COLUMN(totp_start_row, DB_NUMBER, "expires_at", expires_at_s),
	DB_COLUMN(totp_start_row, DB_FLAG, "proof_missing", proof_missing),
	DB_COLUMN(totp_start_row, DB_NUMBER, "throttled_s", throttled_s),
	DB_COLUMN(totp_start_row, DB_TEXT, "factor_id", factor_id),
	DB_COLUMN(totp_start_row, DB_BYTES, "seed_sealed", seed_sealed),
	DB_COLUMN(totp_start_row, DB_NUMBER, "seed_key_id", seed_key_id),
};
static const struct db_function start_function = DB_FUNCTION("totp_start", "CvvvvvvvvvvvvT", start_columns, totp_start_row);

enum status
factor_sql_totp_start(struct db *db, const struct db_caller *caller, const struct totp_start *in,
    const struct db_throttle *throttle, struct totp_start_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, in->account_id);
	db_bytes(&params, in->token_digest);
	db_text(&params, in->factor_id);
	db_bytes(&params, in->seed_sealed);
	db_number(&params, in->seed_key_id);
	db_bytes(&params, in->name_sealed);
	if (in->name_sealed.data != NULL)
		db_number(&params, in->name_key_id);
	else
		db_text(&params, NULL);
	db_number(&params, in->ttl_s);
	db_number(&params, in->factors_max);
	db_bytes(&params, in->proof_digest);
	db_flag(&params, in->proof_required);
	db_number(&params, in->limit);
	db_throttle(&params, throttle);
	return db_row(db, &start_function, &params, out);
}

static const struct db_column confirm_columns[] = {
	DB_COLUMN(totp_confirm_row, DB_NUMBER, "throttled_s", throttled_s),
	DB_COLUMN(totp_confirm_row, DB_TEXT, "factor_id", factor_id),
	DB_COLUMN(totp_confirm_row, DB_BYTES, "seed_sealed", seed_sealed),
	DB_COLUMN(totp_confirm_row, DB_NUMBER, "seed_key_id", seed_key_id),
	DB_COLUMN(totp_confirm_row, DB_FLAG, "needs_recovery", needs_recovery),
};
static const struct db_function confirm_begin_function =
    DB_FUNCTION("totp_confirm_begin", "CvvvT", confirm_columns, totp_confirm_row);

enum status
factor_sql_confirm_begin(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes token_digest, const char *factor_id, const struct db_throttle *throttle, struct totp_confirm_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_bytes(&params, token_digest);
	db_text(&params, factor_id);
	db_throttle(&params, throttle);
	return db_row(db, &confirm_begin_function, &params, out);
}

struct confirm_finish_row { char verdict[24]; bool recovery_issued; };
static const struct db_column confirm_finish_columns[] = {
	DB_COLUMN(confirm_finish_row, DB_TEXT, "verdict", verdict),
	DB_COLUMN(confirm_finish_row, DB_FLAG, "recovery_issued", recovery_issued),
};
static const struct db_function confirm_finish_function =
    DB_FUNCTION("totp_confirm_finish", "Cvvvvv", confirm_finish_columns, confirm_finish_row);

enum status
factor_sql_confirm_finish(struct db *db, const struct db_caller *caller, const struct totp_confirm_finish *in,
    bool *out_granted, bool *out_recovery_issued)
{
	struct confirm_finish_row row;
	struct db_params params;
	enum status st;

	db_begin(&params, caller);
	db_text(&params, in->account_id);
	db_bytes(&params, in->token_digest);
	db_text(&params, in->factor_id);
	if (in->matched)
		db_number(&params, in->step);
	else
		db_text(&params, NULL);
	db_bytes(&params, in->recovery_digests);
	if ((st = db_row(db, &confirm_finish_function, &params, &row)) != STATUS_OK)
		return st;
	*out_granted = strcmp(row.verdict, "granted") == 0;
	*out_recovery_issued = row.recovery_issued;
	return STATUS_OK;
}

static const struct db_column list_columns[] = {
	DB_COLUMN(factor_row, DB_TEXT, "factor_id", factor_id),
	DB_COLUMN(factor_row, DB_TEXT, "kind", kind),
	DB_COLUMN(factor_row, DB_TEXT, "state", state),
	DB_COLUMN(factor_row, DB_BYTES, "name_sealed", name_sealed),
	DB_COLUMN(factor_row, DB_NUMBER, "name_key_id", name_key_id),
	DB_COLUMN(factor_row, DB_NUMBER, "created_at", created_at_s),
	DB_COLUMN(factor_row, DB_NUMBER, "bound_at", bound_at_s),
	DB_COLUMN(factor_row, DB_NUMBER, "revoked_at", revoked_at_s),
	DB_COLUMN(factor_row, DB_NUMBER, "last_used_at", last_used_at_s),
	DB_COLUMN(factor_row, DB_NUMBER, "recovery_left", recovery_left),
};
static const struct db_function list_function = DB_FUNCTION("factor_list", "Cv", list_columns, factor_row);

enum status
factor_sql_list(struct db *db, const struct db_caller *caller, const char *account_id, struct factor_row **out_rows,
    unsigned *out_count)
{
	struct db_params params;
	void *rows = NULL;
	enum status st;

	db_begin(&params, caller);
	db_text(&params, account_id);
	if ((st = db_rows(db, &list_function, &params, &rows, out_count)) != STATUS_OK)
		return st;
	*out_rows = rows;
	return *out_count > 0 ? STATUS_OK : STATUS_INTERNAL;
}

static const struct db_function revoke_function = DB_DONE("factor_revoke", "Cvv");

enum status
factor_sql_revoke(struct db *db, const struct db_caller *caller, const char *account_id, const char *factor_id)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_text(&params, factor_id);
	return db_done(db, &revoke_function, &params);
}

static const struct db_function replace_function = DB_DONE("recovery_replace", "Cvv");

enum status
factor_sql_recovery_replace(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes recovery_digests)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_bytes(&params, recovery_digests);
	return db_done(db, &replace_function, &params);
}
