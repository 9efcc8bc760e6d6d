/* helper_settings.h: pam-helper.conf: where the database is, which keys, which policy.  Root's business alone. */
#ifndef COUNTERFOIL_PAM_HELPER_SETTINGS_H
#define COUNTERFOIL_PAM_HELPER_SETTINGS_H

#include "core/operation/core.h"

struct helper_settings {
	struct core_settings core;
	int64_t parallel;               /* helpers that work at once on this host */
	char *run_directory;            /* where they count themselves */
};

/* STATUS_INVALID: ERROR says what is wrong and where.  STATUS_NO_MEMORY. */
enum status helper_settings_load(const char *path, struct helper_settings *out,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;
void helper_settings_free(struct helper_settings *settings);

/* For --help and the manual page. */
const struct config_key *helper_settings_own_keys(size_t *out_count);

#endif
