#include "cli/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/output.h"

#define DEFAULT_ROLE "counterfoil_admin"

/* The sections of authd.conf that are authd's own. */
static const struct config_key foreign_sections[] = {
	{ .section = "api" }, { .section = "pages" }, { .section = "management" }, { .section = "log" },
	{ .section = "workers" }, { .section = "hashing" },
};

enum { FOREIGN_COUNT = sizeof foreign_sections / sizeof foreign_sections[0] };

const char *
session_config_path(const struct invocation *in)
{
	return in->values[OPTION_CONFIG] != NULL ? in->values[OPTION_CONFIG] : COUNTERFOIL_CONFDIR "/authd.conf";
}

int
session_realm(const struct invocation *in, enum realm *out)
{
	const char *name = in->values[OPTION_REALM];
	enum realm realm = name != NULL ? realm_of(name) : REALM_STORE;

	if (realm != REALM_STORE && realm != REALM_STAFF)
		return output_fail(EX_USAGE, "--realm is store or staff, not \"%s\"", name);
	*out = realm;
	return EX_OK;
}

enum status
session_read_settings(const struct invocation *in, struct core_settings *out, char error[static CONFIG_ERROR_BYTES])
{
	size_t core_count;
	const struct config_key *core = core_config_keys(&core_count);
	struct config_key *keys = calloc(core_count + FOREIGN_COUNT, sizeof *keys);
	enum status st;

	memset(out, 0, sizeof *out);
	(void)snprintf(error, CONFIG_ERROR_BYTES, "out of memory");
	if (keys == NULL)
		return STATUS_NO_MEMORY;
	memcpy(keys, core, core_count * sizeof *keys);
	memcpy(keys + core_count, foreign_sections, sizeof foreign_sections);
	st = config_load(session_config_path(in), keys, core_count + FOREIGN_COUNT, out, error);
	free(keys);
	return st;
}

int
session_load_settings(const struct invocation *in, struct core_settings *out)
{
	char error[CONFIG_ERROR_BYTES];
	enum status st = session_read_settings(in, out, error);

	if (st == STATUS_OK)
		return EX_OK;
	return output_fail(st == STATUS_INVALID ? EX_CONFIG : output_exit_code(st), "%s", error);
}

void
session_free_settings(struct core_settings *settings)
{
	size_t count;
	const struct config_key *keys = core_config_keys(&count);

	config_free_values(keys, count, settings);
}

int
session_role(const struct invocation *in, const char **out)
{
	const char *role = in->values[OPTION_DATABASE_USER] != NULL ? in->values[OPTION_DATABASE_USER] : DEFAULT_ROLE;

	/* It becomes a word of a conninfo string: nothing that could end the word. */
	if (strspn(role, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != strlen(role))
		return output_fail(EX_USAGE, "--database-user takes letters, digits, '_' and '-'");
	*out = role;
	return EX_OK;
}

/* The file names authd's role; an operator works as another. */
static enum status
set_role(const char *role, struct core_settings *settings)
{
	char *copy = strdup(role);

	if (copy == NULL)
		return STATUS_NO_MEMORY;
	free(settings->database_user);
	settings->database_user = copy;
	settings->database_connections = 1;
	return STATUS_OK;
}

static enum status
fill_caller(enum realm realm, struct caller *out)
{
	memset(out, 0, sizeof *out);
	out->kind = CALLER_OPERATOR;
	out->realm = realm;
	out->service = "counterfoil";
	return entropy_uuid(out->request_id);
}

enum status
session_connect(const char *role, enum realm realm, struct session *session, char error[static CONFIG_ERROR_BYTES])
{
	enum status st;

	(void)snprintf(error, CONFIG_ERROR_BYTES, "no memory or no entropy");
	if ((st = set_role(role, &session->settings)) != STATUS_OK ||
	    (st = fill_caller(realm, &session->caller)) != STATUS_OK)
		return st;
	return core_open(&session->settings, &session->core, error);
}

int
session_open(const struct invocation *in, struct session *out)
{
	char error[CONFIG_ERROR_BYTES];
	enum realm realm = REALM_NONE;
	const char *role = NULL;
	enum status st;
	int rc;

	memset(out, 0, sizeof *out);
	if ((rc = session_realm(in, &realm)) != EX_OK || (rc = session_role(in, &role)) != EX_OK ||
	    (rc = session_load_settings(in, &out->settings)) != EX_OK)
		return rc;
	if ((st = session_connect(role, realm, out, error)) == STATUS_OK)
		return EX_OK;
	session_close(out);
	return output_fail(st == STATUS_INVALID ? EX_CONFIG : output_exit_code(st), "%s", error);
}

void
session_close(struct session *session)
{
	core_close(&session->core);
	session_free_settings(&session->settings);
}
