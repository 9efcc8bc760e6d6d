/* db_conninfo.c: where to connect and how, out of the url of the configuration. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/store/db_connection.h"

#define NAME_MAX_BYTES 64

void
db_conninfo_scrub_environment(void)
{
	char name[NAME_MAX_BYTES];
	size_t len;

	for (char **at = environ; at != NULL && *at != NULL;) {
		len = strcspn(*at, "=");
		if (strncmp(*at, "PG", 2) != 0 || len >= sizeof name) {
			at++;
			continue;
		}
		memcpy(name, *at, len);
		name[len] = '\0';
		if (unsetenv(name) != 0)        /* the next one has moved into its place otherwise */
			at++;
	}
}

void
db_conninfo_warm_up(void)
{
	PGconn *nowhere = PQconnectStart("port=none");  /* never gets as far as a socket */
	char *verifier = nowhere != NULL ? PQencryptPasswordConn(nowhere, "warm-up", "nobody", "scram-sha-256") : NULL;

	PQfreemem(verifier);
	PQfinish(nowhere);
}

static const char *
option(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val != NULL && options->val[0] != '\0' ? options->val : NULL;
	return NULL;
}

/* Do all of the comma-separated HOSTS lie on this machine: sockets and loopback addresses? */
static bool
is_local(const char *hosts)
{
	static const char *const loopbacks[] = { "localhost", "127.0.0.1", "::1" };
	size_t len;

	for (; hosts != NULL && *hosts != '\0'; hosts += len + (hosts[len] == ',')) {
		bool loopback = *hosts == '/' || *hosts == '@';

		len = strcspn(hosts, ",");
		for (unsigned i = 0; i < sizeof loopbacks / sizeof loopbacks[0]; i++)
			loopback = loopback || (strlen(loopbacks[i]) == len && memcmp(loopbacks[i], hosts, len) == 0);
		if (!loopback)
			return false;
	}
	return true;
}

/* Logins, digests and sealed secrets cross this link: on another host it is encrypted and the server proven. */
static bool
is_protected(const PQconninfoOption *options)
{
	const char *mode = option(options, "sslmode"), *service = option(options, "service");

	if (mode != NULL && strcmp(mode, "verify-full") == 0)
		return true;
	return service == NULL && is_local(option(options, "host")) && is_local(option(options, "hostaddr"));
}

static void
set(struct db_conninfo *info, const char *keyword, const char *value)
{
	unsigned i = 0;

	while (info->keywords[i] != NULL && strcmp(info->keywords[i], keyword) != 0)
		i++;
	if (i >= DB_OPTIONS_MAX)
		return;
	info->keywords[i] = keyword;
	info->values[i] = value;
}

static void
set_default(struct db_conninfo *info, const char *keyword, const char *value)
{
	if (option(info->parsed, keyword) == NULL)
		set(info, keyword, value);
}

/* A session that hangs is cut by the server; one whose network is gone, by the kernel. */
static void
fill(const struct db_settings *settings, struct db_conninfo *info)
{
	(void)snprintf(info->options, sizeof info->options, "-c statement_timeout=%lld -c lock_timeout=%lld "
	    "-c idle_in_transaction_session_timeout=%lld", (long long)settings->statement_timeout_ms,
	    (long long)settings->statement_timeout_ms, (long long)settings->statement_timeout_ms * 2);
	for (const PQconninfoOption *at = info->parsed; at->keyword != NULL; at++)
		if (at->val != NULL && at->val[0] != '\0')
			set(info, at->keyword, at->val);
	if (settings->user != NULL)
		set(info, "user", settings->user);
	set(info, "application_name", settings->application);
	set(info, "options", info->options);
	set(info, "client_encoding", "UTF8");
	set_default(info, "gssencmode", "disable");
	set_default(info, "target_session_attrs", "read-write");
	set_default(info, "keepalives_idle", "15");
	set_default(info, "keepalives_interval", "5");
	set_default(info, "keepalives_count", "3");
	set_default(info, "tcp_user_timeout", "10000");
}

enum status
db_conninfo_make(const struct db_settings *settings, struct db_conninfo *out, char error[static CONFIG_ERROR_BYTES])
{
	char *fault = NULL;

	memset(out, 0, sizeof *out);
	out->parsed = PQconninfoParse(settings->url, &fault);
	if (out->parsed == NULL) {      /* the fault's text may quote the url, and a password with it */
		PQfreemem(fault);
		(void)snprintf(error, CONFIG_ERROR_BYTES, "the database url is neither \"host=... dbname=...\" nor "
		    "\"postgresql://...\" as libpq takes it");
		return STATUS_INVALID;
	}
	if (option(out->parsed, "dbname") == NULL) {
		(void)snprintf(error, CONFIG_ERROR_BYTES, "the database url names no database: add dbname=...");
		goto invalid;
	}
	if (!is_protected(out->parsed)) {
		(void)snprintf(error, CONFIG_ERROR_BYTES, "the database url leads to another host: add "
		    "sslmode=verify-full and sslrootcert=...");
		goto invalid;
	}
	fill(settings, out);
	return STATUS_OK;
invalid:
	db_conninfo_free(out);
	return STATUS_INVALID;
}

void
db_conninfo_free(struct db_conninfo *info)
{
	if (info->parsed != NULL)
		PQconninfoFree(info->parsed);
	memset(info, 0, sizeof *info);
}
