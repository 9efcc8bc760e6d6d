/* conf.h: pam.conf, what the module does for each service.  Holds no secret and is readable by everybody, since a
 * screen locker runs the module as its user.  Strict: what is not understood is an error with file, line and column. */
#ifndef COUNTERFOIL_PAM_CONF_H
#define COUNTERFOIL_PAM_CONF_H

#include <stdbool.h>
#include <stddef.h>

#define CONF_FILE_MAX_BYTES 65536
#define CONF_LINE_MAX_BYTES 2048
#define CONF_ERROR_BYTES    320
#define CONF_PROMPT_MAX     128         /* bytes */
#define CONF_NAMES_MAX      1024        /* bytes of a list of names or networks */
#define CONF_PATH_MAX       256

/* The order is that of the words in conf_keys.c; the first word is 0. */
enum conf_factors { FACTORS_PASSWORD_OTP, FACTORS_OTP, FACTORS_COMBINED, FACTORS_PASSWORD };
enum conf_echo { ECHO_AUTO, ECHO_ON, ECHO_OFF };
enum conf_blind { BLIND_DENY, BLIND_COMBINED };
enum conf_unknown { UNKNOWN_DENY, UNKNOWN_IGNORE };
enum conf_unenrolled { UNENROLLED_DENY, UNENROLLED_IGNORE, UNENROLLED_ENROLL };
enum conf_identity { IDENTITY_AUTO, IDENTITY_TARGET, IDENTITY_CALLER };
enum conf_fail { FAIL_CLOSED, FAIL_IGNORE_UNAVAILABLE };
enum conf_backend { BACKEND_POSTGRESQL, BACKEND_AUTHD };
enum conf_reveal { REVEAL_MINIMAL, REVEAL_HELPFUL };
enum conf_log_rhost { LOG_RHOST_IP, LOG_RHOST_NONE };
enum conf_training { TRAINING_OFF, TRAINING_REMIND, TRAINING_REQUIRE };
enum conf_offline { OFFLINE_OFF, OFFLINE_RECOVERY, OFFLINE_TICKET };
enum conf_account { ACCOUNT_OFF, ACCOUNT_REQUIRE_MFA, ACCOUNT_STATUS };

struct conf {
	int factors, echo_otp, blind_conversation, unknown_user, unenrolled, identity, fail, backend, reveal, log_rhost,
	    account, training, offline;                 /* the enums above */
	bool accept_recovery, require_ssh_publickey;
	bool has_own_section;                   /* the service is named in the file */
	int attempts;                           /* prompts in one call */
	int timeout_total_s, timeout_connect_s;
	int fail_delay_ms;
	int unenrolled_until;                   /* days since 1970-01-01, the last day that ignores; 0: none given */
	char prompt_password[CONF_PROMPT_MAX + 1], prompt_otp[CONF_PROMPT_MAX + 1], prompt_combined[CONF_PROMPT_MAX + 1];
	char enroll_cidrs[CONF_NAMES_MAX + 1];          /* networks as cidr.h takes them, a space between */
	char exempt_groups[CONF_NAMES_MAX + 1], exempt_users[CONF_NAMES_MAX + 1];       /* names, a space between */
};

enum conf_type { CONF_WORD, CONF_YES_NO, CONF_COUNT, CONF_PROMPT, CONF_NAMES, CONF_DATE, CONF_CIDRS };

struct conf_key {
	const char *name;
	enum conf_type type;
	size_t offset;                          /* in struct conf */
	const char *initial;                    /* the default, as it would be written */
	const char *words;                      /* CONF_WORD: the choices, a space between */
	int min, max;                           /* CONF_COUNT */
	const char *summary;                    /* one sentence for pam.conf(5) */
};

const struct conf_key *conf_keys(size_t *out_count);

/* One value, as from a line "KEY = VALUE".  NULL: taken; otherwise what is wrong with it. */
const char *conf_set(const struct conf_key *key, const char *value, struct conf *conf);

/* Read PATH: [default], then [service "SERVICE"] over it.  False: ERROR says what is wrong and where. */
bool conf_load(const char *path, const char *service, struct conf *out, char error[static CONF_ERROR_BYTES]);

/* The same of a text in memory; NAME stands for the path in errors. */
bool conf_parse(const char *name, const char *text, size_t len, const char *service, struct conf *out,
    char error[static CONF_ERROR_BYTES]);

/* NULL, or why the offline setting of CONF lets nobody in by the auth phase of SERVICE. */
const char *conf_offline_fault(const struct conf *conf, const char *service);

/* Open a file that decides about security with the access of FLAGS, without following a link or waiting for anybody.  The
 * file: regular, one name, root's (or the effective user's), writable by its owner alone, at most MAX bytes; every folder
 * above it: likewise, or root's with the sticky bit.  -1: ERROR says what is wrong. */
int conf_open_file(const char *path, int flags, size_t max, char error[static CONF_ERROR_BYTES]);

/* Read such a file into OUT.  False: ERROR says what is wrong. */
bool conf_read_file(const char *path, char *out, size_t capacity, size_t *out_len,
    char error[static CONF_ERROR_BYTES]);

/* Is NAME one of the words of LIST? */
bool conf_list_has(const char *list, const char *name);

#endif
