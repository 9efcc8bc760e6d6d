#include "authd/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authd/forwarded.h"

#define AT(member) offsetof(struct settings, member)
#define PATH_MAX_BYTES 1024

static const char blank[] = " \t\r\n";

static const struct config_key own_keys[] = {
	{ "api", "listen", CONFIG_TEXT, AT(api.listen), "127.0.0.1:8443", 0, 256,
	    "Address of the API, host:port or [v6]:port; port 0 takes a free one." },
	{ "api", "certificate", CONFIG_TEXT, AT(api.certificate), "", 0, PATH_MAX_BYTES,
	    "PEM file with the API's certificate and its chain." },
	{ "api", "key", CONFIG_TEXT, AT(api.key), "", 0, PATH_MAX_BYTES,
	    "PEM file with the private key; no access for others." },
	{ "api", "connections", CONFIG_INTEGER, AT(api.connections), "4096", 16, 1000000,
	    "Connections at once." },
	{ "api", "connections_per_address", CONFIG_INTEGER, AT(api.connections_per_address), "0", 0, 1000000,
	    "Connections at once from one address; 0 is no limit, for a shop calls from few addresses." },
	{ "pages", "listen", CONFIG_TEXT, AT(pages.listen), "", 0, 256,
	    "Address of the pages for people; empty turns them off." },
	{ "pages", "certificate", CONFIG_TEXT, AT(pages.certificate), "", 0, PATH_MAX_BYTES,
	    "PEM file with the pages' certificate and its chain." },
	{ "pages", "key", CONFIG_TEXT, AT(pages.key), "", 0, PATH_MAX_BYTES,
	    "PEM file with the private key; no access for others." },
	{ "pages", "connections", CONFIG_INTEGER, AT(pages.connections), "2048", 16, 1000000,
	    "Connections at once." },
	{ "pages", "connections_per_address", CONFIG_INTEGER, AT(pages.connections_per_address), "256", 0, 1000000,
	    "Connections at once from one address; 0 is no limit." },
	{ "pages", "public_url", CONFIG_TEXT, AT(public_url), "", 0, 512,
	    "Where people reach the pages, for example https://auth.example; goes into enrollment links." },
	{ "pages", "return_to", CONFIG_TEXT, AT(return_to), "", 0, 8192,
	    "Exact addresses of the shop that a page may lead back to, separated by spaces." },
	{ "pages", "proxies", CONFIG_TEXT, AT(proxies), "", 0, 2048,
	    "Addresses and networks of your own proxies in front of the pages, separated by spaces; X-Forwarded-For is "
	    "believed from these alone." },
	{ "pages", "security_contact", CONFIG_TEXT, AT(security_contact), "", 0, 256,
	    "Where people report a weakness, mailto: or https:, for /.well-known/security.txt; empty leaves it out." },
	{ "pages", "directory", CONFIG_TEXT, AT(web_directory), COUNTERFOIL_WEBDIR, 1, PATH_MAX_BYTES,
	    "Where the static pages are." },
	{ "management", "listen", CONFIG_TEXT, AT(management.listen), "127.0.0.1:8445", 0, 256,
	    "Address of /healthz, /readyz and /metrics: loopback host:port, or unix:/path." },
	{ "management", "connections", CONFIG_INTEGER, AT(management.connections), "64", 16, 1000,
	    "Connections at once." },
	{ "log", "target", CONFIG_TEXT, AT(log_target), "auto", 1, 16,
	    "auto, stderr or syslog." },
	{ "log", "level", CONFIG_TEXT, AT(log_level), "info", 1, 16,
	    "debug, info, notice, warning or error." },
	{ "hashing", "slots", CONFIG_INTEGER, AT(hashing_slots), "0", 0, 1024,
	    "Password hashes computed at once, each on a core and with memory for two; 0 is the number of processors." },
	{ "hashing", "queue_length", CONFIG_INTEGER, AT(hashing_queue_length), "256", 1, 4096,
	    "Requests that may wait for a slot; beyond, those of the busiest sources are answered 503." },
	{ "hashing", "deadline_ms", CONFIG_INTEGER, AT(hashing_deadline_ms), "2000", 10, 60000,
	    "Milliseconds that a request may wait for a slot; one that would wait longer is answered 503 at once." },
	{ "hashing", "idle_s", CONFIG_INTEGER, AT(hashing_idle_s), "60", 1, 86400,
	    "Seconds without a hash after which a slot's memory is given back." },
	{ "workers", "hashing", CONFIG_INTEGER, AT(hashing_workers), "0", 0, 1024,
	    "Threads for requests that hash a password; 0 is one for each that may wait for a slot, call the database or be in a "
	    "slot." },
	{ "workers", "quick", CONFIG_INTEGER, AT(quick_workers), "0", 0, 1024,
	    "Threads for all other requests; 0 is four times the number of processors." },
	{ "workers", "queue_length", CONFIG_INTEGER, AT(queue_length), "256", 1, 100000,
	    "Requests of one kind that may wait; one more is answered 503." },
	{ "workers", "queue_wait_ms", CONFIG_INTEGER, AT(queue_wait_ms), "2000", 10, 60000,
	    "Milliseconds a request may wait for a thread before it is answered 503." },
	{ "workers", "idle_timeout_s", CONFIG_INTEGER, AT(idle_timeout_s), "15", 1, 600,
	    "Seconds without a byte after which a connection is closed." },
	{ "workers", "request_deadline_s", CONFIG_INTEGER, AT(request_deadline_s), "30", 1, 600,
	    "Seconds in which a request must have arrived, and its reply have been taken." },
	{ "workers", "drain_s", CONFIG_INTEGER, AT(drain_s), "20", 1, 600,
	    "Seconds that requests in flight may take after SIGTERM." },
};

enum { OWN_COUNT = sizeof own_keys / sizeof own_keys[0] };

const struct config_key *
settings_own_keys(size_t *out_count)
{
	*out_count = OWN_COUNT;
	return own_keys;
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
	*out_count = core_count + OWN_COUNT;
	return keys;
}

static int
index_in(const char *value, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(value, names[i]) == 0)
			return i;
	return -1;
}

static int
log_target_of(const char *name)
{
	static const char *const names[] = { "auto", "stderr", "syslog" };

	return index_in(name, names, 3);
}

static int
log_level_of(const char *name)
{
	static const char *const names[] = { "debug", "info", "notice", "warning", "error" };

	return index_in(name, names, 5);
}

enum log_target
settings_log_target(const struct settings *settings)
{
	return (enum log_target)log_target_of(settings->log_target);
}

enum log_level
settings_log_level(const struct settings *settings)
{
	return (enum log_level)log_level_of(settings->log_level);
}

/* What is wrong with a TLS listener, or NULL. */
static const char *
listener_fault(const struct listener_settings *listener)
{
	if (listener->listen[0] == '\0')
		return NULL;
	if (strncmp(listener->listen, "unix:", 5) == 0)
		return "listen takes host:port here; only [management] may use unix:/path";
	if (listener->certificate[0] == '\0')
		return "certificate is missing: name a PEM file";
	if (listener->key[0] == '\0')
		return "key is missing: name a PEM file";
	return NULL;
}

static bool
is_https_origin(const char *url)
{
	size_t len = strlen(url);

	return strncmp(url, "https://", 8) == 0 && len > 8 && url[len - 1] != '/' &&
	    strcspn(url, " \t\"<>\\?#") == len;
}

static bool
is_contact(const char *uri)
{
	size_t len = strlen(uri);

	return (strncmp(uri, "https://", 8) == 0 || strncmp(uri, "mailto:", 7) == 0) && len > 8 &&
	    strcspn(uri, " \t\r\n") == len;
}

/* Is every word of LIST an https: address?  A page links to them, so no other scheme may stand there. */
static bool
are_https(const char *list)
{
	for (list += strspn(list, blank); *list != '\0'; list += strspn(list, blank)) {
		if (strncmp(list, "https://", 8) != 0)
			return false;
		list += strcspn(list, blank);
	}
	return true;
}

static const char *
pages_fault(const struct settings *settings)
{
	if (settings->pages.listen[0] != '\0' && settings->public_url[0] == '\0')
		return "public_url is missing: say where people reach the pages";
	if (settings->public_url[0] != '\0' && !is_https_origin(settings->public_url))
		return "public_url must be https://host[:port][/path] without a slash at the end";
	if (!are_https(settings->return_to))
		return "return_to must be https:// addresses, separated by spaces";
	if (settings->security_contact[0] != '\0' && !is_contact(settings->security_contact))
		return "security_contact must begin with mailto: or https:// and have no spaces";
	if (!forwarded_proxies_fit(settings->proxies))
		return "proxies must be addresses or networks such as 192.0.2.1 or 10.0.0.0/8";
	return listener_fault(&settings->pages);
}

/* Faults that need more than one key to be seen. */
static enum status
check(const char *path, const struct settings *settings, char error[static CONFIG_ERROR_BYTES])
{
	const char *section = "api";
	const char *fault = listener_fault(&settings->api);

	if (fault == NULL && settings->api.listen[0] == '\0')
		fault = "listen must not be empty";
	if (fault == NULL) {
		section = "pages";
		fault = pages_fault(settings);
	}
	if (fault == NULL) {
		section = "log";
		if (log_target_of(settings->log_target) < 0)
			fault = "target must be auto, stderr or syslog";
		else if (log_level_of(settings->log_level) < 0)
			fault = "level must be debug, info, notice, warning or error";
	}
	if (fault == NULL)
		return STATUS_OK;
	(void)snprintf(error, CONFIG_ERROR_BYTES, "%s: [%s] %s", path, section, fault);
	return STATUS_INVALID;
}

enum status
settings_load(const char *path, struct settings *out, char error[static CONFIG_ERROR_BYTES])
{
	struct config_key *keys;
	size_t count;
	enum status st;

	memset(out, 0, sizeof *out);
	if ((keys = all_keys(&count)) == NULL)
		return STATUS_NO_MEMORY;
	if ((st = config_load(path, keys, count, out, error)) == STATUS_OK &&
	    (st = check(path, out, error)) != STATUS_OK)
		config_free_values(keys, count, out);
	free(keys);
	return st;
}

void
settings_free(struct settings *settings)
{
	size_t core_count;
	const struct config_key *core = core_config_keys(&core_count);

	config_free_values(core, core_count, settings);
	config_free_values(own_keys, OWN_COUNT, settings);
}

bool
settings_allows_return(const struct settings *settings, const char *url)
{
	const char *at = settings->return_to + strspn(settings->return_to, blank);
	size_t len = strlen(url);

	while (*at != '\0') {
		size_t n = strcspn(at, blank);

		if (n == len && memcmp(at, url, n) == 0)
			return true;
		at += n;
		at += strspn(at, blank);
	}
	return false;
}
