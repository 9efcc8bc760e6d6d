/* main.c: the table of commands, and the process around one of them. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cli/output.h"
#include "cli/usage.h"
#include "core/base/log.h"

#define SCHEMA_OPTIONS (WITH(OPTION_DATABASE) | WITH(OPTION_SQL_DIR) | WITH(OPTION_JSON))
#define IN_REALM (WITH(OPTION_REALM) | WITH(OPTION_JSON))

static const struct command commands[] = {
	{ "db", "migrate", "", 0, 0, SCHEMA_OPTIONS, "bring the database's schema up to this program's",
	    "Connects as the schema's owner: the configuration's [database] url with role counterfoil_owner (or\n"
	    "--database-user), or --database.  Safe to run twice, and from two hosts at once.  A database that is newer\n"
	    "than this program is refused.", database_migrate_command },
	{ "db", "status", "", 0, 0, SCHEMA_OPTIONS, "tell the schema of the database and of this program",
	    "Exit code 78 when the two differ.", database_status_command },
	{ "client", "create", "NAME", 1, 1, IN_REALM | WITH(OPTION_SCOPES) | WITH(OPTION_EXPIRES_IN),
	    "issue an API key to a program", "The key is shown this once; the database keeps a keyed digest.",
	    client_create_command },
	{ "client", "list", "", 0, 0, IN_REALM, "list the programs that have a key", NULL, client_list_command },
	{ "client", "revoke", "ID", 1, 1, WITH(OPTION_REALM), "end a key at once, on every node",
	    "ID is the id that \"counterfoil client list\" tells; it is the part of the key behind \"cf_\".",
	    client_revoke_command },
};

/* No core dump and no ptrace by the same user: memory holds keys and passwords.  Files are for their owner alone. */
static void
harden(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)umask(0077);
	(void)signal(SIGPIPE, SIG_IGN);
}

int
main(int argc, char **argv)
{
	struct invocation in;
	int rc;

	harden();
	output_prepare();
	log_open("counterfoil", LOG_TARGET_STDERR, LOG_LEVEL_WARNING);
	if (usage_parse(commands, sizeof commands / sizeof commands[0], argc, argv, &in, &rc))
		rc = in.command->run(&in);
	return output_finish(rc);
}
