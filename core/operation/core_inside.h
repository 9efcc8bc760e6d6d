/* core_inside.h: what struct core holds.  For core/operation's own files. */
#ifndef COUNTERFOIL_CORE_INSIDE_H
#define COUNTERFOIL_CORE_INSIDE_H

#include <stdatomic.h>

#include "core/credential/blocklist.h"
#include "core/operation/caller.h"
#include "core/operation/core.h"
#include "core/operation/slots.h"
#include "core/store/db.h"

#define CORE_REALMS (REALM_STAFF + 1)   /* indexed by enum realm; the realms that have accounts */

struct core {
	struct db *db;
	struct keyring *keyring;
	struct realm_policy policies[CORE_REALMS];
	struct db_throttle throttles[CORE_REALMS];      /* the same numbers as SQL takes them */
	struct db_login_policy logins[CORE_REALMS];
	char decoys[CORE_REALMS][PASSWORD_PHC_MAX];     /* what an account without a usable password is verified against */
	char forms[CORE_REALMS][PASSWORD_FORM_BYTES];   /* of those, and of every new hash */
	struct blocklist *blocklist;    /* NULL: there is none */
	char *context_words;
	int64_t budgets_max, keep_s, forget_s;  /* for core_maintain() */
	_Atomic uint64_t hashes;
	struct slots *slots;            /* NULL: a program that hashes now and then, in the thread that asks */
};

/* NULL: REALM has no accounts. */
const struct realm_policy *core_policy(const struct core *core, enum realm realm);

/* --- a caller for SQL (caller.c) ----------------------------------------------------------------------------------- */

struct caller_bound {
	struct db_caller db;
	uint8_t key_digest[DIGEST_BYTES];
};

/* The realm whose accounts CALLER asks about; REALM_NONE: it may not ask. */
enum realm caller_realm(const struct caller *caller);

/* What SQL is told about CALLER, which OUT borrows from.  STATUS_UNAUTHENTICATED: a kind that may do nothing.
 * STATUS_INTERNAL: the keyring lacks the digest key of the programs' keys. */
enum status caller_bind(const struct core *core, const struct caller *caller, struct caller_bound *out) NODISCARD;
/* The same for the hosted page, whose token is its credential. */
enum status caller_bind_page(const struct caller *page, struct caller_bound *out) NODISCARD;

#endif
