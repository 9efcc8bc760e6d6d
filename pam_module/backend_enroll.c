/* backend_enroll.c: what the module asks for somebody who has no authenticator yet, over core/operation/enroll_code.h. */
#include "pam_module/backend.h"

#include <stdio.h>
#include <string.h>

#include "core/credential/qr.h"
#include "core/operation/account.h"
#include "core/operation/enroll_code.h"

_Static_assert(RECOVERY_CODE_COUNT * RECOVERY_CODE_TEXT_BYTES <= WIRE_CODES_MAX, "the codes and the spaces between fit");

static void
set_throttled(struct helper_reply *reply, int64_t retry_after_s)
{
	reply->wire.retry_after_s = (uint32_t)(retry_after_s < WIRE_RETRY_AFTER_MAX ? retry_after_s : WIRE_RETRY_AFTER_MAX);
	helper_reply_set(reply, ANSWER_THROTTLED, "throttled", NULL);
}

/* False: the reply is set.  Who has just given the right password has an account; it may be gone a moment later. */
static bool
find(struct core *core, const struct caller *caller, const struct wire_request *request, struct account_status *out,
    struct helper_reply *reply)
{
	enum status st = account_status(core, caller, bytes_of(request->user), out);

	if (st != STATUS_OK && st != STATUS_INVALID)
		backend_set_failure(reply, st, NULL);
	else if (st == STATUS_INVALID || !out->known)
		helper_reply_set(reply, ANSWER_UNKNOWN_USER, "unknown_login", NULL);
	return st == STATUS_OK && out->known;
}

/* What changed under the dialogue, or was no code, refuses; the rest is the machinery's. */
static void
set_status(struct helper_reply *reply, enum status st)
{
	if (st == STATUS_INVALID || st == STATUS_CONFLICT || st == STATUS_NOT_FOUND)
		helper_reply_set(reply, ANSWER_DENY, "enrollment_over", NULL);
	else
		backend_set_failure(reply, st, NULL);
}

/* --- the start -------------------------------------------------------------------------------------------------------- */

/* A code too large for the wire is left out: the key says the same. */
static enum status
put_picture(struct helper_reply *reply, const struct totp_enrollment *enrollment)
{
	struct secret *modules = NULL;
	enum status st = qr_modules(bytes_of((const char *)secret_view(enrollment->uri).data), &modules);
	struct bytes view;

	if (st != STATUS_OK)
		return st;
	view = secret_view(modules);
	if (view.len < sizeof reply->enroll_picture) {
		memcpy(reply->enroll_picture, view.data, view.len);
		reply->enroll_picture[view.len] = '\0';
		reply->wire.enroll_picture = reply->enroll_picture;
	}
	secret_free(&modules);
	return STATUS_OK;
}

static void
set_started(struct helper_reply *reply, const struct totp_enrollment *enrollment)
{
	enum status st = put_picture(reply, enrollment);

	if (st != STATUS_OK) {
		backend_set_failure(reply, st, NULL);
		return;
	}
	(void)snprintf(reply->factor_id, sizeof reply->factor_id, "%s", enrollment->factor_id);
	(void)snprintf(reply->enroll_key, sizeof reply->enroll_key, "%s",
	    (const char *)secret_view(enrollment->seed_base32).data);
	reply->wire.factor_id = reply->factor_id;
	reply->wire.enroll_key = reply->enroll_key;
	helper_reply_set(reply, ANSWER_ENROLL_STARTED, "enroll_started", NULL);
}

static void
start(struct core *core, const struct caller *caller, const struct wire_request *request, const char *account_id,
    struct helper_reply *reply)
{
	struct enroll_code_start started;
	enum status st = enroll_code_start(core, caller, account_id, request->enroll_code, &started);

	if (st != STATUS_OK)
		set_status(reply, st);
	else if (started.verdict == VERDICT_GRANTED)
		set_started(reply, &started.enrollment);
	else if (started.verdict == VERDICT_THROTTLED)
		set_throttled(reply, started.retry_after_s);
	else
		helper_reply_set(reply, ANSWER_DENY, started.reason, NULL);
	totp_enrollment_wipe(&started.enrollment);
}

/* --- its end ---------------------------------------------------------------------------------------------------------- */

static void
set_enrolled(struct helper_reply *reply, const struct recovery_codes *codes, bool must_change)
{
	size_t len = 0;

	for (unsigned i = 0; i < codes->count; i++)
		len += (size_t)snprintf(reply->recovery_codes + len, sizeof reply->recovery_codes - len, "%s%s", i > 0 ? " " : "",
		    codes->codes[i]);
	if (codes->count > 0)
		reply->wire.recovery_codes = reply->recovery_codes;
	reply->wire.must_change = must_change;
	helper_reply_set(reply, ANSWER_ALLOW, "enrolled", NULL);
}

static void
confirm(struct core *core, const struct caller *caller, const struct wire_request *request,
    const struct account_status *account, struct helper_reply *reply)
{
	struct totp_confirmation confirmed;
	enum status st = enroll_code_confirm(core, caller, account->account_id, request->enroll_code, request->factor_id,
	    request->code_before, request->code, &confirmed);

	if (st != STATUS_OK)
		set_status(reply, st);
	else if (confirmed.verdict == VERDICT_GRANTED)
		set_enrolled(reply, &confirmed.codes, account->must_change);
	else if (confirmed.verdict == VERDICT_THROTTLED)
		set_throttled(reply, confirmed.retry_after_s);
	else
		helper_reply_set(reply, ANSWER_DENY, "wrong_code", NULL);
	totp_confirmation_wipe(&confirmed);
}

/* --- the interface ---------------------------------------------------------------------------------------------------- */

static bool
is_complete(const struct wire_request *request)
{
	return request->enroll_code != NULL && (request->operation == WIRE_ENROLL_START ||
	    (request->factor_id != NULL && request->code_before != NULL && request->code != NULL));
}

void
backend_enroll(struct core *core, const struct caller *caller, const struct wire_request *request,
    struct helper_reply *reply)
{
	struct account_status account;

	if (!is_complete(request))
		helper_reply_set(reply, ANSWER_INTERNAL, "incomplete", NULL);
	else if (!find(core, caller, request, &account, reply))
		return;
	else if (request->operation == WIRE_ENROLL_START)
		start(core, caller, request, account.account_id, reply);
	else
		confirm(core, caller, request, &account, reply);
}
