#include "core/operation/schema.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/base/bytes.h"
#include "core/base/encoding.h"
#include "core/base/log.h"
#include "core/store/migration.h"

enum {
	FILES_MAX = 512,                        /* in one folder */
	FILE_MAX_BYTES = 1024 * 1024,
	PATH_MAX_BYTES = 1024,
	LOCK_WAIT_S = 60
};

/* The files of one folder, by name. */
struct folder {
	char path[PATH_MAX_BYTES];
	struct dirent **entries;
	int count;
};

/* --- files ----------------------------------------------------------------------------------------------------------- */

static int
is_sql(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 4 && strcmp(entry->d_name + len - 4, ".sql") == 0;
}

static void
folder_close(struct folder *folder)
{
	for (int i = 0; i < folder->count; i++)
		free(folder->entries[i]);
	free(folder->entries);
	folder->entries = NULL;
	folder->count = 0;
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);      /* not alphasort(): it asks the locale */
}

static enum status
folder_open(const char *sql_dir, const char *name, struct folder *out, char error[static CONFIG_ERROR_BYTES])
{
	int n = snprintf(out->path, sizeof out->path, "%s/%s", sql_dir, name);

	out->entries = NULL;
	out->count = 0;
	if (n < 0 || (size_t)n >= sizeof out->path)
		return config_fault(error, STATUS_INVALID, "the name of the SQL folder is too long");
	if ((n = scandir(out->path, &out->entries, is_sql, by_bytes)) < 0)
		return config_fault(error, STATUS_INVALID, "%s: %s; is the SQL of this program installed?", out->path,
		    strerror(errno));
	out->count = n;
	if (n == 0 || n > FILES_MAX) {
		folder_close(out);
		return config_fault(error, STATUS_INVALID, "%s: %d .sql files, expected 1 to %d", out->path, n, FILES_MAX);
	}
	return STATUS_OK;
}

/* The whole file behind *text, which grows; *text is the caller's whatever happens. */
static enum status
read_behind(const struct folder *folder, const char *name, char **text, size_t *len,
    char error[static CONFIG_ERROR_BYTES])
{
	char path[PATH_MAX_BYTES + 256];
	char *grown;
	FILE *in;
	size_t got;

	(void)snprintf(path, sizeof path, "%s/%s", folder->path, name);
	if ((grown = realloc(*text, *len + FILE_MAX_BYTES + 2)) == NULL)
		return config_fault(error, STATUS_NO_MEMORY, "out of memory");
	*text = grown;
	if ((in = fopen(path, "re")) == NULL)
		return config_fault(error, STATUS_INVALID, "%s: %s", path, strerror(errno));
	got = fread(grown + *len, 1, FILE_MAX_BYTES + 1, in);
	if (ferror(in) != 0 || got > FILE_MAX_BYTES || memchr(grown + *len, '\0', got) != NULL) {
		(void)fclose(in);
		return config_fault(error, STATUS_INVALID, "%s: not readable, over %d bytes, or no text", path, FILE_MAX_BYTES);
	}
	(void)fclose(in);
	*len += got;
	grown[*len] = '\0';
	return STATUS_OK;
}

static void
checksum(const char *text, size_t len, char out[static MIGRATION_CHECKSUM_BYTES])
{
	uint8_t raw[32];

	(void)crypto_generichash(raw, sizeof raw, (const unsigned char *)text, len, NULL, 0);
	encoding_hex((struct bytes){ raw, sizeof raw }, out);
}

/* --- migrations ------------------------------------------------------------------------------------------------------ */

/* NNNN_name.sql: the INDEXth file has number INDEX + 1, so a gap or a doubled number is found. */
static enum status
check_name(const struct folder *folder, int index, struct migration *out, char error[static CONFIG_ERROR_BYTES])
{
	const char *name = folder->entries[index]->d_name;
	size_t digits = strspn(name, "0123456789"), len = strlen(name);

	if (digits != 4 || name[4] != '_' || len - 4 >= sizeof out->name ||
	    strspn(name + 5, "abcdefghijklmnopqrstuvwxyz0123456789_") != len - 9)
		return config_fault(error, STATUS_INVALID, "%s/%s: a migration is called 0001_name.sql", folder->path, name);
	out->number = (int)strtol(name, NULL, 10);
	if (out->number != index + 1)
		return config_fault(error, STATUS_INVALID, "%s/%s: number %04d was expected here", folder->path, name, index + 1);
	(void)snprintf(out->name, sizeof out->name, "%.*s", (int)(len - 4), name);
	return STATUS_OK;
}

static enum status
load_migration(const struct folder *folder, int index, struct migration *out, char **text,
    char error[static CONFIG_ERROR_BYTES])
{
	size_t len = 0;
	enum status st;

	if ((st = check_name(folder, index, out, error)) == STATUS_OK &&
	    (st = read_behind(folder, folder->entries[index]->d_name, text, &len, error)) == STATUS_OK)
		checksum(*text, len, out->checksum);
	return st;
}

static const struct migration *
find(const struct migration *applied, unsigned count, int number)
{
	for (unsigned i = 0; i < count; i++)
		if (applied[i].number == number)
			return &applied[i];
	return NULL;
}

static enum status
migrate_one(struct migration_session *session, const struct folder *folder, int index,
    const struct migration *applied, unsigned count, bool dry, char error[static CONFIG_ERROR_BYTES])
{
	struct migration migration;
	const struct migration *before;
	char *text = NULL;
	enum status st;

	if ((st = load_migration(folder, index, &migration, &text, error)) != STATUS_OK)
		goto out;
	before = find(applied, count, migration.number);
	if (before != NULL && strcmp(before->checksum, migration.checksum) != 0)
		st = config_fault(error, STATUS_CONFLICT, "migration %s in the database is not the one in %s: its text has another "
		    "checksum; install the program whose SQL made this database, or a newer one", migration.name, folder->path);
	else if (before == NULL && !dry)
		st = migration_apply(session, &migration, text, error);
out:
	free(text);
	return st;
}

/* --- functions ------------------------------------------------------------------------------------------------------- */

/* All files as one text, and one checksum over names and content. */
static enum status
load_functions(const struct folder *folder, struct migration *out, char **text, char error[static CONFIG_ERROR_BYTES])
{
	size_t len = 0;
	enum status st;

	*out = (struct migration){ .number = MIGRATION_FUNCTIONS, .name = "functions" };
	for (int i = 0; i < folder->count; i++) {
		if ((st = read_behind(folder, folder->entries[i]->d_name, text, &len, error)) != STATUS_OK)
			return st;
	}
	checksum(*text, len, out->checksum);
	return STATUS_OK;
}

/* Functions are this program's, whatever the database had: they are applied whenever they differ. */
static enum status
apply_functions(struct migration_session *session, const char *sql_dir, const struct migration *applied,
    unsigned count, bool changed, char error[static CONFIG_ERROR_BYTES])
{
	const struct migration *before = find(applied, count, MIGRATION_FUNCTIONS);
	struct migration functions;
	struct folder folder;
	char *text = NULL;
	enum status st;

	if ((st = folder_open(sql_dir, "functions", &folder, error)) != STATUS_OK)
		return st;
	if ((st = load_functions(&folder, &functions, &text, error)) == STATUS_OK &&
	    (changed || before == NULL || strcmp(before->checksum, functions.checksum) != 0))
		st = migration_apply(session, &functions, text, error);
	free(text);
	folder_close(&folder);
	return st;
}

/* --- the two commands ------------------------------------------------------------------------------------------------ */

static enum status
lock(struct migration_session *session, char error[static CONFIG_ERROR_BYTES])
{
	bool locked = false;
	enum status st;

	if ((st = migration_try_lock(session, &locked, error)) != STATUS_OK || locked)
		return st;
	log_event(LOG_LEVEL_NOTICE, "migration_waits", (const struct log_field[]){
	    LOG_TEXT("for", "another migration of this database"), LOG_NUMBER("seconds_at_most", LOCK_WAIT_S), LOG_END });
	return migration_lock(session, LOCK_WAIT_S, error);
}

/* What the database has, against what the folder has; with DRY nothing is changed. */
static enum status
walk(struct migration_session *session, const char *sql_dir, const struct folder *folder, bool dry,
    struct schema_state *out, char error[static CONFIG_ERROR_BYTES])
{
	struct migration *applied = NULL;
	unsigned count = 0;
	enum status st;

	if ((st = migration_list(session, &applied, &count, error)) != STATUS_OK)
		goto out;
	out->known = folder->count;
	out->applied = count > 0 ? applied[count - 1].number : 0;
	if (out->applied > out->known)
		st = config_fault(error, STATUS_CONFLICT, "the database has migration %d (%s) and this program knows %d at most: it is "
		    "older than the database; install the newer program", out->applied, applied[count - 1].name, out->known);
	for (int i = 0; i < folder->count && st == STATUS_OK; i++)
		st = migrate_one(session, folder, i, applied, count, dry, error);
	if (st != STATUS_OK || dry)
		goto out;
	st = apply_functions(session, sql_dir, applied, count, out->applied < out->known, error);
	out->applied = out->known;
out:
	free(applied);
	return st;
}

static enum status
run(const char *database_url, const char *sql_dir, bool dry, struct schema_state *out,
    char error[static CONFIG_ERROR_BYTES])
{
	struct migration_session *session = NULL;
	struct folder folder;
	enum status st;

	*out = (struct schema_state){ 0, 0 };
	if ((st = folder_open(sql_dir, "migrations", &folder, error)) != STATUS_OK)
		return st;
	if ((st = migration_open(database_url, &session, error)) != STATUS_OK)
		goto out;
	if (dry || (st = lock(session, error)) == STATUS_OK)
		st = walk(session, sql_dir, &folder, dry, out, error);
out:
	migration_close(&session);
	folder_close(&folder);
	return st;
}

enum status
schema_migrate(const char *database_url, const char *sql_dir, struct schema_state *out,
    char error[static CONFIG_ERROR_BYTES])
{
	return run(database_url, sql_dir != NULL ? sql_dir : COUNTERFOIL_SQLDIR, false, out, error);
}

enum status
schema_status(const char *database_url, const char *sql_dir, struct schema_state *out,
    char error[static CONFIG_ERROR_BYTES])
{
	return run(database_url, sql_dir != NULL ? sql_dir : COUNTERFOIL_SQLDIR, true, out, error);
}

/* The roles belong to the cluster, not to the schema: no migration, no record, a text that may run again at any time. */
enum status
schema_roles(const char *database_url, const char *sql_dir, char error[static CONFIG_ERROR_BYTES])
{
	struct migration_session *session = NULL;
	struct folder folder = { .entries = NULL };
	char *text = NULL;
	size_t len = 0;
	enum status st;

	(void)snprintf(folder.path, sizeof folder.path, "%s", sql_dir != NULL ? sql_dir : COUNTERFOIL_SQLDIR);
	if ((st = read_behind(&folder, "roles.sql", &text, &len, error)) == STATUS_OK &&
	    (st = migration_open(database_url, &session, error)) == STATUS_OK)
		st = migration_run(session, "roles.sql", text, error);
	migration_close(&session);
	free(text);
	return st;
}
