#include "core/operation/recovery.h"

#include <string.h>

#include "core/base/encoding.h"
#include "core/operation/vault.h"
#include "core/store/recovery_sql.h"

_Static_assert(sizeof ((struct recovery_state *)0)->reason == RECOVERY_REASON_BYTES, "what was asked can be shown");

/* Only the operator, only with a member of staff who has shown both factors. */
static enum status
admit(const struct core *core, const struct caller *caller, const char *account_id, const struct login_result *staff,
    struct caller_bound *bound)
{
	if (caller->kind != CALLER_OPERATOR || staff->verdict != VERDICT_GRANTED || staff->aal != 2 ||
	    !encoding_is_uuid(staff->account_id))
		return STATUS_FORBIDDEN;
	if (!encoding_is_uuid(account_id))
		return STATUS_NOT_FOUND;
	/* nobody recovers their own account: that would be one person */
	if (strcmp(account_id, staff->account_id) == 0)
		return STATUS_FORBIDDEN;
	return caller_bind(core, caller, bound);
}

static bool
reason_fits(const char *reason)
{
	size_t points = text_points(bytes_of(reason));

	return points >= 1 && points <= RECOVERY_REASON_MAX && text_is_printable(bytes_of(reason));
}

enum status
recovery_request(struct core *core, const struct caller *caller, const char *account_id,
    const struct login_result *staff, const char *reason, struct recovery_step *out)
{
	char id[UUID_TEXT_BYTES];
	struct caller_bound bound;
	enum status st;

	*out = (struct recovery_step){ false, 0 };
	if (!reason_fits(reason))
		return STATUS_INVALID;
	if ((st = admit(core, caller, account_id, staff, &bound)) != STATUS_OK || (st = entropy_uuid(id)) != STATUS_OK)
		return st;
	return recovery_sql_request(core->db, &bound.db, account_id, id, reason, staff->account_id,
	    core_policy(core, caller_realm(caller))->recovery_delay_s, &out->approved, &out->due_at_s);
}

enum status
recovery_cancel(struct core *core, const struct caller *caller, const char *account_id, const struct login_result *staff)
{
	struct caller_bound bound;
	enum status st;

	if ((st = admit(core, caller, account_id, staff, &bound)) == STATUS_OK)
		st = recovery_sql_cancel(core->db, &bound.db, account_id, staff->account_id);
	return st;
}

enum status
recovery_complete(struct core *core, const struct caller *caller, const char *account_id,
    const struct login_result *staff, char out_ticket[static TOKEN_TEXT_BYTES], int64_t *out_expires_at_s)
{
	const struct realm_policy *policy = core_policy(core, caller_realm(caller));
	struct caller_bound bound;
	struct vault_token ticket;
	enum status st;

	if ((st = admit(core, caller, account_id, staff, &bound)) != STATUS_OK ||
	    (st = vault_token_new(core, caller_realm(caller), "ticket", &ticket)) != STATUS_OK)
		return st;
	st = recovery_sql_complete(core->db, &bound.db, account_id, vault_digest_view(ticket.digest), policy->ticket_ttl_s,
	    policy->recovery_hold_s, staff->account_id, out_expires_at_s);
	if (st == STATUS_OK)
		memcpy(out_ticket, ticket.text, TOKEN_TEXT_BYTES);
	vault_token_wipe(&ticket);
	return st;
}

enum status
recovery_show(struct core *core, const struct caller *caller, const char *account_id, struct recovery_state *out)
{
	struct caller_bound bound;
	struct recovery_row row;
	enum status st;

	if (!encoding_is_uuid(account_id))
		return STATUS_NOT_FOUND;
	if ((st = caller_bind(core, caller, &bound)) != STATUS_OK ||
	    (st = recovery_sql_show(core->db, &bound.db, account_id, &row)) != STATUS_OK)
		return st;
	memcpy(out->reason, row.reason, sizeof out->reason);
	memcpy(out->requested_by, row.requested_by, sizeof out->requested_by);
	memcpy(out->approved_by, row.approved_by, sizeof out->approved_by);
	out->requested_at_s = row.requested_at_s;
	out->approved_at_s = row.approved_at_s;
	out->due_at_s = row.due_at_s;
	return STATUS_OK;
}
