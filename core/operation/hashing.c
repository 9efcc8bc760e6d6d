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

/* --- one run of Argon2 ----------------------------------------------------------------------------------------------- */

static struct slots_source
source_of(const struct caller *caller)
{
	if (caller->kind == CALLER_HOST && caller->key_id[0] != '\0')
		return slots_source_of_host(caller->key_id, caller->source_ip);
	return slots_source_of(caller->source_ip);
}

enum status
hashing_enter(struct core *core, const struct caller *caller, enum realm realm, struct slots_turn *turn)
{
	struct password_cost cost;

	memset(turn, 0, sizeof *turn);
	if (core->slots == NULL || core_policy(core, realm) == NULL)
		return STATUS_OK;
	cost = hashing_cost(core, realm);
	return slots_enter(core->slots, source_of(caller), caller->watch_fd, cost.memory_kib, cost.passes, turn);
}

void
hashing_leave(struct core *core, struct slots_turn *turn, bool failed)
{
	if (core->slots != NULL)
		slots_leave(core->slots, turn, failed);
}

static enum status
run_job(struct core *core, struct slots_turn *turn, struct argon2_job *job)
{
	atomic_fetch_add_explicit(&core->hashes, 1, memory_order_relaxed);
	if (core->slots != NULL)
		return slots_run(core->slots, turn, job);
	argon2_engine_run_alone(job);
	return STATUS_OK;
}

static enum status
hash(struct core *core, struct slots_turn *turn, enum realm realm, struct bytes password,
    char out_phc[static PASSWORD_PHC_MAX])
{
	struct password_cost cost = hashing_cost(core, realm);
	struct password_run run;
	enum status st, ran;

	if ((st = password_hash_begin(&cost, password, &run)) != STATUS_OK)
		return st;
	ran = run_job(core, turn, &run.job);
	st = password_hash_end(&run, out_phc);
	return ran != STATUS_OK ? ran : st;
}

static enum status
verify(struct core *core, struct slots_turn *turn, const char *phc, struct bytes password, bool *out_match)
{
	struct password_run run;
	enum status st, ran;

	if ((st = password_verify_begin(phc, password, &run)) != STATUS_OK)
		return st;
	ran = run_job(core, turn, &run.job);
	st = password_verify_end(&run, out_match);
	return ran != STATUS_OK ? ran : st;
}

/* --- hashes of accounts ---------------------------------------------------------------------------------------------- */

enum status
hashing_seal(struct core *core, struct slots_turn *turn, const struct seal_place *place, struct bytes password,
    struct db_bytes *out, int64_t *out_key_id)
{
	char phc[PASSWORD_PHC_MAX];
	enum status st;

	if ((st = hash(core, turn, place->realm, password, phc)) == STATUS_OK)
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
refresh(struct core *core, struct slots_turn *turn, const char *phc, struct bytes password, struct hashing_check *check)
{
	struct password_cost cost = hashing_cost(core, check->place.realm);

	password_form(phc, check->form);
	if (!password_form_is_weaker(check->form, &cost))
		return;
	if (hashing_seal(core, turn, &check->place, password, &check->refreshed, &check->refreshed_key_id) == STATUS_OK)
		memcpy(check->form, hashing_form(core, check->place.realm), sizeof check->form);
	else
		check->refreshed.len = 0;
}

enum status
hashing_run(struct core *core, struct slots_turn *turn, struct hashing_check *check, struct bytes password)
{
	char phc[PASSWORD_PHC_MAX];
	bool match = false;
	enum status st;

	check->matched = false;
	check->refreshed.len = 0;
	if ((st = open_hash(core, check, phc)) == STATUS_OK &&
	    (st = verify(core, turn, phc, password, &match)) == STATUS_OK)
		check->matched = match && check->sealed->len > 0;
	if (st == STATUS_OK && check->matched)
		refresh(core, turn, phc, password, check);
	secret_wipe(phc, sizeof phc);
	return st;
}

const char *
hashing_decoy(const struct core *core, enum realm realm)
{
	return core->decoys[realm == REALM_STAFF ? REALM_STAFF : REALM_STORE];
}

const char *
hashing_form(const struct core *core, enum realm realm)
{
	return core->forms[realm == REALM_STAFF ? REALM_STAFF : REALM_STORE];
}

enum status
hashing_prepare(struct core *core)
{
	enum status st = STATUS_OK;

	for (enum realm realm = REALM_STORE; realm < CORE_REALMS && st == STATUS_OK; realm++) {
		struct password_cost cost = hashing_cost(core, realm);

		if ((st = password_decoy(&cost, core->decoys[realm])) == STATUS_OK)
			password_form(core->decoys[realm], core->forms[realm]);
	}
	return st;
}
