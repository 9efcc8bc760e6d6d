#include "core/operation/password_policy.h"

#include <string.h>

#include "core/base/text.h"

static int64_t
minimum_of(const struct realm_policy *policy)
{
	return policy->second_factor_required ? policy->password_min_points : policy->password_only_min_points;
}

enum status
password_policy_take(const struct core *core, enum realm realm, const char *login, struct bytes typed,
    struct secret **out, struct password_refusal *refusal)
{
	const struct realm_policy *policy = core_policy(core, realm);
	struct secret *normal = NULL;
	size_t points = 0;
	enum status st;

	(void)login;
	refusal->reason = NULL;
	refusal->minimum_points = minimum_of(policy);
	st = text_password(typed, &normal, &points);
	if (st == STATUS_INVALID && text_points(typed) > TEXT_PASSWORD_MAX_POINTS)
		refusal->reason = "too_long";
	if (st != STATUS_OK)
		return st;
	if ((int64_t)points < refusal->minimum_points) {
		refusal->reason = "too_short";
		secret_free(&normal);
		return STATUS_INVALID;
	}
	*out = normal;
	return STATUS_OK;
}
