/* routes.c: the one table of the API, and that of the operator.  docs/http-api.yaml says the same to people; a test compares them. */
#include "authd/route_handlers.h"
#include "authd/routes.h"
#include "core/operation/client.h"

static const struct route table[] = {
	{ METHOD_GET, "/v1/openapi.yaml", 0, 0, WORK_INLINE, route_contract, NULL },

	{ METHOD_POST, "/v1/accounts", SCOPE_ACCOUNTS, ROUTE_BODY_BYTES, WORK_HASHING, route_account_create, NULL },
	{ METHOD_GET, "/v1/accounts/{account}", SCOPE_ACCOUNTS, 0, WORK_QUICK, route_account_get, NULL },
	{ METHOD_DELETE, "/v1/accounts/{account}", SCOPE_ADMIN, 0, WORK_QUICK, route_account_erase, NULL },
	{ METHOD_GET, "/v1/accounts/{account}/export", SCOPE_ACCOUNTS, 0, WORK_QUICK, route_account_export, NULL },
	{ METHOD_POST, "/v1/accounts/{account}/lock", SCOPE_ACCOUNTS, ROUTE_BODY_BYTES, WORK_QUICK,
	    route_account_lock, NULL },
	{ METHOD_POST, "/v1/accounts/{account}/unlock", SCOPE_ACCOUNTS, ROUTE_BODY_BYTES, WORK_QUICK,
	    route_account_unlock, NULL },
	{ METHOD_PUT, "/v1/accounts/{account}/password", SCOPE_ACCOUNTS, ROUTE_BODY_BYTES, WORK_HASHING,
	    route_account_password, NULL },

	{ METHOD_POST, "/v1/accounts/{account}/password-reset", SCOPE_ACCOUNTS, ROUTE_BODY_BYTES, WORK_QUICK,
	    route_account_reset, NULL },

	{ METHOD_POST, "/v1/logins", SCOPE_LOGIN, ROUTE_BODY_BYTES, WORK_HASHING, route_login_password, NULL },
	{ METHOD_POST, "/v1/logins/{challenge}/code", SCOPE_LOGIN, ROUTE_BODY_BYTES, WORK_QUICK, route_login_code,
	    NULL },

	{ METHOD_POST, "/v1/accounts/{account}/step-ups", SCOPE_LOGIN, ROUTE_BODY_BYTES, WORK_QUICK,
	    route_step_up_begin, NULL },
	{ METHOD_POST, "/v1/step-ups/{challenge}/code", SCOPE_LOGIN, ROUTE_BODY_BYTES, WORK_QUICK, route_step_up_code,
	    NULL },

	{ METHOD_GET, "/v1/events", SCOPE_EVENTS, 0, WORK_QUICK, route_event_list,
	    "after limit account kind notify since until" },

	{ METHOD_POST, "/v1/sessions/introspect", SCOPE_SESSIONS, ROUTE_BODY_BYTES, WORK_QUICK, route_session_introspect,
	    NULL },
	{ METHOD_DELETE, "/v1/sessions/{session}", SCOPE_SESSIONS, 0, WORK_QUICK, route_session_end, NULL },
	{ METHOD_GET, "/v1/accounts/{account}/sessions", SCOPE_SESSIONS, 0, WORK_QUICK, route_session_list, NULL },
	{ METHOD_DELETE, "/v1/accounts/{account}/sessions", SCOPE_SESSIONS, 0, WORK_QUICK, route_session_end_all, NULL },
	{ METHOD_GET, "/v1/accounts/{account}/trusted-devices", SCOPE_SESSIONS, 0, WORK_QUICK, route_device_list, NULL },
	{ METHOD_DELETE, "/v1/accounts/{account}/trusted-devices", SCOPE_SESSIONS, 0, WORK_QUICK,
	    route_device_revoke_all, NULL },
	{ METHOD_DELETE, "/v1/accounts/{account}/trusted-devices/{device}", SCOPE_SESSIONS, 0, WORK_QUICK,
	    route_device_revoke, NULL },

	{ METHOD_POST, "/v1/accounts/{account}/totp", SCOPE_ENROLL, ROUTE_BODY_BYTES, WORK_QUICK, route_totp_start,
	    NULL },
	{ METHOD_POST, "/v1/accounts/{account}/totp/{factor}/confirm", SCOPE_ENROLL, ROUTE_BODY_BYTES, WORK_QUICK,
	    route_totp_confirm, NULL },
	{ METHOD_GET, "/v1/accounts/{account}/factors", SCOPE_ENROLL, 0, WORK_QUICK, route_factor_list, NULL },
	{ METHOD_DELETE, "/v1/accounts/{account}/factors/{factor}", SCOPE_ENROLL, 0, WORK_QUICK, route_factor_revoke,
	    NULL },
	{ METHOD_POST, "/v1/accounts/{account}/recovery-codes", SCOPE_ENROLL, ROUTE_BODY_BYTES, WORK_QUICK,
	    route_recovery_codes, NULL },
	{ METHOD_POST, "/v1/accounts/{account}/enrollment-links", SCOPE_ENROLL, ROUTE_BODY_BYTES, WORK_QUICK,
	    route_enrollment_link_create, NULL },
	{ METHOD_POST, "/v1/accounts/{account}/activity-links", SCOPE_SESSIONS, ROUTE_BODY_BYTES, WORK_QUICK,
	    route_activity_link_create, NULL },

	{ METHOD_POST, "/v1/pam/verify", SCOPE_PAM, ROUTE_BODY_BYTES, WORK_HASHING, route_pam_verify, NULL },
	{ METHOD_POST, "/v1/pam/account", SCOPE_PAM, ROUTE_BODY_BYTES, WORK_QUICK, route_pam_account, NULL },
	{ METHOD_POST, "/v1/pam/session", SCOPE_PAM, ROUTE_BODY_BYTES, WORK_QUICK, route_pam_session, NULL },
	{ METHOD_POST, "/v1/pam/enroll", SCOPE_PAM, ROUTE_BODY_BYTES, WORK_HASHING, route_pam_enroll, NULL },
	{ METHOD_POST, "/v1/pam/breakglass", SCOPE_PAM, ROUTE_BODY_BYTES, WORK_QUICK, route_pam_breakglass, NULL },
};

const struct route *
routes_api(size_t *out_count)
{
	*out_count = sizeof table / sizeof table[0];
	return table;
}

static const struct route management_table[] = {
	{ METHOD_GET, "/healthz", 0, 0, WORK_INLINE, route_health, NULL },
	{ METHOD_GET, "/readyz", 0, 0, WORK_PROBE, route_readiness, NULL },
	{ METHOD_GET, "/metrics", 0, 0, WORK_INLINE, route_metrics, NULL },
};

const struct route *
routes_management(size_t *out_count)
{
	*out_count = sizeof management_table / sizeof management_table[0];
	return management_table;
}
