#include "pam_module/helper_settings.h"

#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct helper_settings, member)
#define PATH_MAX_BYTES 1024

_Static_assert(offsetof(struct helper_settings, core) == 0, "the keys of the core keep their offsets");

static const struct config_key own_keys[] = {
	{ "helper", "parallel", CONFIG_INTEGER, AT(parallel), "4", 1, 256,
	    "Verifications at once on this host; each holds the memory of one password hash." },
	{ "helper", "run_directory", CONFIG_TEXT, AT(run_directory), COUNTERFOIL_RUNDIR, 1, PATH_MAX_BYTES,
	    "Folder, root's, where they are counted." },
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

enum status
helper_settings_load(const char *path, struct helper_settings *out, char error[static CONFIG_ERROR_BYTES])
{
	size_t count;
	struct config_key *keys = all_keys(&count);
	enum status st = STATUS_NO_MEMORY;

	memset(out, 0, sizeof *out);
	if (keys != NULL)
		st = config_load(path, keys, count, out, error);
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
