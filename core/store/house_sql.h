/* house_sql.h: the functions of sql/functions/90_house.sql.  Outcomes as db_row(). */
#ifndef COUNTERFOIL_HOUSE_SQL_H
#define COUNTERFOIL_HOUSE_SQL_H

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

#endif
