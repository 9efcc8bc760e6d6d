#include "pam_module/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "pam_module/conversation.h"
#include "pam_module/exchange.h"
#include "pam_module/paths.h"
#include "pam_module/report.h"

enum { HELPER_MARGIN_MS = 300 };        /* the helper gives up this much earlier, to say why itself */

/* --- before and after ------------------------------------------------------------------------------------------- */

static enum answer
misconfigured(struct call *call, const char *error)
{
	(void)snprintf(call->detail, sizeof call->detail, "%s", error);
	return ANSWER_MISCONFIGURED;
}

static enum answer
read_configuration(struct call *call, int argc, const char **argv)
{
	char error[CONF_ERROR_BYTES] = "";
	const char *fault;

	if (!options_parse(argc, argv, &call->options, error))
		return misconfigured(call, error);
	if (!who_service(call->pamh, &call->who))
		return misconfigured(call, "the application gave no usable service name");
	if (!conf_load(call->options.conf, call->options.profile != NULL ? call->options.profile : call->who.service,
	    &call->conf, error))
		return misconfigured(call, error);
	if (!options_apply(&call->options, &call->conf, error))
		return misconfigured(call, error);
	fault = call->phase == PHASE_AUTH ? conf_offline_fault(&call->conf, call->who.service) : NULL;
	return fault != NULL ? misconfigured(call, fault) : ANSWER_NONE;
}

static bool
may_ask_for_name(enum phase phase)
{
	return phase == PHASE_AUTH || phase == PHASE_PASSWORD;
}

static enum answer
run(struct call *call, int argc, const char **argv, enum answer (*decide)(struct call *))
{
	enum answer answer;

	if ((answer = read_configuration(call, argc, argv)) != ANSWER_NONE ||
	    (answer = who_find(call->pamh, &call->conf, may_ask_for_name(call->phase), &call->who)) != ANSWER_NONE)
		return answer;
	return decide(call);
}

int
call_run(pam_handle_t *pamh, int flags, int argc, const char **argv, enum phase phase, const char *event,
    enum answer (*decide)(struct call *))
{
	struct call call = { .pamh = pamh, .flags = flags, .phase = phase, .event = event,
	    .started_ms = exchange_now_ms() };
	enum answer answer = ANSWER_NO_MEMORY;
	const char *notice;
	int code;

	if ((call.vault = vault_open()) != NULL)
		answer = run(&call, argc, argv, decide);
	if ((notice = answer_row(answer)->notice) != NULL)
		conversation_tell(pamh, flags, notice);
	report(&call, answer);
	vault_close(&call.vault);
	code = answer_to_pam(answer, phase);
	if (code == PAM_SYSTEM_ERR)
		errno = EIO;            /* sudo prints it */
	return code;
}

/* --- the helper ------------------------------------------------------------------------------------------------- */

enum wire_factors
call_factors(const struct call *call)
{
	switch (call->conf.factors) {
	case FACTORS_OTP:
		return WIRE_OTP;
	case FACTORS_PASSWORD:
		return WIRE_PASSWORD;
	default:
		return WIRE_PASSWORD_OTP;
	}
}

static const char *
or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

struct wire_request
call_request(struct call *call, enum wire_operation operation)
{
	const struct who *who = &call->who;
	unsigned total_ms = (unsigned)call->conf.timeout_total_s * 1000;

	return (struct wire_request){ .operation = operation, .backend = WIRE_POSTGRESQL + (unsigned)call->conf.backend,
	    .factors = call_factors(call), .budget_ms = total_ms - HELPER_MARGIN_MS,
	    .connect_ms = (unsigned)call->conf.timeout_connect_s * 1000,
	    .user = who->odd ? "-" : who->user, .service = who->service, .rhost = or_null(who->rhost),
	    .tty = or_null(who->tty), .ssh_key = or_null(who->ssh_key) };
}

/* A version 4 UUID, which is how the audit trail names a request. */
static bool
fresh_id(uint8_t id[static WIRE_ID_BYTES])
{
	if (getrandom(id, WIRE_ID_BYTES, 0) != WIRE_ID_BYTES)
		return false;
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
	return true;
}

/* pam-helper.conf lies beside pam.conf; the built-in place needs no word. */
static const char *
helper_conf(const struct call *call, char out[static CONF_PATH_MAX + 16])
{
	const char *slash = strrchr(call->options.conf, '/');

	if (strcmp(call->options.conf, paths_conf) == 0)
		return NULL;
	(void)snprintf(out, CONF_PATH_MAX + 16, "%.*s/pam-helper.conf", (int)(slash - call->options.conf),
	    call->options.conf);
	return out;
}

enum answer
call_ask(struct call *call, struct wire_request *request)
{
	char conf[CONF_PATH_MAX + 16];
	const struct exchange exchange = { .pamh = call->pamh, .helper = paths_helper,
	    .helper_conf = helper_conf(call, conf), .timeout_ms = call->conf.timeout_total_s * 1000,
	    .buffer = call->vault->request, .reply_buffer = call->vault->reply };

	if (!fresh_id(request->id))
		return ANSWER_INTERNAL;
	memcpy(call->request_id, request->id, sizeof call->request_id);
	return exchange_run(&exchange, request, &call->reply);
}

/* --- the marker ------------------------------------------------------------------------------------------------- */

#define MARKER_NAME "counterfoil:auth"

static void
free_marker(pam_handle_t *pamh, void *data, int error_status)
{
	(void)pamh;
	(void)error_status;
	free(data);
}

static void
put_marker(pam_handle_t *pamh, struct marker *marker)
{
	if (pam_set_data(pamh, MARKER_NAME, marker, free_marker) != PAM_SUCCESS)
		free(marker);
}

void
marker_clear(pam_handle_t *pamh)
{
	(void)pam_set_data(pamh, MARKER_NAME, NULL, NULL);
}

void
marker_changed(pam_handle_t *pamh)
{
	const struct marker *marker = marker_any(pamh);
	struct marker *fresh;

	if (marker == NULL || (fresh = malloc(sizeof *fresh)) == NULL)
		return;
	*fresh = *marker;
	fresh->must_change = false;
	put_marker(pamh, fresh);
}

/* Without memory there is no marker, and who asks for it refuses. */
void
marker_set(const struct call *call)
{
	struct marker *marker = calloc(1, sizeof *marker);

	if (marker == NULL)
		return;
	memcpy(marker->user, call->who.user, sizeof marker->user);
	memcpy(marker->pam_user, call->who.pam_user, sizeof marker->pam_user);
	marker->must_change = call->reply.must_change != 0;
	marker->offline = call->reply.offline != 0;
	put_marker(call->pamh, marker);
}

const struct marker *
marker_any(pam_handle_t *pamh)
{
	const void *data = NULL;

	return pam_get_data(pamh, MARKER_NAME, &data) == PAM_SUCCESS ? data : NULL;
}

/* A login that tries another name in the same handle has its own to prove. */
const struct marker *
marker_get(pam_handle_t *pamh, const struct who *who)
{
	const struct marker *marker = marker_any(pamh);

	if (marker == NULL || who->odd || strcmp(marker->pam_user, who->pam_user) != 0 ||
	    strcmp(marker->user, who->user) != 0)
		return NULL;
	return marker;
}
