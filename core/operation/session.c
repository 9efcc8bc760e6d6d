#include "core/operation/session.h"

#include <stdio.h>
#include <string.h>

#include "core/base/encoding.h"
#include "core/operation/vault.h"

enum status
session_introspect(struct core *core, const struct caller *caller, const char *token, struct session_info *out)
{
	uint8_t digest[DIGEST_BYTES];
	struct introspect_row row;
	struct caller_bound bound;
	enum status st;

	memset(out, 0, sizeof *out);
	memset(digest, 0, sizeof digest);       /* of nothing: SQL still looks at the caller's key */
	if ((st = caller_bind(core, caller, &bound)) != STATUS_OK)
		return st;
	st = vault_token_digest(core, caller_realm(caller), "session", token, digest);
	if (st != STATUS_OK && st != STATUS_INVALID)
		return st;
	if ((st = session_sql_introspect(core->db, &bound.db, vault_digest_view(digest), &row)) != STATUS_OK || !row.active)
		return st;
	memcpy(out->session_id, row.session_id, sizeof out->session_id);
	memcpy(out->account_id, row.account_id, sizeof out->account_id);
	memcpy(out->amr, row.amr, sizeof out->amr);
	out->aal = (int)row.aal;
	out->auth_time_s = row.auth_time_s;
	out->expires_at_s = row.expires_at_s;
	out->idle_at_s = row.idle_at_s;
	out->hold_until_s = row.hold_until_s;
	out->trusted_device = row.device;
	out->active = true;
	return STATUS_OK;
}

/* What is no UUID names nothing. */
static enum status
bind_for(struct core *core, const struct caller *caller, const char *id, struct caller_bound *bound)
{
	return encoding_is_uuid(id) ? caller_bind(core, caller, bound) : STATUS_NOT_FOUND;
}

enum status
session_list(struct core *core, const struct caller *caller, const char *account_id, struct session_item **out,
    unsigned *out_count)
{
	struct caller_bound bound;
	enum status st;

	if ((st = bind_for(core, caller, account_id, &bound)) == STATUS_OK)
		st = session_sql_list(core->db, &bound.db, account_id, SESSION_LIST_MAX, out, out_count);
	return st;
}

enum status
session_end(struct core *core, const struct caller *caller, const char *session_id)
{
	struct caller_bound bound;
	enum status st;

	if ((st = bind_for(core, caller, session_id, &bound)) == STATUS_OK)
		st = session_sql_end(core->db, &bound.db, session_id);
	return st;
}

enum status
session_end_all(struct core *core, const struct caller *caller, const char *account_id, const char *but_token,
    int64_t *out_ended)
{
	uint8_t digest[DIGEST_BYTES];
	struct caller_bound bound;
	struct bytes but = { NULL, 0 };
	enum status st;

	if ((st = bind_for(core, caller, account_id, &bound)) != STATUS_OK)
		return st;
	if (but_token != NULL) {
		if ((st = vault_token_digest(core, caller_realm(caller), "session", but_token, digest)) != STATUS_OK)
			return st;
		but = vault_digest_view(digest);
	}
	return session_sql_end_all(core->db, &bound.db, account_id, but, out_ended);
}

enum status
session_devices(struct core *core, const struct caller *caller, const char *account_id, struct device_item **out,
    unsigned *out_count)
{
	struct caller_bound bound;
	enum status st;

	if ((st = bind_for(core, caller, account_id, &bound)) == STATUS_OK)
		st = session_sql_devices(core->db, &bound.db, account_id, SESSION_LIST_MAX, out, out_count);
	return st;
}

enum status
session_revoke_device(struct core *core, const struct caller *caller, const char *account_id, const char *device_id,
    int64_t *out_ended)
{
	struct caller_bound bound;
	enum status st;

	if (device_id != NULL && !encoding_is_uuid(device_id))
		return STATUS_NOT_FOUND;
	if ((st = bind_for(core, caller, account_id, &bound)) == STATUS_OK)
		st = session_sql_device_revoke(core->db, &bound.db, account_id, device_id, out_ended);
	return st;
}
