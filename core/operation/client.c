#include "core/operation/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/operation/vault.h"
#include "core/store/client_sql.h"

static const struct { enum scope scope; const char *name; } scopes[] = {
	{ SCOPE_LOGIN, "login" }, { SCOPE_ENROLL, "enroll" }, { SCOPE_ACCOUNTS, "accounts" },
	{ SCOPE_SESSIONS, "sessions" }, { SCOPE_EVENTS, "events" }, { SCOPE_ADMIN, "admin" },
	{ SCOPE_PAM, "pam" },
};

enum { SCOPE_COUNT = sizeof scopes / sizeof scopes[0] };

const char *
scope_name(enum scope scope)
{
	for (unsigned i = 0; i < SCOPE_COUNT; i++)
		if (scopes[i].scope == scope)
			return scopes[i].name;
	return "none";
}

unsigned
scope_of(const char *name)
{
	for (unsigned i = 0; i < SCOPE_COUNT; i++)
		if (name != NULL && strcmp(scopes[i].name, name) == 0)
			return scopes[i].scope;
	return 0;
}

static unsigned
all_scopes(void)
{
	unsigned all = 0;

	for (unsigned i = 0; i < SCOPE_COUNT; i++)
		all |= scopes[i].scope;
	return all;
}

static void
take_row(const struct client_row *row, struct client *out)
{
	memset(out, 0, sizeof *out);
	(void)snprintf(out->id, sizeof out->id, "%s", row->id);
	(void)snprintf(out->name, sizeof out->name, "%s", row->name);
	out->realm = (enum realm)row->realm;
	out->scopes = (unsigned)row->scopes;
	out->created_at_s = row->created_at_s;
	out->expires_at_s = row->expires_at_s;
	out->revoked_at_s = row->revoked_at_s;
	out->last_used_at_s = row->last_used_at_s;
}

static bool
name_fits(const char *name)
{
	size_t points = text_points(bytes_of(name));

	return points >= 1 && points <= CLIENT_NAME_MAX && text_is_printable(bytes_of(name));
}

enum status
client_create(struct core *core, const struct caller *caller, const char *name, enum realm realm, unsigned wanted,
    int64_t expires_at_s, struct client *out, char out_key[static API_KEY_TEXT_BYTES])
{
	struct client_row row = { .realm = realm, .scopes = wanted, .expires_at_s = expires_at_s };
	uint8_t secret[TOKEN_RAW_BYTES], digest[DIGEST_BYTES];
	struct caller_bound bound;
	enum realm parsed_realm;
	enum status st;

	if (!name_fits(name) || wanted == 0 || (wanted & ~all_scopes()) != 0 || expires_at_s < 0 ||
	    ((wanted & SCOPE_PAM) != 0 && (wanted != SCOPE_PAM || realm != REALM_STAFF)))
		return STATUS_INVALID;
	(void)snprintf(row.name, sizeof row.name, "%s", name);
	if ((st = caller_bind(core, caller, &bound)) != STATUS_OK ||
	    (st = api_key_generate(realm, out_key, row.id)) != STATUS_OK ||
	    (st = api_key_parse(out_key, strlen(out_key), &parsed_realm, row.id, secret)) != STATUS_OK ||
	    (st = vault_digest(core, REALM_SERVICE, "api_key", (struct bytes){ secret, sizeof secret }, digest)) !=
	    STATUS_OK ||
	    (st = client_sql_create(core->db, &bound.db, &row, vault_digest_view(digest), &row.created_at_s)) != STATUS_OK)
		secret_wipe(out_key, API_KEY_TEXT_BYTES);
	else
		take_row(&row, out);
	secret_wipe(secret, sizeof secret);
	return st;
}

enum status
client_list(struct core *core, const struct caller *caller, struct client **out, unsigned *out_count)
{
	struct client_row *rows = NULL;
	struct caller_bound bound;
	struct client *clients;
	unsigned count = 0;
	enum status st;

	if ((st = caller_bind(core, caller, &bound)) != STATUS_OK ||
	    (st = client_sql_list(core->db, &bound.db, &rows, &count)) != STATUS_OK)
		return st;
	if ((clients = calloc(count + 1, sizeof *clients)) == NULL) {
		free(rows);
		return STATUS_NO_MEMORY;
	}
	for (unsigned i = 0; i < count; i++)
		take_row(&rows[i], &clients[i]);
	free(rows);
	*out = clients;
	*out_count = count;
	return STATUS_OK;
}

enum status
client_revoke(struct core *core, const struct caller *caller, const char *client_id)
{
	struct caller_bound bound;
	enum status st;

	if ((st = caller_bind(core, caller, &bound)) == STATUS_OK)
		st = client_sql_revoke(core->db, &bound.db, client_id);
	return st;
}

enum status
client_check(struct core *core, const struct caller *caller, enum scope scope)
{
	struct caller_bound bound;
	enum status st;

	if ((st = caller_bind(core, caller, &bound)) == STATUS_OK)
		st = client_sql_check(core->db, &bound.db, scope_name(scope));
	return st;
}
