#include "pam_module/chauthtok.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pam_module/collect.h"
#include "pam_module/conversation.h"

#define PROVEN_NAME "counterfoil:proven"

static void
free_proof(pam_handle_t *pamh, void *data, int error_status)
{
	(void)pamh;
	(void)error_status;
	free(data);
}

/* The old password itself travels in PAM_OLDAUTHTOK, which libpam wipes. */
static enum answer
remember_proof(const struct call *call)
{
	char *user = strdup(call->who.user);

	if (user == NULL)
		return ANSWER_NO_MEMORY;
	if (pam_set_data(call->pamh, PROVEN_NAME, user, free_proof) != PAM_SUCCESS) {
		free(user);
		return ANSWER_NO_MEMORY;
	}
	return pam_set_item(call->pamh, PAM_OLDAUTHTOK, call->vault->password.text) == PAM_SUCCESS ? ANSWER_ALLOW :
	    ANSWER_NO_MEMORY;
}

/* With PAM_CHANGE_EXPIRED_AUTHTOK only a password that must change is anybody's business. */
static enum answer
is_due(struct call *call)
{
	const struct marker *marker = marker_get(call->pamh, &call->who);
	struct wire_request request = call_request(call, WIRE_LOOK);
	enum answer answer;

	if (((unsigned)call->flags & PAM_CHANGE_EXPIRED_AUTHTOK) == 0)
		return ANSWER_NONE;
	if (marker != NULL)
		return marker->must_change ? ANSWER_NONE : ANSWER_NOTHING_TO_CHANGE;
	if (call->who.odd)
		return ANSWER_UNKNOWN_USER;
	answer = call_ask(call, &request);
	if (answer == ANSWER_ALLOW)
		return ANSWER_NOTHING_TO_CHANGE;
	return answer == ANSWER_CHANGE_REQUIRED ? ANSWER_NONE : answer;
}

/* Who has just signed in with a code cannot give it again, and need not: the password alone is asked for. */
static void
choose_factors(struct call *call)
{
	if (marker_get(call->pamh, &call->who) != NULL)
		call->conf.factors = FACTORS_PASSWORD;
	else if (call->conf.factors == FACTORS_OTP)
		call->conf.factors = FACTORS_PASSWORD_OTP;
}

static enum answer
prove_old(struct call *call)
{
	struct wire_request request;
	bool decoy = false;
	enum answer answer;

	if (pam_set_data(call->pamh, PROVEN_NAME, NULL, NULL) != PAM_SUCCESS)
		return ANSWER_NO_MEMORY;
	if ((answer = is_due(call)) != ANSWER_NONE)
		return answer;
	choose_factors(call);
	call->tries++;
	if ((answer = collect(call, &decoy)) != ANSWER_NONE)
		return answer;
	decoy = decoy || call->who.odd;
	request = call_request(call, decoy ? WIRE_DECOY : WIRE_VERIFY);
	if (!decoy) {
		request.password = call->vault->password.text;
		request.code = call->vault->code.text[0] != '\0' ? call->vault->code.text : NULL;
	}
	answer = call_ask(call, &request);
	if (answer != ANSWER_ALLOW)
		return answer;
	return decoy ? ANSWER_DENY : remember_proof(call);
}

/* --- the new one ------------------------------------------------------------------------------------------------ */

static enum answer
take_old(struct call *call)
{
	const void *proven = NULL, *old = NULL;

	if (pam_get_data(call->pamh, PROVEN_NAME, &proven) != PAM_SUCCESS || proven == NULL ||
	    strcmp(proven, call->who.user) != 0 || pam_get_item(call->pamh, PAM_OLDAUTHTOK, &old) != PAM_SUCCESS ||
	    old == NULL)
		return ANSWER_NOT_PROVEN;
	return conversation_take(old, &call->vault->password);
}

static void
explain_length(const struct call *call)
{
	char text[80] = "This password is too short.";

	if (call->reply.minimum_points > 0)
		(void)snprintf(text, sizeof text, "This password is too short: at least %u characters.",
		    (unsigned)call->reply.minimum_points);
	collect_tell(call, text);
}

/* What the policy says against it, in words for the person who chose it. */
static void
explain(const struct call *call)
{
	static const char *const texts[][2] = {
		{ "too_long", "This password is too long: at most 256 characters." },
		{ "common", "This password is one that attackers try first." },
		{ "context", "This password contains your name or the name of this service." },
	};
	const char *reason = call->reply.reason;

	if (reason != NULL && strcmp(reason, "too_short") == 0)
		explain_length(call);
	for (size_t i = 0; reason != NULL && i < sizeof texts / sizeof texts[0]; i++)
		if (strcmp(reason, texts[i][0]) == 0)
			collect_tell(call, texts[i][1]);
}

static enum answer
set_new(struct call *call)
{
	struct wire_request request = call_request(call, WIRE_CHANGE);
	enum answer answer;

	if ((answer = take_old(call)) != ANSWER_NONE || (answer = collect_new_password(call)) != ANSWER_NONE)
		return answer;
	request.password = call->vault->password.text;
	request.new_password = call->vault->new_password.text;
	answer = call_ask(call, &request);
	if (answer == ANSWER_PASSWORD_REFUSED)
		explain(call);
	if (answer != ANSWER_ALLOW)
		return answer;
	marker_changed(call->pamh);
	if (pam_set_item(call->pamh, PAM_AUTHTOK, call->vault->new_password.text) != PAM_SUCCESS)
		return ANSWER_NO_MEMORY;
	return answer;
}

enum answer
chauthtok(struct call *call)
{
	if (who_is_exempt(call->pamh, &call->conf, &call->who))
		return ANSWER_EXEMPT;
	if (((unsigned)call->flags & PAM_PRELIM_CHECK) != 0)
		return prove_old(call);
	if (((unsigned)call->flags & PAM_UPDATE_AUTHTOK) != 0)
		return set_new(call);
	return ANSWER_INTERNAL;
}
