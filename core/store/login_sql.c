#include "core/store/login_sql.h"

#include <stdlib.h>

static const struct db_column begin_columns[] = {
	DB_COLUMN(login_begin_row, DB_NUMBER, "throttled_s", throttled_s),
	DB_COLUMN(login_begin_row, DB_TEXT, "attempt", attempt),
	DB_COLUMN(login_begin_row, DB_TEXT, "account_id", account_id),
	DB_COLUMN(login_begin_row, DB_TEXT, "familiar", familiar),
	DB_COLUMN(login_begin_row, DB_TEXT, "reason", reason),
	DB_COLUMN(login_begin_row, DB_BYTES, "password_sealed", password_sealed),
	DB_COLUMN(login_begin_row, DB_NUMBER, "password_key_id", password_key_id),
	DB_COLUMN(login_begin_row, DB_NUMBER, "password_no", password_no),
};
static const struct db_function begin_function = DB_FUNCTION("login_begin", "CvvT", begin_columns, login_begin_row);

enum status
login_sql_begin(struct db *db, const struct db_caller *caller, struct bytes login_digest, struct bytes device_digest,
    const struct db_throttle *throttle, struct login_begin_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_bytes(&params, login_digest);
	db_bytes(&params, device_digest);
	db_throttle(&params, throttle);
	return db_row(db, &begin_function, &params, out);
}

static const struct db_function abandon_function = DB_DONE("login_abandon", "CvvvT");

enum status
login_sql_abandon(struct db *db, const struct db_caller *caller, struct bytes login_digest, const char *attempt,
    const char *familiar, const struct db_throttle *throttle)
{
	struct db_params params;

	db_begin(&params, caller);
	db_bytes(&params, login_digest);
	db_text(&params, attempt);
	db_text(&params, familiar);
	db_throttle(&params, throttle);
	return db_done(db, &abandon_function, &params);
}

static const struct db_column finish_columns[] = {
	DB_COLUMN(login_finish_row, DB_TEXT, "verdict", verdict),
	DB_COLUMN(login_finish_row, DB_TEXT, "reason", reason),
	DB_COLUMN(login_finish_row, DB_NUMBER, "aal", aal),
	DB_COLUMN(login_finish_row, DB_NUMBER, "auth_time", auth_time_s),
	DB_COLUMN(login_finish_row, DB_NUMBER, "expires_at", expires_at_s),
	DB_COLUMN(login_finish_row, DB_FLAG, "has_totp", has_totp),
	DB_COLUMN(login_finish_row, DB_FLAG, "has_recovery", has_recovery),
	DB_COLUMN(login_finish_row, DB_FLAG, "device", device),
	DB_COLUMN(login_finish_row, DB_NUMBER, "hold_until", hold_until_s),
};
static const struct db_function finish_function =
    DB_FUNCTION("login_finish", "CvvvvvvvvvvvvvvvvvTL", finish_columns, login_finish_row);

enum status
login_sql_finish(struct db *db, const struct db_caller *caller, const struct login_finish *in,
    const struct db_throttle *throttle, const struct db_login_policy *policy, struct login_finish_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, in->account_id);
	db_bytes(&params, in->login_digest);
	db_text(&params, in->attempt);
	db_text(&params, in->familiar);
	db_flag(&params, in->matched);
	db_text(&params, in->reason);
	db_number(&params, in->password_no);
	db_bytes(&params, in->new_sealed);
	db_number(&params, in->new_key_id);
	db_text(&params, in->password_form);
	db_bytes(&params, in->challenge_digest);
	db_text(&params, in->session_id);
	db_bytes(&params, in->session_digest);
	db_bytes(&params, in->ticket_digest);
	db_bytes(&params, in->device_digest);
	db_bytes(&params, in->next_device_digest);
	db_flag(&params, in->password_only);
	db_throttle(&params, throttle);
	db_login_policy(&params, policy);
	return db_row(db, &finish_function, &params, out);
}

/* --- the code step --------------------------------------------------------------------------------------------------- */

static const struct db_column challenge_columns[] = {
	DB_COLUMN(challenge_begin_row, DB_TEXT, "reason", reason),
	DB_COLUMN(challenge_begin_row, DB_NUMBER, "throttled_s", throttled_s),
	DB_COLUMN(challenge_begin_row, DB_TEXT, "account_id", account_id),
	DB_COLUMN(challenge_begin_row, DB_TEXT, "familiar", familiar),
	DB_COLUMN(challenge_begin_row, DB_TEXT, "factor_id", factor_id),
	DB_COLUMN(challenge_begin_row, DB_BYTES, "seed_sealed", seed_sealed),
	DB_COLUMN(challenge_begin_row, DB_NUMBER, "seed_key_id", seed_key_id),
	DB_COLUMN(challenge_begin_row, DB_NUMBER, "last_step", last_step),
};
static const struct db_function challenge_begin_function =
    DB_FUNCTION("challenge_begin", "CvvvT", challenge_columns, challenge_begin_row);
static const struct db_function otp_begin_function =
    DB_FUNCTION("otp_begin", "CvvT", challenge_columns, challenge_begin_row);
static const struct db_function page_proof_begin_function =
    DB_FUNCTION("page_proof_begin", "CvvvT", challenge_columns, challenge_begin_row);

/* Begin always answers: no row is a broken promise of SQL, and must not look like success. */
static enum status
begin_rows(struct db *db, const struct db_function *function, const struct db_params *params,
    struct challenge_begin_row **out_rows, unsigned *out_count)
{
	void *rows = NULL;
	unsigned count = 0;
	enum status st;

	if ((st = db_rows(db, function, params, &rows, &count)) != STATUS_OK)
		return st;
	if (count == 0)
		return STATUS_INTERNAL;
	*out_rows = rows;
	*out_count = count;
	return STATUS_OK;
}

enum status
login_sql_challenge_begin(struct db *db, const struct db_caller *caller, struct bytes challenge_digest,
    const char *kind, int64_t tries, const struct db_throttle *throttle, struct challenge_begin_row **out_rows,
    unsigned *out_count)
{
	struct db_params params;

	db_begin(&params, caller);
	db_bytes(&params, challenge_digest);
	db_text(&params, kind);
	db_number(&params, tries);
	db_throttle(&params, throttle);
	return begin_rows(db, &challenge_begin_function, &params, out_rows, out_count);
}

enum status
login_sql_otp_begin(struct db *db, const struct db_caller *caller, struct bytes login_digest,
    struct bytes challenge_digest, const struct db_throttle *throttle, struct challenge_begin_row **out_rows,
    unsigned *out_count)
{
	struct db_params params;

	db_begin(&params, caller);
	db_bytes(&params, login_digest);
	db_bytes(&params, challenge_digest);
	db_throttle(&params, throttle);
	return begin_rows(db, &otp_begin_function, &params, out_rows, out_count);
}

enum status
login_sql_page_proof_begin(struct db *db, const struct db_caller *page, struct bytes page_digest,
    struct bytes challenge_digest, int64_t ttl_s, const struct db_throttle *throttle,
    struct challenge_begin_row **out_rows, unsigned *out_count)
{
	struct db_params params;

	db_begin(&params, page);
	db_bytes(&params, page_digest);
	db_bytes(&params, challenge_digest);
	db_number(&params, ttl_s);
	db_throttle(&params, throttle);
	return begin_rows(db, &page_proof_begin_function, &params, out_rows, out_count);
}

static const struct db_column challenge_finish_columns[] = {
	DB_COLUMN(challenge_finish_row, DB_TEXT, "verdict", verdict),
	DB_COLUMN(challenge_finish_row, DB_TEXT, "reason", reason),
	DB_COLUMN(challenge_finish_row, DB_NUMBER, "aal", aal),
	DB_COLUMN(challenge_finish_row, DB_NUMBER, "auth_time", auth_time_s),
	DB_COLUMN(challenge_finish_row, DB_NUMBER, "expires_at", expires_at_s),
	DB_COLUMN(challenge_finish_row, DB_NUMBER, "recovery_left", recovery_left),
	DB_COLUMN(challenge_finish_row, DB_NUMBER, "hold_until", hold_until_s),
	DB_COLUMN(challenge_finish_row, DB_FLAG, "device", device),
	DB_COLUMN(challenge_finish_row, DB_TEXT, "purpose", purpose),
	DB_COLUMN(challenge_finish_row, DB_BYTES, "transaction_digest", transaction_digest),
};
static const struct db_function challenge_finish_function =
    DB_FUNCTION("challenge_finish", "CvvvvvvvvvvL", challenge_finish_columns, challenge_finish_row);

enum status
login_sql_challenge_finish(struct db *db, const struct db_caller *caller, const struct challenge_finish *in,
    const struct db_login_policy *policy, struct challenge_finish_row *out)
{
	struct db_params params;

	db_begin(&params, caller);
	db_bytes(&params, in->challenge_digest);
	db_text(&params, in->account_id);
	db_text(&params, in->familiar);
	db_text(&params, in->factor_id);
	if (in->factor_id != NULL)
		db_number(&params, in->step);
	else
		db_text(&params, NULL);
	db_bytes(&params, in->recovery_digest);
	db_text(&params, in->session_id);
	db_bytes(&params, in->session_digest);
	db_text(&params, in->device_id);
	db_bytes(&params, in->device_digest);
	db_login_policy(&params, policy);
	return db_row(db, &challenge_finish_function, &params, out);
}
