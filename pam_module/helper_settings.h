/* helper_settings.h: pam-helper.conf: where the verification is done, and with which keys.  Root's business alone. */
#ifndef COUNTERFOIL_PAM_HELPER_SETTINGS_H
#define COUNTERFOIL_PAM_HELPER_SETTINGS_H

#include "core/operation/core.h"
#include "pam_module/wire.h"

/* [authd]: the service, and what this host proves itself to it with. */
struct authd_settings {
	char *url;                      /* https://HOST[:PORT] */
	char *ca_file, *pin;            /* empty: not given */
	char *host_key_file;
	char *ticket_key_file;          /* the service's public key for offline tickets */
};

struct helper_settings {
	struct core_settings core;      /* back end postgresql; all zero otherwise */
	struct authd_settings authd;    /* back end authd; all zero otherwise */
	int64_t parallel;               /* helpers that work at once on this host */
	char *run_directory;            /* where they count themselves */
	char *breakglass_directory;     /* where the codes for an outage lie */
	int64_t breakglass_failures, breakglass_outage_s;       /* what makes an outage: so many, and over so long */
	int64_t breakglass_days;        /* how long a code is good */
};

/* What BACKEND needs of the file at PATH; the sections of another back end are not looked at.
 * STATUS_INVALID: ERROR says what is wrong and where.  STATUS_NO_MEMORY. */
enum status helper_settings_load(const char *path, enum wire_backend backend, struct helper_settings *out,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;
void helper_settings_free(struct helper_settings *settings);

/* The keys that no other program has, for the manual page. */
const struct config_key *helper_settings_own_keys(size_t *out_count);

/* What break-glass codes are hashed with: as passwords of the staff are. */
struct password_cost helper_settings_cost(const struct helper_settings *settings);

#endif
