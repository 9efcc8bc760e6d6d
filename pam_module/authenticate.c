#include "pam_module/authenticate.h"

#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

#include "pam_module/collect.h"
#include "pam_module/enroll.h"

/* --- before anything is asked ----------------------------------------------------------------------------------- */

static bool
unenrolled_may_pass(const struct conf *conf)
{
	struct timespec now = { 0, 0 };

	return conf->unenrolled == UNENROLLED_IGNORE && clock_gettime(CLOCK_REALTIME, &now) == 0 &&
	    now.tv_sec / 86400 <= conf->unenrolled_until;
}

/* Only where the policy lets somebody pass unasked is the back end asked before the prompts.  Its not answering is no
 * reason to let anybody pass: then the prompts come, and the verification says what there is to say. */
static enum answer
look_before_asking(struct call *call)
{
	struct wire_request request = call_request(call, WIRE_LOOK);
	bool unenrolled = unenrolled_may_pass(&call->conf), unknown = call->conf.unknown_user == UNKNOWN_IGNORE;
	enum answer answer;

	if (!unenrolled && !unknown)
		return ANSWER_NONE;
	answer = call_ask(call, &request);
	if (unknown && answer == ANSWER_UNKNOWN_USER)
		return ANSWER_IGNORE_UNKNOWN;
	if (unenrolled && (answer == ANSWER_ALLOW || answer == ANSWER_CHANGE_REQUIRED) && call->reply.enrolled == 0)
		return ANSWER_IGNORE_UNENROLLED;
	return ANSWER_NONE;
}

/* Somebody whom sshd took by a key, and whose ticket for it may be good: the helper judges it, and says no while the back end
 * is there.  No code is asked for that nobody could check: it would teach people to type codes into a dead end. */
static bool
may_have_ticket(const struct call *call)
{
	return call->conf.offline == OFFLINE_TICKET && call->who.has_publickey && call->who.ssh_key[0] != '\0' &&
	    !call->who.odd;
}

static enum answer
try_ticket(struct call *call)
{
	struct wire_request request = call_request(call, WIRE_TICKET);

	request.offline = WIRE_OFFLINE_TICKET;
	if (!may_have_ticket(call) || call_ask(call, &request) != ANSWER_ALLOW || call->reply.offline != WIRE_LET_IN_BY_TICKET)
		return ANSWER_NONE;
	collect_tell(call, "Counterfoil is out of reach, so no code is asked for.  You are let in because you signed in here "
	    "with this ssh key a few hours ago at most; this is reported.");
	return ANSWER_ALLOW;
}

static enum answer
admit(struct call *call)
{
	enum answer answer;

	if (who_is_exempt(call->pamh, &call->conf, &call->who))
		return ANSWER_EXEMPT;
	if (call->conf.require_ssh_publickey && !(call->who.is_ssh && call->who.has_publickey))
		return ANSWER_NO_PUBLICKEY;
	if ((answer = look_before_asking(call)) != ANSWER_NONE)
		return answer;
	return try_ticket(call);
}

/* --- what the answers mean here --------------------------------------------------------------------------------- */

/* Who starts a set-uid program can also make it slow or starve it, and so must not gain from an outage. */
static bool
outage_may_be_ignored(const struct call *call)
{
	return call->conf.fail == FAIL_IGNORE_UNAVAILABLE && getauxval(AT_SECURE) == 0;
}

/* sshd refuses this person whatever we say, and a decoy's outcome is nobody's: never more than a refusal. */
static enum answer
settle_decoy(const struct call *call, enum answer answer)
{
	bool decided = answer == ANSWER_ALLOW || answer == ANSWER_DENY || answer == ANSWER_UNKNOWN_USER ||
	    answer == ANSWER_NOT_ENROLLED || answer == ANSWER_THROTTLED;

	if (!decided)
		return answer;
	return call->who.odd ? ANSWER_UNKNOWN_USER : ANSWER_JUNK;
}

/* In whole minutes, of which there is at least one. */
static void
tell_throttled(const struct call *call)
{
	unsigned minutes = call->reply.retry_after_s / 60 + (call->reply.retry_after_s % 60 != 0);
	char text[64];

	(void)snprintf(text, sizeof text, "Too many attempts, retry in %u min", minutes > 0 ? minutes : 1);
	collect_tell(call, text);
}

/* A hint needs the right password first, so that a guesser learns nothing. */
static enum answer
settle(const struct call *call, enum answer answer)
{
	bool helpful = call->conf.reveal == REVEAL_HELPFUL && call->reply.password_right != 0;

	if (answer == ANSWER_NOT_ENROLLED && call->reply.password_right == 0)
		return ANSWER_DENY;
	if (answer == ANSWER_UNAVAILABLE && outage_may_be_ignored(call))
		return ANSWER_IGNORE_UNAVAILABLE;
	if (answer == ANSWER_THROTTLED && helpful) {
		tell_throttled(call);
		return ANSWER_TRIES_USED_UP;
	}
	if (answer == ANSWER_DENY && helpful && strcmp(call->reply.reason, "code_replayed") == 0)
		collect_tell(call, "This code was used already: take the next one.");
	return answer;
}

/* --- one attempt ------------------------------------------------------------------------------------------------ */

static const char *
or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static enum wire_offline
offline_of(const struct call *call)
{
	if (may_have_ticket(call))
		return WIRE_OFFLINE_TICKET;
	if (call->conf.offline != OFFLINE_RECOVERY)
		return WIRE_OFFLINE_NO;
	return getauxval(AT_SECURE) == 0 ? WIRE_OFFLINE_YES : WIRE_OFFLINE_UNCOUNTED;
}

static enum answer
verify(struct call *call, bool decoy)
{
	struct wire_request request = call_request(call, decoy ? WIRE_DECOY : WIRE_VERIFY);
	enum answer answer;

	if (!decoy) {
		request.password = or_null(call->vault->password.text);
		request.code = or_null(call->vault->code.text);
		request.offline = offline_of(call);
	}
	answer = call_ask(call, &request);
	if (decoy)
		return settle_decoy(call, answer);
	return answer == ANSWER_NOT_ENROLLED && enroll_is_open(call) ? enroll(call) : settle(call, answer);
}

static enum answer
attempt(struct call *call)
{
	bool decoy = false;
	enum answer answer;

	call->tries++;
	if ((answer = collect(call, &decoy)) == ANSWER_NONE)
		answer = verify(call, decoy || call->who.odd);
	vault_clear_answers(call->vault);
	return answer;
}

static bool
may_try_again(enum answer answer)
{
	return answer == ANSWER_DENY || answer == ANSWER_EMPTY || answer == ANSWER_BAD_INPUT;
}

static enum answer
ask_and_verify(struct call *call)
{
	enum answer answer;

	do {
		answer = attempt(call);
	} while (may_try_again(answer) && call->tries < call->conf.attempts);
	return may_try_again(answer) && call->conf.attempts > 1 ? ANSWER_TRIES_USED_UP : answer;
}

enum answer
authenticate(struct call *call)
{
	enum answer answer;

	marker_clear(call->pamh);
	if (call->conf.fail_delay_ms > 0)
		(void)pam_fail_delay(call->pamh, (unsigned)call->conf.fail_delay_ms * 1000);
	if ((answer = admit(call)) == ANSWER_NONE)
		answer = ask_and_verify(call);
	if (answer == ANSWER_ALLOW)
		marker_set(call);
	return answer;
}
