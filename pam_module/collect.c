#include "pam_module/collect.h"

#include <string.h>

#include "pam_module/conversation.h"
#include "pam_module/typed.h"

#define PROMPT_BYTES 512                /* PAM_MAX_MSG_SIZE */

/* --- prompts ---------------------------------------------------------------------------------------------------- */

/* %u and %h; names go to a terminal, so what is not plain becomes '?'. */
static void
expand(const struct call *call, const char *template, char out[static PROMPT_BYTES])
{
	size_t at = 0;

	for (; *template != '\0' && at + 1 < PROMPT_BYTES; template++) {
		const char *value;

		if (*template != '%') {
			out[at++] = *template;
			continue;
		}
		value = *++template == 'u' ? call->who.user : call->who.host;
		for (; *value != '\0' && at + 1 < PROMPT_BYTES; value++)
			out[at++] = *value;
	}
	out[at] = '\0';
}

static enum answer
ask(const struct call *call, bool echo, const char *template, struct answer_text *out)
{
	char prompt[PROMPT_BYTES];

	expand(call, template, prompt);
	return conversation_ask(call->pamh, echo, prompt, out);
}

void
collect_tell(const struct call *call, const char *text)
{
	conversation_tell(call->pamh, call->flags, text);
}

/* --- the password ----------------------------------------------------------------------------------------------- */

/* What a module before us asked for, in the first attempt; otherwise a prompt. */
static enum answer
ask_password(const struct call *call, const char *template, struct answer_text *out)
{
	const void *before = NULL;
	bool wanted = call->options.use_first_pass || (call->options.try_first_pass && call->tries == 1);

	if (wanted && pam_get_item(call->pamh, PAM_AUTHTOK, &before) == PAM_SUCCESS && before != NULL)
		return conversation_take(before, out);
	if (call->options.use_first_pass)
		return ANSWER_NO_FIRST_PASS;
	return ask(call, false, template, out);
}

/* Only ever the password: a code in PAM_AUTHTOK would be taken for one by the modules behind us. */
static enum answer
hand_on(const struct call *call)
{
	if (!call->options.forward_pass ||
	    pam_set_item(call->pamh, PAM_AUTHTOK, call->vault->password.text) == PAM_SUCCESS)
		return ANSWER_NONE;
	return ANSWER_NO_MEMORY;
}

/* --- the code --------------------------------------------------------------------------------------------------- */

static bool
code_is_shown(const struct call *call)
{
	return call->conf.echo_otp == ECHO_ON || (call->conf.echo_otp == ECHO_AUTO && call->who.is_ssh);
}

static enum answer
split_combined(struct call *call)
{
	return typed_split(&call->vault->password, &call->vault->code) ? ANSWER_NONE : ANSWER_BAD_INPUT;
}

/* sshd's password method answers each hidden prompt with the one password it has, and refuses shown ones. */
static enum answer
ask_code(struct call *call)
{
	struct vault *vault = call->vault;
	bool shown = code_is_shown(call), blind;
	enum answer answer = ask(call, shown, call->conf.prompt_otp, &vault->code);

	if (!call->who.is_ssh)
		return answer;
	blind = answer == ANSWER_CONVERSATION ? shown :
	    answer == ANSWER_NONE && vault->password.text[0] != '\0' && strcmp(vault->password.text, vault->code.text) == 0;
	if (!blind || typed_is_sshd_junk(vault->password.text))
		return answer;
	if (call->conf.blind_conversation == BLIND_COMBINED && call->conf.factors == FACTORS_PASSWORD_OTP)
		return split_combined(call);
	(void)strcpy(call->detail, "set KbdInteractiveAuthentication yes and PasswordAuthentication no");
	return ANSWER_BLIND;
}

static enum answer
check_code(const struct call *call)
{
	switch (typed_normalize_code(&call->vault->code)) {
	case TYPED_TOTP:
		return ANSWER_NONE;
	case TYPED_RECOVERY:
		return call->conf.accept_recovery ? ANSWER_NONE : ANSWER_BAD_INPUT;
	case TYPED_NEITHER:
	default:
		return ANSWER_BAD_INPUT;
	}
}

/* --- together --------------------------------------------------------------------------------------------------- */

static enum answer
ask_all(struct call *call)
{
	struct vault *vault = call->vault;
	enum answer answer = ANSWER_NONE;

	switch (call->conf.factors) {
	case FACTORS_OTP:
		return ask_code(call);
	case FACTORS_PASSWORD:
		return ask_password(call, call->conf.prompt_password, &vault->password);
	case FACTORS_COMBINED:
		return ask_password(call, call->conf.prompt_combined, &vault->password);
	default:
		if ((answer = ask_password(call, call->conf.prompt_password, &vault->password)) == ANSWER_NONE)
			answer = ask_code(call);
		return answer;
	}
}

enum answer
collect(struct call *call, bool *out_decoy)
{
	struct vault *vault = call->vault;
	enum answer answer;

	if ((answer = ask_all(call)) != ANSWER_NONE)
		return answer;
	*out_decoy = typed_is_sshd_junk(vault->password.text) || typed_is_sshd_junk(vault->code.text);
	if (*out_decoy)
		return ANSWER_NONE;
	if (call->conf.factors == FACTORS_COMBINED && (answer = split_combined(call)) != ANSWER_NONE)
		return answer;
	if (call->conf.factors != FACTORS_OTP && (answer = hand_on(call)) != ANSWER_NONE)
		return answer;
	return call->conf.factors == FACTORS_PASSWORD ? ANSWER_NONE : check_code(call);
}

enum answer
collect_code(struct call *call, const char *prompt, struct answer_text *out)
{
	return conversation_ask(call->pamh, code_is_shown(call), prompt, out);
}

enum answer
collect_new_password(struct call *call)
{
	struct vault *vault = call->vault;
	const void *before = NULL;
	enum answer answer;

	if ((call->options.use_first_pass || call->options.try_first_pass) &&
	    pam_get_item(call->pamh, PAM_AUTHTOK, &before) == PAM_SUCCESS && before != NULL)
		return conversation_take(before, &vault->new_password);
	if (call->options.use_first_pass)
		return ANSWER_NO_FIRST_PASS;
	if ((answer = ask(call, false, "New password: ", &vault->new_password)) != ANSWER_NONE ||
	    (answer = ask(call, false, "New password again: ", &vault->again)) != ANSWER_NONE)
		return answer;
	return strcmp(vault->new_password.text, vault->again.text) == 0 ? ANSWER_NONE : ANSWER_NEW_UNEQUAL;
}
