#include "core/operation/staff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/encoding.h"
#include "core/operation/vault.h"
#include "core/store/recovery_sql.h"

enum status
staff_offboard(struct core *core, const struct caller *caller, const char *account_id, const char *reason,
    struct staff_offboarding *out)
{
	struct caller_bound bound;
	struct offboard_row row;
	enum status st;

	if (!encoding_is_uuid(account_id))
		return STATUS_NOT_FOUND;
	if ((st = caller_bind(core, caller, &bound)) != STATUS_OK ||
	    (st = recovery_sql_offboard(core->db, &bound.db, account_id, reason, &row)) != STATUS_OK)
		return st;
	*out = (struct staff_offboarding){ .factors = row.factors, .sessions = row.sessions, .devices = row.devices,
	    .recovery_codes = row.recovery_codes, .at_s = row.at_s };
	return STATUS_OK;
}

enum status
staff_record_training(struct core *core, const struct caller *caller, const char *account_id, bool completed,
    int64_t due_at_s)
{
	struct caller_bound bound;
	enum status st;

	if (due_at_s <= 0)
		return STATUS_INVALID;
	if (!encoding_is_uuid(account_id))
		return STATUS_NOT_FOUND;
	if ((st = caller_bind(core, caller, &bound)) == STATUS_OK)
		st = recovery_sql_training_record(core->db, &bound.db, account_id, completed, due_at_s);
	return st;
}

static enum status
take_training(const struct core *core, enum realm realm, const struct training_row *row, struct staff_training *out)
{
	memcpy(out->account_id, row->account_id, sizeof out->account_id);
	(void)snprintf(out->state, sizeof out->state, "%.15s", row->state);
	out->completed_at_s = row->completed_at_s;
	out->due_at_s = row->due_at_s;
	return vault_open_login(core, realm, row->account_id, &row->login_sealed, row->login_key_id, out->login);
}

enum status
staff_report_training(struct core *core, const struct caller *caller, struct staff_training **out, unsigned *out_count)
{
	struct training_row *rows = NULL;
	struct staff_training *report = NULL;
	struct caller_bound bound;
	unsigned count = 0;
	enum status st;

	if ((st = caller_bind(core, caller, &bound)) != STATUS_OK ||
	    (st = recovery_sql_training_report(core->db, &bound.db, &rows, &count)) != STATUS_OK)
		return st;
	if ((report = calloc(count + 1, sizeof *report)) == NULL)
		st = STATUS_NO_MEMORY;
	for (unsigned i = 0; i < count && st == STATUS_OK; i++)
		st = take_training(core, caller_realm(caller), &rows[i], &report[i]);
	free(rows);
	if (st != STATUS_OK) {
		free(report);
		return st;
	}
	*out = report;
	*out_count = count;
	return STATUS_OK;
}
