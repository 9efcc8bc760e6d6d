#include "pam_module/enroll.h"

#include <stdio.h>
#include <string.h>

#include "pam_module/cidr.h"
#include "pam_module/collect.h"
#include "pam_module/conversation.h"
#include "pam_module/picture.h"
#include "pam_module/typed.h"

enum { PAIR_TRIES = 3, KEY_GROUP = 4, CODES_A_LINE = 2 };

#define AT_TERMINAL "127.0.0.1"         /* where somebody at the machine itself comes from */

/* --- may it be? ------------------------------------------------------------------------------------------------- */

static bool
comes_from_allowed(const struct call *call)
{
	const struct who *who = &call->who;

	if (who->rhost[0] != '\0')
		return cidr_list_has(call->conf.enroll_cidrs, who->rhost);
	return cidr_list_has(call->conf.enroll_cidrs, AT_TERMINAL) && who_is_at_terminal(call->pamh, who);
}

bool
enroll_is_open(const struct call *call)
{
	return call->conf.unenrolled == UNENROLLED_ENROLL && call->reply.password_right != 0 &&
	    who_is_owner(call->pamh, &call->who) &&
	    ((call->who.is_ssh && call->who.has_publickey) || comes_from_allowed(call));
}

/* --- the operator's code ---------------------------------------------------------------------------------------- */

/* Who knows what is coming has typed it in the place of a code already. */
static enum answer
take_enroll_code(struct call *call)
{
	struct vault *vault = call->vault;
	enum answer answer;

	if (typed_normalize_code(&vault->code) == TYPED_RECOVERY) {
		vault->enroll_code = vault->code;
		return ANSWER_NONE;
	}
	if ((answer = collect_code(call, "Enrolment code: ", &vault->enroll_code)) != ANSWER_NONE)
		return answer;
	return typed_normalize_code(&vault->enroll_code) == TYPED_RECOVERY ? ANSWER_NONE : ANSWER_BAD_INPUT;
}

/* ANSWER_NONE: a factor is pending, and the reply has what is to be shown; FACTOR_ID outlives the reply. */
static enum answer
start(struct call *call, char factor_id[static WIRE_FACTOR_MAX + 1])
{
	struct wire_request request = call_request(call, WIRE_ENROLL_START);
	enum answer answer;

	request.password = call->vault->password.text;
	request.enroll_code = call->vault->enroll_code.text;
	if ((answer = call_ask(call, &request)) == ANSWER_ALLOW)
		return ANSWER_HELPER_BROKEN;            /* a start allows nothing */
	if (answer != ANSWER_ENROLL_STARTED)
		return answer;
	if (call->reply.factor_id == NULL || call->reply.enroll_key == NULL)
		return ANSWER_HELPER_BROKEN;
	(void)snprintf(factor_id, WIRE_FACTOR_MAX + 1, "%s", call->reply.factor_id);
	return ANSWER_NONE;
}

/* --- what is shown ---------------------------------------------------------------------------------------------- */

/* Text behind what SHOWN holds already; what has no room is left out. */
static void
put(char shown[static VAULT_SHOWN_BYTES], const char *text)
{
	size_t len = strlen(shown);

	(void)snprintf(shown + len, VAULT_SHOWN_BYTES - len, "%s", text);
}

/* Words in groups of SIZE bytes, or where SIZE is 0 the words that a space separates, PER_LINE on a line. */
static void
put_groups(char shown[static VAULT_SHOWN_BYTES], const char *text, size_t size, unsigned per_line)
{
	for (unsigned i = 0; *text != '\0'; i++) {
		size_t len = size > 0 ? strnlen(text, size) : strcspn(text, " "), at;

		put(shown, i % per_line == 0 ? (i == 0 ? "  " : "\n  ") : " ");
		at = strlen(shown);
		(void)snprintf(shown + at, VAULT_SHOWN_BYTES - at, "%.*s", (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
	put(shown, "\n");
}

/* Only at a real terminal: elsewhere nobody knows what becomes of the characters.  False: there is none. */
static bool
show_picture(struct call *call)
{
	const char *modules = call->reply.enroll_picture;
	unsigned lines = modules != NULL && who_is_at_terminal(call->pamh, &call->who) ? picture_lines(modules) : 0;

	_Static_assert(PICTURE_LINE_BYTES <= VAULT_SHOWN_BYTES, "a line fits");
	for (unsigned i = 0; i < lines; i++) {
		picture_line(modules, i, call->vault->shown);
		conversation_show(call->pamh, call->flags, call->vault->shown);
	}
	return lines > 0 && ((unsigned)call->flags & PAM_SILENT) == 0;
}

/* The ways to the one authenticator, the best first. */
static void
put_ways(char shown[static VAULT_SHOWN_BYTES], bool has_picture, const char *url)
{
	if (has_picture)
		put(shown, "Scan the picture with your authenticator app, or ");
	if (url != NULL) {
		put(shown, has_picture ? "open this page:\n  " : "Open this page where your authenticator app is:\n  ");
		put(shown, url);
		put(shown, "\nor ");
	}
	put(shown, has_picture ? "give it this key:\n" : url != NULL ? "give the app this key:\n" :
	    "Give your authenticator app this key:\n");
}

/* The prompt for the first code, which holds the key. */
static void
make_key_prompt(struct call *call, bool has_picture)
{
	char *shown = call->vault->shown;

	shown[0] = '\0';
	put_ways(shown, has_picture, call->reply.enroll_url);
	put_groups(shown, call->reply.enroll_key, KEY_GROUP, WIRE_KEY_MAX);
	put(shown, "Then type the code that it shows: ");
}

/* The factor is bound, come what may: who goes away here has an authenticator, but no recovery codes. */
static enum answer
hand_out_recovery_codes(struct call *call)
{
	struct answer_text nothing = { .text = "" };
	char *shown = call->vault->shown;
	enum answer answer;

	if (call->reply.recovery_codes == NULL)
		return ANSWER_ALLOW;
	shown[0] = '\0';
	put(shown, "You are enrolled.  Each of these recovery codes opens the account once, without the app:\n");
	put_groups(shown, call->reply.recovery_codes, 0, CODES_A_LINE);
	put(shown, "Write them down: they are not shown again.  Then press Enter: ");
	answer = conversation_ask(call->pamh, true, shown, &nothing);
	explicit_bzero(&nothing, sizeof nothing);
	return answer == ANSWER_CONVERSATION ? answer : ANSWER_ALLOW;
}

/* --- two codes in a row ----------------------------------------------------------------------------------------- */

static enum answer
ask_pair(struct call *call, const char *prompt)
{
	struct vault *vault = call->vault;
	enum answer answer;

	if ((answer = collect_code(call, prompt, &vault->code_before)) != ANSWER_NONE)
		return answer;
	if (typed_normalize_code(&vault->code_before) != TYPED_TOTP)
		return ANSWER_BAD_INPUT;
	if ((answer = collect_code(call, "When it shows another one, type that code: ", &vault->code)) != ANSWER_NONE)
		return answer;
	return typed_normalize_code(&vault->code) == TYPED_TOTP ? ANSWER_NONE : ANSWER_BAD_INPUT;
}

/* Bound by then, on the page that the prompt named or elsewhere: what is typed here is the code of an everyday sign-in. */
static enum answer
sign_in(struct call *call)
{
	struct wire_request request = call_request(call, WIRE_VERIFY);

	request.password = call->vault->password.text;
	request.code = call->vault->code.text;
	return call_ask(call, &request);
}

static enum answer
confirm(struct call *call, const char *factor_id)
{
	struct wire_request request = call_request(call, WIRE_ENROLL_CONFIRM);
	enum answer answer;

	request.enroll_code = call->vault->enroll_code.text;
	request.factor_id = factor_id;
	request.code_before = call->vault->code_before.text;
	request.code = call->vault->code.text;
	if ((answer = call_ask(call, &request)) == ANSWER_ALLOW)
		call->reason = "enrolled";
	return answer == ANSWER_DENY && strcmp(call->reply.reason, "enrolled_meanwhile") == 0 ? sign_in(call) : answer;
}

static bool
may_try_pair_again(const struct call *call, enum answer answer)
{
	return answer == ANSWER_BAD_INPUT || (answer == ANSWER_DENY && strcmp(call->reply.reason, "wrong_code") == 0);
}

enum answer
enroll(struct call *call)
{
	char factor_id[WIRE_FACTOR_MAX + 1];
	const char *prompt = call->vault->shown;
	enum answer answer;

	if ((answer = take_enroll_code(call)) != ANSWER_NONE || (answer = start(call, factor_id)) != ANSWER_NONE)
		return answer;
	make_key_prompt(call, show_picture(call));
	for (unsigned tries = 0; tries < PAIR_TRIES; tries++) {
		if ((answer = ask_pair(call, prompt)) == ANSWER_NONE)
			answer = confirm(call, factor_id);
		if (!may_try_pair_again(call, answer))
			break;
		prompt = "These are not two codes of it, one after the other.  Type the code that it shows: ";
	}
	return answer == ANSWER_ALLOW ? hand_out_recovery_codes(call) : answer;
}
