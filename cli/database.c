/* database.c: counterfoil db: the schema, as its owner. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/output.h"
#include "cli/session.h"
#include "core/base/secret.h"
#include "core/operation/schema.h"

#define OWNER_ROLE "counterfoil_owner"
#define ADDRESS_MAX 4096

/* The configuration's address with a role; a URL takes it as a parameter, a conninfo string as one more word. */
static int
add_role(const char *url, const char *role, char out[static ADDRESS_MAX])
{
	bool is_url = strncmp(url, "postgres://", 11) == 0 || strncmp(url, "postgresql://", 13) == 0;
	const char *joint = !is_url ? " " : strchr(url, '?') != NULL ? "&" : "?";
	int n = snprintf(out, ADDRESS_MAX, "%s%suser=%s", url, joint, role);

	if (n < 0 || n >= ADDRESS_MAX)
		return output_fail(EX_CONFIG, "[database] url is too long");
	return EX_OK;
}

static int
find_address(const struct invocation *in, char out[static ADDRESS_MAX])
{
	struct core_settings settings;
	const char *role = OWNER_ROLE;
	int rc;

	if (in->values[OPTION_DATABASE] != NULL) {
		(void)snprintf(out, ADDRESS_MAX, "%s", in->values[OPTION_DATABASE]);
		return EX_OK;
	}
	if (in->values[OPTION_DATABASE_USER] != NULL && (rc = session_role(in, &role)) != EX_OK)
		return rc;
	if ((rc = session_load_settings(in, &settings)) != EX_OK)
		return rc;
	rc = add_role(settings.database_url, role, out);
	session_free_settings(&settings);
	return rc;
}

static const char *
sql_dir(const struct invocation *in)
{
	return in->values[OPTION_SQL_DIR] != NULL ? in->values[OPTION_SQL_DIR] : COUNTERFOIL_SQLDIR;
}

static int
print_state(const struct invocation *in, const struct schema_state *state)
{
	if (in->values[OPTION_JSON] != NULL)
		return output_json(json_pack("{s:i, s:i}", "applied", state->applied, "known", state->known));
	output_text("The schema of the database is %d, this program's is %d.\n", state->applied, state->known);
	return EX_OK;
}

int
database_migrate_command(const struct invocation *in)
{
	char address[ADDRESS_MAX], error[CONFIG_ERROR_BYTES] = "";
	struct schema_state state = { 0, 0 };
	enum status st;
	int rc;

	if ((rc = find_address(in, address)) != EX_OK)
		return rc;
	st = schema_migrate(address, sql_dir(in), &state, error);
	secret_wipe(address, sizeof address);
	if (st == STATUS_CONFLICT)
		return output_fail(EX_CONFIG, "%s: install the newer Counterfoil here, or go back to a backup", error);
	if (st != STATUS_OK)
		return output_fail(output_exit_code(st), "%s", error);
	return print_state(in, &state);
}

int
database_status_command(const struct invocation *in)
{
	char address[ADDRESS_MAX], error[CONFIG_ERROR_BYTES] = "";
	struct schema_state state = { 0, 0 };
	enum status st;
	int rc;

	if ((rc = find_address(in, address)) != EX_OK)
		return rc;
	st = schema_status(address, sql_dir(in), &state, error);
	secret_wipe(address, sizeof address);
	if (st != STATUS_OK && st != STATUS_CONFLICT)
		return output_fail(output_exit_code(st), "%s", error);
	if ((rc = print_state(in, &state)) != EX_OK || state.applied == state.known)
		return rc;
	return output_fail(EX_CONFIG, state.applied < state.known ? "the database is behind: counterfoil db migrate" :
	    "the database is newer than this program: install the newer Counterfoil here");
}
