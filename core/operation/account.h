/* account.h: the life of an account. */
#ifndef COUNTERFOIL_ACCOUNT_H
#define COUNTERFOIL_ACCOUNT_H

#include "core/base/secret.h"
#include "core/base/text.h"
#include "core/operation/caller.h"
#include "core/operation/core.h"

#define ACCOUNT_EXTERNAL_ID_MAX 128     /* bytes, printable UTF-8 */

struct account {
	char id[UUID_TEXT_BYTES];
	enum realm realm;
	char login[TEXT_LOGIN_MAX_BYTES + 1];           /* canonical */
	char external_id[ACCOUNT_EXTERNAL_ID_MAX + 1];  /* empty: none */
	char state[16];                                 /* active | locked | disabled | erased */
	bool has_password, must_change, second_factor;  /* second_factor: an active TOTP factor exists */
	int64_t created_at_s, password_changed_at_s;    /* 0: never */
	int64_t hold_until_s;                           /* after a recovery, the shop delays what moves money; 0: no hold */
};

/* Why a new password is refused: a constant ("too_short", "too_long", "common", "context"), NULL when it is not. */
struct password_refusal { const char *reason; int64_t minimum_points; };

struct account_new {
	struct bytes login;                     /* as typed */
	struct bytes password;                  /* empty: an account without one */
	struct bytes external_id;               /* empty: none */
	const char *idempotency_key;            /* 1 to 128 printable ASCII characters, or NULL */
	enum realm realm;                       /* CALLER_OPERATOR; clients create in their own realm */
};

/* STATUS_OK       the account as it is now.
 * STATUS_INVALID  login or external id out of bounds, or *refusal says why the password is not taken.
 * STATUS_CONFLICT the login is taken, or the idempotency key was used for another request. */
enum status account_create(struct core *core, const struct caller *caller, const struct account_new *new_account,
    struct account *out, struct password_refusal *refusal) NODISCARD;

/* STATUS_NOT_FOUND: no such account in the caller's realm. */
enum status account_get(struct core *core, const struct caller *caller, const char *account_id,
    struct account *out) NODISCARD;
enum status account_find(struct core *core, const struct caller *caller, struct bytes login,
    struct account *out) NODISCARD;

/* Lock and unlock: idempotent.  Locking ends every session and challenge of the account in the same statement. */
enum status account_lock(struct core *core, const struct caller *caller, const char *account_id, const char *reason,
    struct account *out) NODISCARD;
enum status account_unlock(struct core *core, const struct caller *caller, const char *account_id,
    struct account *out) NODISCARD;

/* Change with the current password: counts as an attempt.  The verdict decides: GRANTED is done, DENIED is a wrong
 * current password (or an account that is not active).  STATUS_INVALID with *refusal: the new one is not taken. */
struct password_change_result { enum verdict verdict; int64_t retry_after_s; struct password_refusal refusal; };
enum status account_change_password(struct core *core, const struct caller *caller, const char *account_id,
    struct bytes current, struct bytes new_password, struct password_change_result *out) NODISCARD;

/* The state of LOGIN for the account phase of PAM, without any proof: nothing of a credential is in it.
 * CALLER_HOST and CALLER_OPERATOR only, else STATUS_FORBIDDEN.  An unknown login is STATUS_OK with known = false. */
struct account_status {
	bool known, is_active;
	char account_id[UUID_TEXT_BYTES];       /* empty when unknown */
	char state[16];                 /* as in struct account; empty when unknown */
	bool must_change, second_factor;
	int64_t training_due_at_s;      /* 0: none is due */
};
enum status account_status(struct core *core, const struct caller *caller, struct bytes login,
    struct account_status *out) NODISCARD;

/* Start a reset: a single-use ticket for its owner, the newest alone counts.  Nobody learns a password, and the second factor
 * stays.  STATUS_CONFLICT: the account is not active.  OUT is the caller's to wipe. */
struct reset_ticket {
	int64_t retry_after_s;          /* > 0: too many were started, there is none */
	char text[TOKEN_TEXT_BYTES];
	int64_t expires_at_s;
};
enum status account_start_reset(struct core *core, const struct caller *caller, const char *account_id,
    struct reset_ticket *out) NODISCARD;

/* Set a new password with a ticket of a reset, or of a login that ended in CHANGE_REQUIRED.  DENIED: the ticket is unknown,
 * used or expired.  STATUS_INVALID with *refusal: the new one is not taken, and the ticket is still good. */
enum status account_use_ticket(struct core *core, const struct caller *caller, const char *account_id, const char *ticket,
    struct bytes new_password, struct password_change_result *out) NODISCARD;

/* Operator only (refused by SQL for API clients): the first password of an account made without one,
 * or a new one that its owner must change at once. */
enum status account_set_password(struct core *core, const struct caller *caller, const char *account_id,
    struct bytes new_password, bool must_change, struct password_refusal *refusal) NODISCARD;

#endif
