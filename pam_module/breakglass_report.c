#include "pam_module/breakglass_report.h"

#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/encoding.h"
#include "core/base/log.h"
#include "pam_module/breakglass_store.h"

enum { REPORT_MS = 3000, REPORT_CONNECT_MS = 1000 };     /* what is left has to be at least this for one more */

/* False: there is none.  HOST is this host's name. */
static bool
oldest(const struct breakglass_job *job, struct breakglass_report *out, char host[static BREAKGLASS_HOST_NAME_BYTES])
{
	char error[CONFIG_ERROR_BYTES];
	struct breakglass_store store;
	bool found;

	if (breakglass_store_open(job->settings->breakglass_directory, false, &store, error) != STATUS_OK)
		return false;
	if ((found = store.codes->report_count > 0)) {
		*out = store.codes->reports[0];
		memcpy(host, store.host_name, BREAKGLASS_HOST_NAME_BYTES);
	}
	breakglass_store_close(&store);
	return found;
}

/* "xxxxxxxx-xxxx-..." back into bytes. */
static bool
id_of(const char *text, uint8_t out[static WIRE_ID_BYTES])
{
	char hex[2 * WIRE_ID_BYTES + 1];
	size_t len = 0;

	for (; *text != '\0' && len < sizeof hex - 1; text++)
		if (*text != '-')
			hex[len++] = *text;
	return encoding_hex_decode(hex, len, out, WIRE_ID_BYTES, &len) == STATUS_OK && len == WIRE_ID_BYTES;
}

static uint32_t
seconds_of(int64_t time_s)
{
	return time_s < 0 ? 0 : time_s > UINT32_MAX ? UINT32_MAX : (uint32_t)time_s;
}

static uint32_t
send(const struct breakglass_job *job, const struct breakglass_report *report, const char *host)
{
	struct wire_request request = { .operation = WIRE_BREAKGLASS_REPORT, .backend = job->request->backend,
	    .factors = WIRE_OTP, .budget_ms = REPORT_MS, .connect_ms = REPORT_CONNECT_MS, .user = report->login,
	    .service = "breakglass", .target = host, .event = report->event, .at_s = seconds_of(report->at_s),
	    .left = report->left, .expires_at_s = seconds_of(report->expires_at_s) };
	struct helper_reply reply;

	if (!id_of(report->id, request.id))
		return (uint32_t)ANSWER_INTERNAL;
	helper_reply_begin(&request, &reply);
	job->ask(job->settings, &request, &reply);
	return reply.wire.answer;
}

/* The back end has it, or will never take it. */
static bool
is_final(uint32_t answer)
{
	return answer == (uint32_t)ANSWER_ALLOW || answer == (uint32_t)ANSWER_DENY || answer == (uint32_t)ANSWER_UNKNOWN_USER;
}

static bool
forget(const struct breakglass_job *job, const struct breakglass_report *report, bool taken)
{
	char error[CONFIG_ERROR_BYTES];
	struct breakglass_store store;
	enum status st;

	if (!taken)
		log_event(LOG_LEVEL_ERROR, "breakglass_report_refused", (const struct log_field[]){
		    LOG_TEXT("user", report->login), LOG_TEXT("what", breakglass_event_name(report->event)), LOG_END });
	if ((st = breakglass_store_open(job->settings->breakglass_directory, false, &store, error)) != STATUS_OK)
		return false;
	breakglass_forget_report(store.codes, report->id);
	st = breakglass_store_write(&store, error);
	breakglass_store_close(&store);
	return st == STATUS_OK;
}

bool
breakglass_deliver(const struct breakglass_job *job)
{
	char host[BREAKGLASS_HOST_NAME_BYTES];
	struct breakglass_report report;
	bool going_on = true;
	int fd = -1;

	if (!breakglass_store_try_delivery(job->settings->breakglass_directory, &fd))
		return false;
	while (going_on && oldest(job, &report, host)) {
		uint32_t answer = (uint32_t)ANSWER_UNAVAILABLE;

		if (job->deadline_ms - clock_monotonic_ms() >= REPORT_MS)
			answer = send(job, &report, host);
		going_on = is_final(answer) && forget(job, &report, answer == (uint32_t)ANSWER_ALLOW);
	}
	(void)close(fd);
	return going_on;
}
