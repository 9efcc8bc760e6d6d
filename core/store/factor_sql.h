/* factor_sql.h: the functions of sql/functions/42_factor.sql.
 * Outcomes as db_row(); the members are the functions' columns, and SQL's comments say what they mean. */
#ifndef COUNTERFOIL_FACTOR_SQL_H
#define COUNTERFOIL_FACTOR_SQL_H

#include "core/base/entropy.h"
#include "core/store/db.h"

struct totp_start {
	const char *account_id;
	struct bytes token_digest;      /* of a hosted page's token or a host's enrolment code; empty: there is none */
	const char *factor_id;
	struct bytes seed_sealed, name_sealed;  /* name_sealed empty: no name */
	int64_t seed_key_id, name_key_id;
	int64_t ttl_s, factors_max;
	struct bytes proof_digest;      /* of a granted step-up for the purpose add_factor; empty: none */
	bool proof_required;            /* where the account has an active factor */
	int64_t limit;                  /* starts for one account before a delay begins */
};
struct totp_start_row {
	struct db_bytes login_sealed;
	int64_t login_key_id, expires_at_s;
	bool proof_missing;             /* nothing was started */
	int64_t throttled_s;            /* > 0: nothing was started */
	char factor_id[UUID_TEXT_BYTES];        /* not empty: the page goes on with this one, which a host began */
	struct db_bytes seed_sealed;    /* with it */
	int64_t seed_key_id;
};
enum status factor_sql_totp_start(struct db *db, const struct db_caller *caller, const struct totp_start *in,
    const struct db_throttle *throttle, struct totp_start_row *out) NODISCARD;

struct totp_confirm_row {
	int64_t throttled_s;
	char factor_id[UUID_TEXT_BYTES];
	struct db_bytes seed_sealed;
	int64_t seed_key_id;
	bool needs_recovery;
};
/* FACTOR_ID is NULL for a page: it is the one that the page started. */
enum status factor_sql_confirm_begin(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes token_digest, const char *factor_id, const struct db_throttle *throttle,
    struct totp_confirm_row *out) NODISCARD;

struct totp_confirm_finish {
	const char *account_id;
	struct bytes token_digest;
	const char *factor_id;
	bool matched;
	int64_t step;                   /* with matched */
	struct bytes recovery_digests;  /* DIGEST_BYTES each; empty: none are needed */
};
enum status factor_sql_confirm_finish(struct db *db, const struct db_caller *caller,
    const struct totp_confirm_finish *in, bool *out_granted, bool *out_recovery_issued) NODISCARD;

struct factor_row {
	char factor_id[UUID_TEXT_BYTES];        /* empty, in the one row of an account without factors */
	char kind[24], state[24];
	struct db_bytes name_sealed;
	int64_t name_key_id, created_at_s, bound_at_s, revoked_at_s, last_used_at_s, recovery_left;
};
/* *out_rows: at least one row, for free(). */
enum status factor_sql_list(struct db *db, const struct db_caller *caller, const char *account_id,
    struct factor_row **out_rows, unsigned *out_count) NODISCARD;
enum status factor_sql_revoke(struct db *db, const struct db_caller *caller, const char *account_id,
    const char *factor_id) NODISCARD;
enum status factor_sql_recovery_replace(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes recovery_digests) NODISCARD;

#endif
