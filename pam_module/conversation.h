/* conversation.h: asking and telling through the application's conversation function.  One message a call: sshd makes
 * one prompt of each, whatever a module hands over together. */
#ifndef COUNTERFOIL_PAM_CONVERSATION_H
#define COUNTERFOIL_PAM_CONVERSATION_H

#include <stdbool.h>

#include <security/pam_modules.h>

#include "pam_module/answer.h"
#include "pam_module/vault.h"

/* Ask PROMPT; the application's copy of the answer is wiped.
 * ANSWER_NONE          OUT holds the answer: text_rules.h, or sshd's junk.
 * ANSWER_CONVERSATION  the application did not ask.  ANSWER_EMPTY, ANSWER_BAD_INPUT: what came back is no answer. */
enum answer conversation_ask(pam_handle_t *pamh, bool echo, const char *prompt, struct answer_text *out);

/* Take TEXT as if it had been typed; NULL is an empty answer. */
enum answer conversation_take(const char *text, struct answer_text *out);

/* Show TEXT as an error, or as plain information, unless FLAGS hold PAM_SILENT.  Failing to is no failure. */
void conversation_tell(pam_handle_t *pamh, int flags, const char *text);
void conversation_show(pam_handle_t *pamh, int flags, const char *text);

#endif
