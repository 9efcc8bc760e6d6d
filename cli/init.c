/* init.c: counterfoil init: keyring, authd.conf and the database's roles on a new host. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/session.h"
#include "core/operation/schema.h"

#define SERVICE_USER "counterfoil"
#define DEFAULT_URL "host=/run/postgresql dbname=counterfoil"

struct places {
	char folder[PATH_MAX / 2], keyring[PATH_MAX], configuration[PATH_MAX];
};

/* --- who is to own it ---------------------------------------------------------------------------------------------- */

/* The user that authd runs as.  *out stays NULL where we are not root, or where there is no such user yet. */
static int
find_owner(const struct invocation *in, const struct passwd **out)
{
	const char *name = in->values[OPTION_USER];

	*out = NULL;
	if (geteuid() != 0)
		return name == NULL ? EX_OK : output_fail(EX_NOPERM, "only root can give the files to %s", name);
	*out = getpwnam(name != NULL ? name : SERVICE_USER);
	if (*out == NULL && name != NULL)
		return output_fail(EX_NOUSER, "there is no user %s on this host", name);
	return EX_OK;
}

/* --- the folder ---------------------------------------------------------------------------------------------------- */

static int
exists(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return EX_OK;
	return output_fail(EX_CANTCREAT, "%s exists already and is left as it is; nothing was changed", path);
}

/* Names, checked before anything is written: a host that has a part of it already is not touched. */
static int
find_places(const struct invocation *in, struct places *out)
{
	const char *folder = in->values[OPTION_DIRECTORY] != NULL ? in->values[OPTION_DIRECTORY] : COUNTERFOIL_CONFDIR;
	struct stat st;
	int rc;

	(void)snprintf(out->folder, sizeof out->folder, "%s", folder);
	(void)snprintf(out->keyring, sizeof out->keyring, "%s/keyring", out->folder);
	(void)snprintf(out->configuration, sizeof out->configuration, "%s/authd.conf", out->folder);
	if (folder[0] != '/')
		return output_fail(EX_USAGE, "--directory takes a whole path, which begins with /");
	if (stat(folder, &st) == 0 && !S_ISDIR(st.st_mode))
		return output_fail(EX_CANTCREAT, "%s is not a folder", folder);
	if ((rc = exists(out->keyring)) != EX_OK)
		return rc;
	return exists(out->configuration);
}

static int
make_folder(const struct places *places, const struct passwd *owner)
{
	if (mkdir(places->folder, S_IRWXU | S_IRGRP | S_IXGRP) != 0)
		return errno == EEXIST ? EX_OK : output_fail(EX_CANTCREAT, "%s: %s", places->folder, strerror(errno));
	if (owner != NULL && chown(places->folder, 0, owner->pw_gid) != 0)
		return output_fail(EX_CANTCREAT, "%s: %s", places->folder, strerror(errno));
	/* umask took what the group needs. */
	if (chmod(places->folder, S_IRWXU | S_IRGRP | S_IXGRP) != 0)
		return output_fail(EX_CANTCREAT, "%s: %s", places->folder, strerror(errno));
	return EX_OK;
}

/* --- the keyring --------------------------------------------------------------------------------------------------- */

static int
make_keyring(const struct places *places, const struct passwd *owner)
{
	static const enum realm realms[] = { REALM_STORE, REALM_STAFF, REALM_SERVICE, REALM_NONE };
	char error[CONFIG_ERROR_BYTES] = "";

	if (keyring_create(places->keyring, realms, error) != STATUS_OK)
		return output_fail(EX_CANTCREAT, "%s", error);
	if (owner != NULL && chown(places->keyring, owner->pw_uid, owner->pw_gid) != 0)
		return output_fail(EX_CANTCREAT, "%s: %s", places->keyring, strerror(errno));
	return EX_OK;
}

/* --- the configuration --------------------------------------------------------------------------------------------- */

/* authd knows its own keys: it prints them, behind those of the core.  A host without authd goes without. */
static int
add_authd_keys(int fd)
{
	static const char program[] = COUNTERFOIL_SBINDIR "/authd";
	char *const arguments[] = { (char[]){ "authd" }, (char[]){ "--print-config" }, NULL };
	char *const environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int cause, status = 0;

	if (access(program, X_OK) != 0)
		return EX_OK;
	if ((cause = posix_spawn_file_actions_init(&actions)) != 0)
		return output_fail(EX_OSERR, "%s: %s", program, strerror(cause));
	if ((cause = posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO)) == 0)
		cause = posix_spawn(&pid, program, &actions, NULL, arguments, environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (cause != 0)
		return output_fail(EX_OSERR, "%s: %s", program, strerror(cause));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EX_OK)
		return output_fail(EX_SOFTWARE, "%s --print-config failed", program);
	return EX_OK;
}

static int
write_configuration(const struct invocation *in, const struct places *places, FILE *out)
{
	const struct config_given given[] = {
		{ "database", "url", in->values[OPTION_URL] != NULL ? in->values[OPTION_URL] : DEFAULT_URL },
		{ "keys", "keyring", places->keyring },
	};
	size_t count;
	const struct config_key *keys = core_config_keys(&count);
	int rc;

	(void)fprintf(out, "# Counterfoil's configuration; authd.conf(5) explains it.  What begins with '#' is the default.\n");
	config_print(out, keys, count, given, sizeof given / sizeof given[0]);
	if (fflush(out) != 0)
		return output_fail(EX_CANTCREAT, "%s: %s", places->configuration, strerror(errno));
	if ((rc = add_authd_keys(fileno(out))) != EX_OK)
		return rc;
	if (fsync(fileno(out)) != 0)
		return output_fail(EX_CANTCREAT, "%s: %s", places->configuration, strerror(errno));
	return EX_OK;
}

static int
make_configuration(const struct invocation *in, const struct places *places, const struct passwd *owner)
{
	int fd = open(places->configuration, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
	int rc;

	if (out == NULL) {
		rc = output_fail(EX_CANTCREAT, "%s: %s", places->configuration, strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return rc;
	}
	rc = write_configuration(in, places, out);
	if (rc == EX_OK && owner != NULL &&
	    (fchown(fd, 0, owner->pw_gid) != 0 || fchmod(fd, S_IRUSR | S_IWUSR | S_IRGRP) != 0))
		rc = output_fail(EX_CANTCREAT, "%s: %s", places->configuration, strerror(errno));
	if (fclose(out) != 0 && rc == EX_OK)
		rc = output_fail(EX_CANTCREAT, "%s: %s", places->configuration, strerror(errno));
	if (rc != EX_OK)
		(void)unlink(places->configuration);
	return rc;
}

/* --- the roles ----------------------------------------------------------------------------------------------------- */

static int
make_roles(const struct invocation *in)
{
	char error[CONFIG_ERROR_BYTES] = "";
	enum status st;

	if (in->values[OPTION_DATABASE] == NULL)
		return EX_OK;
	st = schema_roles(in->values[OPTION_DATABASE],
	    in->values[OPTION_SQL_DIR] != NULL ? in->values[OPTION_SQL_DIR] : COUNTERFOIL_SQLDIR, error);
	if (st != STATUS_OK)
		return output_fail(output_exit_code(st), "%s", error);
	output_text("The roles are in the database.\n");
	return EX_OK;
}

/* --- all of it ----------------------------------------------------------------------------------------------------- */

static void
say_next(const struct invocation *in, const struct places *places, const struct passwd *owner)
{
	const char *config = in->values[OPTION_DIRECTORY] != NULL ? places->configuration : NULL;
	unsigned step = 1;

	output_text("\nNext:\n");
	output_text("%u. Copy %s to a safe, offline place now, apart from the database's backups: without it\n"
	    "   nothing in the database can ever be opened again.\n", step++, places->keyring);
	if (geteuid() == 0 && owner == NULL)
		output_text("%u. There is no user %s yet: systemd-sysusers, then chown %s %s\n", step++, SERVICE_USER, SERVICE_USER,
		    places->keyring);
	if (in->values[OPTION_DATABASE] == NULL)
		output_text("%u. The roles: psql -f %s/roles.sql as PostgreSQL's superuser\n", step++, COUNTERFOIL_SQLDIR);
	output_text("%u. Let the roles log in: ALTER ROLE counterfoil_owner LOGIN PASSWORD '...', and likewise counterfoil_authd\n"
	    "   and counterfoil_admin; put the passwords into a passfile and name it in [database] url (passfile=...)\n", step++);
	output_text("%u. The database: CREATE DATABASE counterfoil OWNER counterfoil_owner\n", step++);
	output_text("%u. Certificates for the listeners, in %s\n", step++, places->configuration);
	output_text("%u. counterfoil%s%s db migrate\n", step, config != NULL ? " --config " : "", config != NULL ? config : "");
	output_text("%u. counterfoil%s%s doctor\n", step + 1, config != NULL ? " --config " : "", config != NULL ? config : "");
}

int
init_command(const struct invocation *in)
{
	const struct passwd *owner;
	struct places places;
	int rc;

	if ((rc = find_owner(in, &owner)) != EX_OK || (rc = find_places(in, &places)) != EX_OK ||
	    (rc = make_roles(in)) != EX_OK || (rc = make_folder(&places, owner)) != EX_OK ||
	    (rc = make_configuration(in, &places, owner)) != EX_OK)
		return rc;
	/* The keyring last: it is the one thing that must not be lost, so nothing may fail behind it. */
	if ((rc = make_keyring(&places, owner)) != EX_OK)
		return rc;
	output_text("Written: %s\nWritten: %s\n", places.configuration, places.keyring);
	say_next(in, &places, owner);
	return EX_OK;
}
