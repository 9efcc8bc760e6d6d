#include "core/store/link_sql.h"

struct expiry_row { int64_t expires_at_s; };
static const struct db_column expiry_columns[] = { DB_COLUMN(expiry_row, DB_NUMBER, "expires_at", expires_at_s) };
static const struct db_function create_function = DB_FUNCTION("link_create", "Cvvvvv", expiry_columns, expiry_row);
static const struct db_function host_function = DB_FUNCTION("link_create_at_host", "Cvvvv", expiry_columns, expiry_row);
static const struct db_function exchange_function = DB_FUNCTION("link_exchange", "Cvvvv", expiry_columns, expiry_row);

static enum status
expiry_of(struct db *db, const struct db_function *function, const struct db_params *params, int64_t *out_expires_at_s)
{
	struct expiry_row row;
	enum status st;

	if ((st = db_row(db, function, params, &row)) == STATUS_OK)
		*out_expires_at_s = row.expires_at_s;
	return st;
}

enum status
link_sql_create(struct db *db, const struct db_caller *caller, const char *account_id, struct bytes link_digest,
    const char *purpose, const char *return_to, int64_t ttl_s, int64_t *out_expires_at_s)
{
	struct db_params params;

	db_begin(&params, caller);
	db_text(&params, account_id);
	db_bytes(&params, link_digest);
	db_text(&params, purpose);
	db_text(&params, return_to);
	db_number(&params, ttl_s);
	return expiry_of(db, &create_function, &params, out_expires_at_s);
}

enum status
link_sql_create_at_host(struct db *db, const struct db_caller *host, const char *account_id, struct bytes ticket_digest,
    const char *factor_id, struct bytes link_digest, int64_t *out_expires_at_s)
{
	struct db_params params;

	db_begin(&params, host);
	db_text(&params, account_id);
	db_bytes(&params, ticket_digest);
	db_text(&params, factor_id);
	db_bytes(&params, link_digest);
	return expiry_of(db, &host_function, &params, out_expires_at_s);
}

enum status
link_sql_exchange(struct db *db, const struct db_caller *page, struct bytes link_digest, const char *purpose,
    struct bytes page_digest, int64_t ttl_s, int64_t *out_expires_at_s)
{
	struct db_params params;

	db_begin(&params, page);
	db_bytes(&params, link_digest);
	db_text(&params, purpose);
	db_bytes(&params, page_digest);
	db_number(&params, ttl_s);
	return expiry_of(db, &exchange_function, &params, out_expires_at_s);
}

static const struct db_column page_columns[] = {
	DB_COLUMN(page_row, DB_TEXT, "account_id", account_id),
	DB_COLUMN(page_row, DB_NUMBER, "realm", realm),
	DB_COLUMN(page_row, DB_BYTES, "login_sealed", login_sealed),
	DB_COLUMN(page_row, DB_NUMBER, "login_key_id", login_key_id),
	DB_COLUMN(page_row, DB_TEXT, "return_to", return_to),
	DB_COLUMN(page_row, DB_TEXT, "state", state),
	DB_COLUMN(page_row, DB_NUMBER, "expires_at", expires_at_s),
	DB_COLUMN(page_row, DB_FLAG, "second_factor", second_factor),
};
static const struct db_function page_function = DB_FUNCTION("page_get", "Cvv", page_columns, page_row);

enum status
link_sql_page_get(struct db *db, const struct db_caller *page, struct bytes page_digest, const char *purpose,
    struct page_row *out)
{
	struct db_params params;

	db_begin(&params, page);
	db_bytes(&params, page_digest);
	db_text(&params, purpose);
	return db_row(db, &page_function, &params, out);
}
