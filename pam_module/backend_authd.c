#include "pam_module/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "core/base/clock.h"
#include "core/base/secret.h"
#include "core/credential/breakglass.h"
#include "core/credential/pam_reply_mac.h"
#include "pam_module/authd_reply.h"
#include "pam_module/host_key.h"

enum {
	RETRY_LEFT_MS = 500,            /* a second question needs at least this much */
	CA_FILE_MAX_BYTES = 65536,
	CLOCK_OFFSET_MAX_S = 30         /* the time step of a code */
};

/* How each operation is called there. */
struct route {
	enum wire_operation operation;
	const char *path, *name;
	bool has_name;                  /* in its request as well */
};

static const struct route routes[] = {
	{ WIRE_VERIFY, "/v1/pam/verify", "verify", true },
	{ WIRE_DECOY, "/v1/pam/verify", "decoy", true },
	{ WIRE_CHANGE, "/v1/pam/verify", "change", true },
	{ WIRE_LOOK, "/v1/pam/account", "look", false },
	{ WIRE_SESSION_OPEN, "/v1/pam/session", "open", true },
	{ WIRE_SESSION_CLOSE, "/v1/pam/session", "close", true },
	{ WIRE_ENROLL_START, "/v1/pam/enroll", "start", true },
	{ WIRE_ENROLL_CONFIRM, "/v1/pam/enroll", "confirm", true },
	{ WIRE_BREAKGLASS_REPORT, "/v1/pam/breakglass", NULL, true },           /* called by its event */
};

static const char *
name_of(const struct route *route, const struct wire_request *request)
{
	return route->name != NULL ? route->name : breakglass_event_name(request->event);
}

struct job {
	const struct authd_settings *settings;
	const struct wire_request *request;
	const struct route *route;
	struct host_key key;
	char request_id[WIRE_ID_TEXT_BYTES];
	char *body;
	int64_t deadline_ms;
	struct https_reply https;
	struct helper_reply *reply;
};

/* --- what goes there -------------------------------------------------------------------------------------------------- */

static bool
put(json_t *body, const char *name, const char *text)
{
	return text == NULL || json_object_set_new(body, name, json_string(text)) == 0;
}

static const char *
factors_name(const struct wire_request *request)
{
	static const char *const names[] = { "password+otp", "otp", "password" };

	if (request->operation != WIRE_VERIFY && request->operation != WIRE_DECOY)
		return NULL;
	return names[request->factors - WIRE_PASSWORD_OTP];
}

static bool
put_origin(json_t *body, const struct wire_request *request)
{
	return put(body, "rhost", request->rhost) && put(body, "tty", request->tty) && put(body, "ssh_key", request->ssh_key);
}

static bool
wants_ticket(const struct wire_request *request)
{
	return request->operation == WIRE_VERIFY && request->offline == WIRE_OFFLINE_TICKET;
}

static bool
put_credentials(json_t *body, const struct wire_request *request)
{
	if (wants_ticket(request) && json_object_set_new(body, "ticket", json_true()) != 0)
		return false;
	return put(body, "factors", factors_name(request)) && put(body, "password", request->password) &&
	    put(body, "code", request->code) && put(body, "new_password", request->new_password) &&
	    put(body, "enroll_code", request->enroll_code) && put(body, "factor_id", request->factor_id) &&
	    put(body, "code_before", request->code_before);
}

/* The host is the one whose key it is. */
static bool
put_report(json_t *body, const struct wire_request *request)
{
	return json_object_set_new(body, "at", json_integer(request->at_s)) == 0 &&
	    json_object_set_new(body, "left", json_integer(request->left)) == 0 &&
	    json_object_set_new(body, "expires_at", json_integer(request->expires_at_s)) == 0;
}

/* Whatever the operation has no field for is absent from the request of the module as well. */
static bool
write_body(struct job *job)
{
	const struct wire_request *request = job->request;
	json_t *body = json_object();
	bool is_complete = put(body, "request_id", job->request_id) &&
	    put(body, "operation", job->route->has_name ? name_of(job->route, request) : NULL) && put(body, "user", request->user) &&
	    put(body, "service", request->service);

	if (is_complete && request->operation == WIRE_BREAKGLASS_REPORT)
		is_complete = put_report(body, request);
	else if (is_complete && request->operation != WIRE_LOOK)
		is_complete = put(body, "target", request->target) && put_credentials(body, request) && put_origin(body, request);
	job->body = is_complete ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	return job->body != NULL;
}

/* --- what comes back -------------------------------------------------------------------------------------------------- */

static enum https_outcome
post(struct job *job)
{
	const struct https_service service = { job->settings->url, job->settings->ca_file, job->settings->pin };
	const struct https_question question = { .path = job->route->path,
	    .bearer = (const char *)secret_view(job->key.text).data, .mac_header = PAM_REPLY_MAC_HEADER,
	    .body = bytes_of(job->body), .deadline_ms = job->deadline_ms, .connect_ms = job->request->connect_ms };

	return https_post(&service, &question, &job->https);
}

/* The service remembers what it has answered by the request's id: asking again uses up no second code. */
static enum https_outcome
post_again_if_lost(struct job *job)
{
	enum https_outcome outcome = post(job);

	if ((outcome == HTTPS_LOST || outcome == HTTPS_CUT) && job->deadline_ms - clock_monotonic_ms() >= RETRY_LEFT_MS)
		outcome = post(job);
	return outcome;
}

static void
set_failure(struct job *job, enum https_outcome outcome)
{
	static const struct { enum https_outcome outcome; enum answer answer; const char *reason; } rows[] = {
		{ HTTPS_UNREACHABLE, ANSWER_UNAVAILABLE, "unavailable" },
		{ HTTPS_LOST, ANSWER_UNAVAILABLE, "unavailable" },
		{ HTTPS_CUT, ANSWER_UNUSABLE, "bad_reply" },
		{ HTTPS_UNUSABLE, ANSWER_UNUSABLE, "bad_reply" },
		{ HTTPS_MISCONFIGURED, ANSWER_MISCONFIGURED, "misconfigured" },
		{ HTTPS_NO_MEMORY, ANSWER_NO_MEMORY, "no_memory" },
	};
	char detail[WIRE_DETAIL_MAX + 1];

	(void)snprintf(detail, sizeof detail, "%.100s: %.200s", job->settings->url, job->https.error);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].outcome == outcome)
			helper_reply_set(job->reply, rows[i].answer, rows[i].reason, detail);
}

/* The service judges a code by its clock, and this host its certificate by its own: an operator should hear of it. */
static void
compare_clocks(struct job *job)
{
	int64_t ahead_s = clock_now_s() - job->https.date_s;
	bool is_ahead = ahead_s > 0;
	char detail[96];

	if (job->https.date_s == 0 || (ahead_s >= -CLOCK_OFFSET_MAX_S && ahead_s <= CLOCK_OFFSET_MAX_S))
		return;
	(void)snprintf(detail, sizeof detail, "this host's clock is %lld s %s the service's",
	    (long long)(is_ahead ? ahead_s : -ahead_s), is_ahead ? "ahead of" : "behind");
	helper_reply_say(job->reply, detail);
}

static void
ask(struct job *job)
{
	const struct authd_question question = { .request = job->request, .request_id = job->request_id,
	    .operation = name_of(job->route, job->request), .host = job->key.id, .secret = host_key_secret(&job->key),
	    .body = bytes_of(job->body) };
	enum https_outcome outcome = post_again_if_lost(job);

	if (outcome != HTTPS_REPLIED) {
		set_failure(job, outcome);
		return;
	}
	authd_reply_take(&question, &job->https, job->reply);
	if (job->request->operation == WIRE_LOOK && job->reply->wire.answer != (uint32_t)ANSWER_UNUSABLE)
		compare_clocks(job);
}

/* --- the interface ---------------------------------------------------------------------------------------------------- */

/* The authority decides whom this host believes. */
static enum status
check_ca_file(const char *path, char error[static CONFIG_ERROR_BYTES])
{
	enum status st;
	int fd = -1;

	if (path[0] == '\0')
		return STATUS_OK;
	if ((st = config_open_trusted(path, 0022, CA_FILE_MAX_BYTES, &fd, error)) == STATUS_OK)
		(void)close(fd);
	return st;
}

static bool
prepare(struct job *job)
{
	const struct https_service service = { job->settings->url, job->settings->ca_file, job->settings->pin };
	const char *fault = https_service_fault(&service);
	char error[CONFIG_ERROR_BYTES] = "";
	enum status st = STATUS_INVALID;

	if (fault == NULL && (st = check_ca_file(service.ca_file, error)) == STATUS_OK)
		st = host_key_read(job->settings->host_key_file, &job->key, error);
	if (st == STATUS_OK && !write_body(job))
		st = STATUS_NO_MEMORY;
	if (st == STATUS_NO_MEMORY)
		helper_reply_set(job->reply, ANSWER_NO_MEMORY, "no_memory", NULL);
	else if (st != STATUS_OK)
		helper_reply_set(job->reply, ANSWER_MISCONFIGURED, "misconfigured", fault != NULL ? fault : error);
	return st == STATUS_OK;
}

void
backend_authd(const struct helper_settings *settings, const struct wire_request *request, int64_t deadline_ms,
    struct helper_reply *reply)
{
	struct job job = { .settings = &settings->authd, .request = request, .deadline_ms = deadline_ms, .reply = reply };

	json_set_alloc_funcs(secret_block_new, secret_block_free);
	wire_id_text(request->id, job.request_id);
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
		if ((uint32_t)routes[i].operation == request->operation)
			job.route = &routes[i];
	if (job.route == NULL || name_of(job.route, request) == NULL)
		helper_reply_set(reply, ANSWER_INTERNAL, "unknown_operation", NULL);
	else if (prepare(&job))
		ask(&job);
	secret_block_free(job.body);
	host_key_free(&job.key);
	secret_wipe(&job.https, sizeof job.https);
}
