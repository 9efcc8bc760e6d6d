/* enroll_code_sql.h: the functions of sql/functions/46_enroll_code.sql.
 * Outcomes as db_row(); the members are the functions' columns, and SQL's comments say what they mean. */
#ifndef COUNTERFOIL_ENROLL_CODE_SQL_H
#define COUNTERFOIL_ENROLL_CODE_SQL_H

#include "core/store/db.h"

enum status enroll_code_sql_issue(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes code_digest, int64_t ttl_s, int64_t *out_expires_at_s) NODISCARD;

struct enroll_code_row {
	int64_t throttled_s;
	char reason[24];                /* "granted": the code is good */
};
/* CODE_DIGEST is empty where what was typed is no code; it counts as a wrong one. */
enum status enroll_code_sql_check(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes code_digest, const struct db_throttle *throttle, struct enroll_code_row *out) NODISCARD;

/* STATUS_CONFLICT: this request of the caller did not bind FACTOR_ID within the last minute. */
enum status enroll_code_sql_confirm_again(struct db *db, const struct db_caller *caller, const char *account_id,
    const char *factor_id, struct bytes recovery_digests) NODISCARD;

#endif
