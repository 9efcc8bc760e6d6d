#include "core/operation/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/credential/otpauth.h"
#include "core/operation/core_inside.h"
#include "core/operation/enrollment_label.h"
#include "core/operation/hashing.h"
#include "core/operation/schema.h"
#include "core/store/house_sql.h"

#define MAINTAIN_BATCH    5000  /* rows of a kind: a moment's work, and no lock for longer */
#define CLOCK_DRIFT_MAX_S 10    /* of this host against the database: a third of a time step */
#define CLOCK_EARLIEST_S  INT64_C(1735689600)   /* 2025: before it the clock was never set */

/* --- opening --------------------------------------------------------------------------------------------------------- */

static enum status
check_policy(const struct realm_policy *policy, enum realm realm, char error[static CONFIG_ERROR_BYTES])
{
	struct password_cost cost = { (uint32_t)policy->argon2_memory_kib, (uint32_t)policy->argon2_passes };

	if (!password_cost_is_acceptable(&cost)) {
		(void)snprintf(error, CONFIG_ERROR_BYTES, "[realm %s] argon2_memory_kib = %lld with argon2_passes = %lld is "
		    "too cheap: OWASP asks for at least 47104 with 1, 19456 with 2, or 12288 with 3 passes",
		    realm_name(realm), (long long)policy->argon2_memory_kib, (long long)policy->argon2_passes);
		return STATUS_INVALID;
	}
	if (enrollment_check_issuer(policy->issuer) != STATUS_OK) {
		(void)snprintf(error, CONFIG_ERROR_BYTES, "[realm %s] issuer = %s: authenticator apps take 1 to %d characters "
		    "without a colon", realm_name(realm), policy->issuer, OTPAUTH_ISSUER_MAX_POINTS);
		return STATUS_INVALID;
	}
	if (policy->session_idle_s > policy->session_absolute_s) {
		(void)snprintf(error, CONFIG_ERROR_BYTES, "[realm %s] session_idle_s is longer than session_absolute_s",
		    realm_name(realm));
		return STATUS_INVALID;
	}
	return STATUS_OK;
}

/* The numbers as SQL takes them. */
static void
fill_sql_policies(const struct realm_policy *policy, struct db_throttle *throttle, struct db_login_policy *login)
{
	*throttle = (struct db_throttle){
		.pair_limit = policy->throttle_pair_limit,
		.account_limit = policy->throttle_account_limit,
		.account_delay_s = policy->throttle_account_delay_s,
		.source_limit = policy->throttle_source_limit,
		.client_limit = policy->throttle_client_limit,
		.code_limit = policy->throttle_code_limit,
		.delay_s = policy->throttle_delay_s,
		.delay_max_s = policy->throttle_delay_max_s,
		.forget_s = policy->throttle_forget_s,
		.known_source_s = policy->throttle_known_source_s,
		.factor_failures_max = policy->throttle_factor_failures_max,
	};
	*login = (struct db_login_policy){
		.second_factor_required = policy->second_factor_required,
		.challenge_ttl_s = policy->challenge_ttl_s,
		.ticket_ttl_s = policy->ticket_ttl_s,
		.session_idle_s = policy->session_idle_s,
		.session_absolute_s = policy->session_absolute_s,
		.sessions_max = policy->sessions_max,
		.device_ttl_s = policy->device_ttl_s,
		.device_grace_s = policy->device_grace_s,
	};
}

static enum status
take_policy(const struct realm_policy *policy, enum realm realm, struct core *core,
    char error[static CONFIG_ERROR_BYTES])
{
	enum status st;

	if ((st = check_policy(policy, realm, error)) != STATUS_OK)
		return st;
	core->policies[realm] = *policy;
	fill_sql_policies(policy, &core->throttles[realm], &core->logins[realm]);
	core->policies[realm].issuer = strdup(policy->issuer);
	return core->policies[realm].issuer != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status
open_database(const struct core_settings *settings, struct core *core, char error[static CONFIG_ERROR_BYTES])
{
	const struct db_settings db = {
		.url = settings->database_url,
		.user = settings->database_user,
		.application = "counterfoil",
		.connections = (unsigned)settings->database_connections,
		.connect_timeout_ms = settings->database_connect_timeout_s * 1000,
		.statement_timeout_ms = settings->database_statement_timeout_ms,
	};

	return db_open(&db, &core->db, error);
}

/* The list that comes with the program may be missing: programs say so (core_has_blocklist()), and the rest of the policy
 * holds.  A list that the operator names must be there. */
static enum status
open_blocklist(const char *path, struct core *core, char error[static CONFIG_ERROR_BYTES])
{
	enum status st;

	if (path[0] == '\0')
		return STATUS_OK;
	st = blocklist_open(path, &core->blocklist, error);
	return st == STATUS_NOT_FOUND && strcmp(path, COUNTERFOIL_BLOCKLIST) == 0 ? STATUS_OK : st;
}

bool
core_has_blocklist(const struct core *core)
{
	return core->blocklist != NULL;
}

static void
take_maintenance(const struct core_settings *settings, struct core *core)
{
	int64_t store = settings->store.throttle_forget_s, staff = settings->staff.throttle_forget_s;

	core->budgets_max = settings->maintenance_budgets_max;
	core->keep_s = settings->maintenance_keep_s;
	core->forget_s = store > staff ? store : staff;
}

static enum status
take_words(const char *words, struct core *core)
{
	core->context_words = strdup(words);
	return core->context_words != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status
core_open(const struct core_settings *settings, struct core **out, char error[static CONFIG_ERROR_BYTES])
{
	struct core *core = calloc(1, sizeof *core);
	enum status st = STATUS_NO_MEMORY;

	if (core == NULL)
		return st;
	take_maintenance(settings, core);
	if ((st = take_policy(&settings->store, REALM_STORE, core, error)) != STATUS_OK ||
	    (st = take_policy(&settings->staff, REALM_STAFF, core, error)) != STATUS_OK ||
	    (st = keyring_open(settings->keyring_path, &core->keyring, error)) != STATUS_OK ||
	    (st = open_blocklist(settings->blocklist_path, core, error)) != STATUS_OK ||
	    (st = take_words(settings->context_words, core)) != STATUS_OK ||
	    (st = open_database(settings, core, error)) != STATUS_OK ||
	    (st = hashing_prepare(core)) != STATUS_OK) {
		core_close(&core);
		return st == STATUS_NOT_FOUND ? STATUS_INVALID : st;
	}
	*out = core;
	return STATUS_OK;
}

void
core_close(struct core **core)
{
	if (core == NULL || *core == NULL)
		return;
	slots_stop(&(*core)->slots);
	db_close(&(*core)->db);
	keyring_free(&(*core)->keyring);
	blocklist_close(&(*core)->blocklist);
	free((*core)->context_words);
	for (unsigned realm = 0; realm < CORE_REALMS; realm++)
		free((*core)->policies[realm].issuer);
	free(*core);
	*core = NULL;
}

/* --- readiness ------------------------------------------------------------------------------------------------------- */

static bool
has_keys(const struct core *core, enum realm realm)
{
	return keyring_has_realm(core->keyring, realm) && keyring_seal_id(core->keyring, realm) > 0;
}

enum status
core_readiness(struct core *core, struct core_readiness *out)
{
	int64_t now_s = clock_now_s();
	struct readiness_row row;
	enum status st;

	*out = (struct core_readiness){ false, false, false, false };
	out->keys = has_keys(core, REALM_STORE) && has_keys(core, REALM_STAFF) && has_keys(core, REALM_SERVICE);
	out->clock = now_s >= CLOCK_EARLIEST_S;
	if ((st = house_sql_readiness(core->db, &row)) != STATUS_OK)
		return st;
	out->database = row.writable;
	out->schema = row.schema_number >= SCHEMA_NUMBER;
	out->clock = out->clock && now_s - row.now_s <= CLOCK_DRIFT_MAX_S && row.now_s - now_s <= CLOCK_DRIFT_MAX_S;
	return STATUS_OK;
}

enum status
core_maintain(struct core *core, bool *out_more)
{
	int64_t removed = 0;
	enum status st = house_sql_maintain(core->db, core->budgets_max, core->forget_s, core->keep_s, MAINTAIN_BATCH,
	    &removed);

	*out_more = st == STATUS_OK && removed >= MAINTAIN_BATCH;
	return st;
}

static void
count_weak(const struct core *core, const struct password_form_row *row, struct core_weak_hashes *out)
{
	enum realm realm = (enum realm)row->realm;
	struct password_cost cost;

	if (core_policy(core, realm) == NULL)
		return;
	cost = hashing_cost(core, realm);
	if (password_form_is_weaker(row->form, &cost))
		*(realm == REALM_STAFF ? &out->staff : &out->store) += row->accounts;
}

enum status
core_weak_hashes(struct core *core, struct core_weak_hashes *out)
{
	struct password_form_row *rows = NULL;
	unsigned count = 0;
	enum status st;

	*out = (struct core_weak_hashes){ 0, 0 };
	if ((st = house_sql_password_forms(core->db, CORE_WEAK_HASHES_MAX, &rows, &count)) != STATUS_OK)
		return st;
	for (unsigned i = 0; i < count; i++)
		count_weak(core, &rows[i], out);
	free(rows);
	return STATUS_OK;
}

enum status
core_start_slots(struct core *core, const struct slots_options *options, char error[static CONFIG_ERROR_BYTES])
{
	struct slots_options mine = *options;

	mine.memory_kib = 0;
	for (enum realm realm = REALM_STORE; realm < CORE_REALMS; realm++) {
		struct password_cost cost = hashing_cost(core, realm);

		if (cost.memory_kib > mine.memory_kib)
			mine.memory_kib = cost.memory_kib;
	}
	return slots_start(&mine, &core->slots, error);
}

struct slots *
core_slots(const struct core *core)
{
	return core->slots;
}

uint64_t
core_hash_count(const struct core *core)
{
	return atomic_load_explicit(&core->hashes, memory_order_relaxed);
}
