#include "core/operation/login_grant.h"

#include <stdio.h>
#include <string.h>

#include "core/base/encoding.h"
#include "core/base/log.h"

/* Asked once more of what the steps before have seen to: a fault there must not become a sign-in. */
static bool
preconditions_hold(const struct caller *caller, const struct login_proof *proof)
{
	bool has_session = proof->session != NULL && proof->session->text[0] != '\0' && proof->session_id != NULL &&
	    encoding_is_uuid(proof->session_id);

	if (strcmp(proof->verdict, "granted") != 0 || proof->account_id == NULL || !encoding_is_uuid(proof->account_id))
		return false;
	if (has_session != (caller->kind == CALLER_CLIENT && !proof->step_up))
		return false;
	if (proof->aal == 2)
		return proof->code && proof->code_after_password && !proof->step_up;
	return proof->aal == 1 && (proof->password != proof->code) && !proof->code_after_password;
}

static void
name_methods(const struct login_proof *proof, struct login_result *out)
{
	out->amr_count = 0;
	if (proof->password || proof->code_after_password)
		out->amr[out->amr_count++] = "pwd";
	if (proof->code)
		out->amr[out->amr_count++] = "otp";
	if (proof->aal == 2)
		out->amr[out->amr_count++] = "mfa";
}

enum status
login_grant(const struct caller *caller, const struct login_proof *proof, struct login_result *out)
{
	if (!preconditions_hold(caller, proof)) {
		log_event(LOG_LEVEL_CRITICAL, "grant_without_proof", (const struct log_field[]){
		    LOG_TEXT("request", caller->request_id), LOG_NUMBER("aal", proof->aal), LOG_END });
		return STATUS_INTERNAL;
	}
	(void)snprintf(out->account_id, sizeof out->account_id, "%s", proof->account_id);
	if (proof->session != NULL && proof->session->text[0] != '\0') {
		(void)snprintf(out->session_id, sizeof out->session_id, "%s", proof->session_id);
		memcpy(out->session_token, proof->session->text, sizeof out->session_token);
	}
	name_methods(proof, out);
	out->aal = (int)proof->aal;
	out->auth_time_s = proof->auth_time_s;
	out->expires_at_s = proof->expires_at_s;
	out->hold_until_s = proof->hold_until_s;
	out->verdict = VERDICT_GRANTED;
	return STATUS_OK;
}

enum verdict
login_refusal_of(const char *word)
{
	if (strcmp(word, "challenge") == 0)
		return VERDICT_CHALLENGE;
	if (strcmp(word, "change_required") == 0)
		return VERDICT_CHANGE_REQUIRED;
	return VERDICT_DENIED;
}

void
login_result_wipe(struct login_result *result)
{
	secret_wipe(result, sizeof *result);
}
