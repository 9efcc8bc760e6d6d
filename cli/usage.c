#include "cli/usage.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/output.h"
#include "config.h"

#define EVERYWHERE (WITH(OPTION_CONFIG) | WITH(OPTION_DATABASE_USER) | WITH(OPTION_HELP) | WITH(OPTION_VERSION))
#define DATABASE_MAX_BYTES 4096

enum { FIRST_LONG = 256, SUMMARY_COLUMN = 28, SYNOPSIS_BYTES = 256 };

struct option_row {
	const char *name;
	const char *argument;   /* NULL: a flag */
	char letter;            /* '\0': none */
	size_t max;             /* bytes of the argument */
	const char *summary;
};

static const struct option_row option_rows[OPTION_COUNT] = {
	[OPTION_CONFIG] = { "config", "FILE", 'c', 1024, "read FILE instead of " COUNTERFOIL_CONFDIR "/authd.conf" },
	[OPTION_DATABASE_USER] = { "database-user", "ROLE", '\0', 63,
	    "connect as ROLE (default: counterfoil_admin; for db: counterfoil_owner)" },
	[OPTION_HELP] = { "help", NULL, 'h', 0, "print this" },
	[OPTION_VERSION] = { "version", NULL, 'V', 0, "print the version" },
	[OPTION_JSON] = { "json", NULL, '\0', 0, "print JSON, for programs to read" },
	[OPTION_REALM] = { "realm", "REALM", '\0', 16, "store (customers, the default) or staff" },
	[OPTION_SCOPES] = { "scopes", "LIST", '\0', 256,
	    "what the key may do: login, enroll, accounts, sessions, events, admin; pam: a staff host; separated by commas" },
	[OPTION_EXPIRES_IN] = { "expires-in", "DAYS", '\0', 6, "end by itself after DAYS, 1 to 3650 (default: never)" },
	[OPTION_DATABASE] = { "database", "URL", '\0', DATABASE_MAX_BYTES,
	    "connect to URL as it stands, role and all, instead of what the configuration says" },
	[OPTION_SQL_DIR] = { "sql-dir", "DIR", '\0', 1024, "take the SQL from DIR instead of " COUNTERFOIL_SQLDIR },
	[OPTION_PASSWORD_STDIN] = { "password-stdin", NULL, '\0', 0,
	    "take the password from the first line of standard input instead of asking for it" },
	[OPTION_NO_PASSWORD] = { "no-password", NULL, '\0', 0, "an account without a password" },
	[OPTION_PERMANENT] = { "permanent", NULL, '\0', 0, "do not make the owner change it at the next sign-in" },
	[OPTION_EXTERNAL_ID] = { "external-id", "ID", '\0', 128, "the account's name in another system" },
	[OPTION_REASON] = { "reason", "TEXT", '\0', 256, "why, for the audit trail" },
	[OPTION_PNG] = { "png", "FILE", '\0', 1024, "write the QR code as an image to FILE, which must be new" },
	[OPTION_URI] = { "uri", NULL, '\0', 0, "print the otpauth: address instead of the QR code" },
	[OPTION_NAME] = { "name", "NAME", '\0', 256, "call this authenticator NAME, to tell several apart" },
	[OPTION_NO_CONFIRM] = { "no-confirm", NULL, '\0', 0, "ask for no code now; --confirm does it later" },
	[OPTION_CONFIRM] = { "confirm", "FACTOR", '\0', 36, "ask for the code of FACTOR, which --no-confirm left pending" },
	[OPTION_CODE] = { "code", NULL, '\0', 0, "print a code with which its owner enrols at the next sign-in to a staff host" },
	[OPTION_DIRECTORY] = { "directory", "DIR", '\0', 1024, "write to DIR instead of " COUNTERFOIL_CONFDIR },
	[OPTION_USER] = { "user", "USER", '\0', 32, "give the files to USER, who runs authd (default: counterfoil)" },
	[OPTION_URL] = { "url", "CONNINFO", '\0', 2048,
	    "where PostgreSQL is, for [database] url: without a user, with a passfile" },
	[OPTION_OUTPUT] = { "output", "FILE", '\0', 1024, "write the list to FILE" },
	[OPTION_SERVICE] = { "service", "SERVICE", '\0', 64, "look at this PAM service alone" },
	[OPTION_BY] = { "by", "STAFF", '\0', 1024, "the login of the member of staff who does it, and is asked for both factors" },
	[OPTION_COMPLETE] = { "complete", NULL, '\0', 0, "end it, after the delay" },
	[OPTION_CANCEL] = { "cancel", NULL, '\0', 0, "call it off" },
	[OPTION_DUE] = { "due", "YYYY-MM-DD", '\0', 10, "the last day on which it is not too late, UTC" },
	[OPTION_COUNT_OF_CODES] = { "count", "N", '\0', 3, "how many codes, 1 to 10 (default: 8)" },
	[OPTION_ALL] = { "all", NULL, '\0', 0, "those of everybody" },
	[OPTION_YES] = { "yes", NULL, '\0', 0, "really" },
};

/* --- help -------------------------------------------------------------------------------------------------------- */

static void
synopsis(const struct command *command, char out[static SYNOPSIS_BYTES])
{
	(void)snprintf(out, SYNOPSIS_BYTES, "counterfoil [--config FILE] %s%s%s%s%s%s",
	    command->group != NULL ? command->group : "", command->group != NULL ? " " : "", command->name,
	    command->options != 0 ? " [OPTION...]" : "", command->operands[0] != '\0' ? " " : "", command->operands);
}

static void
print_option(const struct option_row *row)
{
	char left[64];

	(void)snprintf(left, sizeof left, "%s%c%s --%s%s%s", row->letter != '\0' ? "-" : " ",
	    row->letter != '\0' ? row->letter : ' ', row->letter != '\0' ? "," : " ", row->name,
	    row->argument != NULL ? " " : "", row->argument != NULL ? row->argument : "");
	output_text("  %-*s  %s\n", SUMMARY_COLUMN, left, row->summary);
}

static void
print_options(uint64_t options)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if ((options & WITH(i)) != 0)
			print_option(&option_rows[i]);
}

static void
print_command_help(const struct command *command)
{
	char line[SYNOPSIS_BYTES];

	synopsis(command, line);
	output_text("Usage: %s\n%c%s.\n", line, toupper((unsigned char)command->summary[0]), command->summary + 1);
	if (command->details != NULL)
		output_text("\n%s\n", command->details);
	output_text("\nOptions:\n");
	print_options(command->options | EVERYWHERE);
}

static bool
in_group(const struct command *command, const char *group)
{
	return group == NULL || (command->group != NULL && strcmp(command->group, group) == 0);
}

/* All commands, or those of one group. */
static void
print_list_help(const struct command *commands, unsigned count, const char *group)
{
	output_text("Usage: counterfoil [OPTION...] %s%sCOMMAND [ARGUMENT...]\n", group != NULL ? group : "",
	    group != NULL ? " " : "");
	output_text("The operator's side of Counterfoil, two-factor sign-in.\n\nCommands:\n");
	for (unsigned i = 0; i < count; i++) {
		char words[64];

		if (!in_group(&commands[i], group))
			continue;
		(void)snprintf(words, sizeof words, "%s%s%s%s%s", commands[i].group != NULL ? commands[i].group : "",
		    commands[i].group != NULL ? " " : "", commands[i].name, commands[i].operands[0] != '\0' ? " " : "",
		    commands[i].operands);
		output_text("  %-*s  %s\n", SUMMARY_COLUMN, words, commands[i].summary);
	}
	output_text("\nOptions:\n");
	print_options(EVERYWHERE);
	output_text("\n\"counterfoil COMMAND --help\" explains a command; counterfoil(1) has all of it.\n"
	    "Exit codes are those of sysexits.h: 0 is success, 64 a wrong command line, 69 a database out of reach.\n");
}

/* --- options ----------------------------------------------------------------------------------------------------- */

/* What getopt_long() wants to know about OPTIONS; LONGS has room for OPTION_COUNT + 1. */
static void
fill_longs(uint64_t options, struct option *longs)
{
	unsigned count = 0;

	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if ((options & WITH(i)) != 0)
			longs[count++] = (struct option){ option_rows[i].name,
			    option_rows[i].argument != NULL ? required_argument : no_argument, NULL, FIRST_LONG + (int)i };
	longs[count] = (struct option){ NULL, 0, NULL, 0 };
}

static int
option_of(int c)
{
	if (c >= FIRST_LONG)
		return c - FIRST_LONG;
	for (int i = 0; i < OPTION_COUNT; i++)
		if (option_rows[i].letter != '\0' && option_rows[i].letter == c)
			return i;
	return -1;
}

/* An address with a password in it must not stay where every user of the host can read it. */
static const char *
hide(char *argument)
{
	static char kept[DATABASE_MAX_BYTES + 1];
	size_t len = strlen(argument);

	memcpy(kept, argument, len + 1);
	memset(argument, 'x', len);
	return kept;
}

static int
take_option(int id, struct invocation *out)
{
	const struct option_row *row = &option_rows[id];

	if (out->values[id] != NULL)
		return output_fail(EX_USAGE, "--%s is given twice", row->name);
	if (row->argument == NULL) {
		out->values[id] = "";
		return EX_OK;
	}
	if (strlen(optarg) > row->max || optarg[0] == '\0')
		return output_fail(EX_USAGE, "--%s takes 1 to %zu bytes", row->name, row->max);
	out->values[id] = id == OPTION_DATABASE ? hide(optarg) : optarg;
	return EX_OK;
}

/* Options up to the first word (STOP "+") or among the words (STOP ""); getopt_long() itself complains. */
static int
take_options(int argc, char **argv, uint64_t options, const char *stop, struct invocation *out)
{
	struct option longs[OPTION_COUNT + 1];
	char letters[16];
	int c, id, rc;

	fill_longs(options, longs);
	(void)snprintf(letters, sizeof letters, "%sc:hV", stop);
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if ((id = option_of(c)) < 0)
			return EX_USAGE;
		if ((rc = take_option(id, out)) != EX_OK)
			return rc;
	}
	return EX_OK;
}

/* --- words ------------------------------------------------------------------------------------------------------- */

/* The command that WORDS begin with; *out_words is how many words name it. */
static const struct command *
find_command(const struct command *commands, unsigned count, char *const *words, int word_count, int *out_words)
{
	for (unsigned i = 0; i < count; i++) {
		const struct command *command = &commands[i];
		int needed = command->group != NULL ? 2 : 1;

		if (word_count < needed || (needed == 2 && strcmp(words[0], command->group) != 0) ||
		    strcmp(words[needed - 1], command->name) != 0)
			continue;
		*out_words = needed;
		return command;
	}
	return NULL;
}

static bool
group_exists(const struct command *commands, unsigned count, const char *word)
{
	for (unsigned i = 0; i < count; i++)
		if (in_group(&commands[i], word))
			return true;
	return false;
}

static bool
asks_for_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* No command: help was asked for, or something is missing or misspelled. */
static int
without_command(const struct command *commands, unsigned count, char *const *words, int word_count, bool help)
{
	bool group = word_count > 0 && group_exists(commands, count, words[0]);

	if ((help && word_count == 0) || (group && word_count == 1 && help) ||
	    (group && word_count > 1 && asks_for_help(words[1]))) {
		print_list_help(commands, count, group ? words[0] : NULL);
		return EX_OK;
	}
	if (word_count == 0)
		return output_fail(EX_USAGE, "which command? \"counterfoil --help\" lists them");
	if (group && word_count == 1)
		return output_fail(EX_USAGE, "%s what? \"counterfoil %s --help\" lists the commands", words[0], words[0]);
	return output_fail(EX_USAGE, "there is no command \"%.64s%s%.64s\"; \"counterfoil --help\" lists them", words[0],
	    group ? " " : "", group ? words[1] : "");
}

static int
check_operands(const struct invocation *in)
{
	const struct command *command = in->command;
	char line[SYNOPSIS_BYTES];

	if (in->operand_count < command->operand_min || in->operand_count > command->operand_max) {
		synopsis(command, line);
		return output_fail(EX_USAGE, "too %s arguments; usage: %s",
		    in->operand_count < command->operand_min ? "few" : "many", line);
	}
	for (unsigned i = 0; i < in->operand_count; i++)
		if (in->operands[i][0] == '\0' || strlen(in->operands[i]) > OPERAND_MAX_BYTES)
			return output_fail(EX_USAGE, "argument %u must have 1 to %d bytes", i + 1, OPERAND_MAX_BYTES);
	return EX_OK;
}

/* Help and version need no operands; everything else does. */
static bool
settle(struct invocation *in, int *out_exit)
{
	*out_exit = EX_OK;
	if (in->values[OPTION_VERSION] != NULL)
		output_text("counterfoil " PACKAGE_VERSION "\n");
	else if (in->values[OPTION_HELP] != NULL)
		print_command_help(in->command);
	else
		return (*out_exit = check_operands(in)) == EX_OK;
	return false;
}

bool
usage_parse(const struct command *commands, unsigned count, int argc, char **argv, struct invocation *out,
    int *out_exit)
{
	int words = 0;
	char **rest;

	memset(out, 0, sizeof *out);
	if ((*out_exit = take_options(argc, argv, EVERYWHERE, "+", out)) != EX_OK)
		return false;
	rest = argv + optind;
	argc -= optind;
	out->command = find_command(commands, count, rest, argc, &words);
	if (out->command == NULL && out->values[OPTION_VERSION] != NULL)
		return settle(out, out_exit);
	if (out->command == NULL) {
		*out_exit = without_command(commands, count, rest, argc, out->values[OPTION_HELP] != NULL);
		return false;
	}
	/* getopt_long() begins anew behind the words, and calls itself by the program's name. */
	rest += words - 1;
	argc -= words - 1;
	rest[0] = argv[0];
	optind = 0;
	if ((*out_exit = take_options(argc, rest, out->command->options | EVERYWHERE, "", out)) != EX_OK)
		return false;
	out->operands = rest + optind;
	out->operand_count = (unsigned)(argc - optind);
	return settle(out, out_exit);
}
