/* client.c: counterfoil client: the programs that call the API, and their keys. */
#include "core/operation/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/output.h"
#include "cli/session.h"
#include "core/base/clock.h"
#include "core/base/secret.h"

enum { SCOPES_TEXT_BYTES = 128, DAYS_MAX = 3650, DAY_S = 86400 };

/* --- what a client looks like ------------------------------------------------------------------------------------ */

static json_t *
scopes_json(unsigned scopes)
{
	json_t *array = json_array();

	for (unsigned bit = 1; bit <= SCOPE_LAST; bit <<= 1)
		if ((scopes & bit) != 0)
			(void)json_array_append_new(array, json_string(scope_name((enum scope)bit)));
	return array;
}

static void
scopes_text(unsigned scopes, char out[static SCOPES_TEXT_BYTES])
{
	size_t len = 0;

	out[0] = '\0';
	for (unsigned bit = 1; bit <= SCOPE_LAST; bit <<= 1)
		if ((scopes & bit) != 0)
			len += (size_t)snprintf(out + len, SCOPES_TEXT_BYTES - len, "%s%s", len > 0 ? "," : "",
			    scope_name((enum scope)bit));
}

/* KEY is NULL but for the one time when it is known. */
static json_t *
client_json(const struct client *client, const char *key)
{
	json_t *body = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "id", client->id, "name", client->name,
	    "realm", realm_name(client->realm), "scopes", scopes_json(client->scopes), "created_at",
	    output_json_time(client->created_at_s), "expires_at", output_json_time(client->expires_at_s), "revoked_at",
	    output_json_time(client->revoked_at_s), "last_used_at", output_json_time(client->last_used_at_s));

	if (body != NULL && key != NULL && json_object_set_new(body, "key", json_string(key)) != 0) {
		json_decref(body);
		return NULL;
	}
	return body;
}

static void
print_client(const struct client *client)
{
	char scopes[SCOPES_TEXT_BYTES];

	scopes_text(client->scopes, scopes);
	output_field("id", client->id);
	output_field("name", client->name);
	output_field("realm", realm_name(client->realm));
	output_field("scopes", scopes);
	output_time_field("created", client->created_at_s);
	output_time_field("expires", client->expires_at_s);
	output_time_field("revoked", client->revoked_at_s);
	output_time_field("last used", client->last_used_at_s);
}

/* --- create -------------------------------------------------------------------------------------------------------- */

static int
parse_scopes(const char *list, unsigned *out)
{
	char words[SCOPES_TEXT_BYTES], *rest = words, *word;
	unsigned scopes = 0, scope;

	if (list == NULL)
		return output_fail(EX_USAGE, "--scopes is missing: say what the key may do, no more than it needs");
	if (strlen(list) >= sizeof words)
		return output_fail(EX_USAGE, "--scopes is too long");
	(void)strcpy(words, list);
	while ((word = strsep(&rest, ",")) != NULL) {
		if ((scope = scope_of(word)) == 0)
			return output_fail(EX_USAGE, "there is no scope \"%s\"; there are login, enroll, accounts, sessions, "
			    "events, admin, pam", word);
		scopes |= scope;
	}
	*out = scopes;
	return EX_OK;
}

static int
parse_expiry(const char *days, int64_t *out)
{
	char *end = NULL;
	long number;

	*out = 0;
	if (days == NULL)
		return EX_OK;
	number = strtol(days, &end, 10);
	if (days[0] < '0' || days[0] > '9' || *end != '\0' || number < 1 || number > DAYS_MAX)
		return output_fail(EX_USAGE, "--expires-in takes days, 1 to %d", DAYS_MAX);
	*out = clock_now_s() + number * DAY_S;
	return EX_OK;
}

static int
show_created(const struct invocation *in, const struct client *client, const char *key)
{
	if (in->values[OPTION_JSON] != NULL)
		return output_json(client_json(client, key));
	print_client(client);
	output_text("\nThe key, shown this once; it goes into the program that calls the API:\n\n  %s\n", key);
	return EX_OK;
}

int
client_create_command(const struct invocation *in)
{
	const char *name = in->operands[0];
	char key[API_KEY_TEXT_BYTES] = "";
	unsigned scopes = 0;
	int64_t expires_at_s = 0;
	struct session session;
	struct client client;
	enum status st;
	int rc;

	if ((rc = parse_scopes(in->values[OPTION_SCOPES], &scopes)) != EX_OK ||
	    (rc = parse_expiry(in->values[OPTION_EXPIRES_IN], &expires_at_s)) != EX_OK ||
	    (rc = session_open(in, &session)) != EX_OK)
		return rc;
	st = client_create(session.core, &session.caller, name, session.caller.realm, scopes, expires_at_s, &client, key);
	if (st == STATUS_INVALID)
		rc = output_fail(EX_DATAERR, "a name has 1 to %d printable characters; scope pam stands alone, with --realm staff",
		    CLIENT_NAME_MAX);
	else if (st != STATUS_OK)
		rc = output_fail_status(st, "the client");
	else
		rc = show_created(in, &client, key);
	secret_wipe(key, sizeof key);
	session_close(&session);
	return rc;
}

/* --- list and revoke ----------------------------------------------------------------------------------------------- */

static int
print_list_json(const struct client *clients, unsigned count)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < count; i++)
		(void)json_array_append_new(array, client_json(&clients[i], NULL));
	return output_json(json_pack("{s:o}", "clients", array));
}

static int
print_list(const struct invocation *in, const struct client *clients, unsigned count)
{
	if (in->values[OPTION_JSON] != NULL)
		return print_list_json(clients, count);
	if (count == 0)
		output_text("There is no client yet: counterfoil client create NAME --scopes LIST\n");
	for (unsigned i = 0; i < count; i++) {
		if (i > 0)
			output_text("\n");
		print_client(&clients[i]);
	}
	return EX_OK;
}

int
client_list_command(const struct invocation *in)
{
	struct session session;
	struct client *clients = NULL;
	unsigned count = 0;
	enum status st;
	int rc;

	if ((rc = session_open(in, &session)) != EX_OK)
		return rc;
	st = client_list(session.core, &session.caller, &clients, &count);
	rc = st == STATUS_OK ? print_list(in, clients, count) : output_fail_status(st, "listing the clients");
	free(clients);
	session_close(&session);
	return rc;
}

int
client_revoke_command(const struct invocation *in)
{
	const char *id = in->operands[0];
	struct session session;
	enum status st;
	int rc;

	if ((rc = session_open(in, &session)) != EX_OK)
		return rc;
	st = client_revoke(session.core, &session.caller, id);
	if (st == STATUS_NOT_FOUND || st == STATUS_INVALID)
		rc = output_fail(EX_NOUSER, "there is no client with the id \"%.64s\"; \"counterfoil client list\" has the ids", id);
	else if (st != STATUS_OK)
		rc = output_fail_status(st, "revoking the client");
	else
		output_text("Revoked: %s.  From now on its key is refused, on every node.\n", id);
	session_close(&session);
	return rc;
}
