/* check_main.c: pam-check, which `counterfoil pam check` starts: is this host's sign-in in order? */
#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sysexits.h>
#include <unistd.h>

#include "pam_module/check.h"
#include "pam_module/exchange.h"
#include "pam_module/paths.h"

/* --- pam.conf --------------------------------------------------------------------------------------------------------- */

/* What is said of the stack's configuration rather than done about it. */
static void
warn(struct check *check, const char *service, const char *mend, const char *what)
{
	check_say(check, CHECK_WARNING, "configuration", mend, "service %s: %s", service, what);
}

static void
check_offline(struct check *check, const char *service, const struct conf *conf)
{
	const char *fault = conf_offline_fault(conf, service);

	if (fault != NULL)
		check_say(check, CHECK_WRONG, "configuration", "mend it: until then nobody gets in", "service %s: %s", service, fault);
	if (conf->fail == FAIL_IGNORE_UNAVAILABLE && conf->offline == OFFLINE_RECOVERY)
		warn(check, service, "take one of the two away", "fail = ignore_unavailable asks nobody for a break-glass code");
	if (conf->fail == FAIL_IGNORE_UNAVAILABLE && conf->offline == OFFLINE_TICKET)
		warn(check, service, "take one of the two away", "fail = ignore_unavailable asks nobody for a ticket");
	check->wants_codes |= conf->offline == OFFLINE_RECOVERY;
	check->wants_tickets |= conf->offline == OFFLINE_TICKET;
}

/* A code, and nothing of another kind before or behind it; behind a key of ssh's it is what was meant. */
static bool
is_code_alone(const struct check_stacked *stacked, const struct conf *conf)
{
	return stacked->has_auth && conf->factors == FACTORS_OTP && !stacked->has_other_factor && !conf->require_ssh_publickey;
}

static void
check_policy(struct check *check, const char *service, const struct check_stacked *stacked, const struct conf *conf)
{
	if (conf->fail == FAIL_IGNORE_UNAVAILABLE)
		warn(check, service, "only for hosts whose first factor is a key in hardware",
		    "fail = ignore_unavailable: whoever can drop packets removes the second factor");
	if (conf->unenrolled == UNENROLLED_IGNORE)
		warn(check, service, NULL, "unenrolled = ignore: who has no second factor passes until the day given");
	if (conf->account == ACCOUNT_REQUIRE_MFA && (conf->unenrolled == UNENROLLED_IGNORE ||
	    conf->unknown_user == UNKNOWN_IGNORE || conf->fail == FAIL_IGNORE_UNAVAILABLE))
		warn(check, service, "write account = status, or close in both phases",
		    "account = require_mfa: whom the auth phase ignores, the account phase refuses");
	if (conf->require_ssh_publickey && strcmp(service, "sshd") != 0)
		warn(check, service, "write it below [service \"sshd\"]",
		    "require_ssh_publickey: only sshd knows of a key, everywhere else nobody gets in");
	if (conf->account == ACCOUNT_OFF && conf->training != TRAINING_OFF)
		warn(check, service, "write account = status", "training: nobody looks at it while account = off");
	if (conf->account == ACCOUNT_OFF)
		warn(check, service, "write account = status, or require_mfa behind ssh keys",
		    "account = off: a key alone, or a ticket of sudo's, gets past a lock");
	if (stacked->has_auth && conf->factors == FACTORS_PASSWORD)
		warn(check, service, "write factors = password+otp", "factors = password: nobody is asked for a code");
	if (is_code_alone(stacked, conf) && strcmp(service, "sshd") != 0)
		warn(check, service, "put it behind auth required pam_unix.so, or write factors = password+otp",
		    "factors = otp, and no other module: a code alone is enough");
}

/* The file, the section and the factors that the line of the stack chooses. */
static bool
load_conf(struct check *check, const char *service, const struct options *options, struct conf *out)
{
	const char *path = options->conf != paths_conf ? options->conf : check->conf_path;
	char error[CONF_ERROR_BYTES];

	if (!conf_load(path, options->profile != NULL ? options->profile : service, out, error) ||
	    !options_apply(options, out, error)) {
		check_say(check, CHECK_WRONG, "configuration", "mend it: until then nobody gets in", "%s", error);
		return false;
	}
	if (options->profile != NULL && !out->has_own_section)
		check_say(check, CHECK_WARNING, "configuration", "mend the name, or write the section",
		    "service %s: profile=%s, and there is no such section: [default] holds", service, options->profile);
	return true;
}

static bool
check_conf(struct check *check, const char *service, const struct check_stacked *stacked, struct conf *out)
{
	if (!load_conf(check, service, &stacked->options, out))
		return false;
	check_policy(check, service, stacked, out);
	if (stacked->has_auth)
		check_offline(check, service, out);
	return true;
}

/* --- the helper and what is behind it --------------------------------------------------------------------------------- */

/* What to do about an answer that decides nothing. */
static const char *
mend(enum answer answer, const struct conf *conf)
{
	if (conf->backend != BACKEND_AUTHD)
		return "its own words are in the log of this host";
	if (answer == ANSWER_REFUSED)
		return "on the service: counterfoil client create HOST --realm staff --scopes pam; its key into host_key_file";
	if (answer == ANSWER_UNAVAILABLE)
		return "is the url of [authd] right, and the service up and reachable from here?";
	if (answer == ANSWER_MISCONFIGURED)
		return "mend [authd] in pam-helper.conf: until then nobody gets in";
	return "is it the service that answers, with a certificate by ca_file or pin?";
}

static void
judge_answer(struct check *check, const struct conf *conf, enum answer answer, const struct wire_reply *reply)
{
	const char *detail = reply->detail != NULL ? reply->detail : answer_row(answer)->reason;

	if (answer == ANSWER_UNKNOWN_USER && check->user != NULL)
		check_say(check, CHECK_WRONG, "account", "counterfoil account add --realm staff", "there is no account %s",
		    check->user);
	else if (answer == ANSWER_UNKNOWN_USER)
		check_say(check, CHECK_OK, "back end", NULL, "it answers%s", conf->backend != BACKEND_AUTHD ? "" :
		    ": certificate, host key and the code of its reply are right, and no proxy is between");
	else if (answer == ANSWER_ALLOW || answer == ANSWER_CHANGE_REQUIRED)
		check_say(check, reply->enrolled != 0 ? CHECK_OK : CHECK_WARNING, "account",
		    reply->enrolled != 0 ? NULL : "counterfoil enroll --realm staff", "%s: %s, %s", reply->user, reply->reason,
		    reply->enrolled != 0 ? "with a second factor" : "without a second factor");
	else if (answer == ANSWER_LOCKED || answer == ANSWER_EXPIRED)
		check_say(check, CHECK_WARNING, "account", "counterfoil account unlock --realm staff", "%s: %s", reply->user,
		    reply->reason);
	else
		check_say(check, CHECK_WRONG, "back end", mend(answer, conf), "%s", detail);
}

/* Of a service that answers, the helper says in the detail that its clock is another than ours. */
static void
judge_service_clock(struct check *check, enum answer answer, const struct wire_reply *reply)
{
	bool answers = answer == ANSWER_UNKNOWN_USER || answer == ANSWER_ALLOW || answer == ANSWER_CHANGE_REQUIRED ||
	    answer == ANSWER_LOCKED || answer == ANSWER_EXPIRED;

	if (answers && reply->detail != NULL)
		check_say(check, CHECK_WARNING, "clock", "run chrony or systemd-timesyncd on both", "%s", reply->detail);
	else if (answers)
		check_say(check, CHECK_OK, "clock", NULL, "it agrees with the service's");
}

static enum answer
ask(const struct check *check, const struct conf *conf, enum wire_operation operation, const char *user,
    enum wire_offline offline, struct wire_reply *reply)
{
	static uint8_t buffer[WIRE_MESSAGE_MAX], reply_buffer[WIRE_MESSAGE_MAX];
	char helper_conf[CONF_PATH_MAX + 16];
	struct wire_request request = { .operation = operation, .backend = WIRE_POSTGRESQL + (uint32_t)conf->backend,
	    .factors = WIRE_PASSWORD_OTP, .budget_ms = 9000, .connect_ms = (uint32_t)conf->timeout_connect_s * 1000,
	    .user = user, .service = "pam-check", .offline = offline };
	const struct exchange exchange = { .helper = paths_helper, .timeout_ms = 10000, .buffer = buffer,
	    .reply_buffer = reply_buffer, .helper_conf = helper_conf };

	(void)snprintf(helper_conf, sizeof helper_conf, "%.*s/pam-helper.conf",
	    (int)(strrchr(check->conf_path, '/') - check->conf_path), check->conf_path);
	if (getrandom(request.id, sizeof request.id, 0) != sizeof request.id)
		return ANSWER_INTERNAL;
	return exchange_run(&exchange, &request, reply);
}

/* What the file of codes is like; a helper that cannot be asked at all has been complained of. */
static void
check_codes(struct check *check, const struct conf *conf)
{
	struct wire_reply reply;
	enum answer answer = ask(check, conf, WIRE_BREAKGLASS_STATE, "-", WIRE_OFFLINE_NO, &reply);

	if (answer == ANSWER_MISCONFIGURED && strcmp(reply.reason, "breakglass_refused") == 0)
		check_say(check, CHECK_WRONG, "break-glass", "until then no break-glass code counts", "%s", reply.detail);
	if (answer != ANSWER_ALLOW)
		return;
	if (reply.detail != NULL && strcmp(reply.reason, "codes") == 0)
		check_say(check, CHECK_OK, "break-glass", NULL, "%s", reply.detail);
	else if (reply.detail != NULL)
		check_say(check, CHECK_WARNING, "break-glass", "counterfoil breakglass issue LOGIN", "%s", reply.detail);
	else if (check->wants_codes)
		check_say(check, CHECK_WARNING, "break-glass", "counterfoil breakglass issue LOGIN",
		    "offline = recovery, and nobody has codes on this host");
}

/* The key to verify tickets: without it a host keeps none, and nobody finds out before the outage. */
static void
check_tickets(struct check *check, const struct conf *conf)
{
	struct wire_reply reply;
	enum answer answer = ask(check, conf, WIRE_BREAKGLASS_STATE, "-", WIRE_OFFLINE_TICKET, &reply);

	if (answer == ANSWER_MISCONFIGURED && strcmp(reply.reason, "ticket_unverified") == 0)
		check_say(check, CHECK_WRONG, "tickets", "on the service: counterfoil pam ticket-key; its line into ticket_key_file",
		    "%s", reply.detail);
	else if (answer == ANSWER_ALLOW)
		check_say(check, CHECK_OK, "tickets", NULL, "%s", reply.detail);
}

static void
check_back_end(struct check *check, const struct conf *conf)
{
	const char *user = check->user != NULL ? check->user : "pam-check.invalid";
	struct wire_reply reply;
	enum answer answer;
	struct stat st;

	if (stat(paths_helper, &st) != 0 || (st.st_mode & S_IXUSR) == 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		check_say(check, CHECK_WRONG, "helper", "install the package again",
		    "%s is not there, or writable for others", paths_helper);
		return;
	}
	answer = ask(check, conf, WIRE_LOOK, user, WIRE_OFFLINE_NO, &reply);
	judge_answer(check, conf, answer, &reply);
	if (conf->backend == BACKEND_AUTHD)
		judge_service_clock(check, answer, &reply);
	check_codes(check, conf);
	if (check->wants_tickets && conf->backend == BACKEND_AUTHD)
		check_tickets(check, conf);
}

/* A code is good for its half minute and the next. */
static void
check_clock(struct check *check)
{
	struct timex clock = { .modes = 0 };

	if (adjtimex(&clock) == TIME_ERROR || (clock.status & STA_UNSYNC) != 0)
		check_say(check, CHECK_WARNING, "clock", "run chrony or systemd-timesyncd", "nobody keeps this host's clock right");
	else
		check_say(check, CHECK_OK, "clock", NULL, "it is synchronised");
}

/* --- all together ----------------------------------------------------------------------------------------------------- */

static void
check_service(struct check *check, const char *service, struct conf *conf, unsigned *found)
{
	struct check_stacked stacked;

	if (!check_stack(check, service, &stacked))
		return;
	(*found)++;
	if (check_conf(check, service, &stacked, conf) && strcmp(service, "sshd") == 0)
		check_sshd(check, conf, is_code_alone(&stacked, conf));
}

/* What is there to be included is judged where it is. */
static bool
is_service(const char *name)
{
	return name[0] != '.' && strncmp(name, "common-", sizeof "common-" - 1) != 0;
}

static void
check_every_service(struct check *check, struct conf *conf, unsigned *found)
{
	DIR *folder = opendir(check->pam_dir);
	const struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL)
		if (is_service(entry->d_name))
			check_service(check, entry->d_name, conf, found);
	if (folder != NULL)
		(void)closedir(folder);
}

static int
run(struct check *check, const char *service)
{
	char error[CONF_ERROR_BYTES];
	struct conf conf;
	unsigned found = 0;

	if (check->conf_path[0] != '/') {
		(void)fputs("pam-check: --conf takes an absolute path\n", stderr);
		return EX_USAGE;
	}
	if (service != NULL)
		check_service(check, service, &conf, &found);
	else
		check_every_service(check, &conf, &found);
	if (found == 0)
		check_say(check, CHECK_WARNING, "stack", "copy one of the stacks that come with Counterfoil",
		    "no service in %s uses pam_counterfoil.so", check->pam_dir);
	if (conf_load(check->conf_path, service != NULL ? service : "", &conf, error))
		check_back_end(check, &conf);
	else if (found == 0)
		check_say(check, CHECK_WRONG, "configuration", "mend it: until then nobody gets in", "%s", error);
	check_clock(check);
	return check->wrong == 0 ? EX_OK : EX_CONFIG;
}

int
main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "service", required_argument, NULL, 's' }, { "user", required_argument, NULL, 'u' },
		{ "conf", required_argument, NULL, 'c' }, { "pam-dir", required_argument, NULL, 'd' },
		{ "sshd-config", required_argument, NULL, 'f' }, { NULL, 0, NULL, 0 }
	};
	struct check check = { .conf_path = paths_conf, .pam_dir = "/etc/pam.d", .sshd_config = "/etc/ssh/sshd_config" };
	const char *service = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 's')
			service = optarg;
		else if (c == 'u')
			check.user = optarg;
		else if (c == 'c')
			check.conf_path = optarg;
		else if (c == 'd')
			check.pam_dir = optarg;
		else if (c == 'f')
			check.sshd_config = optarg;
		else
			return EX_USAGE;
	}
	if (optind < argc || (service != NULL && strchr(service, '/') != NULL))
		return EX_USAGE;
	return run(&check, service);
}
