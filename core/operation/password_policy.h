/* password_policy.h: may this be a password?  The one place that says so, for all ways to set one (R001 to R011). */
#ifndef COUNTERFOIL_PASSWORD_POLICY_H
#define COUNTERFOIL_PASSWORD_POLICY_H

#include "core/operation/account.h"
#include "core/operation/core_inside.h"

/* TYPED in its normal form, if REALM's policy takes it for the account of LOGIN (canonical).
 * STATUS_INVALID: *refusal says which rule it breaks; its reason stays NULL where TYPED is no text that could be a password.
 * The caller frees *out. */
enum status password_policy_take(const struct core *core, enum realm realm, const char *login, struct bytes typed,
    struct secret **out, struct password_refusal *refusal) NODISCARD;

/* How many code points REALM's policy wants of a new password. */
int64_t password_policy_minimum(const struct core *core, enum realm realm);

#endif
