/* hashing.h: the one door to Argon2: every hash of every operation goes through here and is counted here.
 * Nobody holds a database connection while he is inside. */
#ifndef COUNTERFOIL_HASHING_H
#define COUNTERFOIL_HASHING_H

#include "core/operation/core_inside.h"
#include "core/operation/vault.h"

/* Hash PASSWORD at the cost of REALM's policy.  Outcomes as password_hash(); STATUS_OVERLOADED. */
enum status hashing_hash(struct core *core, enum realm realm, struct bytes password,
    char out_phc[static PASSWORD_PHC_MAX]) NODISCARD;

/* Outcomes as password_verify(); STATUS_OVERLOADED. */
enum status hashing_verify(struct core *core, const char *phc, struct bytes password, bool *out_match) NODISCARD;

/* One password against what is stored of an account. */
struct hashing_check {
	struct seal_place place;
	const struct db_bytes *sealed;          /* the sealed hash; empty: there is none, and the decoy costs the same */
	int64_t key_id;
	bool matched;                           /* out; a decoy never matches */
	struct db_bytes refreshed;              /* out: the same password at today's cost, where SEALED is weaker than the
	                                         * policy; empty: nothing to be done, or it did not work out this time */
	int64_t refreshed_key_id;
};
enum status hashing_run(struct core *core, struct hashing_check *check, struct bytes password) NODISCARD;

/* Hash PASSWORD at the cost of PLACE's realm, and seal the hash. */
enum status hashing_seal(struct core *core, const struct seal_place *place, struct bytes password, struct db_bytes *out,
    int64_t *out_key_id) NODISCARD;

/* The decoy of REALM, a hash that nothing matches, at the cost of REALM's policy. */
const char *hashing_decoy(const struct core *core, enum realm realm);

/* Make the decoys of all realms.  Once, at core_open(). */
enum status hashing_prepare(struct core *core) NODISCARD;

/* What REALM's passwords are hashed with. */
struct password_cost hashing_cost(const struct core *core, enum realm realm);

#endif
