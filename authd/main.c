/* main.c: the process: settings, core, workers, listeners, signals, and the order of their ends. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "authd/address.h"
#include "authd/certificate.h"
#include "authd/maintenance.h"
#include "authd/options.h"
#include "authd/routes.h"
#include "authd/server.h"
#include "authd/settings.h"
#include "core/base/clock.h"
#include "core/base/descriptors.h"
#include "core/base/log.h"
#include "core/credential/argon2_engine.h"
#include "core/operation/client.h"
#include "core/operation/slots.h"

enum { TICK_MS = 200, SPARE_DESCRIPTORS = 256, CONTRACT_MAX_BYTES = 1024 * 1024 };

static int
complain(enum status st, const char *error)
{
	const char *text = error[0] != '\0' ? error : status_name(st);

	log_event(LOG_LEVEL_CRITICAL, "start_failed", (const struct log_field[]){ LOG_TEXT("error", text), LOG_END });
	if (st == STATUS_INVALID || st == STATUS_NOT_FOUND)
		return EX_CONFIG;
	return st == STATUS_UNAVAILABLE ? EX_UNAVAILABLE : EX_OSERR;
}

/* --- the process ---------------------------------------------------------------------------------------------------- */

static unsigned
processors(void)
{
	long found = sysconf(_SC_NPROCESSORS_ONLN);

	return found > 0 && found < 256 ? (unsigned)found : 1;
}

/* No core dump and no ptrace by the same user: memory holds keys. */
static void
harden(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)umask(0077);
}

/* A heap for each processor.  glibc makes up to eight, and what a crowd left behind in one helps no other. */
static void
limit_heaps(void)
{
	(void)mallopt(M_ARENA_MAX, (int)processors());
}

/* Every connection is a descriptor; ask for as many as the settings allow, within the hard limit. */
static void
raise_descriptor_limit(const struct settings *s)
{
	rlim_t wanted = (rlim_t)(s->api.connections + s->pages.connections + s->management.connections +
	    s->core.database_connections) + SPARE_DESCRIPTORS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted)
		log_event(LOG_LEVEL_WARNING, "few_descriptors", (const struct log_field[]){
		    LOG_NUMBER("wanted", wanted), LOG_NUMBER("have", limit.rlim_cur), LOG_END });
}

/* Signals reach the main thread alone, which waits for them; threads started later inherit the mask. */
static void
block_signals(sigset_t *out)
{
	(void)sigemptyset(out);
	(void)sigaddset(out, SIGHUP);
	(void)sigaddset(out, SIGTERM);
	(void)sigaddset(out, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, out, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static enum status
start_workers(const struct settings *s, struct workers **out)
{
	struct workers_options options = {
		.queue_length = (unsigned)s->queue_length,
		.queue_wait_ms = s->queue_wait_ms,
		.threads = {
			[WORK_HASHING] = s->hashing_workers > 0 ? (unsigned)s->hashing_workers :
			    (unsigned)(s->hashing_queue_length + s->core.database_connections) + 4 * processors(),
			[WORK_QUICK] = s->quick_workers > 0 ? (unsigned)s->quick_workers : 4 * processors(),
			[WORK_PROBE] = 1,
		},
	};

	return workers_start(&options, out);
}

static enum status
start_slots(const struct settings *s, struct core *core, char error[static CONFIG_ERROR_BYTES])
{
	const struct slots_options options = {
		.slots = (unsigned)s->hashing_slots, .queue_length = (unsigned)s->hashing_queue_length,
		.calm_ms = 1000,
		.called_beside = (unsigned)s->core.database_connections / 2,    /* the others are for those in front */
		.deadline_ms = s->hashing_deadline_ms, .idle_ms = s->hashing_idle_s * 1000,
	};
	const char *fault = argon2_engine()->fault;
	enum status st;

	if ((st = argon2_engine_check_wish(error)) != STATUS_OK)
		return st;
	st = core_start_slots(core, &options, error);
	log_event(fault != NULL ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "argon2_engine", (const struct log_field[]){
	    LOG_TEXT("kernel", argon2_engine_name()), LOG_TEXT("fault", fault != NULL ? fault : "-"), LOG_END });
	return st;
}

/* A missing contract costs one route; it is no reason not to serve. */
static void
load_contract(struct service *service)
{
	FILE *in = fopen(COUNTERFOIL_DATADIR "/http-api.yaml", "re");
	char *text = NULL;
	size_t n;

	if (in == NULL || (text = malloc(CONTRACT_MAX_BYTES)) == NULL) {
		log_event(LOG_LEVEL_WARNING, "contract_missing", (const struct log_field[]){
		    LOG_TEXT("path", COUNTERFOIL_DATADIR "/http-api.yaml"), LOG_END });
	} else {
		n = fread(text, 1, CONTRACT_MAX_BYTES, in);
		service->contract = text;
		service->contract_len = n;
	}
	if (in != NULL)
		(void)fclose(in);
}

static enum status
load_pages(struct service *service, char error[static CONFIG_ERROR_BYTES])
{
	const struct settings *settings = service->settings;

	return settings->pages.listen[0] == '\0' ? STATUS_OK :
	    web_files_load(settings->web_directory, &service->web, error);
}

/* --- serving -------------------------------------------------------------------------------------------------------- */

static void
tick(struct server *server, struct workers *workers)
{
	server_sweep(server);
	workers_expire(workers);
}

/* Until SIGTERM or SIGINT. */
static void
serve(const sigset_t *signals, struct server *server, struct workers *workers)
{
	const struct timespec wait = { .tv_nsec = TICK_MS * 1000000L };
	int sig;

	for (;;) {
		sig = sigtimedwait(signals, NULL, &wait);
		if (sig == SIGHUP)
			server_reload(server);
		else if (sig == SIGTERM || sig == SIGINT)
			return;
		tick(server, workers);
	}
}

/* Let what is in flight finish; a second signal ends the patience. */
static void
drain(const sigset_t *signals, struct server *server, struct workers *workers, int64_t drain_s)
{
	const struct timespec wait = { .tv_nsec = TICK_MS * 1000000L };
	int64_t deadline_ms = clock_monotonic_ms() + drain_s * 1000;

	log_event(LOG_LEVEL_NOTICE, "draining", (const struct log_field[]){ LOG_NUMBER("seconds", drain_s), LOG_END });
	server_drain(server);
	do {
		int sig = sigtimedwait(signals, NULL, &wait);

		if (sig == SIGTERM || sig == SIGINT)
			return;
		tick(server, workers);
	} while (!server_is_idle(server) && clock_monotonic_ms() < deadline_ms);
}

static int
run(const struct settings *settings, struct core *core, const sigset_t *signals)
{
	struct service service = { .core = core, .settings = settings };
	struct maintenance *maintenance = NULL;
	struct server *server = NULL;
	char error[CONFIG_ERROR_BYTES] = "";
	enum status st;
	int rc = EX_OK;

	load_contract(&service);
	if (!core_has_blocklist(core))
		log_event(LOG_LEVEL_WARNING, "blocklist_missing", (const struct log_field[]){
		    LOG_TEXT("path", settings->core.blocklist_path), LOG_END });
	if ((st = load_pages(&service, error)) != STATUS_OK ||
	    (st = metrics_new(&service.metrics)) != STATUS_OK ||
	    (st = start_slots(settings, core, error)) != STATUS_OK ||
	    (st = start_workers(settings, &service.workers)) != STATUS_OK ||
	    (st = maintenance_start(core, service.metrics, settings->core.maintenance_interval_s, &maintenance)) !=
	    STATUS_OK ||
	    (st = server_start(settings, &service, &server, error)) != STATUS_OK) {
		rc = complain(st, error);
		goto out;
	}
	log_event(LOG_LEVEL_NOTICE, "ready", (const struct log_field[]){ LOG_NUMBER("pid", getpid()), LOG_END });
	serve(signals, server, service.workers);
	drain(signals, server, service.workers, settings->drain_s);
out:
	if (service.workers != NULL)
		workers_stop(service.workers);  /* first: it resumes whatever sleeps */
	server_stop(&server);
	maintenance_stop(&maintenance);
	workers_free(&service.workers);         /* last: until now a connection could submit */
	metrics_free(&service.metrics);
	web_files_free(&service.web);
	free(service.contract);
	if (rc == EX_OK)
		log_event(LOG_LEVEL_NOTICE, "stopped", (const struct log_field[]){ LOG_END });
	return rc;
}

static enum status
check_listener(const struct listener_settings *listener, bool plain, char error[static CONFIG_ERROR_BYTES])
{
	struct certificate *certificate = NULL;
	bool loopback;
	enum status st;

	if (listener->listen[0] == '\0')
		return STATUS_OK;
	if ((st = address_check(listener->listen, &loopback, error)) != STATUS_OK)
		return st;
	if (plain && !loopback) {
		(void)snprintf(error, CONFIG_ERROR_BYTES, "[management] listen = %s: must be loopback or unix:/path",
		    listener->listen);
		return STATUS_INVALID;
	}
	if (!plain && (st = certificate_open(listener->certificate, listener->key, &certificate, error)) == STATUS_OK)
		certificate_free(&certificate);
	return st;
}

static int
check(const struct settings *settings)
{
	struct service service = { .settings = settings };
	char error[CONFIG_ERROR_BYTES] = "";
	enum status st;

	st = load_pages(&service, error);
	web_files_free(&service.web);
	if (st != STATUS_OK ||
	    (st = check_listener(&settings->api, false, error)) != STATUS_OK ||
	    (st = check_listener(&settings->pages, false, error)) != STATUS_OK ||
	    (st = check_listener(&settings->management, true, error)) != STATUS_OK)
		return complain(st, error);
	(void)puts("The configuration is in order.");
	return EX_OK;
}

static void
print_table(const char *listener, const struct route *routes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)printf("%s %s %s %s %zu %s %s\n", listener, router_method_name(routes[i].method), routes[i].path,
		    routes[i].scope != 0 ? scope_name((enum scope)routes[i].scope) : "-", routes[i].body_limit,
		    work_class_name(routes[i].class), routes[i].query != NULL ? routes[i].query : "-");
}

/* For the test that holds the tables against docs/http-api.yaml. */
static int
print_routes(void)
{
	const struct route *routes;
	size_t count;

	routes = routes_api(&count);
	print_table("api", routes, count);
	routes = routes_pages(&count);
	print_table("pages", routes, count);
	routes = routes_management(&count);
	print_table("management", routes, count);
	return EX_OK;
}

static int
with_settings(const struct options *options, const sigset_t *signals)
{
	struct settings settings;
	struct core *core = NULL;
	char error[CONFIG_ERROR_BYTES] = "";
	enum status st;
	int rc;

	if ((st = settings_load(options->config_path, &settings, error)) != STATUS_OK)
		return complain(st, error);
	log_open("authd", settings_log_target(&settings), settings_log_level(&settings));
	raise_descriptor_limit(&settings);
	if ((st = core_open(&settings.core, &core, error)) != STATUS_OK)
		rc = complain(st, error);
	else if (options->action == OPTIONS_CHECK)
		rc = check(&settings);
	else
		rc = run(&settings, core, signals);
	core_close(&core);
	settings_free(&settings);
	return rc;
}

int
main(int argc, char **argv)
{
	struct options options;
	sigset_t signals;

	if (descriptors_hold_standard() != STATUS_OK)
		return EX_OSERR;
	options_parse(argc, argv, &options);
	if (options.action == OPTIONS_EXIT)
		return options.exit_code;
	if (options.action == OPTIONS_ROUTES)
		return print_routes();
	harden();
	limit_heaps();
	block_signals(&signals);
	log_open("authd", LOG_TARGET_AUTO, LOG_LEVEL_INFO);
	reply_prepare_json();
	return with_settings(&options, &signals);
}
