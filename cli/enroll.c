/* enroll.c: counterfoil enroll and recovery-codes: binding an authenticator to somebody who is present. */
#include "core/operation/enroll_code.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/people.h"
#include "cli/prompt.h"
#include "core/base/encoding.h"
#include "core/credential/qr.h"
#include "core/credential/totp.h"

enum { CODE_TRIES = 3, CODE_MAX_BYTES = 64, GROUP = 4 };

/* --- recovery codes ------------------------------------------------------------------------------------------------ */

static int
show_codes(const struct invocation *in, const struct recovery_codes *codes)
{
	if (in->values[OPTION_JSON] != NULL) {
		json_t *array = json_array();

		for (unsigned i = 0; i < codes->count; i++)
			(void)json_array_append_new(array, json_string(codes->codes[i]));
		return output_json(json_pack("{s:o}", "recovery_codes", array));
	}
	if (codes->count == 0)
		return EX_OK;
	output_text("\nRecovery codes, shown this once.  Each opens the account once, in place of a code:\n\n");
	for (unsigned i = 0; i < codes->count; i++)
		output_text("  %s\n", codes->codes[i]);
	output_text("\nKeep them on paper, away from the authenticator.\n");
	return EX_OK;
}

int
recovery_codes_command(const struct invocation *in)
{
	struct recovery_codes codes;
	struct session session;
	struct account account;
	enum status st;
	int rc;

	if ((rc = people_open(in, &session, &account)) != EX_OK)
		return rc;
	st = enrollment_new_recovery_codes(session.core, &session.caller, account.id, &codes);
	if (st == STATUS_CONFLICT)
		rc = output_fail(EX_CANTCREAT, "the account has no authenticator yet: counterfoil enroll");
	else if (st != STATUS_OK)
		rc = output_fail_status(st, "the recovery codes");
	else
		rc = show_codes(in, &codes);
	recovery_codes_wipe(&codes);
	session_close(&session);
	return rc;
}

/* --- showing the seed ---------------------------------------------------------------------------------------------- */

/* The file must be new and is for its owner alone: it holds the seed. */
static int
open_png(const char *path, int *out_fd)
{
	if (path == NULL)
		return EX_OK;
	*out_fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (*out_fd < 0)
		return output_fail(EX_CANTCREAT, "%s: %s", path, strerror(errno));
	return EX_OK;
}

static int
write_png(int fd, const char *path, struct bytes uri)
{
	struct secret *png = NULL;
	struct bytes rest;
	ssize_t put = 0;
	enum status st = qr_png(uri, &png);

	if (st != STATUS_OK)
		return output_fail_status(st, "the image");
	for (rest = secret_view(png); rest.len > 0 && (put = write(fd, rest.data, rest.len)) > 0; rest.len -= (size_t)put)
		rest.data += put;
	secret_free(&png);
	if (put < 0)
		return output_fail(EX_IOERR, "%s: %s", path, strerror(errno));
	output_text("%s holds the QR code; whoever reads it can compute the codes: delete it when it has been scanned.\n", path);
	return EX_OK;
}

static int
print_terminal(const struct totp_enrollment *enrollment, struct bytes uri)
{
	const char *seed = (const char *)secret_view(enrollment->seed_base32).data;
	struct secret *lines = NULL;
	enum status st = qr_terminal(uri, &lines);

	if (st != STATUS_OK)
		return output_fail_status(st, "the QR code");
	output_text("%.*s\nScan this with an authenticator app, or type the key into it:\n\n ",
	    (int)secret_view(lines).len, (const char *)secret_view(lines).data);
	secret_free(&lines);
	for (size_t i = 0; i < strlen(seed); i += GROUP)
		output_text(" %.*s", GROUP, seed + i);
	output_text("\n\n");
	return EX_OK;
}

static int
show_enrollment(const struct invocation *in, const struct totp_enrollment *enrollment, int png)
{
	struct bytes uri = bytes_of((const char *)secret_view(enrollment->uri).data);

	if (png >= 0)
		return write_png(png, in->values[OPTION_PNG], uri);
	if (in->values[OPTION_URI] == NULL)
		return print_terminal(enrollment, uri);
	output_text("%s\n", (const char *)uri.data);
	return EX_OK;
}

static int
show_pending_json(const struct totp_enrollment *enrollment)
{
	return output_json(json_pack("{s:s, s:s, s:s, s:o}", "factor_id", enrollment->factor_id, "otpauth_uri",
	    (const char *)secret_view(enrollment->uri).data, "secret",
	    (const char *)secret_view(enrollment->seed_base32).data, "expires_at",
	    output_json_time(enrollment->expires_at_s)));
}

/* --- confirming ---------------------------------------------------------------------------------------------------- */

/* EX_OK with an empty OUT: the input has ended. */
static int
ask_code(char out[static TOTP_DIGITS + 1])
{
	struct secret *line = NULL;
	struct bytes typed;
	size_t len = 0;
	int rc;

	out[0] = '\0';
	if ((rc = prompt_line("The code that it shows: ", CODE_MAX_BYTES, &line)) != EX_OK || line == NULL)
		return rc;
	typed = secret_view(line);
	for (size_t i = 0; i < typed.len; i++)          /* apps show the digits in two groups */
		if (typed.data[i] != ' ' && len <= TOTP_DIGITS)
			out[len++] = (char)typed.data[i];
	out[len < TOTP_DIGITS ? len : TOTP_DIGITS] = '\0';
	if (len != TOTP_DIGITS || !totp_is_code(out))
		(void)snprintf(out, TOTP_DIGITS + 1, "?");
	secret_free(&line);
	return EX_OK;
}

/* One try.  *out_again: the code was wrong, and another may be tried. */
static int
try_code(struct session *session, const char *account_id, const char *factor_id, const char *code,
    struct recovery_codes *codes, bool *out_again)
{
	struct totp_confirmation confirmation = { .verdict = VERDICT_DENIED };
	enum verdict verdict;
	enum status st = STATUS_OK;

	*out_again = false;
	if (totp_is_code(code))
		st = enrollment_confirm_totp(session->core, &session->caller, account_id, factor_id, code, &confirmation);
	verdict = confirmation.verdict;
	*codes = confirmation.codes;
	totp_confirmation_wipe(&confirmation);
	if (st == STATUS_CONFLICT)
		return output_fail(EX_CANTCREAT, "this authenticator was confirmed already, or its time is up: enroll again");
	if (st == STATUS_NOT_FOUND)
		return output_fail(EX_NOUSER, "there is no such authenticator");
	if (st != STATUS_OK)
		return output_fail_status(st, "confirming the authenticator");
	if (verdict == VERDICT_GRANTED)
		return EX_OK;
	if (verdict == VERDICT_THROTTLED)
		return output_fail(EX_TEMPFAIL, "too many wrong codes: wait, then enroll again");
	*out_again = true;
	return output_fail(EX_DATAERR, totp_is_code(code) ?
	    "that is not its code; if it goes on, the clock of this host or of the phone is wrong" :
	    "a code has %d digits", TOTP_DIGITS);
}

static int
confirm(const struct invocation *in, struct session *session, const char *account_id, const char *factor_id)
{
	struct recovery_codes codes = { .count = 0 };
	char code[TOTP_DIGITS + 1];
	bool again = true;
	int rc = EX_OK;

	for (unsigned tries = 0; tries < CODE_TRIES && again; tries++) {
		if ((rc = ask_code(code)) != EX_OK)
			break;
		if (code[0] == '\0') {
			rc = output_fail(EX_NOINPUT, "no code came: the authenticator is not bound");
			break;
		}
		rc = try_code(session, account_id, factor_id, code, &codes, &again);
	}
	if (rc == EX_OK) {
		if (in->values[OPTION_JSON] == NULL)
			output_text("The authenticator is bound.\n");
		rc = show_codes(in, &codes);
	}
	recovery_codes_wipe(&codes);
	return rc;
}

/* --- enroll -------------------------------------------------------------------------------------------------------- */

static int
start(const struct invocation *in, struct session *session, const char *account_id, struct totp_enrollment *out)
{
	enum status st = enrollment_start_totp(session->core, &session->caller, account_id, in->values[OPTION_NAME],
	    NULL, out);

	if (st == STATUS_INVALID)
		return output_fail(EX_DATAERR, "--name has 1 to %d printable characters", FACTOR_NAME_MAX);
	if (st == STATUS_CONFLICT)
		return output_fail(EX_CANTCREAT, "the account is not active, or has too many authenticators");
	return st == STATUS_OK ? EX_OK : output_fail_status(st, "the authenticator");
}

static int
start_and_confirm(const struct invocation *in, struct session *session, const char *account_id, int png)
{
	struct totp_enrollment enrollment = { .uri = NULL };
	int rc;

	if ((rc = start(in, session, account_id, &enrollment)) != EX_OK)
		goto out;
	if (in->values[OPTION_NO_CONFIRM] != NULL && in->values[OPTION_JSON] != NULL) {
		rc = show_pending_json(&enrollment);
		goto out;
	}
	if ((rc = show_enrollment(in, &enrollment, png)) != EX_OK)
		goto out;
	if (in->values[OPTION_NO_CONFIRM] != NULL) {
		output_text("Pending: counterfoil enroll --confirm %s, and the code\n", enrollment.factor_id);
		output_time_field("until", enrollment.expires_at_s);
	} else if ((rc = confirm(in, session, account_id, enrollment.factor_id)) != EX_OK) {
		/* Nobody shall find a seed that was shown and never bound. */
		(void)!enrollment_revoke(session->core, &session->caller, account_id, enrollment.factor_id);
	}
out:
	totp_enrollment_wipe(&enrollment);
	return rc;
}

/* A code for somebody who enrols at a sign-in. */
static int
issue_code(const struct invocation *in, struct session *session, const char *account_id)
{
	char code[RECOVERY_CODE_TEXT_BYTES];
	int64_t expires_at_s = 0;
	enum status st = enroll_code_issue(session->core, &session->caller, account_id, code, &expires_at_s);
	int rc = EX_OK;

	if (st == STATUS_CONFLICT)
		return output_fail(EX_CANTCREAT, "the account is not active, or has an authenticator already");
	if (st != STATUS_OK)
		return output_fail_status(st, "the enrolment code");
	if (in->values[OPTION_JSON] != NULL)
		rc = output_json(json_pack("{s:s, s:o}", "code", code, "expires_at", output_json_time(expires_at_s)));
	else {
		output_text("%s\n", code);
		output_time_field("until", expires_at_s);
	}
	secret_wipe(code, sizeof code);
	return rc;
}

static int
check_code_options(const struct invocation *in)
{
	if (in->values[OPTION_PNG] != NULL || in->values[OPTION_URI] != NULL || in->values[OPTION_NAME] != NULL ||
	    in->values[OPTION_CONFIRM] != NULL || in->values[OPTION_NO_CONFIRM] != NULL)
		return output_fail(EX_USAGE, "--code goes with no other option of enroll");
	if (in->values[OPTION_REALM] == NULL || strcmp(in->values[OPTION_REALM], realm_name(REALM_STAFF)) != 0)
		return output_fail(EX_USAGE, "--code is for staff: add --realm staff");
	return EX_OK;
}

static int
check_options(const struct invocation *in)
{
	const char *factor = in->values[OPTION_CONFIRM];
	bool shows = in->values[OPTION_PNG] != NULL || in->values[OPTION_URI] != NULL;

	if (in->values[OPTION_CODE] != NULL)
		return check_code_options(in);
	if (in->values[OPTION_PNG] != NULL && in->values[OPTION_URI] != NULL)
		return output_fail(EX_USAGE, "--png and --uri exclude each other");
	if (factor != NULL && (shows || in->values[OPTION_NO_CONFIRM] != NULL || in->values[OPTION_NAME] != NULL))
		return output_fail(EX_USAGE, "--confirm only asks for the code; it goes with no other option of enroll");
	if (factor != NULL && !encoding_is_uuid(factor))
		return output_fail(EX_USAGE, "--confirm takes the id that --no-confirm printed");
	if (in->values[OPTION_JSON] != NULL && factor == NULL && (in->values[OPTION_NO_CONFIRM] == NULL || shows))
		return output_fail(EX_USAGE, "--json goes with --no-confirm or with --confirm");
	return EX_OK;
}

int
enroll_command(const struct invocation *in)
{
	const char *png_path = in->values[OPTION_PNG];
	struct session session;
	struct account account;
	int png = -1, rc;

	if ((rc = check_options(in)) != EX_OK || (rc = people_open(in, &session, &account)) != EX_OK)
		return rc;
	if (in->values[OPTION_CODE] != NULL)
		rc = issue_code(in, &session, account.id);
	else if (in->values[OPTION_CONFIRM] != NULL)
		rc = confirm(in, &session, account.id, in->values[OPTION_CONFIRM]);
	else if ((rc = open_png(png_path, &png)) == EX_OK)
		rc = start_and_confirm(in, &session, account.id, png);
	if (png >= 0 && close(png) != 0 && rc == EX_OK)
		rc = output_fail(EX_IOERR, "%s: %s", png_path, strerror(errno));
	if (png >= 0 && rc != EX_OK)
		(void)unlink(png_path);
	session_close(&session);
	return rc;
}
