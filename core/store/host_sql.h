/* host_sql.h: the functions of sql/functions/32_host.sql.
 * Outcomes as db_row(); the members are the functions' columns, and SQL's comments say what they mean. */
#ifndef COUNTERFOIL_HOST_SQL_H
#define COUNTERFOIL_HOST_SQL_H

#include "core/store/db.h"

#define HOST_SQL_REASON_BYTES 49

struct host_session {
	const char *kind;               /* "session_opened" or "session_closed" */
	struct bytes login_digest;      /* data NULL: a name that has no canonical form */
	const char *target, *tty;       /* NULL: not told */
};
/* *out_throttled_s 0: it is recorded. */
enum status host_sql_session(struct db *db, const struct db_caller *caller, const struct host_session *in,
    const struct db_throttle *throttle, int64_t *out_throttled_s) NODISCARD;

/* What a request came to. */
struct host_decided {
	bool known;                     /* host_sql_begin(): it was decided before */
	char decision[24], reason[HOST_SQL_REASON_BYTES];
	bool password_right, must_change;
	int64_t retry_after_s;
};
/* STATUS_CONFLICT: the request's id was used for another body. */
enum status host_sql_begin(struct db *db, const struct db_caller *caller, struct bytes body_digest,
    struct host_decided *out) NODISCARD;
/* *inout: what this time came to; then what is to be told. */
enum status host_sql_finish(struct db *db, const struct db_caller *caller, struct host_decided *inout) NODISCARD;

#endif
