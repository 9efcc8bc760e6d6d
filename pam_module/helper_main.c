/* helper_main.c: pam-helper: one request from pam_counterfoil.so on standard input, one reply, and the end.
 * It has what the module must not bring into sshd or sudo: libpq, libcurl, Argon2's memory, the keys. */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

#include "config.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/secret.h"
#include "pam_module/backend.h"
#include "pam_module/breakglass.h"
#include "pam_module/helper_slots.h"
#include "pam_module/ticket.h"

enum { READ_MS = 5000, LAST_MS = 200, OFFLINE_MS = 1500 };      /* OFFLINE_MS: for a code or a ticket, where the back end is away */

static const char root_conf[] = COUNTERFOIL_CONFDIR "/pam-helper.conf";
static const char locker_conf[] = COUNTERFOIL_CONFDIR "/pam-locker.conf";

/* --- the process ------------------------------------------------------------------------------------------------------ */

/* Whoever starts this by hand may have had the alarm ignored or blocked, which execve() hands on. */
static void
hear_alarm(void)
{
	sigset_t alarm;

	(void)signal(SIGALRM, SIG_DFL);
	(void)sigemptyset(&alarm);
	(void)sigaddset(&alarm, SIGALRM);
	(void)sigprocmask(SIG_UNBLOCK, &alarm, NULL);
}

/* Whatever happens, this ends: a host that has gone away cannot. */
static void
end_after(int64_t ms)
{
	const struct itimerval timer = { .it_value = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 } };

	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

static void
harden(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)clearenv();       /* of a set-gid helper it is its caller's, and libraries believe it */
	(void)umask(0007);
	(void)signal(SIGPIPE, SIG_IGN);
	hear_alarm();
	end_after(READ_MS);
}

/* Set-gid for screen lockers: then whoever runs it may ask about nobody else, and choose no configuration.  root gains
 * nothing by the group, and is served as ever. */
static bool
is_privileged(void)
{
	return getauxval(AT_SECURE) != 0 && getuid() != 0;
}

static bool
is_own_account(const char *user)
{
	const struct passwd *own = getpwuid(getuid());

	return own != NULL && strcmp(own->pw_name, user) == 0;
}

/* Where somebody comes from, by which key and for whom is what root's programs know.  Who runs a locker could make it up, and
 * so have the failures of a guesser counted for another's address: in the trail they are at this host. */
static void
forget_claims(struct wire_request *request)
{
	request->rhost = NULL;
	request->ssh_key = NULL;
	request->target = NULL;
}

/* --- the request and the reply ---------------------------------------------------------------------------------------- */

/* The socket's other end stays open while it waits, so the length says where the message ends. */
static bool
read_message(uint8_t message[static WIRE_MESSAGE_MAX], size_t *out_body_len)
{
	size_t len = 0, wanted = WIRE_LENGTH_BYTES;

	while (len < wanted) {
		ssize_t got = recv(STDIN_FILENO, message + len, wanted - len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		len += (size_t)got;
		if (len == WIRE_LENGTH_BYTES) {
			if ((*out_body_len = wire_body_len(message)) == 0)
				return false;
			wanted += *out_body_len;
		}
	}
	return true;
}

static bool
write_message(const uint8_t *message, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(STDIN_FILENO, message, len, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		message += sent;
		len -= (size_t)sent;
	}
	return true;
}

/* --- in between ------------------------------------------------------------------------------------------------------- */

/* The slots bound the memory of password hashes, of which there are none here with back end authd; but who may start
 * helpers at will, and so load the service in this host's name, gets no more of them than that. */
static bool
takes_slot(const struct wire_request *request)
{
	return request->backend != WIRE_AUTHD || is_privileged();
}

/* While the back end is away, a code of this host takes time too. */
static void
ask_back_end(const struct helper_settings *settings, const struct wire_request *request, struct helper_reply *reply)
{
	struct wire_request hurried = *request;

	if (request->offline != WIRE_OFFLINE_NO && request->budget_ms > 2 * OFFLINE_MS)
		hurried.budget_ms -= OFFLINE_MS;
	if (request->backend == WIRE_AUTHD)
		backend_authd(settings, &hurried, clock_monotonic_ms() + hurried.budget_ms - LAST_MS, reply);
	else
		backend_postgresql(settings, &hurried, reply);
}

static void
settle(const struct breakglass_job *job)
{
	breakglass_settle(job);
	if (job->request->operation == WIRE_VERIFY && job->reply->wire.answer == (uint32_t)ANSWER_ALLOW)
		ticket_keep(job);
}

static void
work(const struct breakglass_job *job)
{
	const struct helper_settings *settings = job->settings;
	struct helper_reply *reply = job->reply;
	char error[CONFIG_ERROR_BYTES] = "";
	enum status st = STATUS_OK;

	if (takes_slot(job->request))
		st = helper_slots_take(settings->run_directory, is_privileged(), settings->parallel, job->deadline_ms, error);
	if (st == STATUS_OVERLOADED)
		helper_reply_set(reply, ANSWER_UNUSABLE, "overloaded", error);
	else if (st != STATUS_OK)
		helper_reply_set(reply, ANSWER_MISCONFIGURED, "misconfigured", error);
	else
		ask_back_end(settings, job->request, reply);
	if (st == STATUS_OK && !is_privileged())
		settle(job);
}

static void
dispatch(const struct helper_settings *settings, const struct wire_request *request, struct helper_reply *reply)
{
	const struct breakglass_job job = { .settings = settings, .request = request, .reply = reply, .ask = ask_back_end,
	    .deadline_ms = clock_monotonic_ms() + request->budget_ms - LAST_MS };

	switch (request->operation) {
	case WIRE_BREAKGLASS_SYNC:
		breakglass_sync(&job);
		break;
	case WIRE_BREAKGLASS_STATE:
		if (request->offline == WIRE_OFFLINE_TICKET)
			ticket_state(&job);
		else
			breakglass_state(&job);
		break;
	case WIRE_TICKET:
		ticket_try(&job);
		break;
	default:
		work(&job);
		break;
	}
}

static void
answer(const char *conf, const struct wire_request *request, struct helper_reply *reply)
{
	struct helper_settings settings;
	char error[CONFIG_ERROR_BYTES] = "";
	enum status st;

	helper_reply_begin(request, reply);
	helper_reply_describe(reply, request);
	if (is_privileged() && (!is_own_account(request->user) || request->operation >= WIRE_BREAKGLASS_SYNC ||
	    request->offline == WIRE_OFFLINE_TICKET)) {
		helper_reply_set(reply, ANSWER_NOT_OWN_ACCOUNT, "not_own_account", NULL);
		return;
	}
	if ((st = helper_settings_load(conf, (enum wire_backend)request->backend, &settings, error)) == STATUS_NO_MEMORY)
		helper_reply_set(reply, ANSWER_NO_MEMORY, "no_memory", NULL);
	else if (st != STATUS_OK)
		helper_reply_set(reply, ANSWER_MISCONFIGURED, "misconfigured", error);
	else
		dispatch(&settings, request, reply);
	helper_settings_free(&settings);
}

static int
serve(const char *conf)
{
	static uint8_t in[WIRE_MESSAGE_MAX], out[WIRE_MESSAGE_MAX];
	struct wire_request request;
	struct helper_reply reply;
	size_t len;
	int rc = EX_PROTOCOL;

	if (!read_message(in, &len) || !wire_decode_request(in + WIRE_LENGTH_BYTES, len, &request))
		goto out;
	end_after((int64_t)request.budget_ms + LAST_MS);
	if (is_privileged())
		forget_claims(&request);
	answer(conf, &request, &reply);
	rc = wire_encode_reply(&reply.wire, out, sizeof out, &len) && write_message(out, len) ? EX_OK : EX_IOERR;
	secret_wipe(&reply, sizeof reply);
out:
	secret_wipe(in, sizeof in);
	secret_wipe(out, sizeof out);
	return rc;
}

static int
usage(void)
{
	(void)fputs("pam-helper (counterfoil) " PACKAGE_VERSION " is started by pam_counterfoil.so; see pam_counterfoil(8)\n",
	    stderr);
	return EX_USAGE;
}

int
main(int argc, char **argv)
{
	const char *conf = is_privileged() ? locker_conf : root_conf;
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;

	if (argc == 3 && strcmp(argv[1], "--config") == 0 && !is_privileged())
		conf = argv[2];
	else if (argc != 1)
		return usage();
	if (getsockname(STDIN_FILENO, (struct sockaddr *)&peer, &len) != 0 || peer.ss_family != AF_UNIX)
		return usage();
	harden();
	log_open("pam-helper", LOG_TARGET_SYSLOG, LOG_LEVEL_WARNING);
	return serve(conf);
}
