#include "pam_module/ticket.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/entropy.h"
#include "core/base/log.h"
#include "core/credential/ssh_key.h"
#include "pam_module/breakglass_store.h"
#include "pam_module/host_key.h"
#include "pam_module/outage.h"
#include "pam_module/ticket_store.h"

static void
complain(const char *what, const char *detail)
{
	log_event(LOG_LEVEL_WARNING, what, (const struct log_field[]){ LOG_TEXT("detail", detail), LOG_END });
}

/* --- what a ticket is judged by --------------------------------------------------------------------------------------- */

/* The public keys of the service that this host has been given: no secret, but whoever can write them can sign. */
static enum status
read_keys(const struct helper_settings *settings, struct offline_ticket_keys *out, char *error)
{
	const char *path = settings->authd.ticket_key_file;
	char text[OFFLINE_TICKET_KEYS_TEXT_MAX];
	enum status st;
	ssize_t len;
	int fd = -1;

	if ((st = config_open_trusted(path, 0022, sizeof text, &fd, error)) != STATUS_OK)
		return st;
	len = read(fd, text, sizeof text);
	(void)close(fd);
	if (len < 0 || offline_ticket_keys_parse((struct bytes){ (const uint8_t *)text, (size_t)len }, out) != STATUS_OK)
		return config_fault(error, STATUS_INVALID, "%s: must hold lines of \"counterfoil pam ticket-key\", 1 to %d, and "
		    "nothing else", path, OFFLINE_TICKET_KEYS_MAX);
	return STATUS_OK;
}

static enum status
read_host(const struct helper_settings *settings, char out[static API_KEY_ID_BYTES], char *error)
{
	struct host_key key;
	enum status st = host_key_read(settings->authd.host_key_file, &key, error);

	if (st == STATUS_OK)
		memcpy(out, key.id, API_KEY_ID_BYTES);
	host_key_free(&key);
	return st;
}

/* NULL, or the word for why TEXT is no ticket for this request now. */
static const char *
ticket_fault(const struct breakglass_job *job, const char *text, int64_t now_s, struct offline_ticket_life *out,
    char *error)
{
	static const char *const words[] = { [OFFLINE_TICKET_INVALID] = "ticket_invalid",
		[OFFLINE_TICKET_EXPIRED] = "ticket_expired", [OFFLINE_TICKET_FUTURE] = "ticket_future",
		[OFFLINE_TICKET_GOOD] = NULL };
	char host[API_KEY_ID_BYTES], ssh_key[SSH_KEY_FINGERPRINT_BYTES];
	const struct offline_ticket_bound bound = { job->request->user, host, ssh_key };
	struct offline_ticket_keys keys;

	if (job->request->ssh_key == NULL || !ssh_key_fingerprint(job->request->ssh_key, ssh_key))
		return "ticket_refused";
	if (read_keys(job->settings, &keys, error) != STATUS_OK || read_host(job->settings, host, error) != STATUS_OK)
		return "ticket_unverified";
	return words[offline_ticket_judge(bytes_of(text), &bound, &keys, now_s, out)];
}

/* A service to which the person came through sshd alone: a ticket of sudo's would be one of every process of theirs. */
static bool
is_for_tickets(const struct wire_request *request)
{
	return request->backend == WIRE_AUTHD && request->factors == WIRE_OTP && request->offline == WIRE_OFFLINE_TICKET &&
	    strcmp(request->service, "sshd") == 0 && request->ssh_key != NULL && text_is_canonical_login(request->user);
}

/* --- keeping ---------------------------------------------------------------------------------------------------------- */

/* The file that counts an outage has to be there before there is one. */
static enum status
make_record(const char *directory, char *error)
{
	struct breakglass_store store;
	enum status st;

	if (breakglass_store_exists(directory))
		return STATUS_OK;
	if ((st = breakglass_store_open(directory, true, &store, error)) == STATUS_OK)
		breakglass_store_close(&store);
	return st;
}

void
ticket_keep(const struct breakglass_job *job)
{
	struct ticket_kept kept = { .kept_at_s = clock_monotonic_ms() / 1000 };
	char error[CONFIG_ERROR_BYTES] = "it is none for this user, host and ssh key, by none of the keys in ticket_key_file";
	struct offline_ticket_life life;
	int64_t now_s = clock_now_s();
	const char *fault;

	if (job->reply->ticket[0] == '\0' || !is_for_tickets(job->request))
		return;
	(void)snprintf(kept.text, sizeof kept.text, "%s", job->reply->ticket);
	if ((fault = ticket_fault(job, kept.text, now_s, &life, error)) != NULL)
		complain(fault, error);
	else if (make_record(job->settings->breakglass_directory, error) != STATUS_OK ||
	    ticket_store_write(job->settings->run_directory, job->request->user, &kept, now_s, error) != STATUS_OK)
		complain("ticket_not_kept", error);
}

/* --- using ------------------------------------------------------------------------------------------------------------ */

static void
refuse(const struct breakglass_job *job, const char *reason, const char *detail)
{
	helper_reply_set(job->reply, ANSWER_DENY, reason, detail);
}

/* NULL, or the word for why this host has no good ticket for this request.  The clock that never steps bounds what a clock
 * that was set back would prolong. */
static const char *
kept_fault(const struct breakglass_job *job, int64_t now_s, struct offline_ticket_life *out, char *error)
{
	struct ticket_kept kept;
	const char *fault;
	int64_t age_s;
	enum status st = ticket_store_read(job->settings->run_directory, job->request->user, &kept, error);

	if (st != STATUS_OK)
		return st == STATUS_NOT_FOUND ? "ticket_missing" : "ticket_invalid";
	if ((fault = ticket_fault(job, kept.text, now_s, out, error)) != NULL)
		return fault;
	age_s = clock_monotonic_ms() / 1000 - kept.kept_at_s;
	return age_s < 0 || age_s >= out->expires_at_s - out->issued_at_s ? "ticket_expired" : NULL;
}

static void
let_in(const struct breakglass_job *job, const struct offline_ticket_life *life)
{
	char issued[CLOCK_RFC3339_BYTES], until[CLOCK_RFC3339_BYTES];

	clock_format_rfc3339(life->issued_at_s, issued);
	clock_format_rfc3339(life->expires_at_s, until);
	log_event(LOG_LEVEL_ALERT, "offline_ticket_used", (const struct log_field[]){ LOG_TEXT("offline", "ticket"),
	    LOG_TEXT("user", job->request->user), LOG_TEXT("service", job->request->service),
	    LOG_TEXT("rhost", job->request->rhost), LOG_TEXT("sshkey", job->reply->ssh_key), LOG_TEXT("issued", issued),
	    LOG_TEXT("until", until), LOG_END });
	job->reply->wire.offline = WIRE_LET_IN_BY_TICKET;
	helper_reply_set(job->reply, ANSWER_ALLOW, "offline_ticket", NULL);
}

/* The report is on the disk before anybody hears of the use. */
static void
judge_and_write(const struct breakglass_job *job, struct breakglass_store *store, int64_t now_s)
{
	char error[CONFIG_ERROR_BYTES] = "";
	struct offline_ticket_life life = { 0, 0 };
	struct breakglass_person person = { .code_count = 0 };
	const char *fault = kept_fault(job, now_s, &life, error);

	(void)snprintf(person.login, sizeof person.login, "%s", job->request->user);
	person.expires_at_s = life.expires_at_s;
	if (fault == NULL && breakglass_report(store->codes, BREAKGLASS_TICKET_USED, &person, now_s) != STATUS_OK) {
		fault = "ticket_not_written";
		(void)snprintf(error, sizeof error, "too many reports wait to be delivered");
	}
	if (breakglass_store_write(store, error) != STATUS_OK)
		fault = "ticket_not_written";
	if (fault == NULL) {
		let_in(job, &life);
		return;
	}
	refuse(job, fault, error);
	complain(fault, error);
}

/* COUNT: the back end was out of reach once more.  False, with the reply set: there is no outage for a ticket.  The clock is
 * read behind the lock: who waited for it would else come with a time before that of the last failure. */
static bool
in_outage(const struct breakglass_job *job, bool count, struct breakglass_store *store, int64_t *out_now_s)
{
	char error[CONFIG_ERROR_BYTES];

	if (!breakglass_store_exists(job->settings->breakglass_directory)) {
		refuse(job, "ticket_missing", NULL);
		return false;
	}
	if (breakglass_store_open(job->settings->breakglass_directory, false, store, error) != STATUS_OK) {
		refuse(job, "ticket_refused", error);
		complain("ticket_refused", error);
		return false;
	}
	*out_now_s = clock_now_s();
	if (count)
		outage_count(store->codes, *out_now_s);
	if (outage_is_sustained(store->codes, job->settings, *out_now_s))
		return true;
	refuse(job, "ticket_early", NULL);
	breakglass_store_close(store);
	return false;
}

/* Ask the back end for USER, as the account phase does.  An answer of any kind ends the outage, and with it the way in. */
static bool
is_away(const struct breakglass_job *job)
{
	struct wire_request look = *job->request;
	struct helper_reply reply;
	const struct breakglass_job asking = { .settings = job->settings, .request = &look, .reply = &reply, .ask = job->ask,
	    .deadline_ms = job->deadline_ms };
	bool away;

	look.operation = WIRE_LOOK;
	if (entropy_fill(look.id, sizeof look.id) != STATUS_OK)
		return false;
	helper_reply_begin(&look, &reply);
	job->ask(job->settings, &look, &reply);
	if (!(away = reply.wire.answer == (uint32_t)ANSWER_UNAVAILABLE))
		breakglass_settle(&asking);
	return away;
}

void
ticket_try(const struct breakglass_job *job)
{
	struct breakglass_store store;
	int64_t now_s = 0;

	if (!is_for_tickets(job->request)) {
		refuse(job, "ticket_refused", NULL);
		return;
	}
	/* asking takes time, and only a recorded outage is worth it: everybody else goes on to the prompt at once */
	if (!in_outage(job, false, &store, &now_s))
		return;
	breakglass_store_close(&store);
	if (!is_away(job)) {
		refuse(job, "ticket_not_needed", NULL);
		return;
	}
	if (!in_outage(job, true, &store, &now_s))
		return;
	judge_and_write(job, &store, now_s);
	breakglass_store_close(&store);
}

/* --- how are they? ---------------------------------------------------------------------------------------------------- */

void
ticket_state(const struct breakglass_job *job)
{
	char error[CONFIG_ERROR_BYTES], text[96];
	struct offline_ticket_keys keys;

	if (job->request->backend != WIRE_AUTHD) {
		refuse(job, "ticket_refused", NULL);
		return;
	}
	if (read_keys(job->settings, &keys, error) != STATUS_OK) {
		helper_reply_set(job->reply, ANSWER_MISCONFIGURED, "ticket_unverified", error);
		return;
	}
	(void)snprintf(text, sizeof text, "%u public %s of the service, tickets of %u people", keys.count,
	    keys.count == 1 ? "key" : "keys", ticket_store_sweep(job->settings->run_directory, clock_now_s()));
	helper_reply_set(job->reply, ANSWER_ALLOW, "tickets", text);
}
