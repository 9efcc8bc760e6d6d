/* house_sql.h: the functions of sql/functions/90_house.sql.  Outcomes as db_row(). */
#ifndef COUNTERFOIL_HOUSE_SQL_H
#define COUNTERFOIL_HOUSE_SQL_H

#include "core/credential/password.h"
#include "core/store/db.h"

struct readiness_row {
	int64_t schema_number, now_s;   /* now_s: the database's clock, seconds since the epoch */
	bool writable;
};
enum status house_sql_readiness(struct db *db, struct readiness_row *out) NODISCARD;

/* Take away what is over, at most BATCH rows of a kind; KEEP_S: how long ended sessions stay, FORGET_S: budgets.
 * *out_removed: how many rows went; 0 too when another process is at it. */
enum status house_sql_maintain(struct db *db, int64_t budgets_max, int64_t forget_s, int64_t keep_s, int64_t batch,
    int64_t *out_removed) NODISCARD;

/* How many passwords are kept in which form (password.h), at most MAX of each counted.  *out_rows is for free(); NULL when
 * nobody has a password. */
struct password_form_row {
	int64_t realm, accounts;
	char form[PASSWORD_FORM_BYTES];
};
enum status house_sql_password_forms(struct db *db, int64_t max, struct password_form_row **out_rows,
    unsigned *out_count) NODISCARD;

#endif
