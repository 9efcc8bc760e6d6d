/* privacy.c: counterfoil account export and erase: the rights of the person whom an account is about. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/output.h"
#include "cli/people.h"
#include "core/operation/export.h"

int
account_export_command(const struct invocation *in)
{
	struct session session;
	struct account account;
	int64_t retry_after_s;          /* of API clients alone */
	char *text = NULL;
	enum status st;
	int rc;

	if ((rc = people_open(in, &session, &account)) != EX_OK)
		return rc;
	if ((st = export_account(session.core, &session.caller, account.id, &text, &retry_after_s)) != STATUS_OK)
		rc = output_fail_status(st, "the export");
	else
		output_text("%s\n", text);
	free(text);
	session_close(&session);
	return rc;
}

int
account_erase_command(const struct invocation *in)
{
	struct session session;
	struct account account;
	enum status st;
	int rc;

	/* It cannot be undone, so that a slip of the finger must not be enough. */
	if (in->values[OPTION_YES] == NULL)
		return output_fail(EX_USAGE, "this cannot be undone: say --yes as well");
	if ((rc = people_open(in, &session, &account)) != EX_OK)
		return rc;
	if ((st = export_erase(session.core, &session.caller, account.id)) != STATUS_OK)
		rc = output_fail_status(st, "the erasure");
	else
		output_text("Erased.  The audit trail keeps the bare id %s.\n", account.id);
	session_close(&session);
	return rc;
}
