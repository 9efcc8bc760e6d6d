/* module.c: the six entry points, and nothing else that anybody outside can see. */
#include <security/pam_modules.h>

#include "pam_module/account.h"
#include "pam_module/authenticate.h"
#include "pam_module/call.h"
#include "pam_module/chauthtok.h"
#include "pam_module/session.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return call_run(pamh, flags, argc, argv, PHASE_AUTH, "auth", authenticate);
}

/* There are no credentials to set; the applications expect a yes, with every flag. */
EXPORT int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}

EXPORT int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return call_run(pamh, flags, argc, argv, PHASE_ACCOUNT, "account", account);
}

/* A session that was let in is not turned away for want of a record. */
EXPORT int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)call_run(pamh, flags, argc, argv, PHASE_SESSION, "session_open", session_open);
	return PAM_SUCCESS;
}

EXPORT int
pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)call_run(pamh, flags, argc, argv, PHASE_SESSION, "session_close", session_close);
	return PAM_SUCCESS;
}

EXPORT int
pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return call_run(pamh, flags, argc, argv, PHASE_PASSWORD, "password", chauthtok);
}
