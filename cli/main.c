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

#define OF_ACCOUNT IN_REALM
#define ENROLL_OPTIONS (IN_REALM | WITH(OPTION_PNG) | WITH(OPTION_URI) | WITH(OPTION_NAME) | WITH(OPTION_NO_CONFIRM) | \
	WITH(OPTION_CONFIRM))

static const struct command commands[] = {
	{ NULL, "init", "", 0, 0, WITH(OPTION_DIRECTORY) | WITH(OPTION_USER) | WITH(OPTION_URL) | WITH(OPTION_DATABASE) |
	    WITH(OPTION_SQL_DIR), "make keyring and configuration of a new installation, and the database's roles",
	    "Writes keyring (mode 0400) and authd.conf, with every setting and its default, and says what to do next.\n"
	    "Files that are there are never touched.  With --database, the address of a superuser, it creates those of\n"
	    "the five roles that are missing; it gives them no password.", init_command },
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
	{ "account", "add", "LOGIN", 1, 1, IN_REALM | WITH(OPTION_PASSWORD_STDIN) | WITH(OPTION_NO_PASSWORD) |
	    WITH(OPTION_EXTERNAL_ID), "create an account; its password is asked for, twice",
	    "A password is never taken from the command line, where every user of the host could read it.",
	    account_add_command },
	{ "account", "show", "LOGIN", 1, 1, OF_ACCOUNT, "show an account", NULL, account_show_command },
	{ "account", "lock", "LOGIN", 1, 1, OF_ACCOUNT | WITH(OPTION_REASON),
	    "lock an account: its sessions end at once, and nobody signs in", NULL, account_lock_command },
	{ "account", "unlock", "LOGIN", 1, 1, OF_ACCOUNT, "unlock an account", NULL, account_unlock_command },
	{ "account", "set-password", "LOGIN", 1, 1, WITH(OPTION_REALM) | WITH(OPTION_PASSWORD_STDIN) |
	    WITH(OPTION_PERMANENT), "set a new password, which its owner must change",
	    "The second factor stays as it is.", account_set_password_command },
	{ NULL, "enroll", "LOGIN", 1, 1, ENROLL_OPTIONS, "bind an authenticator: QR code, then its first code",
	    "Shows the QR code in the terminal, asks for the code that the authenticator shows, and prints the recovery\n"
	    "codes, once.  The code is one line of standard input, of which there may be three.  An authenticator that\n"
	    "is not confirmed opens nothing; --no-confirm leaves one pending for ten minutes (a setting), for a person\n"
	    "who is elsewhere, and --confirm binds it.", enroll_command },
	{ NULL, "recovery-codes", "LOGIN", 1, 1, OF_ACCOUNT, "issue a whole new set of recovery codes",
	    "The old set is dead from then on.", recovery_codes_command },
	{ "keys", "list", "", 0, 0, WITH(OPTION_JSON), "tell which realms' keys are in this host's keyring", NULL,
	    keys_list_command },
	{ "keys", "extract", "REALM FILE", 2, 2, 0, "write the keys of one realm alone to a new file, for a PAM host", NULL,
	    keys_extract_command },
	{ "keys", "add", "REALM", 1, 1, 0, "add a sealing key, which seals from the next start on",
	    "What older keys sealed still opens: every key stays in the file.", keys_add_command },
	{ "blocklist", "build", "FILE...", 1, 64, WITH(OPTION_OUTPUT) | WITH(OPTION_JSON),
	    "make the list of common passwords from lists of words or hashes",
	    "FILE has a password a line, or its SHA-1 as 40 hex digits with or without \":count\" behind it, as the lists of\n"
	    "breached passwords have; \"-\" is standard input.  Words are found in any case.  Shorter ones than 8 characters\n"
	    "are left out: no policy takes them.  Any size will do; temporary files beside the new one take 8 bytes a line.\n"
	    "The list takes 2 bytes an entry; of passwords that are not in it, 1 in 8192 is refused by mistake.",
	    blocklist_build_command },
	{ "blocklist", "check", "FILE", 1, 1, WITH(OPTION_JSON), "look whether a list is whole, and count its entries", NULL,
	    blocklist_check_command },
	{ "pam", "check", "[LOGIN]", 0, 1, WITH(OPTION_SERVICE),
	    "say what is wrong with this host's sign-in through PAM, and how to mend it",
	    "Looks at pam.conf (or the FILE of --config), the stacks in /etc/pam.d that name the module, sshd's own\n"
	    "settings, the helper with what is behind it, the clock, and at the account LOGIN if it is given.\n"
	    "Exit code 78 when something is wrong.", pam_check_command },
	{ NULL, "doctor", "", 0, 0, WITH(OPTION_JSON) | WITH(OPTION_SQL_DIR),
	    "say what is wrong with this installation, and how to mend it",
	    "Looks at configuration, permissions, keys, database, schema and clock.  Exit code 78 when something is wrong.",
	    doctor_command },
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
	log_open("counterfoil", LOG_TARGET_STDERR, LOG_LEVEL_NOTICE);
	if (usage_parse(commands, sizeof commands / sizeof commands[0], argc, argv, &in, &rc))
		rc = in.command->run(&in);
	return output_finish(rc);
}
