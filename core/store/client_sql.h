/* client_sql.h: the functions of sql/functions/40_client.sql.  Outcomes as db_row(). */
#ifndef COUNTERFOIL_CLIENT_SQL_H
#define COUNTERFOIL_CLIENT_SQL_H

#include "core/store/db.h"

struct client_row {
	char id[17], name[64 * 4 + 1];
	int64_t realm, scopes, created_at_s, expires_at_s, revoked_at_s, last_used_at_s;
};

/* Of IN: id, name, realm, scopes, expires_at_s. */
enum status client_sql_create(struct db *db, const struct db_caller *caller, const struct client_row *in,
    struct bytes key_digest, int64_t *out_created_at_s) NODISCARD;
/* *out_rows for free(). */
enum status client_sql_list(struct db *db, const struct db_caller *caller, struct client_row **out_rows,
    unsigned *out_count) NODISCARD;
enum status client_sql_revoke(struct db *db, const struct db_caller *caller, const char *id) NODISCARD;
enum status client_sql_check(struct db *db, const struct db_caller *caller, const char *scope) NODISCARD;

#endif
