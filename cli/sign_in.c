#include "cli/sign_in.h"

#include <sysexits.h>

#include "cli/output.h"
#include "cli/prompt.h"

enum { CODE_MAX_BYTES = 64 };

/* One answer for every cause, as everywhere. */
static int
not_accepted(enum status st, const struct login_result *result, const char *login)
{
	if (st == STATUS_OK && result->verdict == VERDICT_THROTTLED)
		return output_fail(EX_TEMPFAIL, "too many failures: wait %lld s", (long long)result->retry_after_s);
	if (st == STATUS_OK && result->verdict == VERDICT_CHANGE_REQUIRED)
		return output_fail(EX_NOPERM, "the password of \"%s\" must be changed first", login);
	if (st == STATUS_OK || st == STATUS_INVALID)
		return output_fail(EX_NOPERM, "the sign-in of \"%s\" is not accepted: it takes password and code of staff", login);
	return output_fail_status(st, "the sign-in");
}

static enum status
password_step(const struct invocation *in, struct session *session, const struct caller *caller, const char *login,
    struct login_result *out, int *out_rc)
{
	struct secret *password = NULL;
	struct login_attempt attempt = { .login = bytes_of(login) };
	enum status st = STATUS_OK;

	if ((*out_rc = prompt_password(in, login, &password)) == EX_OK) {
		attempt.password = secret_view(password);
		st = login_password(session->core, caller, &attempt, out);
	}
	secret_free(&password);
	return st;
}

static enum status
code_step(struct session *session, const struct caller *caller, struct login_result *result, int *out_rc)
{
	struct secret *line = NULL;
	char code[CODE_MAX_BYTES + 1] = "", challenge[TOKEN_TEXT_BYTES];
	struct bytes typed;
	enum status st = STATUS_OK;

	if ((*out_rc = prompt_line("Code: ", CODE_MAX_BYTES, &line)) != EX_OK)
		return st;
	typed = secret_view(line);
	(void)snprintf(code, sizeof code, "%.*s", (int)typed.len, typed.len > 0 ? (const char *)typed.data : "");
	(void)snprintf(challenge, sizeof challenge, "%s", result->challenge);
	login_result_wipe(result);
	st = login_code(session->core, caller, challenge, code, false, result);
	secret_wipe(code, sizeof code);
	secret_wipe(challenge, sizeof challenge);
	secret_free(&line);
	return st;
}

int
sign_in(const struct invocation *in, struct session *session, const char *login, struct login_result *out)
{
	struct caller caller = session->caller;
	enum status st;
	int rc;

	caller.realm = REALM_STAFF;
	*out = (struct login_result){ .verdict = VERDICT_DENIED };
	st = password_step(in, session, &caller, login, out, &rc);
	if (rc == EX_OK && st == STATUS_OK && out->verdict == VERDICT_CHALLENGE)
		st = code_step(session, &caller, out, &rc);
	if (rc == EX_OK && (st != STATUS_OK || out->verdict != VERDICT_GRANTED || out->aal != 2))
		rc = not_accepted(st, out, login);
	if (rc != EX_OK)
		login_result_wipe(out);
	return rc;
}
