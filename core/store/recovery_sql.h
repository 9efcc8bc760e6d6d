/* recovery_sql.h: the functions of sql/functions/45_reset.sql: losing everything, leaving, learning.
 * Outcomes as db_row() and db_rows(); SQL's comments say what the columns mean.  BY is the account of the member of staff. */
#ifndef COUNTERFOIL_RECOVERY_SQL_H
#define COUNTERFOIL_RECOVERY_SQL_H

#include "core/base/entropy.h"
#include "core/store/db.h"

#define RECOVERY_REASON_BYTES 1025      /* 256 characters and NUL */

enum status recovery_sql_request(struct db *db, const struct db_caller *caller, const char *account_id, const char *id,
    const char *reason, const char *by, int64_t delay_s, bool *out_approved, int64_t *out_due_at_s) NODISCARD;
enum status recovery_sql_cancel(struct db *db, const struct db_caller *caller, const char *account_id,
    const char *by) NODISCARD;
enum status recovery_sql_complete(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes ticket_digest, int64_t ticket_ttl_s, int64_t hold_s, const char *by,
    int64_t *out_expires_at_s) NODISCARD;

struct recovery_row {
	char reset_id[UUID_TEXT_BYTES];
	char reason[RECOVERY_REASON_BYTES];
	char requested_by[UUID_TEXT_BYTES], approved_by[UUID_TEXT_BYTES];       /* approved_by empty: not yet */
	int64_t requested_at_s, approved_at_s, due_at_s;                        /* 0: not yet */
};
enum status recovery_sql_show(struct db *db, const struct db_caller *caller, const char *account_id,
    struct recovery_row *out) NODISCARD;

struct offboard_row { int64_t factors, sessions, devices, recovery_codes, at_s; };
enum status recovery_sql_offboard(struct db *db, const struct db_caller *caller, const char *account_id,
    const char *reason, struct offboard_row *out) NODISCARD;

enum status recovery_sql_training_record(struct db *db, const struct db_caller *caller, const char *account_id,
    bool completed, int64_t due_at_s) NODISCARD;

struct training_row {
	char account_id[UUID_TEXT_BYTES];
	struct db_bytes login_sealed;
	int64_t login_key_id;
	char state[24];
	int64_t completed_at_s, due_at_s;       /* 0: never, none */
};
/* free() the rows. */
enum status recovery_sql_training_report(struct db *db, const struct db_caller *caller, struct training_row **out_rows,
    unsigned *out_count) NODISCARD;

#endif
