/* route_pam.c: what staff hosts ask on behalf of their PAM applications.  Every decision is a 200, so that a refusal and a
 * failure are never taken for each other, and is bound to its one request by a code under the host's own key. */
#include <string.h>

#include "authd/json_body.h"
#include "authd/route_handlers.h"
#include "core/base/encoding.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/credential/pam_reply_mac.h"
#include "core/credential/ssh_key.h"
#include "core/operation/client.h"
#include "core/operation/host_request.h"

/* Bounds of what a host sends and is sent, in bytes: those of pam_module/wire.h. */
enum { USER_MAX = 256, SERVICE_MAX = 64, TYPED_MAX = 512, TTY_MAX = 64, PAGE_URL_MAX = 200, VERSION = 1 };

#define REQUEST_FIELDS { "request_id", FIELD_STRING, true, 1, UUID_TEXT_BYTES - 1, NULL, 0 }, \
	{ "user", FIELD_STRING, true, 1, USER_MAX, NULL, 0 }, { "service", FIELD_STRING, true, 1, SERVICE_MAX, NULL, 0 }
#define OPERATION_FIELD { "operation", FIELD_STRING, true, 1, 16, NULL, 0 }
#define ORIGIN_FIELDS { "rhost", FIELD_STRING, false, 2, INET6_ADDRSTRLEN - 1, NULL, 0 }, \
	{ "tty", FIELD_STRING, false, 1, TTY_MAX, NULL, 0 }, { "ssh_key", FIELD_STRING, false, 1, SSH_KEY_MAX, NULL, 0 }

/* One question on its way; strings are the body's. */
struct question {
	struct request *request;
	json_t *body;
	struct caller host;
	char ssh_key[SSH_KEY_FINGERPRINT_BYTES];
	const char *operation;          /* its word in the reply */
	struct host_request asked;
	struct host_answer answer;
};

/* --- out of the body ------------------------------------------------------------------------------------------------ */

/* Hosts are of the staff realm.  False: the refusal is in the reply. */
static bool
is_staff_key(struct request *request)
{
	enum status st = STATUS_OK;

	if (request->caller.realm != REALM_STAFF) {
		st = client_check(request->service->core, &request->caller, SCOPE_PAM);
		request_outcome(request, st == STATUS_OK ? STATUS_FORBIDDEN : st, VERDICT_DENIED, 0);
		return false;
	}
	return true;
}

static bool
texts_fit(struct request *request, const json_t *body)
{
	static const char *const names[] = { "service", "tty", "target", "ssh_key" };
	const char *rhost = json_body_string(body, "rhost");

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (!text_is_printable(json_body_text(body, names[i]))) {
			request_refuse_field(request, names[i], "holds a control character");
			return false;
		}
	if (!encoding_is_uuid(json_body_string(body, "request_id")))
		request_refuse_field(request, "request_id", "must be a UUID in lower case");
	else if (rhost != NULL && !route_is_address(rhost))
		request_refuse_field(request, "rhost", "must be an IPv4 or IPv6 address");
	else
		return true;
	return false;
}

/* The host is who asks, and the person's whereabouts are what it tells of them. */
static void
take_host(struct question *question)
{
	struct caller *host = &question->host;
	const char *ssh_key = json_body_string(question->body, "ssh_key");

	*host = question->request->caller;
	host->kind = CALLER_HOST;
	memcpy(host->request_id, json_body_string(question->body, "request_id"), sizeof host->request_id);
	host->service = json_body_string(question->body, "service");
	host->source_ip = json_body_string(question->body, "rhost");
	if (ssh_key != NULL && ssh_key_fingerprint(ssh_key, question->ssh_key))
		host->user_agent = question->ssh_key;
}

/* False: the refusal is in the reply. */
static bool
begin(struct question *question, struct request *request, const struct field *fields, size_t count)
{
	memset(question, 0, sizeof *question);
	question->request = request;
	if (!is_staff_key(request) || (question->body = json_body_read_and_keep(request, fields, count, false)) ==
	    NULL || !texts_fit(request, question->body))
		return false;
	take_host(question);
	question->asked.user = json_body_string(question->body, "user");
	question->asked.body = (struct bytes){ secret_view(request->body).data, request->body_len };
	return true;
}

static void
end(struct question *question)
{
	json_decref(question->body);
	host_answer_wipe(&question->answer);
	secret_wipe(question, sizeof *question);
}

struct word { const char *word; int value; };

/* The value of the field NAME among WORDS, which end in NULL; 0, with the refusal in the reply, for another word. */
static int
choose(struct question *question, const char *name, const struct word *words)
{
	const char *given = json_body_string(question->body, name);

	for (const struct word *w = words; w->word != NULL; w++)
		if (given != NULL && strcmp(given, w->word) == 0)
			return w->value;
	request_refuse_field(question->request, name, given != NULL ? "is none of the documented words" : "is missing");
	return 0;
}

/* --- the reply -------------------------------------------------------------------------------------------------------- */

static void
bind_reply(struct question *question)
{
	struct request *request = question->request;
	char secret[TOKEN_TEXT_BYTES], mac[PAM_REPLY_MAC_TEXT_BYTES];
	const struct pam_reply_bound bound = { .secret = { (const uint8_t *)secret, TOKEN_TEXT_BYTES - 1 },
	    .request_id = question->host.request_id, .operation = question->operation, .host = question->host.key_id,
	    .request = { secret_view(request->body).data, request->body_len },
	    .reply = { request->reply.data, request->reply.len } };

	encoding_base64url((struct bytes){ question->host.key_secret, sizeof question->host.key_secret }, secret);
	if (pam_reply_mac(&bound, mac) == STATUS_OK)
		reply_header(&request->reply, PAM_REPLY_MAC_HEADER, mac);
	secret_wipe(secret, sizeof secret);
}

static void
log_answer(const struct question *question)
{
	log_event(LOG_LEVEL_INFO, "pam", (const struct log_field[]){ LOG_TEXT("operation", question->operation),
	    LOG_TEXT("answer", host_decision_name(question->answer.decision)), LOG_TEXT("reason", question->answer.reason),
	    LOG_TEXT("host", question->host.key_id), LOG_TEXT("asked", question->host.request_id),
	    LOG_TEXT("request", question->request->id), LOG_END });
}

/* MEMBERS (stolen): what this operation's replies have beside what all have. */
static void
reply_decision(struct question *question, json_t *members)
{
	const struct host_answer *answer = &question->answer;
	json_t *body = json_pack("{s:i, s:s, s:O, s:s, s:s, s:s, s:s}", "v", VERSION, "request_id", question->host.request_id,
	    "user", json_object_get(question->body, "user"), "host", question->host.key_id, "operation",
	    question->operation, "answer", host_decision_name(answer->decision), "reason", answer->reason);

	if (body != NULL && (members == NULL || json_object_update_missing(body, members) != 0)) {
		json_decref(body);
		body = NULL;
	}
	json_decref(members);
	log_answer(question);
	reply_json(&question->request->reply, 200, body);
	if (question->request->reply.http_status == 200)
		bind_reply(question);
}

/* Decide.  False: it failed, and the reply says how. */
static bool
ask(struct question *question)
{
	struct request *request = question->request;
	enum status st;

	if (!host_request_is_complete(&question->asked)) {
		request_refuse_field(request, "operation", "needs a password or code that is not there");
		return false;
	}
	st = host_request_run(request->service->core, &question->host, &question->asked, &question->answer);
	if (st != STATUS_OK)
		request_outcome(request, st, VERDICT_DENIED, 0);
	return st == STATUS_OK;
}

static json_t *
retry_member(const struct question *question)
{
	return json_pack("{s:I}", "retry_after_s", (json_int_t)question->answer.retry_after_s);
}

/* --- the routes ------------------------------------------------------------------------------------------------------- */

static enum verdict
verdict_of(enum host_decision decision)
{
	if (decision == HOST_ALLOW)
		return VERDICT_GRANTED;
	return decision == HOST_THROTTLED ? VERDICT_THROTTLED : VERDICT_DENIED;
}

static json_t *
verify_members(const struct question *question)
{
	json_t *members = retry_member(question);

	if (question->answer.decision == HOST_PASSWORD_REFUSED && members != NULL)
		(void)json_object_set_new(members, "minimum", json_integer((json_int_t)question->answer.minimum_points));
	if (question->asked.operation == HOST_CHANGE || members == NULL)
		return members;
	(void)json_object_set_new(members, "password_right", json_boolean(question->answer.password_right));
	(void)json_object_set_new(members, "must_change", json_boolean(question->answer.must_change));
	if (question->answer.ticket[0] != '\0')
		(void)json_object_set_new(members, "ticket", json_string(question->answer.ticket));
	return members;
}

/* False: the refusal is in the reply. */
static bool
take_credentials(struct question *question)
{
	static const struct word operations[] = { { "verify", HOST_VERIFY }, { "decoy", HOST_DECOY },
	    { "change", HOST_CHANGE }, { NULL, 0 } };
	static const struct word factors[] = { { "password+otp", HOST_PASSWORD_OTP }, { "otp", HOST_OTP },
	    { "password", HOST_PASSWORD }, { NULL, 0 } };
	struct host_request *asked = &question->asked;

	asked->operation = (enum host_operation)choose(question, "operation", operations);
	if (asked->operation == 0)
		return false;
	question->operation = json_body_string(question->body, "operation");
	if (asked->operation != HOST_CHANGE && (asked->factors = (enum host_factors)choose(question, "factors", factors)) == 0)
		return false;
	asked->password = json_body_string(question->body, "password");
	asked->code = json_body_string(question->body, "code");
	asked->new_password = json_body_string(question->body, "new_password");
	asked->wants_ticket = json_body_flag(question->body, "ticket");
	return true;
}

void
route_pam_verify(struct request *request)
{
	static const struct field fields[] = { REQUEST_FIELDS, OPERATION_FIELD, ORIGIN_FIELDS,
		{ "factors", FIELD_STRING, false, 1, 16, NULL, 0 },
		{ "password", FIELD_STRING, false, 1, TYPED_MAX, NULL, 0 },
		{ "code", FIELD_STRING, false, 1, TYPED_MAX, NULL, 0 },
		{ "new_password", FIELD_STRING, false, 1, TYPED_MAX, NULL, 0 },
		{ "ticket", FIELD_BOOLEAN, false, 0, 0, NULL, 0 },
	};
	struct question question;

	if (begin(&question, request, fields, sizeof fields / sizeof fields[0]) && take_credentials(&question) &&
	    ask(&question)) {
		metrics_verdict(request->service->metrics, verdict_of(question.answer.decision));
		reply_decision(&question, verify_members(&question));
	}
	end(&question);
}

void
route_pam_account(struct request *request)
{
	static const struct field fields[] = { REQUEST_FIELDS };
	struct question question;

	if (begin(&question, request, fields, sizeof fields / sizeof fields[0])) {
		question.asked.operation = HOST_LOOK;
		question.asked.body = (struct bytes){ NULL, 0 };        /* looking again does no harm, and is told what is now */
		question.operation = "look";
		if (ask(&question))
			reply_decision(&question, json_pack("{s:b, s:b, s:I}", "must_change",
			    question.answer.decision == HOST_CHANGE_REQUIRED, "enrolled", question.answer.enrolled, "training_due",
			    (json_int_t)question.answer.training_due_at_s));
	}
	end(&question);
}

void
route_pam_session(struct request *request)
{
	static const struct field fields[] = { REQUEST_FIELDS, OPERATION_FIELD, ORIGIN_FIELDS,
		{ "target", FIELD_STRING, false, 1, USER_MAX, NULL, 0 },
	};
	static const struct word operations[] = { { "open", HOST_SESSION_OPEN }, { "close", HOST_SESSION_CLOSE },
	    { NULL, 0 } };
	struct question question;

	if (begin(&question, request, fields, sizeof fields / sizeof fields[0]) &&
	    (question.asked.operation = (enum host_operation)choose(&question, "operation", operations)) != 0) {
		question.operation = json_body_string(question.body, "operation");
		question.asked.target = json_body_string(question.body, "target");
		question.asked.tty = json_body_string(question.body, "tty");
		if (ask(&question))
			reply_decision(&question, retry_member(&question));
	}
	end(&question);
}

static const char *
text_of(const struct secret *secret)
{
	return (const char *)secret_view(secret).data;
}

/* Flat, as all that hosts are told: the codes are one text. */
static json_t *
enroll_members(const struct question *question)
{
	const struct host_answer *answer = &question->answer;
	char codes[RECOVERY_CODES_TEXT_BYTES];
	json_t *members = retry_member(question);

	if (members == NULL)
		return NULL;
	if (answer->decision == HOST_ENROLL_STARTED)
		(void)json_object_update_new(members, json_pack("{s:s, s:s, s:s}", "factor_id", answer->enrollment.factor_id,
		    "secret", text_of(answer->enrollment.seed_base32), "otpauth_uri", text_of(answer->enrollment.uri)));
	if (answer->link_token[0] != '\0')
		(void)json_object_set_new(members, "enroll_url", route_page_url(question->request, "enroll", answer->link_token));
	if (question->asked.operation == HOST_ENROLL_CONFIRM)
		(void)json_object_set_new(members, "must_change", json_boolean(answer->must_change));
	if (answer->codes.count > 0) {
		recovery_codes_join(&answer->codes, codes);
		(void)json_object_set_new(members, "recovery_codes", json_string(codes));
		secret_wipe(codes, sizeof codes);
	}
	return members;
}

/* Is there a page, at an address that has room in a prompt? */
static bool
page_url_fits(const struct request *request)
{
	size_t len = strlen(request->service->settings->public_url);

	return len > 0 && len + sizeof "/enroll#" - 1 + TOKEN_TEXT_BYTES - 1 <= PAGE_URL_MAX;
}

void
route_pam_enroll(struct request *request)
{
	static const struct field fields[] = { REQUEST_FIELDS, OPERATION_FIELD, ORIGIN_FIELDS,
		{ "password", FIELD_STRING, false, 1, TYPED_MAX, NULL, 0 },
		{ "enroll_code", FIELD_STRING, true, 1, TYPED_MAX, NULL, 0 },
		{ "factor_id", FIELD_STRING, false, UUID_TEXT_BYTES - 1, UUID_TEXT_BYTES - 1, NULL, 0 },
		{ "code_before", FIELD_STRING, false, 1, TYPED_MAX, NULL, 0 },
		{ "code", FIELD_STRING, false, 1, TYPED_MAX, NULL, 0 },
	};
	static const struct word operations[] = { { "start", HOST_ENROLL_START }, { "confirm", HOST_ENROLL_CONFIRM },
	    { NULL, 0 } };
	struct question question;

	if (begin(&question, request, fields, sizeof fields / sizeof fields[0]) &&
	    (question.asked.operation = (enum host_operation)choose(&question, "operation", operations)) != 0) {
		question.operation = json_body_string(question.body, "operation");
		question.asked.password = json_body_string(question.body, "password");
		question.asked.enroll_code = json_body_string(question.body, "enroll_code");
		question.asked.factor_id = json_body_string(question.body, "factor_id");
		question.asked.code_before = json_body_string(question.body, "code_before");
		question.asked.wants_link = page_url_fits(request);
		question.asked.code = json_body_string(question.body, "code");
		if (ask(&question)) {
			if (question.answer.decision != HOST_ENROLL_STARTED)    /* which decides nothing about a person */
				metrics_verdict(request->service->metrics, verdict_of(question.answer.decision));
			reply_decision(&question, enroll_members(&question));
		}
	}
	end(&question);
}

/* A report that comes again is known by its id in SQL. */
void
route_pam_breakglass(struct request *request)
{
	static const struct field fields[] = { REQUEST_FIELDS, OPERATION_FIELD,
		{ "at", FIELD_INTEGER, true, 0, UINT32_MAX, NULL, 0 },
		{ "left", FIELD_INTEGER, true, 0, BREAKGLASS_TRAIL_CODES_MAX, NULL, 0 },
		{ "expires_at", FIELD_INTEGER, true, 0, UINT32_MAX, NULL, 0 },
	};
	static const struct word operations[] = { { "issued", 1 }, { "used", 2 }, { "revoked", 3 }, { "expired", 4 },
	    { "ticket_used", 5 }, { NULL, 0 } };
	struct question question;

	if (begin(&question, request, fields, sizeof fields / sizeof fields[0]) &&
	    choose(&question, "operation", operations) != 0) {
		const struct breakglass_fact fact = { .event = json_body_string(question.body, "operation"),
		    .at_s = json_body_number(question.body, "at"), .left = json_body_number(question.body, "left"),
		    .expires_at_s = json_body_number(question.body, "expires_at") };

		question.operation = fact.event;
		question.asked.operation = HOST_BREAKGLASS;
		question.asked.body = (struct bytes){ NULL, 0 };
		question.asked.fact = &fact;
		if (ask(&question))
			reply_decision(&question, json_object());
	}
	end(&question);
}
