/* link_sql.h: the functions of sql/functions/43_link.sql: links to the hosted page, and the page's own token.
 * Outcomes as db_row(); PURPOSE is "enrollment" or "activity". */
#ifndef COUNTERFOIL_LINK_SQL_H
#define COUNTERFOIL_LINK_SQL_H

#include "core/base/entropy.h"
#include "core/store/db.h"

#define LINK_SQL_RETURN_TO_MAX 512

/* RETURN_TO may be NULL. */
enum status link_sql_create(struct db *db, const struct db_caller *caller, const char *account_id,
    struct bytes link_digest, const char *purpose, const char *return_to, int64_t ttl_s,
    int64_t *out_expires_at_s) NODISCARD;
/* For the FACTOR_ID that a host began with the enrolment code of TICKET_DIGEST. */
enum status link_sql_create_at_host(struct db *db, const struct db_caller *host, const char *account_id,
    struct bytes ticket_digest, const char *factor_id, struct bytes link_digest, int64_t *out_expires_at_s) NODISCARD;
enum status link_sql_exchange(struct db *db, const struct db_caller *page, struct bytes link_digest,
    const char *purpose, struct bytes page_digest, int64_t ttl_s, int64_t *out_expires_at_s) NODISCARD;

struct page_row {
	char account_id[UUID_TEXT_BYTES];
	int64_t realm;
	struct db_bytes login_sealed;
	int64_t login_key_id;
	char return_to[LINK_SQL_RETURN_TO_MAX + 1], state[24];
	int64_t expires_at_s;
	bool second_factor;             /* the account has an active one */
};
enum status link_sql_page_get(struct db *db, const struct db_caller *page, struct bytes page_digest,
    const char *purpose, struct page_row *out) NODISCARD;

#endif
