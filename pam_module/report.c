#include "pam_module/report.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include <security/pam_ext.h>

#include "pam_module/exchange.h"
#include "pam_module/repeats.h"

struct line {
	char *out;
	size_t len;
};

/* A whole " key=value" or nothing: a cut value would mislead. */
static void
put(struct line *line, const char *text, size_t len)
{
	if (line->len + len > REPORT_LINE_MAX_BYTES)
		return;
	memcpy(line->out + line->len, text, len);
	line->len += len;
	line->out[line->len] = '\0';
}

/* Our own words and numbers stand bare. */
static void
put_word(struct line *line, const char *key, const char *value)
{
	char field[128];
	int n = snprintf(field, sizeof field, "%s%s=%s", line->len > 0 ? " " : "", key, value);

	if (n > 0 && (size_t)n < sizeof field)
		put(line, field, (size_t)n);
}

static void
put_number(struct line *line, const char *key, int64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%lld", (long long)value);
	put_word(line, key, text);
}

/* Whatever came from outside is quoted; quotes, backslashes and all but printable ASCII are escaped. */
static void
put_quoted(struct line *line, const char *key, const char *value)
{
	char field[REPORT_LINE_MAX_BYTES + 1];
	size_t at;
	int n = snprintf(field, sizeof field, "%s%s=\"", line->len > 0 ? " " : "", key);

	if (value[0] == '\0' || n < 0)
		return;
	for (at = (size_t)n; *value != '\0' && at + 6 < sizeof field; value++) {
		unsigned char c = (unsigned char)*value;

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
			field[at++] = (char)c;
		else
			at += (size_t)snprintf(field + at, sizeof field - at, "\\x%02x", c);
	}
	field[at++] = '"';
	put(line, field, at);
}

/* A name that nobody has may be a password that was typed too early: then a digest stands for it. */
static void
put_user(struct line *line, const struct call *call)
{
	if (call->who.in_nss && !call->who.odd)
		put_quoted(line, "user", call->who.user);
	else if (call->reply.user_digest != NULL)
		put_quoted(line, "user_digest", call->reply.user_digest);
}

static const char *
factors_name(const struct call *call)
{
	static const char *const names[] = { "password+otp", "otp", "combined", "password" };
	int factors = call->conf.factors;

	return factors >= 0 && (size_t)factors < sizeof names / sizeof names[0] ? names[factors] : "none";
}

static const char *
offline_name(const struct call *call)
{
	if (call->reply.offline == WIRE_LET_IN_BY_TICKET)
		return "ticket";
	return call->reply.offline == WIRE_LET_IN_BY_CODE ? "yes" : "no";
}

static const char *
reason_of(const struct call *call, const struct answer_row *row)
{
	if (call->reason != NULL)
		return call->reason;
	return call->reply.reason != NULL && row->answer < ANSWER_FROM_HELPER ? call->reply.reason : row->reason;
}

static const char *
detail_of(const struct call *call)
{
	return call->detail[0] != '\0' || call->reply.detail == NULL ? call->detail : call->reply.detail;
}

/* What makes two alarms the same: not who came, nor from where. */
static void
identify(const struct call *call, enum answer answer, char out[static REPORT_LINE_MAX_BYTES + 1])
{
	struct line line = { .out = out };

	out[0] = '\0';
	put_word(&line, "event", call->event);
	put_word(&line, "reason", reason_of(call, answer_row(answer)));
	put_quoted(&line, "service", call->who.service);
	put_quoted(&line, "detail", detail_of(call));
}

void
report_line(const struct call *call, enum answer answer, int64_t elapsed_ms, uint32_t held,
    char out[static REPORT_LINE_MAX_BYTES + 1])
{
	static const uint8_t none[WIRE_ID_BYTES] = { 0 };
	const struct answer_row *row = answer_row(answer);
	struct line line = { .out = out };
	char id[WIRE_ID_TEXT_BYTES];

	out[0] = '\0';
	put_word(&line, "event", call->event);
	put_word(&line, "result", row->result);
	put_word(&line, "pam", call->phase == PHASE_SESSION ? "SUCCESS" : answer_code_name(answer_to_pam(answer, call->phase)));
	put_word(&line, "reason", reason_of(call, row));
	put_user(&line, call);
	if (call->phase == PHASE_SESSION)
		put_quoted(&line, "target", call->who.pam_user);
	put_word(&line, "identity", call->who.is_caller ? "caller" : "target");
	put_quoted(&line, "service", call->who.service);
	if (call->conf.log_rhost == LOG_RHOST_IP)
		put_quoted(&line, "rhost", call->who.rhost);
	put_quoted(&line, "tty", call->who.tty);
	if (call->reply.ssh_key != NULL)
		put_quoted(&line, "sshkey", call->reply.ssh_key);
	if (call->phase == PHASE_AUTH)
		put_word(&line, "factors", factors_name(call));
	if (memcmp(call->request_id, none, sizeof none) != 0) {
		wire_id_text(call->request_id, id);
		put_word(&line, "request_id", id);
	}
	put_quoted(&line, "host", call->who.host);
	put_number(&line, "ms", elapsed_ms);
	put_word(&line, "backend", call->conf.backend == BACKEND_AUTHD ? "authd" : "postgresql");
	put_word(&line, "offline", offline_name(call));
	put_quoted(&line, "detail", detail_of(call));
	if (held > 0)
		put_number(&line, "repeated", held);
	if (call->options.debug && call->phase == PHASE_AUTH)
		put_number(&line, "tries", call->tries);
	put_word(&line, "v", "1");
}

void
report(const struct call *call, enum answer answer)
{
	int priority = answer == ANSWER_ALLOW && call->reply.offline != 0 ? LOG_ALERT : answer_row(answer)->priority;
	char line[REPORT_LINE_MAX_BYTES + 1];
	uint32_t held = 0;

	if (priority == LOG_CRIT) {
		identify(call, answer, line);
		if (!repeats_due(line, &held))
			return;
	}
	report_line(call, answer, exchange_now_ms() - call->started_ms, held, line);
	pam_syslog(call->pamh, priority, "%s", line);
}
