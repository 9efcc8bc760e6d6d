/* factors.c: counterfoil factors: what an account's owner proves themselves with; never a seed. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/output.h"
#include "cli/people.h"
#include "core/base/encoding.h"
#include "core/operation/enrollment.h"

static json_t *
factor_json(const struct factor *factor)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "id", factor->id, "kind", factor->kind, "state",
	    factor->state, "name", output_json_optional(factor->name), "created_at", output_json_time(factor->created_at_s),
	    "bound_at", output_json_time(factor->bound_at_s), "revoked_at", output_json_time(factor->revoked_at_s),
	    "last_used_at", output_json_time(factor->last_used_at_s));
}

static int
show_json(const struct factor_list *list)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < list->count; i++)
		(void)json_array_append_new(array, factor_json(&list->items[i]));
	return output_json(json_pack("{s:o, s:i}", "factors", array, "recovery_codes_left", list->recovery_codes_left));
}

static int
show_list(const struct invocation *in, const struct factor_list *list)
{
	if (in->values[OPTION_JSON] != NULL)
		return show_json(list);
	for (unsigned i = 0; i < list->count; i++) {
		const struct factor *factor = &list->items[i];

		output_field("id", factor->id);
		output_field("kind", factor->kind);
		output_field("name", factor->name);
		output_field("state", factor->state);
		output_time_field("bound", factor->bound_at_s);
		output_time_field("last used", factor->last_used_at_s);
		output_text("\n");
	}
	output_text("Recovery codes left: %d\n", list->recovery_codes_left);
	return EX_OK;
}

int
factors_list_command(const struct invocation *in)
{
	struct factor_list list = { .items = NULL };
	struct session session;
	struct account account;
	enum status st;
	int rc;

	if ((rc = people_open(in, &session, &account)) != EX_OK)
		return rc;
	st = enrollment_list(session.core, &session.caller, account.id, &list);
	rc = st == STATUS_OK ? show_list(in, &list) : output_fail_status(st, "listing the factors");
	factor_list_free(&list);
	session_close(&session);
	return rc;
}

static int
revoke(struct session *session, const char *account_id, const char *factor_id)
{
	enum status st = enrollment_revoke(session->core, &session->caller, account_id, factor_id);

	if (st == STATUS_NOT_FOUND)
		return output_fail(EX_NOUSER, "the account has no factor %.64s; \"counterfoil factors list\" has the ids", factor_id);
	if (st == STATUS_CONFLICT)
		return output_fail(EX_CANTCREAT, "the factor %.64s is revoked already", factor_id);
	if (st != STATUS_OK)
		return output_fail_status(st, "revoking the factor");
	output_text("Revoked: %s\n", factor_id);
	return EX_OK;
}

static int
revoke_all(struct session *session, const char *account_id)
{
	struct factor_list list = { .items = NULL };
	enum status st = enrollment_list(session->core, &session->caller, account_id, &list);
	int rc = st == STATUS_OK ? EX_OK : output_fail_status(st, "listing the factors");

	for (unsigned i = 0; i < list.count && rc == EX_OK; i++)
		if (strcmp(list.items[i].state, "revoked") != 0)
			rc = revoke(session, account_id, list.items[i].id);
	factor_list_free(&list);
	return rc;
}

int
factors_revoke_command(const struct invocation *in)
{
	const char *which = in->operands[1];
	bool all = strcmp(which, "all") == 0;
	struct session session;
	struct account account;
	int rc;

	if (!all && !encoding_is_uuid(which))
		return output_fail(EX_USAGE, "FACTOR is an id from \"counterfoil factors list\", or the word all");
	if ((rc = people_open(in, &session, &account)) != EX_OK)
		return rc;
	rc = all ? revoke_all(&session, account.id) : revoke(&session, account.id, which);
	session_close(&session);
	return rc;
}
