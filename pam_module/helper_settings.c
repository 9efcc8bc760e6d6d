#include "pam_module/helper_settings.h"

#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct helper_settings, member)
#define PATH_MAX_BYTES 1024
#define URL_MAX_BYTES  300
#define PINS_MAX_BYTES 512

_Static_assert(offsetof(struct helper_settings, core) == 0, "the keys of the core keep their offsets");

static const struct config_key own_keys[] = {
	{ "helper", "parallel", CONFIG_INTEGER, AT(parallel), "4", 1, 256,
	    "Verifications at once on this host; each holds the memory of one password hash." },
	{ "helper", "run_directory", CONFIG_TEXT, AT(run_directory), COUNTERFOIL_RUNDIR, 1, PATH_MAX_BYTES,
	    "Folder, root's, where they are counted, and where offline tickets lie: of memory, so that they end with the boot." },
	{ "authd", "url", CONFIG_TEXT, AT(authd.url), NULL, 9, URL_MAX_BYTES,
	    "The service: https://HOST or https://HOST:PORT, by the name that its certificate has." },
	{ "authd", "ca_file", CONFIG_TEXT, AT(authd.ca_file), "", 0, PATH_MAX_BYTES,
	    "The certificate of the authority that the service's certificate is from; no other authority counts." },
	{ "authd", "pin", CONFIG_TEXT, AT(authd.pin), "", 0, PINS_MAX_BYTES,
	    "The service's public key, sha256//BASE64; several with a semicolon between. Beside ca_file both must hold." },
	{ "authd", "host_key_file", CONFIG_TEXT, AT(authd.host_key_file), COUNTERFOIL_CONFDIR "/host.key", 1, PATH_MAX_BYTES,
	    "File, root's and mode 0600, with this host's own key: cf_ID_SECRET." },
	{ "authd", "ticket_key_file", CONFIG_TEXT, AT(authd.ticket_key_file), COUNTERFOIL_CONFDIR "/ticket-key.pub", 1, PATH_MAX_BYTES,
	    "File, root's, with the service's public key for offline = ticket: what counterfoil pam ticket-key prints." },
	{ "breakglass", "directory", CONFIG_TEXT, AT(breakglass_directory), COUNTERFOIL_STATEDIR, 1, 240,
	    "Folder, root's alone, where this host keeps its break-glass codes, and notes how long the back end is away." },
	{ "breakglass", "failures", CONFIG_INTEGER, AT(breakglass_failures), "3", 2, 100,
	    "How often in a row the back end must have been out of reach before a code or a ticket counts." },
	{ "breakglass", "outage_s", CONFIG_INTEGER, AT(breakglass_outage_s), "60", 30, 86400,
	    "Seconds from the first of these failures to the last." },
	{ "breakglass", "days", CONFIG_INTEGER, AT(breakglass_days), "90", 1, 366,
	    "Days for which a code is good." },
};

enum { OWN_COUNT = sizeof own_keys / sizeof own_keys[0] };

const struct config_key *
helper_settings_own_keys(size_t *out_count)
{
	*out_count = OWN_COUNT;
	return own_keys;
}

/* A staff host is not the service: another role, and a single connection. */
static void
change_default(struct config_key *key)
{
	if (strcmp(key->section, "database") != 0)
		return;
	if (strcmp(key->name, "user") == 0)
		key->initial = "counterfoil_pam";
	else if (strcmp(key->name, "connections") == 0)
		key->initial = "1";
}

/* The keys of the core and ours as one table; free() it. */
static struct config_key *
all_keys(size_t *out_count)
{
	size_t core_count;
	const struct config_key *core = core_config_keys(&core_count);
	struct config_key *keys = calloc(core_count + OWN_COUNT, sizeof *keys);

	if (keys == NULL)
		return NULL;
	memcpy(keys, core, core_count * sizeof *keys);
	memcpy(keys + core_count, own_keys, sizeof own_keys);
	for (size_t i = 0; i < core_count; i++)
		change_default(&keys[i]);
	*out_count = core_count + OWN_COUNT;
	return keys;
}

/* A host that asks the service has no database, and one that has a database need not name a service. */
static void
skip_other_back_end(struct config_key *keys, size_t count, enum wire_backend backend)
{
	for (size_t i = 0; i < count; i++) {
		bool is_own = i >= count - OWN_COUNT, is_authd = is_own && strcmp(keys[i].section, "authd") == 0;

		if (backend == WIRE_AUTHD ? !is_own : is_authd)
			keys[i].name = NULL;
	}
}

enum status
helper_settings_load(const char *path, enum wire_backend backend, struct helper_settings *out,
    char error[static CONFIG_ERROR_BYTES])
{
	size_t count;
	struct config_key *keys = all_keys(&count);
	enum status st = STATUS_NO_MEMORY;

	memset(out, 0, sizeof *out);
	if (keys != NULL) {
		skip_other_back_end(keys, count, backend);
		st = config_load(path, keys, count, out, error);
	}
	free(keys);
	return st;
}

void
helper_settings_free(struct helper_settings *settings)
{
	size_t count;
	struct config_key *keys = all_keys(&count);

	if (keys != NULL)
		config_free_values(keys, count, settings);
	free(keys);
}

struct password_cost
helper_settings_cost(const struct helper_settings *settings)
{
	/* the default of [realm staff], which a host that asks the service has not */
	static const struct password_cost staff = { .memory_kib = 65536, .passes = 3 };
	const struct realm_policy *policy = &settings->core.staff;

	if (policy->argon2_memory_kib == 0)
		return staff;
	return (struct password_cost){ (uint32_t)policy->argon2_memory_kib, (uint32_t)policy->argon2_passes };
}
