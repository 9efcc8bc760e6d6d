/* main.c: the table of commands, and the process around one of them. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "cli/output.h"
#include "cli/usage.h"
#include "core/base/descriptors.h"
#include "core/base/log.h"

#define SCHEMA_OPTIONS (WITH(OPTION_DATABASE) | WITH(OPTION_SQL_DIR) | WITH(OPTION_JSON))
#define IN_REALM (WITH(OPTION_REALM) | WITH(OPTION_JSON))

#define OF_ACCOUNT IN_REALM
#define ENROLL_OPTIONS (IN_REALM | WITH(OPTION_PNG) | WITH(OPTION_URI) | WITH(OPTION_NAME) | WITH(OPTION_NO_CONFIRM) | \
	WITH(OPTION_CONFIRM) | WITH(OPTION_CODE))

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
	{ "account", "reset", "LOGIN", 1, 1, OF_ACCOUNT | WITH(OPTION_BY) | WITH(OPTION_REASON) | WITH(OPTION_COMPLETE) |
	    WITH(OPTION_CANCEL) | WITH(OPTION_PASSWORD_STDIN), "give an account back to an owner who has lost everything",
	    "Two different members of staff ask for it with a reason, each with password and code; then a delay begins (a\n"
	    "setting), in which a sign-in of the owner cancels it; then one of staff completes it and gets the ticket for a\n"
	    "new password.  Without --by the command shows what is asked for.", account_reset_command },
	{ "account", "use-ticket", "LOGIN", 1, 1, WITH(OPTION_REALM) | WITH(OPTION_PASSWORD_STDIN),
	    "set a new password with the ticket of a reset", "The ticket is a line of standard input.",
	    account_use_ticket_command },
	{ "account", "export", "LOGIN", 1, 1, WITH(OPTION_REALM), "print what is kept about an account's owner, as JSON",
	    "Everything but secrets: what the person may ask for.", account_export_command },
	{ "account", "erase", "LOGIN", 1, 1, WITH(OPTION_REALM) | WITH(OPTION_YES), "forget an account's owner",
	    "What names the person goes, for good; the audit trail stays under the bare id.", account_erase_command },
	{ "factors", "list", "LOGIN", 1, 1, OF_ACCOUNT, "list an account's authenticators, with what they were used for last",
	    NULL, factors_list_command },
	{ "factors", "revoke", "LOGIN FACTOR", 2, 2, WITH(OPTION_REALM), "revoke one authenticator, or all",
	    "FACTOR is an id from the list, or the word all.  The seed is wiped, the record stays.", factors_revoke_command },
	{ NULL, "enroll", "LOGIN", 1, 1, ENROLL_OPTIONS, "bind an authenticator: QR code, then its first code",
	    "Shows the QR code in the terminal, asks for the code that the authenticator shows, and prints the recovery\n"
	    "codes, once.  The code is one line of standard input, of which there may be three.  An authenticator that\n"
	    "is not confirmed opens nothing; --no-confirm leaves one pending for ten minutes (a setting), for a person\n"
	    "who is elsewhere, and --confirm binds it.  --code binds nothing itself: its code, given to its owner, lets them\n"
	    "do so at the next sign-in to a staff host that has unenrolled = enroll, once, for a day (a setting).", enroll_command },
	{ NULL, "recovery-codes", "LOGIN", 1, 1, OF_ACCOUNT, "issue a whole new set of recovery codes",
	    "The old set is dead from then on.", recovery_codes_command },
	{ "keys", "list", "", 0, 0, WITH(OPTION_JSON), "tell which realms' keys are in this host's keyring", NULL,
	    keys_list_command },
	{ "keys", "extract", "REALM FILE", 2, 2, 0, "write the keys of one realm alone to a new file, for a PAM host", NULL,
	    keys_extract_command },
	{ "keys", "add", "REALM", 1, 1, 0, "add a sealing key, which seals from the next start on",
	    "What older keys sealed still opens: every key stays in the file.", keys_add_command },
	{ "staff", "offboard", "LOGIN", 1, 1, WITH(OPTION_REASON) | WITH(OPTION_JSON),
	    "take everything from somebody who leaves, and print the proof",
	    "Password, factors, recovery codes, sessions and devices end at once, on every host.", staff_offboard_command },
	{ "training", "record", "LOGIN", 1, 1, WITH(OPTION_DUE), "record that somebody completed the training now",
	    "--due is the day of the next; a year from now where it is not given.", training_record_command },
	{ "training", "require", "LOGIN", 1, 1, WITH(OPTION_DUE), "say by which day somebody needs a training", NULL,
	    training_require_command },
	{ "training", "report", "", 0, 0, WITH(OPTION_JSON), "list all staff, with who is due first", NULL,
	    training_report_command },
	{ "blocklist", "build", "FILE...", 1, 64, WITH(OPTION_OUTPUT) | WITH(OPTION_JSON),
	    "make the list of common passwords from lists of words or hashes",
	    "FILE has a password a line, or its SHA-1 as 40 hex digits with or without \":count\" behind it, as the lists of\n"
	    "breached passwords have; \"-\" is standard input.  Words are found in any case.  Shorter ones than 8 characters\n"
	    "are left out: no policy takes them.  Any size will do; temporary files beside the new one take 8 bytes a line.\n"
	    "The list takes 2 bytes an entry; of passwords that are not in it, 1 in 8192 is refused by mistake.",
	    blocklist_build_command },
	{ "blocklist", "check", "FILE", 1, 1, WITH(OPTION_JSON), "look whether a list is whole, and count its entries", NULL,
	    blocklist_check_command },
	{ NULL, "calibrate", "[TARGET]", 0, 1, WITH(OPTION_JSON), "measure password hashes here, and propose their cost",
	    "TARGET is the time that a hash may take, 100ms where nothing is given, or the logins that this machine has to\n"
	    "carry, as in 40/s.  It takes some seconds and all of one core.", calibrate_command },
	{ "pam", "check", "[LOGIN]", 0, 1, WITH(OPTION_SERVICE),
	    "say what is wrong with this host's sign-in through PAM, and how to mend it",
	    "Looks at pam.conf (or the FILE of --config), the stacks in /etc/pam.d that name the module, sshd's own\n"
	    "settings, the helper with what is behind it, the clock, and at the account LOGIN if it is given.\n"
	    "Exit code 78 when something is wrong.", pam_check_command },
	{ "pam", "ticket-key", "", 0, 0, 0,
	    "on the service: print the public key by which PAM hosts verify offline tickets",
	    "For ticket_key_file in pam-helper.conf of hosts with offline = ticket.  It is no secret; it is another one after\n"
	    "counterfoil keys add service: then hosts get the new line beside the old one before authd is restarted.",
	    ticket_key_command },
	{ "breakglass", "issue", "LOGIN", 1, 1, WITH(OPTION_COUNT_OF_CODES),
	    "on a PAM host, as root: make codes that let somebody in while Counterfoil is away",
	    "Each is good once, on this host alone, for 90 days (a setting), and only while the service has been out of reach\n"
	    "for a minute.  They are shown this once; those that LOGIN had here before are void.  LOGIN is active staff.\n"
	    "FILE of --config is another pam.conf, with pam-helper.conf beside it.", breakglass_command },
	{ "breakglass", "list", "", 0, 0, 0, "tell who has how many codes on this host", NULL, breakglass_command },
	{ "breakglass", "revoke", "[LOGIN]", 0, 1, WITH(OPTION_ALL), "make the codes of somebody on this host void", NULL,
	    breakglass_command },
	{ "breakglass", "sync", "", 0, 0, 0,
	    "ask who is still staff, drop the codes of who is not, deliver what waits", "What a timer does every minute.",
	    breakglass_command },
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

	if (descriptors_hold_standard() != STATUS_OK)
		return EX_OSERR;
	harden();
	output_prepare();
	log_open("counterfoil", LOG_TARGET_STDERR, LOG_LEVEL_NOTICE);
	if (usage_parse(commands, sizeof commands / sizeof commands[0], argc, argv, &in, &rc))
		rc = in.command->run(&in);
	return output_finish(rc);
}
