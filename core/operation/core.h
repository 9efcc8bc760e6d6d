/* core.h: what every operation needs, opened once a process: settings, keys, database pool, policies.
 * Thread-safe after core_open(): any number of threads call operations at once. */
#ifndef COUNTERFOIL_CORE_H
#define COUNTERFOIL_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/config.h"
#include "core/base/entropy.h"
#include "core/base/status.h"
#include "core/credential/keyring.h"
#include "core/credential/password.h"

struct core;

/* The policy of one realm: numbers of the configuration, in the units that their names say. */
struct realm_policy {
	char *issuer;                   /* shown in authenticator apps */
	int64_t argon2_memory_kib, argon2_passes;
	int64_t password_min_points;    /* where a second factor is mandatory */
	int64_t password_only_min_points;       /* where the password may be the only factor */
	bool second_factor_required;
	int64_t challenge_ttl_s, challenge_tries;
	int64_t enrollment_ttl_s, pending_factor_ttl_s;
	int64_t offline_ticket_ttl_s;   /* realm staff alone; 0: none is made */
	int64_t enroll_code_ttl_s;      /* of a code for a first authenticator at a PAM host */
	int64_t factors_max;            /* active authenticators of one account */
	int64_t session_idle_s, session_absolute_s, sessions_max;
	int64_t ticket_ttl_s;           /* of a password reset, and of a change that is due */
	int64_t device_ttl_s;           /* of a trusted device; 0: there are none in this realm */
	int64_t recovery_delay_s;       /* between the second approval of a recovery and its end */
	int64_t recovery_hold_s;        /* after it the shop delays what moves money */
	int64_t device_grace_s;         /* how long a rotated device token still counts, for one lost reply */
	/* throttling: failures before a delay begins, and the delays (sql/migrations: throttle_policy) */
	int64_t throttle_pair_limit, throttle_account_limit, throttle_account_delay_s, throttle_source_limit;
	int64_t throttle_client_limit, throttle_code_limit, throttle_delay_s, throttle_delay_max_s, throttle_forget_s;
	int64_t throttle_known_source_s, throttle_factor_failures_max;
	/* uses, not failures, before a delay begins: what costs much or writes to somebody (use_claim() in SQL) */
	int64_t throttle_enrollment_limit, throttle_reset_limit, throttle_export_limit, throttle_client_export_limit;
};

/* What the [database], [keys], [passwords], [maintenance], [realm store] and [realm staff] sections of a file say. */
struct core_settings {
	char *database_url;             /* libpq conninfo without user */
	char *database_user;
	int64_t database_connections, database_connect_timeout_s, database_statement_timeout_ms;
	char *keyring_path;
	char *blocklist_path;           /* passwords that everybody guesses; empty: no list */
	char *context_words;            /* that make a poor password here, beside issuer and login; separated by spaces */
	int64_t maintenance_interval_s; /* authd; 0: another one does it */
	int64_t maintenance_budgets_max, maintenance_keep_s;
	struct realm_policy store, staff;
};

/* The keys of struct core_settings for config_load(): a program puts its own table behind this one. */
const struct config_key *core_config_keys(size_t *out_count);

/* Connects lazily: a database that is down is no reason not to start.
 * STATUS_INVALID: ERROR says which setting or key is unfit. */
enum status core_open(const struct core_settings *settings, struct core **out,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;
void core_close(struct core **core);

/* Is there a list of passwords that everybody guesses? */
bool core_has_blocklist(const struct core *core);

/* Readiness: the database answers and can be written, its schema is this program's or newer, the keys of every realm that
 * the keyring should hold are here, the clock agrees with the database's. */
struct core_readiness {
	bool database, schema, keys, clock;
};
enum status core_readiness(struct core *core, struct core_readiness *out) NODISCARD;

/* Take what is over out of the database: a batch of each kind, and the next months' room for the audit trail.
 * *out_more: call again at once.  Safe from any number of hosts: one at a time does it. */
enum status core_maintain(struct core *core, bool *out_more) NODISCARD;

/* How many accounts of each realm have a password whose hash is weaker than the policy, or of another kind, or was not used
 * since before such were counted: each is made anew at its owner's next sign-in (standards R025).  Of each form of hash at
 * most CORE_WEAK_HASHES_MAX are counted, so that asking stays cheap. */
#define CORE_WEAK_HASHES_MAX 100000
struct core_weak_hashes { int64_t store, staff; };
enum status core_weak_hashes(struct core *core, struct core_weak_hashes *out) NODISCARD;

struct slots;
struct slots_options;

/* For a program that many sign in through: hash in slots (slots.h), whose memory_kib is set here.  Once, before any
 * operation.  Outcomes as slots_start(). */
enum status core_start_slots(struct core *core, const struct slots_options *options,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;
/* NULL: it hashes without. */
struct slots *core_slots(const struct core *core);

/* How many Argon2 runs this process has done: the same for wrong and unknown, which a test counts. */
uint64_t core_hash_count(const struct core *core);

#endif
