/* activity_sql.h: the functions of sql/functions/50_event.sql that the page of recent sign-ins asks.
 * The page's digest is the credential.  Outcomes as db_row() and db_rows(). */
#ifndef COUNTERFOIL_ACTIVITY_SQL_H
#define COUNTERFOIL_ACTIVITY_SQL_H

#include "core/store/session_sql.h"

struct activity_event {
	int64_t at_s;
	char kind[32], outcome[24], reason[64];         /* words of SQL's own; docs/operations.md has them */
	char source[INET6_ADDRSTRLEN];                  /* empty: not told */
	char user_agent[SESSION_AGENT_BYTES];
};

/* Newest first, at most MAX; free() the rows. */
enum status activity_sql_events(struct db *db, const struct db_caller *page, struct bytes page_digest, int64_t max,
    struct activity_event **out_rows, unsigned *out_count) NODISCARD;

enum status activity_sql_end_session(struct db *db, const struct db_caller *page, struct bytes page_digest,
    const char *session_id) NODISCARD;
enum status activity_sql_end_device(struct db *db, const struct db_caller *page, struct bytes page_digest,
    const char *device_id) NODISCARD;
enum status activity_sql_end_all(struct db *db, const struct db_caller *page, struct bytes page_digest) NODISCARD;

#endif
