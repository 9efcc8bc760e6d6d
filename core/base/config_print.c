/* config_print.c: a table of keys as a file to begin with. */
#include <string.h>

#include "core/base/config.h"

static const char *
given_value(const struct config_key *key, const struct config_given *given, size_t given_count)
{
	for (size_t i = 0; i < given_count; i++)
		if (strcmp(given[i].section, key->section) == 0 && strcmp(given[i].name, key->name) == 0)
			return given[i].value;
	return NULL;
}

static void
print_key(FILE *out, const struct config_key *key, const char *value)
{
	(void)fprintf(out, "\n# %s", key->summary);
	if (key->type == CONFIG_INTEGER)
		(void)fprintf(out, " From %lld to %lld.", (long long)key->min, (long long)key->max);
	if (value != NULL)
		(void)fprintf(out, "\n%s = %s\n", key->name, value);
	else if (key->initial == NULL)
		(void)fprintf(out, " Required.\n%s =\n", key->name);
	else
		(void)fprintf(out, "\n#%s = %s\n", key->name, key->initial);
}

void
config_print(FILE *out, const struct config_key *keys, size_t key_count, const struct config_given *given,
    size_t given_count)
{
	const char *section = "";

	for (size_t i = 0; i < key_count; i++) {
		if (keys[i].name == NULL)
			continue;
		if (strcmp(section, keys[i].section) != 0)
			(void)fprintf(out, "\n[%s]\n", keys[i].section);
		section = keys[i].section;
		print_key(out, &keys[i], given_value(&keys[i], given, given_count));
	}
}
