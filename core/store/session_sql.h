/* session_sql.h: the functions of sql/functions/44_session.sql, and the lists that the owner's page asks for.
 * Outcomes as db_row() and db_rows(); SQL's comments say what the columns mean. */
#ifndef COUNTERFOIL_SESSION_SQL_H
#define COUNTERFOIL_SESSION_SQL_H

#include <netinet/in.h>

#include "core/base/entropy.h"
#include "core/store/db.h"

#define SESSION_AMR_BYTES   32
#define SESSION_AGENT_BYTES 1025        /* 256 characters and NUL */

struct introspect_row {
	bool active;
	char session_id[UUID_TEXT_BYTES], account_id[UUID_TEXT_BYTES];
	int64_t aal;
	char amr[SESSION_AMR_BYTES];            /* RFC 8176 names, separated by spaces */
	int64_t auth_time_s, expires_at_s, idle_at_s, hold_until_s;
	bool device;
};
enum status session_sql_introspect(struct db *db, const struct db_caller *caller, struct bytes digest,
    struct introspect_row *out) NODISCARD;

struct session_item {
	char id[UUID_TEXT_BYTES];
	int64_t aal;
	char amr[SESSION_AMR_BYTES];
	int64_t auth_time_s, last_used_at_s, expires_at_s;
	bool device;                            /* a trusted device spared the code */
	char source[INET6_ADDRSTRLEN];          /* empty: not told */
	char user_agent[SESSION_AGENT_BYTES];
};

struct device_item {
	char id[UUID_TEXT_BYTES];
	int64_t created_at_s, last_used_at_s, expires_at_s;
	char user_agent[SESSION_AGENT_BYTES];
};

/* Newest first, at most MAX; free() the rows. */
enum status session_sql_list(struct db *db, const struct db_caller *caller, const char *account_id, int64_t max,
    struct session_item **out_rows, unsigned *out_count) NODISCARD;
enum status session_sql_devices(struct db *db, const struct db_caller *caller, const char *account_id, int64_t max,
    struct device_item **out_rows, unsigned *out_count) NODISCARD;
enum status session_sql_page_list(struct db *db, const struct db_caller *page, struct bytes page_digest, int64_t max,
    struct session_item **out_rows, unsigned *out_count) NODISCARD;
enum status session_sql_page_devices(struct db *db, const struct db_caller *page, struct bytes page_digest,
    int64_t max, struct device_item **out_rows, unsigned *out_count) NODISCARD;

enum status session_sql_end(struct db *db, const struct db_caller *caller, const char *session_id) NODISCARD;
/* BUT_DIGEST empty: none is spared. */
enum status session_sql_end_all(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes but_digest, int64_t *out_ended) NODISCARD;
/* DEVICE_ID NULL: all. */
enum status session_sql_device_revoke(struct db *db, const struct db_caller *caller, const char *account_id,
    const char *device_id, int64_t *out_ended) NODISCARD;

struct step_up_row {
	int64_t expires_at_s;
	bool has_totp, has_recovery;
};
enum status session_sql_step_up_begin(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes challenge_digest, const char *purpose, struct bytes transaction_digest, int64_t ttl_s,
    struct step_up_row *out) NODISCARD;

#endif
