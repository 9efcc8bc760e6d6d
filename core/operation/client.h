/* client.h: the programs that call the API, and their keys. */
#ifndef COUNTERFOIL_CLIENT_H
#define COUNTERFOIL_CLIENT_H

#include "core/operation/caller.h"
#include "core/operation/core.h"

#define CLIENT_NAME_MAX 64
#define CLIENT_SCOPES_MAX 8

/* A bit a scope; the names are those of the interface. */
enum scope {
	SCOPE_LOGIN = 1, SCOPE_ENROLL = 2, SCOPE_ACCOUNTS = 4, SCOPE_SESSIONS = 8, SCOPE_EVENTS = 16, SCOPE_ADMIN = 32,
	SCOPE_PAM = 64,         /* a staff host that asks authd; realm staff only, and no other scope with it */
	SCOPE_LAST = SCOPE_PAM
};
const char *scope_name(enum scope scope);
unsigned scope_of(const char *name);            /* 0: no such scope */

struct client {
	char id[API_KEY_ID_BYTES];
	char name[CLIENT_NAME_MAX * 4 + 1];
	enum realm realm;
	unsigned scopes;
	int64_t created_at_s, expires_at_s, revoked_at_s, last_used_at_s;      /* 0: never */
};

/* Operator only.  OUT_KEY is shown this once.  EXPIRES_AT_S: in the future, or 0 for never. */
enum status client_create(struct core *core, const struct caller *caller, const char *name, enum realm realm,
    unsigned scopes, int64_t expires_at_s, struct client *out, char out_key[static API_KEY_TEXT_BYTES]) NODISCARD;
enum status client_list(struct core *core, const struct caller *caller, struct client **out, unsigned *out_count) NODISCARD;
/* At once, on every node.  STATUS_NOT_FOUND. */
enum status client_revoke(struct core *core, const struct caller *caller, const char *client_id) NODISCARD;

/* Is this caller's key valid and within SCOPE?  For replies that touch no other function. */
enum status client_check(struct core *core, const struct caller *caller, enum scope scope) NODISCARD;

#endif
