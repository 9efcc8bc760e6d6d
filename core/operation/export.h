/* export.h: the rights of the person whom an account is about: see everything (GDPR articles 15 and 20), be forgotten (17). */
#ifndef COUNTERFOIL_EXPORT_H
#define COUNTERFOIL_EXPORT_H

#include "core/operation/caller.h"
#include "core/operation/core.h"

/* Everything that is kept about the account's owner but secrets, as one JSON object.  *out is the caller's to free().
 * *out_retry_after_s > 0: too many were made of it, or by this client, and *out stays NULL.  STATUS_NOT_FOUND. */
enum status export_account(struct core *core, const struct caller *caller, const char *account_id, char **out,
    int64_t *out_retry_after_s) NODISCARD;

/* What names the person goes; the trail stays under the bare id.  Everything open ends at once.  STATUS_NOT_FOUND. */
enum status export_erase(struct core *core, const struct caller *caller, const char *account_id) NODISCARD;

#endif
