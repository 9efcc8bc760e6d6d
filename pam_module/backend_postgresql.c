#include "pam_module/backend.h"

#include "core/credential/breakglass.h"
#include "core/operation/host_request.h"

_Static_assert((int)HOST_PASSWORD_OTP == (int)WIRE_PASSWORD_OTP && (int)HOST_OTP == (int)WIRE_OTP &&
    (int)HOST_PASSWORD == (int)WIRE_PASSWORD, "factors have the numbers of the wire");
_Static_assert((int)HOST_VERIFY == (int)WIRE_VERIFY && (int)HOST_DECOY == (int)WIRE_DECOY &&
    (int)HOST_LOOK == (int)WIRE_LOOK && (int)HOST_CHANGE == (int)WIRE_CHANGE &&
    (int)HOST_SESSION_OPEN == (int)WIRE_SESSION_OPEN && (int)HOST_SESSION_CLOSE == (int)WIRE_SESSION_CLOSE &&
    (int)HOST_ENROLL_START == (int)WIRE_ENROLL_START && (int)HOST_ENROLL_CONFIRM == (int)WIRE_ENROLL_CONFIRM,
    "so have operations");

void
backend_set_failure(struct helper_reply *reply, enum status st, const char *detail)
{
	static const struct { enum status status; enum answer answer; } rows[] = {
		{ STATUS_UNAUTHENTICATED, ANSWER_REFUSED },
		{ STATUS_FORBIDDEN, ANSWER_REFUSED },
		{ STATUS_UNAVAILABLE, ANSWER_UNAVAILABLE },
		{ STATUS_OVERLOADED, ANSWER_UNUSABLE },
		{ STATUS_NO_MEMORY, ANSWER_NO_MEMORY },
	};
	enum answer answer = ANSWER_INTERNAL;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].status == st)
			answer = rows[i].answer;
	helper_reply_set(reply, answer, status_name(st), detail);
}

static void
show_enrollment(struct helper_reply *reply, const struct totp_enrollment *enrollment)
{
	enum status st = helper_reply_enrollment(reply, enrollment->factor_id,
	    (const char *)secret_view(enrollment->seed_base32).data, (const char *)secret_view(enrollment->uri).data);

	if (st != STATUS_OK)
		backend_set_failure(reply, st == STATUS_INVALID ? STATUS_INTERNAL : st, NULL);
}

static void
show_codes(struct helper_reply *reply, const struct recovery_codes *codes)
{
	char text[RECOVERY_CODES_TEXT_BYTES];

	_Static_assert(sizeof text <= WIRE_CODES_MAX + 1, "the codes fit");
	recovery_codes_join(codes, text);
	helper_reply_recovery_codes(reply, text);
	secret_wipe(text, sizeof text);
}

static void
set_decision(struct helper_reply *reply, const struct host_answer *decided)
{
	static const enum answer answers[] = {
		[HOST_DENY] = ANSWER_DENY, [HOST_UNKNOWN_USER] = ANSWER_UNKNOWN_USER, [HOST_NOT_ENROLLED] = ANSWER_NOT_ENROLLED,
		[HOST_THROTTLED] = ANSWER_THROTTLED, [HOST_LOCKED] = ANSWER_LOCKED, [HOST_EXPIRED] = ANSWER_EXPIRED,
		[HOST_CHANGE_REQUIRED] = ANSWER_CHANGE_REQUIRED, [HOST_PASSWORD_REFUSED] = ANSWER_PASSWORD_REFUSED,
		[HOST_ENROLL_STARTED] = ANSWER_ENROLL_STARTED, [HOST_ALLOW] = ANSWER_ALLOW,
	};

	reply->wire.password_right = decided->password_right;
	reply->wire.must_change = decided->must_change;
	reply->wire.enrolled = decided->enrolled;
	reply->wire.retry_after_s =
	    (uint32_t)(decided->retry_after_s < WIRE_RETRY_AFTER_MAX ? decided->retry_after_s : WIRE_RETRY_AFTER_MAX);
	if (decided->training_due_at_s > 0 && decided->training_due_at_s <= (int64_t)UINT32_MAX)
		reply->wire.training_due = (uint32_t)decided->training_due_at_s;
	reply->wire.minimum_points = (uint32_t)decided->minimum_points;
	helper_reply_set(reply, answers[decided->decision], decided->reason, NULL);
	if (decided->decision == HOST_ENROLL_STARTED)
		show_enrollment(reply, &decided->enrollment);
	if (decided->codes.count > 0)
		show_codes(reply, &decided->codes);
}

static enum host_operation
operation_of(const struct wire_request *request)
{
	return request->operation == WIRE_BREAKGLASS_REPORT ? HOST_BREAKGLASS : (enum host_operation)request->operation;
}

static void
ask(struct core *core, const struct wire_request *request, struct helper_reply *reply)
{
	const struct breakglass_fact fact = { .host = request->target, .event = breakglass_event_name(request->event),
	    .at_s = request->at_s, .left = request->left, .expires_at_s = request->expires_at_s };
	const struct host_request question = { .operation = operation_of(request), .fact = &fact,
	    .factors = (enum host_factors)request->factors, .user = request->user, .password = request->password,
	    .code = request->code, .new_password = request->new_password, .target = request->target, .tty = request->tty,
	    .enroll_code = request->enroll_code, .factor_id = request->factor_id, .code_before = request->code_before };
	struct caller caller = { .kind = CALLER_HOST, .realm = REALM_STAFF, .source_ip = request->rhost,
	    .user_agent = reply->wire.ssh_key, .service = request->service };
	struct host_answer decided;
	enum status st;

	wire_id_text(request->id, caller.request_id);
	if ((st = host_request_run(core, &caller, &question, &decided)) == STATUS_INVALID)
		helper_reply_set(reply, ANSWER_INTERNAL, "incomplete", NULL);
	else if (st != STATUS_OK)
		backend_set_failure(reply, st, NULL);
	else
		set_decision(reply, &decided);
	host_answer_wipe(&decided);
}

/* The module's time budget over the file's own, where it is shorter. */
static struct core_settings
hurry(const struct core_settings *from, const struct wire_request *request)
{
	struct core_settings settings = *from;
	int64_t connect_s = request->connect_ms / 1000 > 0 ? request->connect_ms / 1000 : 1;

	if (settings.database_connect_timeout_s > connect_s)
		settings.database_connect_timeout_s = connect_s;
	if (settings.database_statement_timeout_ms > (int64_t)request->budget_ms)
		settings.database_statement_timeout_ms = request->budget_ms;
	return settings;
}

void
backend_postgresql(const struct helper_settings *settings, const struct wire_request *request,
    struct helper_reply *reply)
{
	const struct core_settings core_settings = hurry(&settings->core, request);
	struct core *core = NULL;
	char error[CONFIG_ERROR_BYTES] = "";
	enum status st = core_open(&core_settings, &core, error);

	if (st == STATUS_INVALID)
		helper_reply_set(reply, ANSWER_MISCONFIGURED, "misconfigured", error);
	else if (st != STATUS_OK)
		backend_set_failure(reply, st, error);
	else
		ask(core, request, reply);
	core_close(&core);
}
