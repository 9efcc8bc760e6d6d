/* schema.h: bringing the database up to this program's schema (counterfoil db). */
#ifndef COUNTERFOIL_SCHEMA_H
#define COUNTERFOIL_SCHEMA_H

#include "core/base/config.h"
#include "core/base/status.h"

#define SCHEMA_NUMBER 9         /* the highest number in sql/migrations: what this program needs at least */

struct schema_state {
	int applied;            /* highest migration in the database; 0: none */
	int known;              /* highest migration of this program */
};

/* DATABASE_URL connects as the owner of the schema; SQL_DIR holds migrations/ and functions/, NULL: the installed ones.
 * Migrating takes an advisory lock, applies what is missing, each migration one transaction, then the functions, all in one.
 * Safe to run twice and from two hosts: a second one waits a minute at most, and the log says so.
 * STATUS_CONFLICT: the database is newer than this program, or was made by another one's migrations.
 * STATUS_INVALID: the url or the folder.  STATUS_UNAVAILABLE.  STATUS_INTERNAL: PostgreSQL refused the SQL.
 * ERROR says in a line what is wrong and what to do. */
enum status schema_migrate(const char *database_url, const char *sql_dir, struct schema_state *out,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;
enum status schema_status(const char *database_url, const char *sql_dir, struct schema_state *out,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

/* Create those of the five roles that are missing (roles.sql); DATABASE_URL connects as a superuser. */
enum status schema_roles(const char *database_url, const char *sql_dir, char error[static CONFIG_ERROR_BYTES]) NODISCARD;

#endif
