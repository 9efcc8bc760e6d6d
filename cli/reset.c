/* reset.c: counterfoil account reset and use-ticket: the way back for an owner who has lost everything. */
#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>

#include "cli/output.h"
#include "cli/people.h"
#include "cli/prompt.h"
#include "cli/sign_in.h"
#include "core/operation/recovery.h"

/* --- what is asked for ---------------------------------------------------------------------------------------------- */

static int
show_state(const struct invocation *in, const struct recovery_state *state)
{
	if (in->values[OPTION_JSON] != NULL)
		return output_json(json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "reason", state->reason, "requested_by",
		    state->requested_by, "requested_at", output_json_time(state->requested_at_s), "approved_by",
		    output_json_optional(state->approved_by), "approved_at", output_json_time(state->approved_at_s), "due_at",
		    output_json_time(state->due_at_s)));
	output_field("reason", state->reason);
	output_field("requested by", state->requested_by);
	output_time_field("requested", state->requested_at_s);
	output_field("approved by", state->approved_by);
	output_time_field("approved", state->approved_at_s);
	output_time_field("may be completed", state->due_at_s);
	return EX_OK;
}

static int
show(const struct invocation *in, struct session *session, const struct account *account)
{
	struct recovery_state state;
	enum status st = recovery_show(session->core, &session->caller, account->id, &state);

	if (st == STATUS_NOT_FOUND)
		return output_fail(EX_NOUSER, "nobody has asked for a reset of this account");
	return st == STATUS_OK ? show_state(in, &state) : output_fail_status(st, "looking at the reset");
}

/* --- the steps ------------------------------------------------------------------------------------------------------ */

static int
say_failure(enum status st)
{
	if (st == STATUS_NOT_FOUND)
		return output_fail(EX_NOUSER, "nobody has asked for a reset of this account");
	if (st == STATUS_FORBIDDEN)
		return output_fail(EX_NOPERM, "nobody resets their own account: it takes two others");
	return output_fail_status(st, "the reset");
}

static int
request(const struct invocation *in, struct session *session, const struct account *account,
    const struct login_result *staff)
{
	struct recovery_step step;
	enum status st = recovery_request(session->core, &session->caller, account->id, staff, in->values[OPTION_REASON],
	    &step);

	if (st == STATUS_CONFLICT)
		return output_fail(EX_CANTCREAT, "approved already, or asked for by the same person: the second must be another");
	if (st == STATUS_INVALID)
		return output_fail(EX_DATAERR, "--reason has 1 to %d printable characters", RECOVERY_REASON_MAX);
	if (st != STATUS_OK)
		return say_failure(st);
	if (in->values[OPTION_JSON] != NULL)
		return output_json(json_pack("{s:b, s:o}", "approved", step.approved, "due_at", output_json_time(step.due_at_s)));
	if (!step.approved) {
		output_text("Asked for.  Another member of staff approves it: the same command with their login.\n");
		return EX_OK;
	}
	output_text("Approved.  A sign-in of the owner cancels it; --complete ends it after the delay.\n");
	output_time_field("may be completed", step.due_at_s);
	return EX_OK;
}

static int
complete(const struct invocation *in, struct session *session, const struct account *account,
    const struct login_result *staff)
{
	char ticket[TOKEN_TEXT_BYTES] = "";
	int64_t expires_at_s = 0;
	enum status st = recovery_complete(session->core, &session->caller, account->id, staff, ticket, &expires_at_s);
	int rc = EX_OK;

	if (st == STATUS_CONFLICT)
		rc = output_fail(EX_CANTCREAT, "not approved yet, or the delay is not over; without --by it is shown");
	else if (st != STATUS_OK)
		rc = say_failure(st);
	else if (in->values[OPTION_JSON] != NULL)
		rc = output_json(json_pack("{s:s, s:s, s:o}", "account_id", account->id, "ticket", ticket, "expires_at",
		    output_json_time(expires_at_s)));
	else {
		output_text("Password, factors, recovery codes, sessions and devices are gone.  The ticket is the owner's way to a\n"
		    "new password, once; give it to nobody else:\n\n  %s\n\n", ticket);
		output_time_field("good until", expires_at_s);
	}
	secret_wipe(ticket, sizeof ticket);
	return rc;
}

static int
cancel(struct session *session, const struct account *account, const struct login_result *staff)
{
	enum status st = recovery_cancel(session->core, &session->caller, account->id, staff);

	if (st != STATUS_OK)
		return say_failure(st);
	output_text("Cancelled.\n");
	return EX_OK;
}

static int
check_options(const struct invocation *in)
{
	bool acts = in->values[OPTION_REASON] != NULL || in->values[OPTION_COMPLETE] != NULL ||
	    in->values[OPTION_CANCEL] != NULL;
	int count = (in->values[OPTION_REASON] != NULL) + (in->values[OPTION_COMPLETE] != NULL) +
	    (in->values[OPTION_CANCEL] != NULL);

	if (count > 1)
		return output_fail(EX_USAGE, "--reason, --complete and --cancel exclude each other");
	if (acts != (in->values[OPTION_BY] != NULL))
		return output_fail(EX_USAGE, "--by goes with --reason, --complete or --cancel; without them the state is shown");
	return EX_OK;
}

int
account_reset_command(const struct invocation *in)
{
	struct login_result staff;
	struct session session;
	struct account account;
	int rc;

	if ((rc = check_options(in)) != EX_OK || (rc = people_open(in, &session, &account)) != EX_OK)
		return rc;
	if (in->values[OPTION_BY] == NULL) {
		rc = show(in, &session, &account);
	} else if ((rc = sign_in(in, &session, in->values[OPTION_BY], &staff)) == EX_OK) {
		if (in->values[OPTION_REASON] != NULL)
			rc = request(in, &session, &account, &staff);
		else if (in->values[OPTION_COMPLETE] != NULL)
			rc = complete(in, &session, &account, &staff);
		else
			rc = cancel(&session, &account, &staff);
		login_result_wipe(&staff);
	}
	session_close(&session);
	return rc;
}

/* --- the owner's part ----------------------------------------------------------------------------------------------- */

static int
use_ticket(struct session *session, const struct account *account, const char *ticket, const struct secret *password)
{
	struct password_change_result result = { .verdict = VERDICT_DENIED };
	enum status st = account_use_ticket(session->core, &session->caller, account->id, ticket, secret_view(password), &result);

	if (st == STATUS_INVALID && result.refusal.reason != NULL)
		return people_say_refusal(&result.refusal);
	if (st == STATUS_INVALID || (st == STATUS_OK && result.verdict == VERDICT_DENIED))
		return output_fail(EX_NOPERM, "the ticket is not good: used, too old, replaced by a newer one, or misspelled");
	if (st == STATUS_OK && result.verdict == VERDICT_THROTTLED)
		return output_fail(EX_TEMPFAIL, "too many failures: wait %lld s", (long long)result.retry_after_s);
	if (st != STATUS_OK)
		return output_fail_status(st, "setting the password");
	output_text("The password is set.\n");
	return EX_OK;
}

int
account_use_ticket_command(const struct invocation *in)
{
	struct secret *ticket = NULL, *password = NULL;
	char text[TOKEN_TEXT_BYTES] = "";
	struct session session;
	struct account account;
	int rc;

	if ((rc = people_open(in, &session, &account)) != EX_OK)
		return rc;
	if ((rc = prompt_line("Ticket: ", TOKEN_TEXT_BYTES - 1, &ticket)) == EX_OK &&
	    (rc = people_new_password(in, account.login, &password)) == EX_OK) {
		struct bytes typed = secret_view(ticket);

		(void)snprintf(text, sizeof text, "%.*s", (int)typed.len, typed.len > 0 ? (const char *)typed.data : "");
		rc = use_ticket(&session, &account, text, password);
	}
	secret_wipe(text, sizeof text);
	secret_free(&ticket);
	secret_free(&password);
	session_close(&session);
	return rc;
}
