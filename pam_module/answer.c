#include "pam_module/answer.h"

#include <stddef.h>
#include <syslog.h>

#include <security/_pam_types.h>

#define UNAVAILABLE_TEXT "Authentication service unavailable"
#define CONTACT_TEXT     "Please contact your administrator."

static const struct answer_row rows[] = {
	{ ANSWER_ALLOW, PAM_SUCCESS, PAM_SUCCESS, LOG_INFO, "allow", "granted", NULL },
	{ ANSWER_DENY, PAM_AUTH_ERR, PAM_PERM_DENIED, LOG_NOTICE, "deny", "denied", NULL },
	{ ANSWER_UNKNOWN_USER, PAM_USER_UNKNOWN, PAM_USER_UNKNOWN, LOG_NOTICE, "deny", "unknown_user", NULL },
	{ ANSWER_NOT_ENROLLED, PAM_CRED_INSUFFICIENT, PAM_PERM_DENIED, LOG_NOTICE, "deny", "not_enrolled",
	    "No second factor registered. " CONTACT_TEXT },
	{ ANSWER_THROTTLED, PAM_AUTH_ERR, PAM_PERM_DENIED, LOG_NOTICE, "deny", "throttled", NULL },
	{ ANSWER_UNAVAILABLE, PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, LOG_ERR, "unavailable", "unavailable",
	    UNAVAILABLE_TEXT },
	{ ANSWER_UNUSABLE, PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, LOG_CRIT, "unavailable", "unusable",
	    UNAVAILABLE_TEXT },
	{ ANSWER_REFUSED, PAM_SERVICE_ERR, PAM_SERVICE_ERR, LOG_CRIT, "error", "host_refused",
	    "Authentication is not configured on this host" },
	{ ANSWER_MISCONFIGURED, PAM_SERVICE_ERR, PAM_SERVICE_ERR, LOG_CRIT, "error", "misconfigured", NULL },
	{ ANSWER_NO_MEMORY, PAM_BUF_ERR, PAM_BUF_ERR, LOG_CRIT, "error", "no_memory", NULL },
	{ ANSWER_INTERNAL, PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, LOG_CRIT, "error", "internal", NULL },
	{ ANSWER_LOCKED, PAM_AUTH_ERR, PAM_PERM_DENIED, LOG_NOTICE, "deny", "locked",
	    "This account is locked. " CONTACT_TEXT },
	{ ANSWER_EXPIRED, PAM_AUTH_ERR, PAM_ACCT_EXPIRED, LOG_NOTICE, "deny", "expired",
	    "This account has expired. " CONTACT_TEXT },
	{ ANSWER_CHANGE_REQUIRED, PAM_AUTH_ERR, PAM_NEW_AUTHTOK_REQD, LOG_INFO, "change", "password_change_required",
	    "You must change your password now." },
	{ ANSWER_PASSWORD_REFUSED, PAM_AUTHTOK_ERR, PAM_AUTHTOK_ERR, LOG_NOTICE, "deny", "password_refused", NULL },
	{ ANSWER_NOT_OWN_ACCOUNT, PAM_PERM_DENIED, PAM_PERM_DENIED, LOG_NOTICE, "deny", "not_own_account", NULL },
	{ ANSWER_ENROLL_STARTED, PAM_AUTH_ERR, PAM_PERM_DENIED, LOG_NOTICE, "deny", "enroll_started", NULL },
	{ ANSWER_EMPTY, PAM_AUTH_ERR, PAM_PERM_DENIED, LOG_NOTICE, "deny", "empty_answer", NULL },
	{ ANSWER_BAD_INPUT, PAM_AUTH_ERR, PAM_PERM_DENIED, LOG_NOTICE, "deny", "bad_input", NULL },
	{ ANSWER_NO_FIRST_PASS, PAM_AUTH_ERR, PAM_PERM_DENIED, LOG_NOTICE, "deny", "no_first_pass", NULL },
	{ ANSWER_NO_PUBLICKEY, PAM_AUTH_ERR, PAM_PERM_DENIED, LOG_NOTICE, "deny", "no_publickey", NULL },
	{ ANSWER_CONVERSATION, PAM_CONV_ERR, PAM_CONV_ERR, LOG_WARNING, "error", "conversation", NULL },
	{ ANSWER_BLIND, PAM_CONV_ERR, PAM_CONV_ERR, LOG_WARNING, "error", "blind_conversation", NULL },
	{ ANSWER_HELPER_BROKEN, PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, LOG_CRIT, "unavailable", "helper_broken",
	    UNAVAILABLE_TEXT },
	{ ANSWER_HELPER_LATE, PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, LOG_CRIT, "unavailable", "helper_timeout",
	    UNAVAILABLE_TEXT },
	{ ANSWER_TRIES_USED_UP, PAM_MAXTRIES, PAM_MAXTRIES, LOG_NOTICE, "deny", "tries_used_up", NULL },
	{ ANSWER_NO_MFA, PAM_PERM_DENIED, PAM_PERM_DENIED, LOG_NOTICE, "deny", "no_second_factor",
	    "A second factor is required here." },
	{ ANSWER_TRAINING_DUE, PAM_PERM_DENIED, PAM_PERM_DENIED, LOG_NOTICE, "deny", "training_due",
	    "Your security training is overdue. Complete it, and have it recorded, to sign in again. " CONTACT_TEXT },
	{ ANSWER_JUNK, PAM_AUTH_ERR, PAM_PERM_DENIED, LOG_INFO, "deny", "sshd_junk", NULL },
	{ ANSWER_EXEMPT, PAM_IGNORE, PAM_IGNORE, LOG_INFO, "ignore", "exempt", NULL },
	{ ANSWER_IGNORE_UNKNOWN, PAM_IGNORE, PAM_IGNORE, LOG_INFO, "ignore", "unknown_user", NULL },
	{ ANSWER_IGNORE_UNENROLLED, PAM_IGNORE, PAM_IGNORE, LOG_WARNING, "ignore", "not_enrolled",
	    "Warning: you have no second factor yet, and will soon need one to sign in." },
	{ ANSWER_IGNORE_UNAVAILABLE, PAM_IGNORE, PAM_IGNORE, LOG_ERR, "ignore", "unavailable", NULL },
	{ ANSWER_NOTHING_TO_CHANGE, PAM_IGNORE, PAM_IGNORE, LOG_INFO, "ignore", "not_expired", NULL },
	{ ANSWER_NEW_UNEQUAL, PAM_AUTHTOK_ERR, PAM_AUTHTOK_ERR, LOG_NOTICE, "deny", "new_unequal",
	    "The two new passwords are not the same." },
	{ ANSWER_NOT_PROVEN, PAM_AUTHTOK_RECOVERY_ERR, PAM_AUTHTOK_RECOVERY_ERR, LOG_NOTICE, "deny", "not_proven", NULL },
	{ ANSWER_RECORDED, PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, LOG_INFO, "recorded", "session", NULL },
	{ ANSWER_OFF, PAM_SYSTEM_ERR, PAM_SUCCESS, LOG_DEBUG, "off", "off", NULL },
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

const struct answer_row *
answer_row(enum answer answer)
{
	const struct answer_row *internal = &rows[0];

	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (rows[i].answer == answer)
			return &rows[i];
		if (rows[i].answer == ANSWER_INTERNAL)
			internal = &rows[i];
	}
	return internal;
}

int
answer_to_pam(enum answer answer, enum phase phase)
{
	const struct answer_row *row = answer_row(answer);

	return phase == PHASE_ACCOUNT ? row->account_code : row->code;
}

const char *
answer_code_name(int pam_code)
{
	static const struct { int code; const char *name; } names[] = {
		{ PAM_SUCCESS, "SUCCESS" }, { PAM_SERVICE_ERR, "SERVICE_ERR" }, { PAM_SYSTEM_ERR, "SYSTEM_ERR" },
		{ PAM_BUF_ERR, "BUF_ERR" }, { PAM_PERM_DENIED, "PERM_DENIED" }, { PAM_AUTH_ERR, "AUTH_ERR" },
		{ PAM_CRED_INSUFFICIENT, "CRED_INSUFFICIENT" }, { PAM_AUTHINFO_UNAVAIL, "AUTHINFO_UNAVAIL" },
		{ PAM_USER_UNKNOWN, "USER_UNKNOWN" }, { PAM_MAXTRIES, "MAXTRIES" },
		{ PAM_NEW_AUTHTOK_REQD, "NEW_AUTHTOK_REQD" }, { PAM_ACCT_EXPIRED, "ACCT_EXPIRED" },
		{ PAM_CONV_ERR, "CONV_ERR" }, { PAM_AUTHTOK_ERR, "AUTHTOK_ERR" },
		{ PAM_AUTHTOK_RECOVERY_ERR, "AUTHTOK_RECOVERY_ERR" }, { PAM_IGNORE, "IGNORE" },
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].code == pam_code)
			return names[i].name;
	return "UNKNOWN";
}

enum answer
answer_of_wire(uint32_t number)
{
	if (number != (uint32_t)ANSWER_ALLOW && (number == 0 || number >= (uint32_t)ANSWER_FROM_HELPER))
		return ANSWER_NONE;
	for (size_t i = 0; i < ROW_COUNT; i++)
		if ((uint32_t)rows[i].answer == number)
			return rows[i].answer;
	return ANSWER_NONE;
}

const struct answer_row *
answer_rows(unsigned *out_count)
{
	*out_count = ROW_COUNT;
	return rows;
}
