/* account_sql.h: the functions of sql/functions/41_account.sql.
 * Outcomes as db_row(); the members are the functions' columns, and SQL's comments say what they mean. */
#ifndef COUNTERFOIL_ACCOUNT_SQL_H
#define COUNTERFOIL_ACCOUNT_SQL_H

#include "core/base/entropy.h"
#include "core/store/db.h"

#define ACCOUNT_SQL_WORD_MAX 24         /* states, verdicts: words of SQL's own */

struct account_row {
	char account_id[UUID_TEXT_BYTES];
	int64_t realm;
	struct db_bytes login_sealed;
	int64_t login_key_id;
	char external_id[129], state[ACCOUNT_SQL_WORD_MAX];
	bool has_password, must_change, second_factor;
	int64_t created_at_s, password_changed_at_s, hold_until_s;
};

struct account_create {
	const char *account_id;
	struct bytes login_digest, login_sealed;
	int64_t login_key_id;
	const char *external_id;        /* NULL: none */
	struct bytes password_sealed;   /* empty: none */
	int64_t password_key_id;        /* with password_sealed */
	const char *password_form;      /* with password_sealed: of password.h */
	struct bytes idempotency_digest, request_digest;        /* empty: none */
};

enum status account_sql_create(struct db *db, const struct db_caller *caller, const struct account_create *in,
    struct account_row *out) NODISCARD;
enum status account_sql_get(struct db *db, const struct db_caller *caller, const char *account_id,
    struct account_row *out) NODISCARD;
enum status account_sql_find(struct db *db, const struct db_caller *caller, struct bytes login_digest,
    struct account_row *out) NODISCARD;
enum status account_sql_set_state(struct db *db, const struct db_caller *caller, const char *account_id,
    const char *state, const char *reason, struct account_row *out) NODISCARD;

struct account_status_row {
	char account_id[UUID_TEXT_BYTES];       /* empty: no such account */
	char state[ACCOUNT_SQL_WORD_MAX];
	bool must_change, second_factor;
	int64_t training_due_at_s;
};
enum status account_sql_status(struct db *db, const struct db_caller *caller, struct bytes login_digest,
    struct account_status_row *out) NODISCARD;

/* --- passwords ------------------------------------------------------------------------------------------------------ */

struct password_begin_row {
	int64_t throttled_s;
	char attempt[UUID_TEXT_BYTES], familiar[ACCOUNT_SQL_WORD_MAX];
	struct db_bytes login_digest, login_sealed, password_sealed;    /* password_sealed empty: nothing to verify */
	int64_t login_key_id, password_key_id, password_no;
	bool second_factor;
};
enum status account_sql_password_begin(struct db *db, const struct db_caller *caller, const char *account_id,
    const struct db_throttle *throttle, struct password_begin_row *out) NODISCARD;

struct password_finish {
	const char *account_id, *attempt, *familiar;
	bool matched;
	int64_t password_no;            /* the one that was verified: of a password_begin_row */
	struct bytes new_sealed;        /* empty: the new password was refused, the attempt was none */
	int64_t new_key_id;
	const char *new_form;           /* with new_sealed: of password.h */
};
/* *out_granted: the new password is set (or was refused before, and the current one was right). */
enum status account_sql_password_finish(struct db *db, const struct db_caller *caller,
    const struct password_finish *in, const struct db_throttle *throttle, bool *out_granted) NODISCARD;

/* The attempt was never verified: it does not count. */
enum status account_sql_password_abandon(struct db *db, const struct db_caller *caller, const char *account_id,
    const char *attempt, const char *familiar, const struct db_throttle *throttle) NODISCARD;

struct password_reset_row { int64_t expires_at_s, throttled_s; };      /* throttled_s > 0: there is no ticket */
/* LIMIT: resets of one account before a delay begins. */
enum status account_sql_password_reset(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes ticket_digest, int64_t ttl_s, int64_t limit, const struct db_throttle *throttle,
    struct password_reset_row *out) NODISCARD;

struct ticket_look_row {
	bool live;
	struct db_bytes login_sealed;
	int64_t login_key_id;
	bool second_factor;
};
enum status account_sql_ticket_look(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes ticket_digest, struct ticket_look_row *out) NODISCARD;
enum status account_sql_ticket_use(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes ticket_digest, struct bytes new_sealed, int64_t new_key_id, const char *new_form,
    bool *out_granted) NODISCARD;

enum status account_sql_password_set(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes new_sealed, int64_t new_key_id, const char *new_form, bool must_change) NODISCARD;

#endif
