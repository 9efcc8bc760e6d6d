/* session.h: what a sign-in opened: look at a token, list, end; and the devices that spare their owner the code. */
#ifndef COUNTERFOIL_SESSION_H
#define COUNTERFOIL_SESSION_H

#include "core/operation/caller.h"
#include "core/operation/core.h"
#include "core/store/session_sql.h"

#define SESSION_LIST_MAX 1000   /* of one account: no list is longer */

/* What a token is worth at this moment.  ACTIVE false: unknown, ended, expired, or its account is not active; the rest
 * is empty then. */
struct session_info {
	bool active;
	char session_id[UUID_TEXT_BYTES], account_id[UUID_TEXT_BYTES];
	int aal;
	char amr[SESSION_AMR_BYTES];                    /* RFC 8176 names, separated by spaces */
	int64_t auth_time_s, expires_at_s, idle_at_s;   /* idle_at_s: when it ends if nobody uses it */
	int64_t hold_until_s;                           /* as in struct login_result */
	bool trusted_device;
};

/* This counts as a use of the session.  TOKEN of any text: what is not a token's form is an inactive one. */
enum status session_introspect(struct core *core, const struct caller *caller, const char *token,
    struct session_info *out) NODISCARD;

/* The living sessions, newest first, free() the rows.  STATUS_NOT_FOUND: no such account. */
enum status session_list(struct core *core, const struct caller *caller, const char *account_id,
    struct session_item **out, unsigned *out_count) NODISCARD;

/* At once on every node.  STATUS_NOT_FOUND: no such session in the caller's realm; one that is over is fine. */
enum status session_end(struct core *core, const struct caller *caller, const char *session_id) NODISCARD;
/* BUT_TOKEN: of the session to be spared, or NULL. */
enum status session_end_all(struct core *core, const struct caller *caller, const char *account_id,
    const char *but_token, int64_t *out_ended) NODISCARD;

/* Trusted devices, newest first, free() the rows. */
enum status session_devices(struct core *core, const struct caller *caller, const char *account_id,
    struct device_item **out, unsigned *out_count) NODISCARD;
/* Ends the sessions that it opened too.  DEVICE_ID NULL: all devices.  STATUS_NOT_FOUND: no such living device. */
enum status session_revoke_device(struct core *core, const struct caller *caller, const char *account_id,
    const char *device_id, int64_t *out_ended) NODISCARD;

#endif
