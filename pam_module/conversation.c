#include "pam_module/conversation.h"

#include <stdlib.h>
#include <string.h>

#include "pam_module/text_rules.h"
#include "pam_module/typed.h"

enum { WIPE_MAX = 1024 * 1024 };        /* an answer longer than this is no text that anybody typed */

/* The application must not be able to make us trust its pointers more than the interface says: one response, ours. */
static bool
converse(pam_handle_t *pamh, int style, const char *text, struct pam_response **out)
{
	const struct pam_message message = { .msg_style = style, .msg = text };
	const struct pam_message *messages = &message;
	const struct pam_conv *conversation = NULL;
	const void *item = NULL;

	*out = NULL;
	if (pam_get_item(pamh, PAM_CONV, &item) != PAM_SUCCESS || (conversation = item) == NULL ||
	    conversation->conv == NULL)
		return false;
	return conversation->conv(1, &messages, out, conversation->appdata_ptr) == PAM_SUCCESS;
}

static void
release(struct pam_response *response)
{
	if (response == NULL)
		return;
	if (response->resp != NULL)
		explicit_bzero(response->resp, strnlen(response->resp, WIPE_MAX));
	free(response->resp);
	free(response);
}

enum answer
conversation_take(const char *text, struct answer_text *out)
{
	size_t len;

	if (text == NULL || text[0] == '\0')
		return ANSWER_EMPTY;
	if ((len = strnlen(text, sizeof out->text)) == sizeof out->text)
		return ANSWER_BAD_INPUT;
	if (!text_rules_hold(text, len) && !typed_is_sshd_junk(text))
		return ANSWER_BAD_INPUT;
	memcpy(out->text, text, len + 1);
	return ANSWER_NONE;
}

enum answer
conversation_ask(pam_handle_t *pamh, bool echo, const char *prompt, struct answer_text *out)
{
	struct pam_response *response = NULL;
	enum answer answer = ANSWER_CONVERSATION;

	/* After a failure the response is nobody's: the interface does not say that it is set. */
	if (converse(pamh, echo ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF, prompt, &response)) {
		answer = conversation_take(response != NULL ? response->resp : NULL, out);
		release(response);
	}
	return answer;
}

static void
say(pam_handle_t *pamh, int flags, int style, const char *text)
{
	struct pam_response *response = NULL;

	if (((unsigned)flags & PAM_SILENT) == 0 && converse(pamh, style, text, &response))
		release(response);
}

void
conversation_tell(pam_handle_t *pamh, int flags, const char *text)
{
	say(pamh, flags, PAM_ERROR_MSG, text);
}

void
conversation_show(pam_handle_t *pamh, int flags, const char *text)
{
	say(pamh, flags, PAM_TEXT_INFO, text);
}
