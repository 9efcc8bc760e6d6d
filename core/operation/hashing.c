#include "core/operation/hashing.h"

#include <stdio.h>
#include <string.h>

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

/* The stored hash in clear, or the decoy. */
static enum status
open_hash(const struct core *core, const struct hashing_check *check, char out[static PASSWORD_PHC_MAX])
{
	struct secret *opened = NULL;
	struct bytes view;
	enum status st;

	if (check->sealed->len == 0) {
		(void)snprintf(out, PASSWORD_PHC_MAX, "%s", hashing_decoy(core, check->place.realm));
		return STATUS_OK;
	}
	if ((st = vault_open(core, &check->place, check->sealed, check->key_id, &opened)) != STATUS_OK)
		return st;
	view = secret_view(opened);
	if (view.len < PASSWORD_PHC_MAX) {
		memcpy(out, view.data, view.len);
		out[view.len] = '\0';
	} else {
		st = STATUS_INTERNAL;
	}
	secret_free(&opened);
	return st;
}

static void
refresh(struct core *core, const char *phc, struct bytes password, struct hashing_check *check)
{
	struct password_cost cost = hashing_cost(core, check->place.realm);

	if (password_needs_rehash(phc, &cost) &&
	    hashing_seal(core, &check->place, password, &check->refreshed, &check->refreshed_key_id) != STATUS_OK)
		check->refreshed.len = 0;
}

enum status
hashing_run(struct core *core, struct hashing_check *check, struct bytes password)
{
	char phc[PASSWORD_PHC_MAX];
	bool match = false;
	enum status st;

	check->matched = false;
	check->refreshed.len = 0;
	if ((st = open_hash(core, check, phc)) == STATUS_OK &&
	    (st = hashing_verify(core, phc, password, &match)) == STATUS_OK)
		check->matched = match && check->sealed->len > 0;
	if (st == STATUS_OK && check->matched)
		refresh(core, phc, password, check);
	secret_wipe(phc, sizeof phc);
	return st;
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
