/* breakglass_main.c: pam-breakglass, which `counterfoil breakglass` starts: issue, list and revoke this host's codes.  Whom
 * the codes are for is asked of the back end through the helper, as in a sign-in. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/secret.h"
#include "pam_module/answer.h"
#include "pam_module/breakglass_store.h"
#include "pam_module/conf.h"
#include "pam_module/exchange.h"
#include "pam_module/helper_settings.h"
#include "pam_module/paths.h"

enum { DAY_S = 86400, COUNT_DEFAULT = 8, ASK_MS = 20000, CODES_WARNED = 3 };

struct tool {
	const char *conf_path;                  /* pam.conf; the helper's lies beside it */
	char helper_conf[CONF_PATH_MAX + 16];
	struct conf conf;
	struct helper_settings settings;
	const char *directory;
	unsigned count;                         /* of codes */
	bool all;
	const char *login;                      /* as typed, or NULL */
};

__attribute__((format(printf, 2, 3))) static int
fail(int rc, const char *format, ...)
{
	va_list args;

	(void)fputs("counterfoil: ", stderr);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	return rc;
}

/* --- asking the back end ---------------------------------------------------------------------------------------------- */

struct reply {
	enum answer answer;
	char reason[WIRE_REASON_MAX + 1], detail[WIRE_DETAIL_MAX + 1];
};

static struct wire_request
request_of(const struct tool *tool, enum wire_operation operation, const char *user)
{
	return (struct wire_request){ .operation = operation, .backend = WIRE_POSTGRESQL + (uint32_t)tool->conf.backend,
	    .factors = WIRE_OTP, .budget_ms = ASK_MS - 1000, .connect_ms = (uint32_t)tool->conf.timeout_connect_s * 1000,
	    .user = user, .service = "breakglass" };
}

static struct reply
ask(const struct tool *tool, struct wire_request *request)
{
	static uint8_t buffer[WIRE_MESSAGE_MAX], reply_buffer[WIRE_MESSAGE_MAX];
	const struct exchange exchange = { .helper = paths_helper, .timeout_ms = ASK_MS, .buffer = buffer,
	    .reply_buffer = reply_buffer, .helper_conf = tool->helper_conf };
	struct reply out = { .answer = ANSWER_INTERNAL };
	struct wire_reply reply;

	if (entropy_fill(request->id, sizeof request->id) != STATUS_OK)
		return out;
	out.answer = exchange_run(&exchange, request, &reply);
	(void)snprintf(out.reason, sizeof out.reason, "%s", reply.reason != NULL ? reply.reason : answer_row(out.answer)->reason);
	(void)snprintf(out.detail, sizeof out.detail, "%s", reply.detail != NULL ? reply.detail : out.reason);
	return out;
}

static struct reply
synchronise(const struct tool *tool)
{
	struct wire_request request = request_of(tool, WIRE_BREAKGLASS_SYNC, "-");

	return ask(tool, &request);
}

static int
code_of(enum answer answer)
{
	return answer == ANSWER_UNAVAILABLE ? EX_UNAVAILABLE : answer == ANSWER_MISCONFIGURED ? EX_CONFIG : EX_SOFTWARE;
}

/* --- issue ------------------------------------------------------------------------------------------------------------ */

typedef char code_texts[BREAKGLASS_CODES_MAX][RECOVERY_CODE_TEXT_BYTES];

/* Nobody is shown codes that the service does not know of: who leaves must not take some along.  What waits goes first, lest
 * the use of an old code be taken for that of a new one. */
static int
announce(const struct tool *tool, enum breakglass_event event, const char *login, unsigned left, int64_t at_s,
    int64_t expires_s)
{
	struct wire_request request = request_of(tool, WIRE_BREAKGLASS_REPORT, login);
	char host[BREAKGLASS_HOST_NAME_BYTES] = "";
	struct reply reply = synchronise(tool);

	(void)gethostname(host, sizeof host - 1);
	request.target = host;
	request.event = event;
	request.left = left;
	request.at_s = (uint32_t)at_s;
	request.expires_at_s = (uint32_t)expires_s;
	if (reply.answer == ANSWER_ALLOW && (reply = ask(tool, &request)).answer == ANSWER_ALLOW)
		return EX_OK;
	if (reply.answer == ANSWER_UNKNOWN_USER)
		return fail(EX_NOUSER, "there is no active account %s among the staff", login);
	return fail(code_of(reply.answer), "codes are issued while Counterfoil is there to take note of it: %s", reply.detail);
}

/* The codes that the service knows of have come to nothing.  Those that LOGIN had before are still good here: an off-boarding
 * must not leave this host out. */
static void
withdraw(const struct tool *tool, const char *login, int64_t now_s)
{
	const struct breakglass_person *before = NULL;
	struct breakglass_person kept = { .code_count = 0 };
	char error[CONFIG_ERROR_BYTES];
	struct breakglass_store store;

	if (breakglass_store_open(tool->directory, false, &store, error) == STATUS_OK) {
		if ((before = breakglass_find(store.codes, login)) != NULL)
			kept = *before;
		breakglass_store_close(&store);         /* the helper that announces it wants the lock */
	}
	if (kept.code_count > 0)
		(void)announce(tool, BREAKGLASS_ISSUED, login, kept.code_count, kept.issued_at_s, kept.expires_at_s);
	else
		(void)announce(tool, BREAKGLASS_REVOKED, login, 0, now_s, now_s);
}

static enum status
write_codes(const struct tool *tool, const char *login, int64_t now_s, int64_t expires_s, code_texts codes)
{
	const struct password_cost cost = helper_settings_cost(&tool->settings);
	char error[CONFIG_ERROR_BYTES];
	struct breakglass_store store;
	enum status st;

	if ((st = breakglass_store_open(tool->directory, true, &store, error)) != STATUS_OK) {
		(void)fail(EX_CONFIG, "%s", error);
		return st;
	}
	if ((st = breakglass_issue(store.codes, login, tool->count, &cost, now_s, expires_s, codes)) == STATUS_CONFLICT)
		(void)fail(EX_CANTCREAT, "%d people have codes on this host: revoke some first", BREAKGLASS_PEOPLE_MAX);
	else if (st != STATUS_OK)
		(void)fail(EX_SOFTWARE, "codes cannot be made: %s", status_name(st));
	else if ((st = breakglass_store_write(&store, error)) != STATUS_OK)
		(void)fail(EX_CANTCREAT, "%s", error);
	breakglass_store_close(&store);
	return st;
}

static void
show_codes(const struct tool *tool, const char *login, code_texts codes, int64_t expires_s)
{
	char until[CLOCK_RFC3339_BYTES], host[BREAKGLASS_HOST_NAME_BYTES] = "";

	(void)gethostname(host, sizeof host - 1);
	clock_format_rfc3339(expires_s, until);
	(void)printf("Break-glass codes of %s on %s, good until %s, each once.\n"
	    "They are shown this once.  Keep them on paper, in a safe place; those issued before are void.\n\n", login, host, until);
	for (unsigned i = 0; i < tool->count; i++)
		(void)printf("    %s\n", codes[i]);
}

static int
issue_command(const struct tool *tool, const char *login)
{
	int64_t now_s = clock_now_s(), expires_s = now_s + tool->settings.breakglass_days * DAY_S;
	code_texts codes;
	int rc;

	if ((rc = announce(tool, BREAKGLASS_ISSUED, login, tool->count, now_s, expires_s)) != EX_OK)
		return rc;
	if (write_codes(tool, login, now_s, expires_s, codes) == STATUS_OK) {
		show_codes(tool, login, codes, expires_s);
	} else {
		withdraw(tool, login, now_s);
		rc = EX_CANTCREAT;
	}
	secret_wipe(codes, sizeof codes);
	return rc;
}

/* --- list, revoke, sync ----------------------------------------------------------------------------------------------- */

static void
list_person(const struct breakglass_person *person)
{
	char issued[CLOCK_RFC3339_BYTES], expires[CLOCK_RFC3339_BYTES];

	clock_format_rfc3339(person->issued_at_s, issued);
	clock_format_rfc3339(person->expires_at_s, expires);
	(void)printf("%s: %u codes, issued %s, good until %s%s\n", person->login, person->code_count, issued, expires,
	    clock_now_s() >= person->expires_at_s ? ": EXPIRED" : person->code_count < CODES_WARNED ? ": issue new ones" : "");
}

static int
list_command(const struct tool *tool)
{
	char error[CONFIG_ERROR_BYTES];
	struct breakglass_store store;

	if (!breakglass_store_exists(tool->directory)) {
		(void)puts("No break-glass codes were issued on this host.");
		return EX_OK;
	}
	if (breakglass_store_open(tool->directory, false, &store, error) != STATUS_OK)
		return fail(EX_CONFIG, "%s", error);
	for (unsigned i = 0; i < store.codes->person_count; i++)
		list_person(&store.codes->people[i]);
	if (store.codes->person_count == 0)
		(void)puts("Nobody has break-glass codes on this host.");
	if (store.codes->report_count > 0)
		(void)printf("%u reports wait to be delivered.\n", store.codes->report_count);
	if (store.codes->outage_count > 0)
		(void)printf("The service was out of reach %lld times in a row.\n", (long long)store.codes->outage_count);
	breakglass_store_close(&store);
	return EX_OK;
}

/* LOGIN, or everybody where it is NULL; *out_count: how many people. */
static enum status
take_codes(const struct tool *tool, const char *login, unsigned *out_count, char error[static CONFIG_ERROR_BYTES])
{
	struct breakglass_store store;
	enum status st;

	*out_count = 0;
	if ((st = breakglass_store_open(tool->directory, false, &store, error)) != STATUS_OK)
		return st;
	for (unsigned i = store.codes->person_count; i-- > 0;) {
		struct breakglass_person *person = &store.codes->people[i];

		if (login != NULL && strcmp(person->login, login) != 0)
			continue;
		/* codes do not stay because their end could not be noted */
		(void)!breakglass_report(store.codes, BREAKGLASS_REVOKED, person, clock_now_s());
		breakglass_remove(store.codes, person);
		(*out_count)++;
	}
	if (*out_count > 0)
		st = breakglass_store_write(&store, error);
	breakglass_store_close(&store);
	return st;
}

static int
revoke_command(const struct tool *tool, const char *login)
{
	char error[CONFIG_ERROR_BYTES];
	struct reply reply;
	unsigned count = 0;

	if (breakglass_store_exists(tool->directory) && take_codes(tool, login, &count, error) != STATUS_OK)
		return fail(EX_CONFIG, "%s", error);
	if (count == 0 && login != NULL)
		return fail(EX_NOUSER, "%s has no codes on this host", login);
	(void)printf("Revoked the codes of %u %s on this host.\n", count, count == 1 ? "person" : "people");
	if (count > 0 && (reply = synchronise(tool)).answer != ANSWER_ALLOW)
		(void)printf("The service hears of it later: %s\n", reply.detail);
	return EX_OK;
}

static int
sync_command(const struct tool *tool)
{
	struct reply reply = synchronise(tool);

	return reply.answer == ANSWER_ALLOW ? EX_OK : fail(code_of(reply.answer), "%s", reply.detail);
}

/* --- the command line ------------------------------------------------------------------------------------------------- */

static int
run(const struct tool *tool, const char *what)
{
	char login[TEXT_LOGIN_MAX_BYTES + 1] = "";

	if (tool->login != NULL && text_canonical_login(bytes_of(tool->login), login) != STATUS_OK)
		return fail(EX_USAGE, "this is no login");
	if (strcmp(what, "issue") == 0 && login[0] != '\0')
		return issue_command(tool, login);
	if (strcmp(what, "revoke") == 0 && (login[0] != '\0') != tool->all)
		return revoke_command(tool, tool->all ? NULL : login);
	if (tool->login == NULL && strcmp(what, "list") == 0)
		return list_command(tool);
	if (tool->login == NULL && strcmp(what, "sync") == 0)
		return sync_command(tool);
	return fail(EX_USAGE, "issue LOGIN, list, revoke LOGIN or --all, sync");
}

static int
load_and_run(struct tool *tool, const char *what)
{
	char error[CONFIG_ERROR_BYTES], conf_error[CONF_ERROR_BYTES];
	int rc;

	if (tool->conf_path[0] != '/' || strlen(tool->conf_path) >= CONF_PATH_MAX)
		return fail(EX_USAGE, "--conf takes an absolute path of at most 255 bytes");
	(void)snprintf(tool->helper_conf, sizeof tool->helper_conf, "%.*s/pam-helper.conf",
	    (int)(strrchr(tool->conf_path, '/') - tool->conf_path), tool->conf_path);
	if (!conf_load(tool->conf_path, "", &tool->conf, conf_error))
		return fail(EX_CONFIG, "%s", conf_error);
	if (helper_settings_load(tool->helper_conf, WIRE_POSTGRESQL + (unsigned)tool->conf.backend, &tool->settings,
	    error) != STATUS_OK)
		return fail(EX_CONFIG, "%s", error);
	tool->directory = tool->settings.breakglass_directory;
	rc = run(tool, what);
	helper_settings_free(&tool->settings);
	return rc;
}

static bool
take_count(const char *text, unsigned *out)
{
	char *end = NULL;
	unsigned long count = strtoul(text, &end, 10);

	*out = (unsigned)count;
	return text[0] >= '1' && text[0] <= '9' && *end == '\0' && count <= BREAKGLASS_CODES_MAX;
}

static void
harden(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)umask(0077);
}

int
main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "all", no_argument, NULL, 'a' }, { "count", required_argument, NULL, 'n' },
		{ "conf", required_argument, NULL, 'c' }, { NULL, 0, NULL, 0 }
	};
	struct tool tool = { .conf_path = paths_conf, .count = COUNT_DEFAULT };
	int c, rc;

	harden();
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'a')
			tool.all = true;
		else if (c == 'c')
			tool.conf_path = optarg;
		else if (c != 'n')
			return EX_USAGE;
		else if (!take_count(optarg, &tool.count))
			return fail(EX_USAGE, "--count takes 1 to %d", BREAKGLASS_CODES_MAX);
	}
	if (optind >= argc || argc - optind > 2)
		return fail(EX_USAGE, "pam-breakglass is started by counterfoil breakglass");
	if (geteuid() != 0)
		return fail(EX_NOPERM, "break-glass codes are root's business");
	tool.login = argc - optind == 2 ? argv[optind + 1] : NULL;
	rc = load_and_run(&tool, argv[optind]);
	if (fflush(stdout) != 0)
		return fail(EX_IOERR, "the output could not be written: codes that nobody saw are of no use, revoke them");
	return rc;
}
