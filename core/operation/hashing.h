/* hashing.h: the one door to Argon2: every hash of every operation goes through here and is counted here.
 * Nobody holds a database connection while he is inside. */
#ifndef COUNTERFOIL_HASHING_H
#define COUNTERFOIL_HASHING_H

#include "core/operation/core_inside.h"
#include "core/operation/vault.h"

/* A request that will hash takes a place in the queue before it does anything else, so that it is refused at once where it
 * could not be served in time, before an attempt is claimed.  STATUS_OVERLOADED.  hashing_leave() follows in any case;
 * FAILED: the password was wrong. */
enum status hashing_enter(struct core *core, const struct caller *caller, enum realm realm,
    struct slots_turn *turn) NODISCARD;
void hashing_leave(struct core *core, struct slots_turn *turn, bool failed);

/* One password against what is stored of an account. */
struct hashing_check {
	struct seal_place place;
	const struct db_bytes *sealed;          /* the sealed hash; empty: there is none, and the decoy costs the same */
	int64_t key_id;
	bool matched;                           /* out; a decoy never matches */
	struct db_bytes refreshed;              /* out: the same password at today's cost, where SEALED is weaker than the
	                                         * policy; empty: nothing to be done, or it did not work out this time */
	int64_t refreshed_key_id;
	char form[PASSWORD_FORM_BYTES];         /* out: of the refreshed hash or, without one, of what is stored */
};
/* STATUS_OVERLOADED; STATUS_UNAVAILABLE: nobody waits for the answer any more; STATUS_INTERNAL: what is stored is no hash. */
enum status hashing_run(struct core *core, struct slots_turn *turn, struct hashing_check *check,
    struct bytes password) NODISCARD;

/* Hash PASSWORD at the cost of PLACE's realm, and seal the hash. */
enum status hashing_seal(struct core *core, struct slots_turn *turn, const struct seal_place *place,
    struct bytes password, struct db_bytes *out, int64_t *out_key_id) NODISCARD;

/* The decoy of REALM, a hash that nothing matches, at the cost of REALM's policy. */
const char *hashing_decoy(const struct core *core, enum realm realm);

/* The form (password.h) of every hash that hashing_seal() makes for REALM. */
const char *hashing_form(const struct core *core, enum realm realm);

/* Make the decoys of all realms.  Once, at core_open(). */
enum status hashing_prepare(struct core *core) NODISCARD;

/* What REALM's passwords are hashed with. */
struct password_cost hashing_cost(const struct core *core, enum realm realm);

#endif
