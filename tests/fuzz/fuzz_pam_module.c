/* fuzz_pam_module.c: the PAM module's parsers under any bytes: pam.conf, the PAM line, what people type, the line of the
 * log.  The first byte chooses.  (fuzz_pam_wire.c has what passes between module and helper.) */
#include <string.h>

#include "pam_module/call.h"
#include "pam_module/cidr.h"
#include "pam_module/picture.h"
#include "pam_module/report.h"
#include "pam_module/typed.h"
#include "tests/fuzz/fuzz.h"

enum { TEXT_MAX = 8192 };

/* The input as a string, with an end of its own. */
static const char *
as_text(const uint8_t *data, size_t size, char out[static TEXT_MAX])
{
	size_t len = size < TEXT_MAX - 1 ? size : TEXT_MAX - 1;

	memcpy(out, data, len);
	out[len] = '\0';
	return out;
}

/* What is taken is within its bounds, and a policy that lets somebody pass has its end. */
static void
fuzz_conf(const uint8_t *data, size_t size)
{
	char error[CONF_ERROR_BYTES] = "";
	struct conf conf;

	if (!conf_parse("fuzz", (const char *)data, size, "sshd", &conf, error)) {
		INSIST(error[0] != '\0' && memchr(error, '\0', sizeof error) != NULL);
		return;
	}
	INSIST(conf.attempts >= 1 && conf.attempts <= 3 && conf.timeout_total_s >= 1 && conf.timeout_total_s <= 30);
	INSIST(conf.timeout_connect_s >= 1 && conf.timeout_connect_s <= conf.timeout_total_s);
	INSIST(conf.fail == FAIL_CLOSED || conf.fail == FAIL_IGNORE_UNAVAILABLE);
	INSIST(conf.unenrolled != UNENROLLED_IGNORE || conf.unenrolled_until > 0);
	INSIST(conf.unenrolled != UNENROLLED_ENROLL || conf.backend == BACKEND_POSTGRESQL);
	INSIST(strlen(conf.enroll_cidrs) <= CONF_NAMES_MAX);
	(void)cidr_list_has(conf.enroll_cidrs, "203.0.113.7");
	INSIST(strlen(conf.prompt_otp) >= 1 && strlen(conf.prompt_otp) <= CONF_PROMPT_MAX);
}

static void
fuzz_options(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX], *rest = text, error[OPTIONS_ERROR_BYTES] = "";
	const char *argv[32];
	struct options options;
	int argc = 0;

	(void)as_text(data, size, text);
	while (argc < 32 && (argv[argc] = strsep(&rest, " ")) != NULL)
		argc++;
	if (options_parse(argc, argv, &options, error))
		INSIST(options.conf != NULL && !(options.use_first_pass && options.try_first_pass));
	else
		INSIST(error[0] != '\0');
}

static void
fuzz_typed(const uint8_t *data, size_t size)
{
	struct answer_text first = { .text = "" }, second = { .text = "" };
	size_t len = size < WIRE_ANSWER_MAX ? size : WIRE_ANSWER_MAX;
	enum typed_code kind;

	memcpy(first.text, data, len);
	len = strlen(first.text);
	if (typed_split(&first, &second))
		INSIST(strlen(first.text) > 0 && strlen(first.text) + strlen(second.text) == len &&
		    typed_normalize_code(&second) != TYPED_NEITHER);
	kind = typed_normalize_code(&first);
	INSIST(kind != TYPED_TOTP || strspn(first.text, "0123456789") == TYPED_CODE_DIGITS);
	INSIST(kind != TYPED_RECOVERY || strlen(first.text) == TYPED_RECOVERY_SYMBOLS);
	(void)typed_is_sshd_junk(first.text);
}

/* Whatever stands for a picture, each of its lines has an end. */
static void
fuzz_picture(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX], line[PICTURE_LINE_BYTES];
	unsigned lines = picture_lines(as_text(data, size, text));

	INSIST(lines <= 45);
	for (unsigned i = 0; i < lines; i++) {
		picture_line(text, i, line);
		INSIST(memchr(line, '\0', sizeof line) != NULL);
	}
}

/* Nothing that came from outside ends a value, the line, or begins another key. */
static void
fuzz_report(const uint8_t *data, size_t size)
{
	struct call call = { .event = "auth", .phase = PHASE_AUTH };
	char line[REPORT_LINE_MAX_BYTES + 1], text[TEXT_MAX];
	unsigned quotes = 0;

	(void)as_text(data, size, text);
	(void)snprintf(call.who.user, sizeof call.who.user, "%s", text);
	(void)snprintf(call.who.tty, sizeof call.who.tty, "%s", text);
	(void)snprintf(call.detail, sizeof call.detail, "%s", text);
	call.who.in_nss = true;
	report_line(&call, ANSWER_DENY, 1, UINT32_MAX, line);
	INSIST(strlen(line) <= REPORT_LINE_MAX_BYTES);
	for (const char *at = line; *at != '\0'; at++) {
		INSIST(*at >= 0x20 && *at < 0x7f);
		quotes += *at == '"';
	}
	INSIST(quotes % 2 == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const targets[])(const uint8_t *, size_t) = { fuzz_conf, fuzz_options, fuzz_typed, fuzz_report, fuzz_picture };
	uint8_t *exact;

	if (size == 0)
		return 0;
	/* memory of exactly this size, so that a byte too far is seen */
	if ((exact = malloc(size)) == NULL)
		return 0;
	memcpy(exact, data, size);
	targets[exact[0] % (sizeof targets / sizeof targets[0])](exact + 1, size - 1);
	free(exact);
	return 0;
}
