/* breakglass_sql.h: the functions of sql/functions/47_breakglass.sql.  Outcomes as db_row() and db_rows(). */
#ifndef COUNTERFOIL_BREAKGLASS_SQL_H
#define COUNTERFOIL_BREAKGLASS_SQL_H

#include "core/store/db.h"

struct breakglass_sql_report {
	struct bytes login_digest;
	const char *host, *event;
	int64_t at_s, left, expires_at_s;
};
enum status breakglass_sql_report(struct db *db, const struct db_caller *caller,
    const struct breakglass_sql_report *report) NODISCARD;

struct breakglass_row {
	char host[257];                 /* 64 characters */
	int64_t codes_left, issued_at_s, expires_at_s;
};
/* free() the rows. */
enum status breakglass_sql_list(struct db *db, const struct db_caller *caller, const char *account_id,
    struct breakglass_row **out_rows, unsigned *out_count) NODISCARD;

#endif
