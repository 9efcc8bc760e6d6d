/* settings.h: what authd.conf says, as one struct.  Knows names, ranges and defaults; opens nothing. */
#ifndef COUNTERFOIL_AUTHD_SETTINGS_H
#define COUNTERFOIL_AUTHD_SETTINGS_H

#include "core/base/config.h"
#include "core/base/log.h"
#include "core/operation/core.h"

struct listener_settings {
	char *listen;                   /* "host:port", "[v6]:port", management also "unix:/path"; empty: off */
	char *certificate, *key;        /* PEM files; empty on the management listener */
	int64_t connections;            /* at most this many at once */
	int64_t connections_per_address;        /* 0: no limit */
};

struct settings {
	struct core_settings core;      /* first: the offsets of core_config_keys() count from here */
	struct listener_settings api, pages, management;
	char *public_url;               /* of the pages: "https://auth.example", without a slash at the end */
	char *return_to;                /* allowed ways back to the shop, separated by white space */
	char *proxies;                  /* addresses and networks that X-Forwarded-For is believed from, on the pages */
	char *security_contact;         /* for /.well-known/security.txt (RFC 9116); empty: there is none */
	char *web_directory;            /* the static pages */
	char *log_target, *log_level;
	int64_t hashing_slots, hashing_queue_length, hashing_deadline_ms, hashing_idle_s;       /* struct slots_options */
	int64_t hashing_workers, quick_workers; /* 0: chosen from the number of processors */
	int64_t queue_length;           /* requests waiting in a class, at most */
	int64_t queue_wait_ms;          /* a request that waited longer is answered 503 */
	int64_t idle_timeout_s;         /* a connection without a byte is closed */
	int64_t request_deadline_s;     /* a request that has not arrived, or a reply not taken, by then is cut */
	int64_t drain_s;                /* after SIGTERM: what is in flight may take this long */
};

/* Read PATH into OUT and check what one key alone cannot show.
 * STATUS_INVALID: ERROR says what is wrong, where and what to do.  On failure OUT owns nothing. */
enum status settings_load(const char *path, struct settings *out, char error[static CONFIG_ERROR_BYTES]) NODISCARD;
void settings_free(struct settings *settings);

enum log_target settings_log_target(const struct settings *settings);
enum log_level settings_log_level(const struct settings *settings);

/* Is URL, byte for byte, one of the ways back that the operator allows? */
bool settings_allows_return(const struct settings *settings, const char *url);

/* The keys that authd adds to core_config_keys(); offsets are those of struct settings. */
const struct config_key *settings_own_keys(size_t *out_count);

#endif
