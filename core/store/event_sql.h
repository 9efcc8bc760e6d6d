/* event_sql.h: the audit trail, and the rights of the person it is about (sql/functions/50_event.sql).
 * Outcomes as db_row() and db_rows(). */
#ifndef COUNTERFOIL_EVENT_SQL_H
#define COUNTERFOIL_EVENT_SQL_H

#include <netinet/in.h>

#include "core/base/entropy.h"
#include "core/store/db.h"

struct event_filter {
	int64_t after, max;             /* ids above AFTER, at most MAX */
	const char *account_id, *kind;  /* NULL: of all */
	bool notify;                    /* the outbox alone: what owners are to be told */
	int64_t since_s, until_s;       /* 0: no bound; UNTIL is outside */
};

struct event_item {
	int64_t id, at_s;
	char account_id[UUID_TEXT_BYTES], request_id[UUID_TEXT_BYTES];  /* empty: none */
	char client_id[32], actor[32], kind[48], outcome[32];
	char reason[1025];
	bool notify;
	char source[INET6_ADDRSTRLEN];
	char user_agent[1025], service[257];
	char detail[2049];              /* a JSON object, or empty */
};

/* Oldest first; free() the rows. */
enum status event_sql_list(struct db *db, const struct db_caller *caller, const struct event_filter *filter,
    struct event_item **out_rows, unsigned *out_count) NODISCARD;

struct export_row {
	struct db_bytes login_sealed;
	int64_t login_key_id;
	char *document;                 /* a JSON object; free() it.  Names of factors are sealed in it */
	int64_t throttled_s;            /* > 0: there is none */
};
/* LIMIT, CLIENT_LIMIT: exports of one account, and through one API client, before a delay begins. */
enum status event_sql_export(struct db *db, const struct db_caller *caller, const char *account_id, int64_t limit,
    int64_t client_limit, const struct db_throttle *throttle, struct export_row *out) NODISCARD;

enum status event_sql_erase(struct db *db, const struct db_caller *caller, const char *account_id) NODISCARD;

#endif
