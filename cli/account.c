/* account.c: counterfoil account: add, show, lock, unlock, set-password. */
#include "core/operation/account.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/output.h"
#include "cli/people.h"

/* --- showing ------------------------------------------------------------------------------------------------------- */

static json_t *
account_json(const struct account *account)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:b, s:b, s:b, s:o, s:o}", "id", account->id, "login", account->login,
	    "realm", realm_name(account->realm), "external_id", output_json_optional(account->external_id), "state",
	    account->state, "has_password", account->has_password, "must_change", account->must_change, "second_factor",
	    account->second_factor, "created_at", output_json_time(account->created_at_s), "password_changed_at",
	    output_json_time(account->password_changed_at_s));
}

static int
show_account(const struct invocation *in, const struct account *account)
{
	if (in->values[OPTION_JSON] != NULL)
		return output_json(account_json(account));
	output_field("id", account->id);
	output_field("login", account->login);
	output_field("realm", realm_name(account->realm));
	output_field("external id", account->external_id);
	output_field("state", account->state);
	output_field("password", !account->has_password ? "none" : account->must_change ? "must be changed" : "set");
	output_field("second factor", account->second_factor ? "bound" : "none");
	output_time_field("created", account->created_at_s);
	output_time_field("password changed", account->password_changed_at_s);
	return EX_OK;
}

/* --- add ----------------------------------------------------------------------------------------------------------- */

static int
check_names(const struct invocation *in)
{
	const char *external_id = in->values[OPTION_EXTERNAL_ID];
	char canonical[TEXT_LOGIN_MAX_BYTES + 1];

	if (text_canonical_login(bytes_of(in->operands[0]), canonical) != STATUS_OK)
		return output_fail(EX_DATAERR, "a login has 1 to %d bytes, without spaces and control characters",
		    TEXT_LOGIN_MAX_BYTES);
	if (external_id != NULL && !text_is_printable(bytes_of(external_id)))
		return output_fail(EX_DATAERR, "--external-id must be printable");
	return EX_OK;
}

static int
say_not_added(enum status st, const char *login, const struct password_refusal *refusal)
{
	if (st == STATUS_INVALID && refusal->reason != NULL)
		return people_say_refusal(refusal);
	if (st == STATUS_CONFLICT)
		return output_fail(EX_CANTCREAT, "there is an account \"%s\" already", login);
	return output_fail_status(st, "the account");
}

int
account_add_command(const struct invocation *in)
{
	struct password_refusal refusal = { NULL, 0 };
	struct secret *password = NULL;
	struct account_new wanted;
	struct account account;
	struct session session;
	enum status st;
	int rc;

	if (in->values[OPTION_NO_PASSWORD] != NULL && in->values[OPTION_PASSWORD_STDIN] != NULL)
		return output_fail(EX_USAGE, "--no-password and --password-stdin exclude each other");
	if ((rc = check_names(in)) != EX_OK || (rc = session_open(in, &session)) != EX_OK)
		return rc;
	if (in->values[OPTION_NO_PASSWORD] == NULL && (rc = people_new_password(in, in->operands[0], &password)) != EX_OK)
		goto out;
	wanted = (struct account_new){ .login = bytes_of(in->operands[0]), .password = secret_view(password),
	    .external_id = bytes_of(in->values[OPTION_EXTERNAL_ID]), .realm = session.caller.realm };
	st = account_create(session.core, &session.caller, &wanted, &account, &refusal);
	rc = st == STATUS_OK ? show_account(in, &account) : say_not_added(st, in->operands[0], &refusal);
out:
	secret_free(&password);
	session_close(&session);
	return rc;
}

/* --- show, lock, unlock -------------------------------------------------------------------------------------------- */

int
account_show_command(const struct invocation *in)
{
	struct session session;
	struct account account;
	int rc;

	if ((rc = people_open(in, &session, &account)) != EX_OK)
		return rc;
	rc = show_account(in, &account);
	session_close(&session);
	return rc;
}

int
account_lock_command(const struct invocation *in)
{
	const char *reason = in->values[OPTION_REASON];
	struct session session;
	struct account account;
	enum status st;
	int rc;

	if (reason != NULL && !text_is_printable(bytes_of(reason)))
		return output_fail(EX_DATAERR, "--reason must be printable");
	if ((rc = people_open(in, &session, &account)) != EX_OK)
		return rc;
	st = account_lock(session.core, &session.caller, account.id, reason != NULL ? reason : "operator", &account);
	rc = st == STATUS_OK ? show_account(in, &account) : output_fail_status(st, "locking the account");
	session_close(&session);
	return rc;
}

int
account_unlock_command(const struct invocation *in)
{
	struct session session;
	struct account account;
	enum status st;
	int rc;

	if ((rc = people_open(in, &session, &account)) != EX_OK)
		return rc;
	st = account_unlock(session.core, &session.caller, account.id, &account);
	rc = st == STATUS_OK ? show_account(in, &account) : output_fail_status(st, "unlocking the account");
	session_close(&session);
	return rc;
}

/* --- set-password -------------------------------------------------------------------------------------------------- */

int
account_set_password_command(const struct invocation *in)
{
	bool must_change = in->values[OPTION_PERMANENT] == NULL;
	struct password_refusal refusal = { NULL, 0 };
	struct secret *password = NULL;
	struct session session;
	struct account account;
	enum status st;
	int rc;

	if ((rc = people_open(in, &session, &account)) != EX_OK)
		return rc;
	if ((rc = people_new_password(in, account.login, &password)) != EX_OK)
		goto out;
	st = account_set_password(session.core, &session.caller, account.id, secret_view(password), must_change, &refusal);
	if (st == STATUS_INVALID && refusal.reason != NULL)
		rc = people_say_refusal(&refusal);
	else if (st != STATUS_OK)
		rc = output_fail_status(st, "setting the password");
	else
		output_text("The password is set%s.\n", must_change ? "; its owner must change it at the next sign-in" : "");
out:
	secret_free(&password);
	session_close(&session);
	return rc;
}
