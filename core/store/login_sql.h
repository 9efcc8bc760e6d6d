/* login_sql.h: the functions of sql/functions/30_login.sql and 31_challenge.sql.
 * Outcomes as db_row(); the members are the functions' columns, and SQL's comments say what they mean. */
#ifndef COUNTERFOIL_LOGIN_SQL_H
#define COUNTERFOIL_LOGIN_SQL_H

#include "core/base/entropy.h"
#include "core/store/db.h"

#define STEP_UP_PURPOSE_MAX 64          /* bytes */
#define LOGIN_SQL_WORD_MAX 24   /* verdicts, reasons, kinds: words of SQL's own */

struct login_begin_row {
	int64_t throttled_s;
	char attempt[UUID_TEXT_BYTES], account_id[UUID_TEXT_BYTES];     /* account_id empty: no such account */
	char familiar[LOGIN_SQL_WORD_MAX], reason[LOGIN_SQL_WORD_MAX];  /* reason empty: there is something to verify */
	struct db_bytes password_sealed;
	int64_t password_key_id, password_no;   /* password_no: of the password, whatever hash and seal it has */
};

enum status login_sql_begin(struct db *db, const struct db_caller *caller, struct bytes login_digest,
    struct bytes device_digest, const struct db_throttle *throttle, struct login_begin_row *out) NODISCARD;

/* The attempt was never verified: it does not count. */
enum status login_sql_abandon(struct db *db, const struct db_caller *caller, struct bytes login_digest,
    const char *attempt, const char *familiar, const struct db_throttle *throttle) NODISCARD;

struct login_finish {
	const char *account_id;         /* NULL: a decoy */
	struct bytes login_digest;
	const char *attempt, *familiar;
	bool matched;
	const char *reason;             /* of a denial; NULL: the password was wrong */
	int64_t password_no;            /* the one that was verified: of a login_begin_row */
	struct bytes new_sealed;        /* of a stronger hash; empty: keep the old */
	int64_t new_key_id;
	const char *password_form;      /* of it or, without one, of the hash that was verified (password.h) */
	struct bytes challenge_digest;
	const char *session_id;
	struct bytes session_digest, ticket_digest, device_digest, next_device_digest;
	bool password_only;
};

struct login_finish_row {
	char verdict[LOGIN_SQL_WORD_MAX], reason[LOGIN_SQL_WORD_MAX];
	int64_t aal, auth_time_s, expires_at_s, hold_until_s;
	bool has_totp, has_recovery, device;
};

enum status login_sql_finish(struct db *db, const struct db_caller *caller, const struct login_finish *in,
    const struct db_throttle *throttle, const struct db_login_policy *policy, struct login_finish_row *out) NODISCARD;

/* One factor whose code would do; the first row carries the outcome too. */
struct challenge_begin_row {
	char reason[LOGIN_SQL_WORD_MAX];        /* empty: the challenge lives, and one try of it was taken */
	int64_t throttled_s;
	char account_id[UUID_TEXT_BYTES], familiar[LOGIN_SQL_WORD_MAX];
	char factor_id[UUID_TEXT_BYTES];        /* empty: no factor */
	struct db_bytes seed_sealed;
	int64_t seed_key_id, last_step;
};

/* *out_rows: at least one row, for free(). */
enum status login_sql_challenge_begin(struct db *db, const struct db_caller *caller, struct bytes challenge_digest,
    const char *kind, int64_t tries, const struct db_throttle *throttle, struct challenge_begin_row **out_rows,
    unsigned *out_count) NODISCARD;
enum status login_sql_otp_begin(struct db *db, const struct db_caller *caller, struct bytes login_digest,
    struct bytes challenge_digest, const struct db_throttle *throttle, struct challenge_begin_row **out_rows,
    unsigned *out_count) NODISCARD;

/* From the hosted page: STATUS_CONFLICT when it is past its start. */
enum status login_sql_page_proof_begin(struct db *db, const struct db_caller *page, struct bytes page_digest,
    struct bytes challenge_digest, int64_t ttl_s, const struct db_throttle *throttle,
    struct challenge_begin_row **out_rows, unsigned *out_count) NODISCARD;

struct challenge_finish {
	struct bytes challenge_digest;
	const char *account_id, *familiar;
	const char *factor_id;          /* NULL: no time step matched */
	int64_t step;                   /* with factor_id */
	struct bytes recovery_digest;
	const char *session_id;
	struct bytes session_digest;
	const char *device_id;          /* NULL: the device is not to be trusted */
	struct bytes device_digest;
};

struct challenge_finish_row {
	char verdict[LOGIN_SQL_WORD_MAX], reason[LOGIN_SQL_WORD_MAX];
	int64_t aal, auth_time_s, expires_at_s, recovery_left, hold_until_s;
	bool device;
	char purpose[STEP_UP_PURPOSE_MAX + 1];          /* of a step-up */
	struct db_bytes transaction_digest;
};

enum status login_sql_challenge_finish(struct db *db, const struct db_caller *caller,
    const struct challenge_finish *in, const struct db_login_policy *policy, struct challenge_finish_row *out) NODISCARD;

#endif
