#include "core/operation/hashing.h"

#include "core/base/secret.h"

struct password_cost
hashing_cost(const struct core *core, enum realm realm)
{
	const struct realm_policy *policy = core_policy(core, realm);

	return (struct password_cost){ .memory_kib = (uint32_t)policy->argon2_memory_kib,
	    .passes = (uint32_t)policy->argon2_passes };
}

enum status
hashing_hash(struct core *core, enum realm realm, struct bytes password, char out_phc[static PASSWORD_PHC_MAX])
{
	struct password_cost cost = hashing_cost(core, realm);

	atomic_fetch_add_explicit(&core->hashes, 1, memory_order_relaxed);
	return password_hash(&cost, password, out_phc);
}

enum status
hashing_verify(struct core *core, const char *phc, struct bytes password, bool *out_match)
{
	atomic_fetch_add_explicit(&core->hashes, 1, memory_order_relaxed);
	return password_verify(phc, password, out_match);
}

enum status
hashing_seal(struct core *core, const struct seal_place *place, struct bytes password, struct db_bytes *out,
    int64_t *out_key_id)
{
	char phc[PASSWORD_PHC_MAX];
	enum status st;

	if ((st = hashing_hash(core, place->realm, password, phc)) == STATUS_OK)
		st = vault_seal(core, place, bytes_of(phc), out, out_key_id);
	secret_wipe(phc, sizeof phc);
	return st;
}

void
hashing_refresh(struct core *core, const struct seal_place *place, const char *phc, struct bytes password,
    struct db_bytes *out, int64_t *out_key_id)
{
	struct password_cost cost = hashing_cost(core, place->realm);

	if (password_needs_rehash(phc, &cost) && hashing_seal(core, place, password, out, out_key_id) != STATUS_OK)
		out->len = 0;
}

const char *
hashing_decoy(const struct core *core, enum realm realm)
{
	return core->decoys[realm == REALM_STAFF ? REALM_STAFF : REALM_STORE];
}

enum status
hashing_prepare(struct core *core)
{
	enum status st = STATUS_OK;

	for (enum realm realm = REALM_STORE; realm < CORE_REALMS && st == STATUS_OK; realm++) {
		struct password_cost cost = hashing_cost(core, realm);

		st = password_decoy(&cost, core->decoys[realm]);
	}
	return st;
}
