#include "core/base/status.h"

#include <stddef.h>

#include <security/_pam_types.h>

static const struct outcome rows[] = {
	{ STATUS_OK, VERDICT_GRANTED, 200, NULL, NULL, PAM_SUCCESS },
	{ STATUS_OK, VERDICT_CHALLENGE, 403, "second-factor-required", "A second factor is required", PAM_AUTH_ERR },
	{ STATUS_OK, VERDICT_CHANGE_REQUIRED, 403, "password-change-required", "The password must be changed",
	    PAM_NEW_AUTHTOK_REQD },
	{ STATUS_OK, VERDICT_DENIED, 403, "denied", "Denied", PAM_AUTH_ERR },
	{ STATUS_OK, VERDICT_THROTTLED, 429, "throttled", "Too many attempts", PAM_MAXTRIES },
	{ STATUS_INVALID, VERDICT_DENIED, 422, "invalid", "The request is not valid", PAM_AUTH_ERR },
	{ STATUS_NOT_FOUND, VERDICT_DENIED, 404, "not-found", "Not found", PAM_AUTH_ERR },
	{ STATUS_CONFLICT, VERDICT_DENIED, 409, "conflict", "The present state does not allow this", PAM_AUTH_ERR },
	{ STATUS_EXPIRED, VERDICT_DENIED, 410, "expired", "Its time is over", PAM_AUTH_ERR },
	{ STATUS_UNAUTHENTICATED, VERDICT_DENIED, 401, "unauthenticated", "A valid API key is required",
	    PAM_SERVICE_ERR },
	{ STATUS_FORBIDDEN, VERDICT_DENIED, 403, "forbidden", "The API key lacks the scope", PAM_SERVICE_ERR },
	{ STATUS_UNAVAILABLE, VERDICT_DENIED, 503, "unavailable", "Temporarily unavailable", PAM_AUTHINFO_UNAVAIL },
	{ STATUS_OVERLOADED, VERDICT_DENIED, 503, "overloaded", "Too much work at the moment", PAM_AUTHINFO_UNAVAIL },
	{ STATUS_NO_MEMORY, VERDICT_DENIED, 503, "unavailable", "Temporarily unavailable", PAM_BUF_ERR },
	{ STATUS_INTERNAL, VERDICT_DENIED, 500, "internal", "Internal error", PAM_SERVICE_ERR },
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

const char *
status_name(enum status status)
{
	static const char *const names[] = { "ok", "invalid", "not_found", "conflict", "expired",
		"unauthenticated", "forbidden", "unavailable", "overloaded", "no_memory", "internal" };

	return (unsigned)status < sizeof names / sizeof names[0] ? names[status] : "unknown";
}

const char *
verdict_name(enum verdict verdict)
{
	static const char *const names[] = { "denied", "throttled", "challenge", "change_required", "granted" };

	return (unsigned)verdict < sizeof names / sizeof names[0] ? names[verdict] : "unknown";
}

const struct outcome *
outcome_of(enum status status, enum verdict verdict)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (rows[i].status != status)
			continue;
		if (status != STATUS_OK || rows[i].verdict == verdict)
			return &rows[i];
	}
	return &rows[ROW_COUNT - 1];
}

const struct outcome *
outcome_rows(unsigned *out_count)
{
	*out_count = ROW_COUNT;
	return rows;
}
