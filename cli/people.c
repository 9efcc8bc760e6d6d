#include "cli/people.h"

#include <string.h>
#include <sysexits.h>

#include "cli/output.h"
#include "cli/prompt.h"
#include "core/base/text.h"

/* --- finding ------------------------------------------------------------------------------------------------------- */

int
people_find(struct session *session, const char *login, struct account *out)
{
	enum status st = account_find(session->core, &session->caller, bytes_of(login), out);

	if (st == STATUS_NOT_FOUND || st == STATUS_INVALID)
		return output_fail(EX_NOUSER, "there is no account \"%s\" in realm %s%s", login,
		    realm_name(session->caller.realm),
		    session->caller.realm == REALM_STORE ? "; for staff add --realm staff" : "");
	return st == STATUS_OK ? EX_OK : output_fail_status(st, "finding the account");
}

int
people_open(const struct invocation *in, struct session *session, struct account *out)
{
	int rc;

	if ((rc = session_open(in, session)) != EX_OK)
		return rc;
	if ((rc = people_find(session, in->operands[0], out)) != EX_OK)
		session_close(session);
	return rc;
}

/* --- passwords ----------------------------------------------------------------------------------------------------- */

int
people_say_refusal(const struct password_refusal *refusal)
{
	if (strcmp(refusal->reason, "too_short") == 0)
		return output_fail(EX_DATAERR, "the password is too short: at least %lld characters",
		    (long long)refusal->minimum_points);
	if (strcmp(refusal->reason, "too_long") == 0)
		return output_fail(EX_DATAERR, "the password is too long: at most %d characters", TEXT_PASSWORD_MAX_POINTS);
	if (strcmp(refusal->reason, "common") == 0)
		return output_fail(EX_DATAERR, "the password is on the list of common ones: choose another");
	if (strcmp(refusal->reason, "context") == 0)
		return output_fail(EX_DATAERR, "the password is too close to the login or the issuer: choose another");
	return output_fail(EX_DATAERR, "the password is not accepted: %s", refusal->reason);
}

static int
check_password(const struct secret *password)
{
	struct secret *form = NULL;
	size_t points;
	enum status st = text_password(secret_view(password), &form, &points);

	secret_free(&form);
	if (st == STATUS_INVALID)
		return output_fail(EX_DATAERR, "a password is UTF-8 without control characters, at most %d characters",
		    TEXT_PASSWORD_MAX_POINTS);
	return st == STATUS_OK ? EX_OK : output_fail_status(st, "the password");
}

int
people_new_password(const struct invocation *in, const char *login, struct secret **out)
{
	int rc = prompt_new_password(in, login, out);

	return rc != EX_OK ? rc : check_password(*out);
}
