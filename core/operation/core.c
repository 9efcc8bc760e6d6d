#include "core/operation/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/operation/core_inside.h"
#include "core/operation/hashing.h"

#define CLOCK_DRIFT_MAX_S 10    /* of this host against the database: a third of a time step */
#define CLOCK_EARLIEST_S  INT64_C(1735689600)   /* 2025: before it the clock was never set */

const struct realm_policy *
core_policy(const struct core *core, enum realm realm)
{
	return realm == REALM_STORE || realm == REALM_STAFF ? &core->policies[realm] : NULL;
}

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
	if (policy->session_idle_s > policy->session_absolute_s) {
		(void)snprintf(error, CONFIG_ERROR_BYTES, "[realm %s] session_idle_s is longer than session_absolute_s",
		    realm_name(realm));
		return STATUS_INVALID;
	}
	return STATUS_OK;
}

static enum status
take_policy(const struct realm_policy *policy, enum realm realm, struct core *core,
    char error[static CONFIG_ERROR_BYTES])
{
	enum status st;

	if ((st = check_policy(policy, realm, error)) != STATUS_OK)
		return st;
	core->policies[realm] = *policy;
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

enum status
core_open(const struct core_settings *settings, struct core **out, char error[static CONFIG_ERROR_BYTES])
{
	struct core *core = calloc(1, sizeof *core);
	enum status st = STATUS_NO_MEMORY;

	if (core == NULL)
		return st;
	if ((st = take_policy(&settings->store, REALM_STORE, core, error)) != STATUS_OK ||
	    (st = take_policy(&settings->staff, REALM_STAFF, core, error)) != STATUS_OK ||
	    (st = keyring_open(settings->keyring_path, &core->keyring, error)) != STATUS_OK ||
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
	db_close(&(*core)->db);
	keyring_free(&(*core)->keyring);
	for (unsigned realm = 0; realm < CORE_REALMS; realm++)
		free((*core)->policies[realm].issuer);
	free(*core);
	*core = NULL;
}

uint64_t
core_hash_count(const struct core *core)
{
	return atomic_load_explicit(&core->hashes, memory_order_relaxed);
}
