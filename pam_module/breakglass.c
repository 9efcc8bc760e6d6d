#include "pam_module/breakglass.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/secret.h"
#include "pam_module/breakglass_report.h"
#include "pam_module/breakglass_store.h"
#include "pam_module/outage.h"
#include "pam_module/ticket_store.h"

enum {
	FREE_FAILURES = 5,              /* wrong codes of a person before a delay begins */
	DELAY_S = 60, DELAY_MAX_S = 3600
};

/* --- a code ----------------------------------------------------------------------------------------------------------- */

enum judgement { WRONG = 0, RIGHT, BLOCKED, TOO_OLD, NO_ROOM };

static void
count_wrong_code(struct breakglass_person *person, int64_t now_s)
{
	int64_t delay_s = DELAY_S;

	if (++person->failures < FREE_FAILURES)
		return;
	for (int64_t n = FREE_FAILURES; n < person->failures && delay_s < DELAY_MAX_S; n++)
		delay_s *= 2;
	person->blocked_until_s = now_s + (delay_s < DELAY_MAX_S ? delay_s : DELAY_MAX_S);
}

/* The code is out of CODES, and its report in: they are not written yet. */
static enum judgement
judge(struct breakglass *codes, struct breakglass_person *person, const uint8_t tag[static BREAKGLASS_TAG_BYTES],
    int64_t now_s)
{
	if (person->blocked_until_s > now_s)
		return BLOCKED;
	if (now_s >= person->expires_at_s)
		return TOO_OLD;
	if (!breakglass_burn(person, tag)) {
		count_wrong_code(person, now_s);
		return WRONG;
	}
	person->failures = person->blocked_until_s = 0;
	return breakglass_report(codes, BREAKGLASS_USED, person, now_s) == STATUS_OK ? RIGHT : NO_ROOM;
}

static void
let_in(const struct breakglass_job *job, unsigned left)
{
	log_event(LOG_LEVEL_ALERT, "breakglass_used", (const struct log_field[]){ LOG_TEXT("user", job->request->user),
	    LOG_TEXT("service", job->request->service), LOG_TEXT("rhost", job->request->rhost),
	    LOG_TEXT("tty", job->request->tty), LOG_NUMBER("left", left), LOG_END });
	job->reply->wire.offline = WIRE_LET_IN_BY_CODE;
	helper_reply_set(job->reply, ANSWER_ALLOW, "breakglass_used", NULL);
}

static void
settle_judgement(const struct breakglass_job *job, enum judgement judgement, const struct breakglass_person *person,
    int64_t now_s)
{
	switch (judgement) {
	case RIGHT:
		let_in(job, person->code_count);
		break;
	case BLOCKED:
		job->reply->wire.retry_after_s = (uint32_t)(person->blocked_until_s - now_s);
		helper_reply_set(job->reply, ANSWER_THROTTLED, "breakglass_throttled", NULL);
		break;
	case TOO_OLD:
		helper_reply_set(job->reply, ANSWER_DENY, "breakglass_expired", NULL);
		break;
	case WRONG:
	case NO_ROOM:           /* is no judgement: see take_code() */
	default:
		helper_reply_set(job->reply, ANSWER_DENY, "breakglass_wrong", NULL);
		break;
	}
}

/* Who has no codes here costs the same: one hash, one write. */
static void
take_code(const struct breakglass_job *job, struct breakglass_store *store, int64_t now_s)
{
	struct breakglass_person nobody = { .cost = helper_settings_cost(job->settings) }, *person = NULL;
	char error[CONFIG_ERROR_BYTES] = "too many reports wait to be delivered";
	uint8_t tag[BREAKGLASS_TAG_BYTES];
	enum judgement judgement = WRONG;
	enum status st;

	if (text_is_canonical_login(job->request->user))
		person = breakglass_find(store->codes, job->request->user);
	if ((st = breakglass_tag(store->codes, person != NULL ? person : &nobody, job->request->code, tag)) != STATUS_OK) {
		helper_reply_set(job->reply, ANSWER_UNAVAILABLE, "breakglass_not_verified", status_name(st));
		return;
	}
	if (person != NULL)
		judgement = judge(store->codes, person, tag, now_s);
	secret_wipe(tag, sizeof tag);
	if (judgement == NO_ROOM || breakglass_store_write(store, error) != STATUS_OK)
		helper_reply_set(job->reply, ANSWER_UNAVAILABLE, "breakglass_not_written", error);
	else
		settle_judgement(job, judgement, person, now_s);
}

/* --- after an answer -------------------------------------------------------------------------------------------------- */

static void
complain(const char *error)
{
	log_event(LOG_LEVEL_CRITICAL, "breakglass_file", (const struct log_field[]){ LOG_TEXT("detail", error), LOG_END });
}

static void
while_away(const struct breakglass_job *job)
{
	const struct wire_request *request = job->request;
	bool has_code = request->offline != WIRE_OFFLINE_TICKET && request->code != NULL &&
	    recovery_code_is_code(request->code);
	char error[CONFIG_ERROR_BYTES];
	struct breakglass_store store;
	int64_t now_s;

	if (breakglass_store_open(job->settings->breakglass_directory, false, &store, error) != STATUS_OK) {
		helper_reply_set(job->reply, ANSWER_UNAVAILABLE, "breakglass_refused", error);
		complain(error);
		return;
	}
	now_s = clock_now_s();          /* behind the lock: else who waited for it seems to come before the last failure */
	if (request->offline != WIRE_OFFLINE_UNCOUNTED)
		outage_count(store.codes, now_s);
	if (has_code && outage_is_sustained(store.codes, job->settings, now_s))
		take_code(job, &store, now_s);
	else if (breakglass_store_write(&store, error) != STATUS_OK)
		complain(error);
	else if (has_code)
		helper_reply_set(job->reply, ANSWER_UNAVAILABLE, "breakglass_early", "the outage is not old enough for a code");
	breakglass_store_close(&store);
}

/* The same for every cause in which somebody is no active member of the staff any more. */
static bool
is_gone(uint32_t answer, const char *reason)
{
	return answer == (uint32_t)ANSWER_UNKNOWN_USER || answer == (uint32_t)ANSWER_LOCKED ||
	    answer == (uint32_t)ANSWER_EXPIRED || strcmp(reason, "disabled") == 0 || strcmp(reason, "locked") == 0 ||
	    strcmp(reason, "erased") == 0;
}

/* Nobody's codes stay because they could not be reported. */
static void
drop(struct breakglass *codes, struct breakglass_person *person, enum breakglass_event event, int64_t now_s)
{
	(void)!breakglass_report(codes, event, person, now_s);
	breakglass_remove(codes, person);
}

/* *out_waiting: there are reports. */
static void
when_back(const struct breakglass_job *job, bool gone, bool *out_waiting)
{
	char error[CONFIG_ERROR_BYTES];
	struct breakglass_person *person = NULL;
	struct breakglass_store store;
	bool changed;

	if (breakglass_store_open(job->settings->breakglass_directory, false, &store, error) != STATUS_OK) {
		complain(error);
		return;
	}
	changed = outage_forget(store.codes);
	if (gone && text_is_canonical_login(job->request->user))
		person = breakglass_find(store.codes, job->request->user);
	if (person != NULL)
		drop(store.codes, person, BREAKGLASS_REVOKED, clock_now_s());
	if ((changed || person != NULL) && breakglass_store_write(&store, error) != STATUS_OK)
		complain(error);
	*out_waiting = store.codes->report_count > 0;
	breakglass_store_close(&store);
}

static bool
has_answered(uint32_t answer)
{
	return answer != (uint32_t)ANSWER_UNAVAILABLE && answer != (uint32_t)ANSWER_MISCONFIGURED &&
	    answer != (uint32_t)ANSWER_NO_MEMORY && answer != (uint32_t)ANSWER_INTERNAL;
}

void
breakglass_settle(const struct breakglass_job *job)
{
	const struct wire_request *request = job->request;
	uint32_t answer = job->reply->wire.answer;
	bool gone = (request->operation == WIRE_VERIFY || request->operation == WIRE_LOOK) && has_answered(answer) &&
	    is_gone(answer, job->reply->reason), waiting = false;

	if (gone)
		ticket_store_remove(job->settings->run_directory, request->user);
	if (!breakglass_store_exists(job->settings->breakglass_directory))
		return;
	if (answer == (uint32_t)ANSWER_UNAVAILABLE && request->operation == WIRE_VERIFY && request->factors == WIRE_OTP &&
	    request->offline != WIRE_OFFLINE_NO)
		while_away(job);
	else if (has_answered(answer))
		when_back(job, gone, &waiting);
	if (waiting)
		(void)breakglass_deliver(job);
}

/* --- the round of a timer --------------------------------------------------------------------------------------------- */

/* What the back end says of a person: ANSWER_ALLOW whatever else is due of an account that is active. */
static uint32_t
look_up(const struct breakglass_job *job, const char *login, bool *out_gone)
{
	struct wire_request look = *job->request;
	struct helper_reply reply;
	uint32_t answer;

	look.operation = WIRE_LOOK;
	look.user = login;
	if (entropy_fill(look.id, sizeof look.id) != STATUS_OK)
		return (uint32_t)ANSWER_INTERNAL;
	helper_reply_begin(&look, &reply);
	job->ask(job->settings, &look, &reply);
	answer = reply.wire.answer;
	*out_gone = is_gone(answer, reply.reason);
	if (*out_gone || answer == (uint32_t)ANSWER_CHANGE_REQUIRED)
		answer = (uint32_t)ANSWER_ALLOW;
	if (answer != (uint32_t)ANSWER_ALLOW)
		helper_reply_set(job->reply, (enum answer)answer, reply.reason, reply.detail);
	return answer;
}

struct round {
	unsigned count, asked;
	struct { char login[TEXT_LOGIN_MAX_BYTES + 1]; int64_t issued_at_s; bool gone; } people[BREAKGLASS_PEOPLE_MAX];
};

static bool
begin_round(const struct breakglass_job *job, struct round *round)
{
	char error[CONFIG_ERROR_BYTES];
	struct breakglass_store store;
	enum status st = breakglass_store_open(job->settings->breakglass_directory, false, &store, error);

	if (st != STATUS_OK) {
		helper_reply_set(job->reply, ANSWER_MISCONFIGURED, "breakglass_refused", error);
		return false;
	}
	round->count = store.codes->person_count;
	for (unsigned i = 0; i < round->count; i++) {
		memcpy(round->people[i].login, store.codes->people[i].login, sizeof round->people[i].login);
		round->people[i].issued_at_s = store.codes->people[i].issued_at_s;
		round->people[i].gone = false;
	}
	breakglass_store_close(&store);
	return true;
}

static void
apply_round(struct breakglass *codes, const struct round *round, int64_t now_s)
{
	for (unsigned i = 0; i < round->count; i++) {
		struct breakglass_person *person = breakglass_find(codes, round->people[i].login);

		if (person == NULL || person->issued_at_s != round->people[i].issued_at_s)
			continue;
		if (round->people[i].gone)
			drop(codes, person, BREAKGLASS_REVOKED, now_s);
		else if (now_s >= person->expires_at_s)
			drop(codes, person, BREAKGLASS_EXPIRED, now_s);
	}
}

static bool
end_round(const struct breakglass_job *job, const struct round *round, uint32_t answer)
{
	char error[CONFIG_ERROR_BYTES];
	struct breakglass_store store;
	enum status st;

	if ((st = breakglass_store_open(job->settings->breakglass_directory, false, &store, error)) == STATUS_OK) {
		/* before the one that failed, others were answered */
		if ((has_answered(answer) && round->asked > 0) || round->asked > 1)
			(void)outage_forget(store.codes);
		if (answer == (uint32_t)ANSWER_UNAVAILABLE)
			outage_count(store.codes, clock_now_s());
		apply_round(store.codes, round, clock_now_s());
		st = breakglass_store_write(&store, error);
		breakglass_store_close(&store);
	}
	if (st != STATUS_OK)
		helper_reply_set(job->reply, ANSWER_MISCONFIGURED, "breakglass_not_written", error);
	return st == STATUS_OK && answer == (uint32_t)ANSWER_ALLOW;
}

void
breakglass_sync(const struct breakglass_job *job)
{
	uint32_t answer = (uint32_t)ANSWER_ALLOW;
	struct round round = { .count = 0 };
	bool gone;

	helper_reply_set(job->reply, ANSWER_ALLOW, "synchronised", NULL);
	(void)ticket_store_sweep(job->settings->run_directory, clock_now_s());
	if (!breakglass_store_exists(job->settings->breakglass_directory) || !begin_round(job, &round))
		return;
	if (round.count == 0) {         /* tickets wait for an outage too: it should be known before somebody needs one */
		answer = look_up(job, "-", &gone);
		round.asked = 1;
	}
	for (; round.asked < round.count && answer == (uint32_t)ANSWER_ALLOW; round.asked++)
		answer = look_up(job, round.people[round.asked].login, &round.people[round.asked].gone);
	if (end_round(job, &round, answer) && !breakglass_deliver(job))
		helper_reply_set(job->reply, ANSWER_UNAVAILABLE, "reports_wait", "not every report could be delivered");
}

/* --- how are the codes? ----------------------------------------------------------------------------------------------- */

static void
describe(const struct breakglass *codes, char *out, size_t capacity)
{
	size_t len = 0;

	for (unsigned i = 0; i < codes->person_count && len < capacity; i++) {
		char until[CLOCK_RFC3339_BYTES];
		int n;

		clock_format_rfc3339(codes->people[i].expires_at_s, until);
		n = snprintf(out + len, capacity - len, "%s%.40s has %u until %.10s", i > 0 ? ", " : "", codes->people[i].login,
		    codes->people[i].code_count, until);
		len += n > 0 ? (size_t)n : 0;
	}
	if (len < capacity && codes->report_count > 0)
		(void)snprintf(out + len, capacity - len, "; %u reports wait", codes->report_count);
}

static bool
has_somebody_few(const struct breakglass *codes)
{
	for (unsigned i = 0; i < codes->person_count; i++)
		if (codes->people[i].code_count < 3 || clock_now_s() >= codes->people[i].expires_at_s)
			return true;
	return codes->person_count == 0;
}

void
breakglass_state(const struct breakglass_job *job)
{
	char text[WIRE_DETAIL_MAX] = "nobody has codes", error[CONFIG_ERROR_BYTES];
	struct breakglass_store store;

	if (!breakglass_store_exists(job->settings->breakglass_directory)) {
		helper_reply_set(job->reply, ANSWER_ALLOW, "no_codes", NULL);
		return;
	}
	if (breakglass_store_open(job->settings->breakglass_directory, false, &store, error) != STATUS_OK) {
		helper_reply_set(job->reply, ANSWER_MISCONFIGURED, "breakglass_refused", error);
		return;
	}
	describe(store.codes, text, sizeof text);
	helper_reply_set(job->reply, ANSWER_ALLOW, has_somebody_few(store.codes) ? "few_codes" : "codes", text);
	breakglass_store_close(&store);
}
