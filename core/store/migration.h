/* migration.h: the one connection that changes the schema, as its owner, and the table that says what was done.
 * Knows SQL text and numbers; where the files lie is its caller's business. */
#ifndef COUNTERFOIL_MIGRATION_H
#define COUNTERFOIL_MIGRATION_H

#include "core/base/config.h"
#include "core/store/db.h"

#define MIGRATION_NAME_MAX 64
#define MIGRATION_CHECKSUM_BYTES 65     /* 64 hex digits and NUL */
#define MIGRATION_FUNCTIONS 0           /* the number under which the functions' common checksum is kept */

struct migration {
	int number;
	char name[MIGRATION_NAME_MAX];
	char checksum[MIGRATION_CHECKSUM_BYTES];
};

struct migration_session;

/* Every failure below leaves one line in ERROR: what was tried and what PostgreSQL said. */

/* STATUS_INVALID: the url.  STATUS_UNAVAILABLE: no connection. */
enum status migration_open(const char *url, struct migration_session **out,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;
void migration_close(struct migration_session **session);

/* From *out_locked on nobody else migrates until migration_close(). */
enum status migration_try_lock(struct migration_session *session, bool *out_locked,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;
/* The same, and wait.  STATUS_UNAVAILABLE: another one has been at it for WAIT_S seconds. */
enum status migration_lock(struct migration_session *session, int wait_s, char error[static CONFIG_ERROR_BYTES]) NODISCARD;

/* What the database says was applied, by number; free() it.  A database without our table: none. */
enum status migration_list(struct migration_session *session, struct migration **out, unsigned *out_count,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

/* Run SQL, whole files one behind the other, and record MIGRATION, in one transaction.  The table is made if need be;
 * a record of the same number is replaced. */
enum status migration_apply(struct migration_session *session, const struct migration *migration, const char *sql,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

/* Run SQL in one transaction, without a record.  NAME is for ERROR. */
enum status migration_run(struct migration_session *session, const char *name, const char *sql,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

#endif
