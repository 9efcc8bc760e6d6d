/* host_sql.h: the functions of sql/functions/32_host.sql.
 * Outcomes as db_row(); the members are the functions' columns, and SQL's comments say what they mean. */
#ifndef COUNTERFOIL_HOST_SQL_H
#define COUNTERFOIL_HOST_SQL_H

#include "core/store/db.h"

struct host_session {
	const char *kind;               /* "session_opened" or "session_closed" */
	struct bytes login_digest;      /* data NULL: a name that has no canonical form */
	const char *target, *tty;       /* NULL: not told */
};
/* *out_throttled_s 0: it is recorded. */
enum status host_sql_session(struct db *db, const struct db_caller *caller, const struct host_session *in,
    const struct db_throttle *throttle, int64_t *out_throttled_s) NODISCARD;

#endif
