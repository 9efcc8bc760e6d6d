/* command.h: what a command of the command line is: its words, the options that it takes, its function. */
#ifndef COUNTERFOIL_CLI_COMMAND_H
#define COUNTERFOIL_CLI_COMMAND_H

#include <stddef.h>
#include <stdint.h>

/* The first four are taken by every command, before its words or behind them. */
enum option_id {
	OPTION_CONFIG, OPTION_DATABASE_USER, OPTION_HELP, OPTION_VERSION,
	OPTION_JSON, OPTION_REALM, OPTION_SCOPES, OPTION_EXPIRES_IN, OPTION_DATABASE, OPTION_SQL_DIR,
	OPTION_PASSWORD_STDIN, OPTION_NO_PASSWORD, OPTION_PERMANENT, OPTION_EXTERNAL_ID, OPTION_REASON,
	OPTION_PNG, OPTION_URI, OPTION_NAME, OPTION_NO_CONFIRM, OPTION_CONFIRM, OPTION_CODE,
	OPTION_DIRECTORY, OPTION_USER, OPTION_URL, OPTION_OUTPUT, OPTION_SERVICE,
	OPTION_BY, OPTION_COMPLETE, OPTION_CANCEL, OPTION_DUE, OPTION_YES, OPTION_COUNT_OF_CODES, OPTION_ALL,
	OPTION_COUNT
};

#define WITH(option) (UINT64_C(1) << (option))

#define OPERAND_MAX_BYTES 1024

struct invocation {
	const struct command *command;
	const char *values[OPTION_COUNT];       /* NULL: not given; a flag that is given has "" */
	char *const *operands;
	unsigned operand_count;                 /* within the command's bounds */
};

/* Runs to its end and returns an exit code of sysexits.h; what went wrong has been said by then. */
typedef int command_function(const struct invocation *in);

struct command {
	const char *group;      /* first word of two, or NULL */
	const char *name;       /* last word */
	const char *operands;   /* as in a synopsis: "LOGIN" */
	unsigned operand_min, operand_max;
	uint64_t options;       /* WITH() of each, besides those that all take */
	const char *summary;    /* one line, for the list */
	const char *details;    /* further lines for its own --help, or NULL */
	command_function *run;
};

command_function account_add_command, account_show_command, account_lock_command, account_unlock_command,
    account_set_password_command, account_reset_command, account_use_ticket_command, account_export_command,
    account_erase_command;
command_function blocklist_build_command, blocklist_check_command;
command_function calibrate_command;
command_function client_create_command, client_list_command, client_revoke_command;
command_function database_migrate_command, database_status_command;
command_function doctor_command;
command_function enroll_command, recovery_codes_command;
command_function factors_list_command, factors_revoke_command;
command_function init_command;
command_function keys_list_command, keys_extract_command, keys_add_command, ticket_key_command;
command_function pam_check_command, breakglass_command;
command_function staff_offboard_command;
command_function training_record_command, training_report_command, training_require_command;

#endif
