/* core_settings.c: the keys of the sections [database], [keys], [passwords], [maintenance], [realm store] and
 * [realm staff], and what they make of a realm. */
#include <stddef.h>
#include <stdio.h>

#include "core/credential/offline_ticket.h"
#include "core/operation/core_inside.h"

#define AT(member) offsetof(struct core_settings, member)
#define DAY   86400
#define TEXT(section, name, member, initial, min, max, summary) \
	{ section, name, CONFIG_TEXT, AT(member), initial, min, max, summary }
#define NUMBER(section, name, member, initial, min, max, summary) \
	{ section, name, CONFIG_INTEGER, AT(member), initial, min, max, summary }

/* One realm's keys; what differs between realms are the defaults. */
#define REALM_KEYS(section, of, issuer_default, memory, passes, min_points, required, idle, absolute, account_limit, \
    account_delay) \
	TEXT(section, "issuer", of.issuer, issuer_default, 1, 128, \
	    "Name that authenticator apps show for this service."), \
	NUMBER(section, "argon2_memory_kib", of.argon2_memory_kib, memory, 12288, 1048576, \
	    "Argon2id memory of one password hash, KiB."), \
	NUMBER(section, "argon2_passes", of.argon2_passes, passes, 1, 16, \
	    "Argon2id passes over that memory."), \
	NUMBER(section, "password_min_points", of.password_min_points, min_points, 8, 64, \
	    "Shortest password, in code points, where a second factor is required."), \
	NUMBER(section, "password_only_min_points", of.password_only_min_points, "15", 8, 64, \
	    "Shortest password, in code points, where the password may be the only factor."), \
	{ section, "second_factor_required", CONFIG_BOOLEAN, AT(of.second_factor_required), required, 0, 0, \
	    "Whether nobody signs in without a second factor." }, \
	NUMBER(section, "challenge_ttl_s", of.challenge_ttl_s, "300", 30, 600, \
	    "Seconds between the right password and the code."), \
	NUMBER(section, "challenge_tries", of.challenge_tries, "5", 1, 10, \
	    "Codes that may be tried for one password step."), \
	NUMBER(section, "enrollment_ttl_s", of.enrollment_ttl_s, "600", 60, 600, \
	    "Seconds that an enrollment link, and the page behind it, may be used."), \
	NUMBER(section, "pending_factor_ttl_s", of.pending_factor_ttl_s, "600", 60, 600, \
	    "Seconds in which a new authenticator must be confirmed."), \
	NUMBER(section, "enroll_code_ttl_s", of.enroll_code_ttl_s, "86400", 600, 7 * DAY, \
	    "Seconds that an enrolment code (counterfoil enroll --code, realm staff) may be used."), \
	NUMBER(section, "factors_max", of.factors_max, "8", 1, 32, \
	    "Authenticators that one account may have."), \
	NUMBER(section, "session_idle_s", of.session_idle_s, idle, 60, 30 * DAY, \
	    "Seconds after which an unused session ends."), \
	NUMBER(section, "session_absolute_s", of.session_absolute_s, absolute, 60, 90 * DAY, \
	    "Seconds after which any session ends."), \
	NUMBER(section, "sessions_max", of.sessions_max, "20", 1, 1000, \
	    "Sessions that one account may have; a further one ends the oldest."), \
	NUMBER(section, "ticket_ttl_s", of.ticket_ttl_s, "1800", 60, DAY, \
	    "Seconds that a ticket to set a new password may be used."), \
	NUMBER(section, "device_ttl_s", of.device_ttl_s, "0", 0, 90 * DAY, \
	    "Seconds that a trusted device spares the code; 0 turns trusted devices off."), \
	NUMBER(section, "device_grace_s", of.device_grace_s, "60", 0, 600, \
	    "Seconds that a rotated device token still counts, for a reply that was lost."), \
	NUMBER(section, "recovery_delay_s", of.recovery_delay_s, "86400", 0, 30 * DAY, \
	    "Seconds between the second approval of a recovery and its end; the owner may cancel it meanwhile."), \
	NUMBER(section, "recovery_hold_s", of.recovery_hold_s, "259200", 0, 90 * DAY, \
	    "Seconds after a recovery in which sign-ins say that the shop should hold what moves money."), \
	NUMBER(section, "throttle_pair_limit", of.throttle_pair_limit, "5", 1, 100, \
	    "Wrong passwords from one source at one account before the delay begins."), \
	NUMBER(section, "throttle_account_limit", of.throttle_account_limit, account_limit, 1, 1000, \
	    "Wrong passwords at one account from sources it does not know before the delay begins."), \
	NUMBER(section, "throttle_account_delay_s", of.throttle_account_delay_s, account_delay, 1, DAY, \
	    "First delay of that budget, in seconds."), \
	NUMBER(section, "throttle_source_limit", of.throttle_source_limit, "50", 1, 1000000, \
	    "Wrong passwords from one source at all accounts before the delay begins."), \
	NUMBER(section, "throttle_client_limit", of.throttle_client_limit, "100000", 16, 1000000000, \
	    "Wrong passwords through one API client before the delay begins; and codes without a living challenge."), \
	NUMBER(section, "throttle_code_limit", of.throttle_code_limit, "5", 1, 100, \
	    "Wrong codes at one account before the delay begins."), \
	NUMBER(section, "throttle_delay_s", of.throttle_delay_s, "30", 1, 3600, \
	    "First delay, in seconds; it doubles with each further failure."), \
	NUMBER(section, "throttle_delay_max_s", of.throttle_delay_max_s, "3600", 1, DAY, \
	    "Longest delay, in seconds."), \
	NUMBER(section, "throttle_forget_s", of.throttle_forget_s, "86400", 60, 30 * DAY, \
	    "Seconds without a failure after which failures are forgotten."), \
	NUMBER(section, "throttle_known_source_s", of.throttle_known_source_s, "2592000", 0, 365 * DAY, \
	    "Seconds for which a source that signed in is no stranger to its account."), \
	NUMBER(section, "throttle_factor_failures_max", of.throttle_factor_failures_max, "100", 5, 100, \
	    "Wrong codes in a row that disable an authenticator until it is bound anew."), \
	NUMBER(section, "throttle_enrollment_limit", of.throttle_enrollment_limit, "10", 1, 1000, \
	    "Authenticators that may be started for one account in a day before the delay begins; a confirmed one clears it."), \
	NUMBER(section, "throttle_reset_limit", of.throttle_reset_limit, "5", 1, 1000, \
	    "Password resets that may be started for one account in a day before the delay begins; it is never longer than " \
	    "a ticket lives."), \
	NUMBER(section, "throttle_export_limit", of.throttle_export_limit, "5", 1, 1000, \
	    "Exports of one account in a day before the delay begins."), \
	NUMBER(section, "throttle_client_export_limit", of.throttle_client_export_limit, "1000", 1, 1000000, \
	    "Exports through one API client in a day before the delay begins.")

static const struct config_key keys[] = {
	TEXT("database", "url", database_url, NULL, 1, 2048,
	    "Where PostgreSQL is, as libpq takes it: host=... dbname=..., without a user."),
	TEXT("database", "user", database_user, "counterfoil_authd", 1, 63,
	    "Role to connect as."),
	NUMBER("database", "connections", database_connections, "16", 1, 1000,
	    "Connections at once; each is made when it is first needed."),
	NUMBER("database", "connect_timeout_s", database_connect_timeout_s, "1", 1, 10,
	    "Seconds a connection attempt may take."),
	NUMBER("database", "statement_timeout_ms", database_statement_timeout_ms, "3000", 100, 60000,
	    "Milliseconds after which PostgreSQL cancels a statement."),
	TEXT("keys", "keyring", keyring_path, NULL, 1, 1024,
	    "File with the keys that the database never sees."),
	TEXT("passwords", "blocklist", blocklist_path, COUNTERFOIL_BLOCKLIST, 0, 1024,
	    "File of passwords that everybody guesses, made by counterfoil blocklist build; empty: none is looked up."),
	TEXT("passwords", "context_words", context_words, "", 0, 1024,
	    "Words that make a poor password here, beside issuer and login, separated by spaces."),
	NUMBER("maintenance", "interval_s", maintenance_interval_s, "60", 0, 86400,
	    "Seconds between two rounds that take out of the database what is over; 0: this authd makes none."),
	NUMBER("maintenance", "budgets_max", maintenance_budgets_max, "1000000", 10000, 100000000,
	    "Counters of wrong passwords and codes at most; above it those without a failure for longest make room."),
	NUMBER("maintenance", "keep_s", maintenance_keep_s, "2592000", 0, 365 * DAY,
	    "Seconds that sessions and trusted devices stay in the database when their time is over."),
	REALM_KEYS("realm store", store, "Counterfoil", "47104", "1", "8", "no", "3600", "86400",
	    "20", "30"),
	REALM_KEYS("realm staff", staff, "Counterfoil staff", "65536", "3", "12", "yes", "900",
	    "43200", "10", "1800"),
	NUMBER("realm staff", "offline_ticket_ttl_s", staff.offline_ticket_ttl_s, "28800", 0, OFFLINE_TICKET_LIFE_MAX_S,
	    "Seconds for which a PAM host with offline = ticket may let somebody in after a sign-in; 0: no host may."),
};

const struct config_key *
core_config_keys(size_t *out_count)
{
	*out_count = sizeof keys / sizeof keys[0];
	return keys;
}

const struct realm_policy *
core_policy(const struct core *core, enum realm realm)
{
	return realm == REALM_STORE || realm == REALM_STAFF ? &core->policies[realm] : NULL;
}
