#include "pam_module/options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "pam_module/paths.h"

enum { OPTION_COUNT = 7 };

struct known {
	const char *name;               /* ends in '=': takes a value */
	size_t offset;                  /* const char * or bool in struct options */
};

static const struct known table[OPTION_COUNT] = {
	{ "conf=", offsetof(struct options, conf) },
	{ "profile=", offsetof(struct options, profile) },
	{ "factors=", offsetof(struct options, factors) },
	{ "use_first_pass", offsetof(struct options, use_first_pass) },
	{ "try_first_pass", offsetof(struct options, try_first_pass) },
	{ "forward_pass", offsetof(struct options, forward_pass) },
	{ "debug", offsetof(struct options, debug) },
};

static bool
fault(char *error, const char *option, const char *what)
{
	(void)snprintf(error, OPTIONS_ERROR_BYTES, "option %.64s: %s", option, what);
	return false;
}

/* The row for OPTION, -1 when there is none; *out_value is what follows '='. */
static int
find(const char *option, const char **out_value)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		size_t len = strlen(table[i].name);
		bool takes_value = table[i].name[len - 1] == '=';

		if (takes_value ? strncmp(option, table[i].name, len) != 0 : strcmp(option, table[i].name) != 0)
			continue;
		*out_value = option + len;
		return i;
	}
	return -1;
}

static void
set(const struct known *known, const char *value, struct options *out)
{
	void *slot = (char *)out + known->offset;
	const bool yes = true;

	if (known->name[strlen(known->name) - 1] == '=')
		memcpy(slot, &value, sizeof value);
	else
		memcpy(slot, &yes, sizeof yes);
}

bool
options_parse(int argc, const char **argv, struct options *out, char error[static OPTIONS_ERROR_BYTES])
{
	bool seen[OPTION_COUNT] = { false };

	*out = (struct options){ .conf = paths_conf };
	for (int i = 0; i < argc; i++) {
		const char *value = NULL;
		int which = find(argv[i], &value);

		if (which < 0)
			return fault(error, argv[i], "there is none of this name");
		if (seen[which])
			return fault(error, argv[i], "is there twice");
		if (table[which].name[strlen(table[which].name) - 1] == '=' && *value == '\0')
			return fault(error, argv[i], "needs a value");
		seen[which] = true;
		set(&table[which], value, out);
	}
	if (out->use_first_pass && out->try_first_pass)
		return fault(error, "use_first_pass", "excludes try_first_pass");
	return true;
}

/* The PAM line's factors are a word of the same key. */
static const char *
override_factors(const char *factors, struct conf *conf)
{
	size_t count;
	const struct conf_key *keys = conf_keys(&count);

	if (factors == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (strcmp(keys[i].name, "factors") == 0)
			return conf_set(&keys[i], factors, conf);
	return "is no key";
}

bool
options_apply(const struct options *options, struct conf *conf, char error[static CONF_ERROR_BYTES])
{
	const char *wrong = override_factors(options->factors, conf);

	if (wrong != NULL) {
		(void)snprintf(error, CONF_ERROR_BYTES, "option factors=%.64s: %s", options->factors, wrong);
		return false;
	}
	if (conf->factors == FACTORS_OTP && (options->use_first_pass || options->try_first_pass || options->forward_pass)) {
		(void)snprintf(error, CONF_ERROR_BYTES, "factors=otp has no password to take or to hand on");
		return false;
	}
	return true;
}
