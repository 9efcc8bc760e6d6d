#include "authd/server.h"

#include <dlfcn.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "authd/address.h"
#include "authd/certificate.h"
#include "authd/connections.h"
#include "authd/framing.h"
#include "authd/routes.h"
#include "core/base/clock.h"
#include "core/base/log.h"

/* TLS 1.3 and 1.2, forward secrecy and AEAD only (standards R126). */
#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-GCM:" \
	"+CHACHA20-POLY1305:+AES-128-GCM:-RSA:-DHE-RSA"

enum {
	/* Of a connection: request line and headers at their longest, and what the library notes of them.  It wipes all of
	 * it after each request, so each connection that was used once has all of it resident. */
	CONNECTION_MEMORY = FRAMING_HEAD_MAX_BYTES + 4 * 1024,
	THREAD_STACK = 256 * 1024,
	/* A refused body up to this size is read and thrown away, so that the sender sees the answer and not a reset. */
	THROW_AWAY_BYTES = 256 * 1024,
	LISTENERS_MAX = 3
};

struct header { const char *name, *value; };

static const struct header api_headers[] = {
	{ "Cache-Control", "no-store" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Strict-Transport-Security", "max-age=63072000; includeSubDomains" },
	{ "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ NULL, NULL }
};

static const struct header pages_headers[] = {
	{ "Cache-Control", "no-store" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Strict-Transport-Security", "max-age=63072000; includeSubDomains" },
	{ "Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
	    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
	    "require-trusted-types-for 'script'; trusted-types 'none'" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Permissions-Policy", "camera=(), microphone=(), geolocation=()" },
	{ "X-Robots-Tag", "noindex, nofollow" },
	{ NULL, NULL }
};

struct listener {
	const char *name;               /* "api", "pages", "management" */
	struct server *server;
	const struct listener_settings *own;
	const struct route *routes;
	size_t route_count;
	const struct header *headers;
	struct address address;
	struct certificate *certificate;        /* NULL: plain, on loopback */
	struct connections *connections;
	struct MHD_Daemon *daemon;
};

struct server {
	struct service *service;
	const struct settings *settings;
	struct listener listeners[LISTENERS_MAX];
	unsigned listener_count;
	gnutls_datum_t ticket_key;      /* of TLS session tickets; GnuTLS derives changing keys from it */
};

/* --- one request --------------------------------------------------------------------------------------------------- */

static struct connection *
connection_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

static void
give_time(struct request *request, int64_t deadline_ms)
{
	connections_set_deadline(request->listener->connections, connection_of(request->connection), deadline_ms);
}

static int64_t
next_deadline(const struct server *server)
{
	return clock_monotonic_ms() + server->settings->request_deadline_s * 1000;
}

static enum MHD_Result
send_reply(struct request *request)
{
	struct reply *reply = &request->reply;
	struct MHD_Response *response;
	enum MHD_Result rc;

	if (reply->http_status == 0)    /* a handler that answered nothing: fail closed */
		reply_outcome(reply, request->id, STATUS_INTERNAL, VERDICT_DENIED, 0, NULL);
	if (reply->release != NULL)
		response = MHD_create_response_from_buffer_with_free_callback(reply->len, reply->data, reply->release);
	else
		response = MHD_create_response_from_buffer(reply->len, reply->data, MHD_RESPMEM_PERSISTENT);
	if (response == NULL)
		return MHD_NO;
	reply->release = NULL;          /* the response owns it now */
	reply->data = NULL;
	for (const struct header *h = request->listener->headers; h->name != NULL; h++)
		(void)MHD_add_response_header(response, h->name, h->value);
	(void)MHD_add_response_header(response, "X-Request-Id", request->id);
	if (reply->content_type != NULL)
		(void)MHD_add_response_header(response, "Content-Type", reply->content_type);
	for (unsigned i = 0; i < reply->header_count; i++)
		(void)MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
	if (reply->close || atomic_load(&request->service->draining))
		(void)MHD_add_response_header(response, "Connection", "close");
	give_time(request, next_deadline(request->listener->server));
	rc = MHD_queue_response(request->connection, (unsigned)reply->http_status, response);
	MHD_destroy_response(response);
	request->stage = REQUEST_SENT;
	return rc;
}

static void
handle(struct request *request)
{
	if (request_query_fits(request))
		request->match.route->handle(request);
}

static void
work_run(void *owner)
{
	struct request *request = owner;

	handle(request);
	request->stage = REQUEST_DONE;
	MHD_resume_connection(request->connection);     /* from here on the request belongs to the epoll thread */
}

static void
work_refuse(void *owner)
{
	struct request *request = owner;

	reply_outcome(&request->reply, request->id, STATUS_OVERLOADED, VERDICT_DENIED, 0, NULL);
	request->stage = REQUEST_DONE;
	MHD_resume_connection(request->connection);
}

/* The whole request is here: to the workers with it.  The admission of hashing requests belongs into this place. */
static enum MHD_Result
dispatch(struct request *request)
{
	enum work_class class = request->match.route->class;

	give_time(request, INT64_MAX);
	if (class == WORK_INLINE) {
		handle(request);
		return send_reply(request);
	}
	request->stage = REQUEST_WORKING;
	request->work = (struct work){ .run = work_run, .refuse = work_refuse, .owner = request };
	MHD_suspend_connection(request->connection);    /* before a worker could resume it */
	if (workers_submit(request->service->workers, class, &request->work) != STATUS_OK)
		work_refuse(request);
	return MHD_YES;
}

static void
refuse_route(struct request *request)
{
	char allow[ROUTER_ALLOW_BYTES];

	if (request->match.allowed == 0) {
		reply_outcome(&request->reply, request->id, STATUS_NOT_FOUND, VERDICT_DENIED, 0, NULL);
		return;
	}
	router_allow(request->match.allowed, allow);
	reply_problem(&request->reply, request->id, &problem_method, NULL, NULL);
	reply_header(&request->reply, "Allow", allow);
}

/* Find the route, and refuse what its headers alone show to be wrong. */
static void
route_request(struct request *request, const char *method, const struct framing *framing)
{
	const struct listener *listener = request->listener;
	const struct route *route;

	router_find(listener->routes, listener->route_count, router_method(method), request->path, request->path_len,
	    &request->match);
	if ((route = request->match.route) == NULL) {
		refuse_route(request);
		return;
	}
	if (route->scope != 0 && !request_take_key(request))
		reply_outcome(&request->reply, request->id, STATUS_UNAUTHENTICATED, VERDICT_DENIED, 0, NULL);
	else if (framing->content_length > (int64_t)route->body_limit)
		reply_problem(&request->reply, request->id, &problem_too_large, NULL, NULL);
}

/* Room for the body, at its declared length. */
static void
prepare_body(struct request *request, const struct framing *framing)
{
	if (framing->content_length <= 0)
		return;
	if (secret_new((size_t)framing->content_length, &request->body) != STATUS_OK)
		reply_outcome(&request->reply, request->id, STATUS_NO_MEMORY, VERDICT_DENIED, 0, NULL);
}

static enum MHD_Result
note_name(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct framing_head *head = cls;

	(void)kind;
	(void)value;
	if (head->fields < FRAMING_FIELDS_MAX)
		head->names[head->fields] = name;
	head->fields++;
	return MHD_YES;
}

static enum MHD_Result
on_head(struct request *request, const char *url, const char *method, const char *version)
{
	struct framing_head head = { .method = method, .url = url, .version = version, .target = request->target };
	const union MHD_ConnectionInfo *size =
	    MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	struct framing framing;

	if (size == NULL)
		return MHD_NO;
	head.len = size->header_size;
	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, note_name, &head);
	framing_check(&head, &framing);
	if (framing.problem != NULL) {
		reply_problem(&request->reply, request->id, framing.problem, framing.fault, NULL);
		request->reply.close = true;
		return send_reply(request);
	}
	request->method = strcmp(method, "HEAD") == 0 ? "HEAD" : router_method_name(router_method(method));
	route_request(request, method, &framing);
	if (request->reply.http_status == 0)
		prepare_body(request, &framing);
	request->stage = REQUEST_BODY;
	if (request->reply.http_status != 0 &&
	    (framing.expects_continue || framing.content_length > THROW_AWAY_BYTES)) {
		request->reply.close = true;
		return send_reply(request);
	}
	return MHD_YES;
}

/* Some of the body.  What is over the limit is counted, never kept. */
static enum MHD_Result
on_body(struct request *request, const char *data, size_t *len)
{
	size_t capacity = request->body != NULL ? secret_view(request->body).len : 0;
	size_t n = *len;

	*len = 0;
	if (request->reply.http_status == 0 && n > capacity - request->body_len) {
		reply_problem(&request->reply, request->id, &problem_too_large, NULL, NULL);
		secret_free(&request->body);
	}
	if (request->reply.http_status != 0) {
		request->thrown_away += n;
		return request->thrown_away <= THROW_AWAY_BYTES ? MHD_YES : MHD_NO;
	}
	memcpy(secret_data(request->body) + request->body_len, data, n);
	request->body_len += n;
	return MHD_YES;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
    const char *upload_data, size_t *upload_data_size, void **con_cls)
{
	struct request *request = *con_cls;

	(void)cls;
	(void)connection;
	if (request == NULL)
		return MHD_NO;
	switch (request->stage) {
	case REQUEST_HEAD:
		return on_head(request, url, method, version);
	case REQUEST_BODY:
		if (*upload_data_size > 0)
			return on_body(request, upload_data, upload_data_size);
		return request->reply.http_status != 0 ? send_reply(request) : dispatch(request);
	case REQUEST_DONE:
		return send_reply(request);
	case REQUEST_WORKING:
	case REQUEST_SENT:
		break;
	}
	return MHD_YES;
}

static void *
on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
	struct listener *listener = cls;
	struct request *request = request_new(listener, listener->server->service, connection, target);

	if (request != NULL)
		metrics_begin(listener->server->service->metrics, 1);
	return request;
}

static void
log_request(const struct request *request, int64_t ms)
{
	const struct route *route = request->match.route;

	log_event(LOG_LEVEL_INFO, "request", (const struct log_field[]){
	    LOG_TEXT("listener", request->listener->name), LOG_TEXT("method", request->method),
	    LOG_TEXT("route", route != NULL ? route->path : "-"), LOG_NUMBER("status", request->reply.http_status),
	    LOG_TEXT("problem", request->reply.slug != NULL ? request->reply.slug : "-"), LOG_NUMBER("ms", ms),
	    LOG_TEXT("request", request->id),
	    LOG_TEXT("client", request->caller.key_id[0] != '\0' ? request->caller.key_id : "-"), LOG_END });
}

static void
on_completed(void *cls, struct MHD_Connection *connection, void **con_cls, enum MHD_RequestTerminationCode code)
{
	struct request *request = *con_cls;
	struct server *server = ((struct listener *)cls)->server;
	int64_t ms;

	(void)connection;
	(void)code;
	if (request == NULL)
		return;
	ms = clock_monotonic_ms() - request->started_ms;
	give_time(request, next_deadline(server));
	metrics_request(server->service->metrics, request->reply.http_status, ms);
	log_request(request, ms);
	request_free(&request);
	*con_cls = NULL;
	metrics_begin(server->service->metrics, -1);
}

/* --- connections --------------------------------------------------------------------------------------------------- */

static void
connection_started(struct listener *listener, struct MHD_Connection *connection, void **socket_context)
{
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *tls = NULL;

	*socket_context = fd == NULL ? NULL :
	    connections_add(listener->connections, fd->connect_fd, next_deadline(listener->server));
	metrics_connection(listener->server->service->metrics, 1);
	if (listener->certificate == NULL)
		return;
	if ((tls = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION)) == NULL)
		return;
	gnutls_session_set_ptr(tls->tls_session, listener->certificate);
	/* on failure the client makes a full handshake next time */
	(void)gnutls_session_ticket_enable_server(tls->tls_session, &listener->server->ticket_key);
}

static void
on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
    enum MHD_ConnectionNotificationCode code)
{
	struct listener *listener = cls;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		connection_started(listener, connection, socket_context);
		return;
	}
	metrics_connection(listener->server->service->metrics, -1);
	connections_remove(listener->connections, *socket_context);
	*socket_context = NULL;
}

static void __attribute__((format(printf, 2, 0)))
on_library_message(void *cls, const char *format, va_list arguments)
{
	const struct listener *listener = cls;
	char text[256];

	(void)vsnprintf(text, sizeof text, format, arguments);
	text[strcspn(text, "\n")] = '\0';
	log_event(LOG_LEVEL_DEBUG, "http_library", (const struct log_field[]){ LOG_TEXT("listener", listener->name),
	    LOG_TEXT("message", text), LOG_END });
}

/* --- listeners ----------------------------------------------------------------------------------------------------- */

static unsigned
epoll_threads(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return processors < 2 ? 2 : processors > 64 ? 64 : (unsigned)processors;
}

static enum status
start_daemon(struct listener *listener)
{
	const struct listener_settings *own = listener->own;
	const struct settings *settings = listener->server->settings;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES },
		{ MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)(uintptr_t)certificate_retrieve },
		{ MHD_OPTION_END, 0, NULL }
	};
	struct MHD_OptionItem limits[] = {
		{ MHD_OPTION_CONNECTION_LIMIT, (intptr_t)own->connections, NULL },
		{ MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)own->connections_per_address, NULL },
		{ MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)settings->idle_timeout_s, NULL },
		{ MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL },
		{ MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)epoll_threads(), NULL },
		{ MHD_OPTION_THREAD_STACK_SIZE, THREAD_STACK, NULL },
		{ MHD_OPTION_STRICT_FOR_CLIENT, 0, NULL },      /* framing.c is stricter, and answers in our words */
		{ MHD_OPTION_END, 0, NULL }
	};

	if (listener->certificate != NULL)
		flags |= MHD_USE_TLS;
	listener->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, listener,
	    MHD_OPTION_EXTERNAL_LOGGER, on_library_message, listener,
	    MHD_OPTION_LISTEN_SOCKET, listener->address.fd,
	    MHD_OPTION_URI_LOG_CALLBACK, on_target, listener,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, listener,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, listener,
	    MHD_OPTION_ARRAY, limits,
	    MHD_OPTION_ARRAY, listener->certificate != NULL ? tls : tls + 2,
	    MHD_OPTION_END);
	return listener->daemon != NULL ? STATUS_OK : STATUS_INTERNAL;
}

/* The certificate and the socket; nothing is served yet. */
static enum status
open_listener(struct listener *listener, bool plain, char error[static CONFIG_ERROR_BYTES])
{
	const struct listener_settings *own = listener->own;
	enum status st;

	if ((st = connections_new(&listener->connections)) != STATUS_OK)
		return st;
	if (!plain && (st = certificate_open(own->certificate, own->key, &listener->certificate, error)) != STATUS_OK)
		return st;
	if ((st = address_listen(own->listen, &listener->address, error)) != STATUS_OK)
		return st;
	if (plain && !listener->address.loopback) {
		(void)snprintf(error, CONFIG_ERROR_BYTES, "[management] listen = %s: must be loopback or unix:/path",
		    own->listen);
		return STATUS_INVALID;
	}
	return STATUS_OK;
}

/* NULL: it is turned off. */
static struct listener *
add_listener(struct server *server, const char *name, const struct listener_settings *own,
    const struct route *(*routes)(size_t *out_count), const struct header *headers)
{
	struct listener *listener = &server->listeners[server->listener_count];

	if (own->listen[0] == '\0')
		return NULL;
	*listener = (struct listener){ .name = name, .server = server, .own = own, .headers = headers, .address.fd = -1 };
	listener->routes = routes(&listener->route_count);
	server->listener_count++;       /* from here on server_stop() knows it */
	return listener;
}

static enum status
open_all(struct server *server, char error[static CONFIG_ERROR_BYTES])
{
	const struct settings *s = server->settings;
	struct listener *api = add_listener(server, "api", &s->api, routes_api, api_headers);
	struct listener *pages = add_listener(server, "pages", &s->pages, routes_pages, pages_headers);
	struct listener *management = add_listener(server, "management", &s->management, routes_management, api_headers);
	enum status st = STATUS_OK;

	if (api != NULL)
		st = open_listener(api, false, error);
	if (st == STATUS_OK && pages != NULL)
		st = open_listener(pages, false, error);
	if (st == STATUS_OK && management != NULL)
		st = open_listener(management, true, error);
	return st;
}

/* In their order: the operator's probes come last, for they say that the others are there. */
static enum status
start_all(struct server *server, char error[static CONFIG_ERROR_BYTES])
{
	enum status st;

	for (unsigned i = 0; i < server->listener_count; i++) {
		struct listener *listener = &server->listeners[i];

		if ((st = start_daemon(listener)) != STATUS_OK) {
			(void)snprintf(error, CONFIG_ERROR_BYTES, "[%s] the listener does not start: raise the limits on "
			    "open files and threads, or lower connections", listener->name);
			return st;
		}
		log_event(LOG_LEVEL_NOTICE, "listener_ready", (const struct log_field[]){
		    LOG_TEXT("listener", listener->name), LOG_TEXT("address", listener->own->listen),
		    LOG_NUMBER("port", listener->address.port), LOG_END });
	}
	return STATUS_OK;
}

enum status
server_start(const struct settings *settings, struct service *service, struct server **out,
    char error[static CONFIG_ERROR_BYTES])
{
	struct server *server = calloc(1, sizeof *server);
	enum status st;

	error[0] = '\0';
	if (server == NULL)
		return STATUS_NO_MEMORY;
	server->settings = settings;
	server->service = service;
	st = STATUS_NO_MEMORY;
	if (gnutls_session_ticket_key_generate(&server->ticket_key) == GNUTLS_E_SUCCESS)
		st = open_all(server, error);
	if (st == STATUS_OK)
		st = start_all(server, error);
	if (st != STATUS_OK) {
		workers_stop(service->workers); /* a listener that started may have given them work */
		server_stop(&server);
	}
	*out = server;
	return st;
}

void
server_sweep(struct server *server)
{
	for (unsigned i = 0; i < server->listener_count; i++)
		for (unsigned n = connections_sweep(server->listeners[i].connections); n > 0; n--)
			metrics_cut(server->service->metrics);
}

void
server_reload(struct server *server)
{
	char error[CONFIG_ERROR_BYTES];

	for (unsigned i = 0; i < server->listener_count; i++) {
		struct listener *listener = &server->listeners[i];

		if (listener->certificate == NULL)
			continue;
		if (certificate_reload(listener->certificate, error) == STATUS_OK)
			log_event(LOG_LEVEL_NOTICE, "certificate_reloaded", (const struct log_field[]){
			    LOG_TEXT("listener", listener->name), LOG_END });
		else
			log_event(LOG_LEVEL_ERROR, "certificate_kept", (const struct log_field[]){
			    LOG_TEXT("listener", listener->name), LOG_TEXT("error", error), LOG_END });
	}
}

/* In the place of libc's, for libmicrohttpd.  MHD_quiesce_daemon() takes the socket that listens out of a thread's epoll
 * set, and so does the thread when it is awake just then; nothing locks them, and the second one (0.9.75) ends the process
 * where it finds the socket gone.  What is gone already is as it was wanted. */
__attribute__((visibility("default"))) int
epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
	static int (*_Atomic real)(int, int, int, struct epoll_event *);
	int rc;

	if (real == NULL) {
		void *found = dlsym(RTLD_NEXT, "epoll_ctl");
		int (*call)(int, int, int, struct epoll_event *);

		memcpy(&call, &found, sizeof call);     /* C has no cast for it */
		real = call;
	}
	rc = real(set, operation, fd, event);
	return rc != 0 && operation == EPOLL_CTL_DEL && errno == ENOENT ? 0 : rc;
}

void
server_drain(struct server *server)
{
	atomic_store(&server->service->draining, true);
	for (unsigned i = 0; i < server->listener_count; i++) {
		struct listener *listener = &server->listeners[i];

		/* the operator's probes stay until the end: they say that we are draining */
		if (listener->certificate == NULL || listener->daemon == NULL)
			continue;
		(void)MHD_quiesce_daemon(listener->daemon);
		address_close(&listener->address);
	}
}

bool
server_is_idle(struct server *server)
{
	return metrics_in_flight(server->service->metrics) == 0;
}

void
server_stop(struct server **server)
{
	if (server == NULL || *server == NULL)
		return;
	for (unsigned i = 0; i < (*server)->listener_count; i++) {
		struct listener *listener = &(*server)->listeners[i];

		if (listener->daemon != NULL) {
			(void)MHD_quiesce_daemon(listener->daemon);     /* so that the socket stays ours to close */
			MHD_stop_daemon(listener->daemon);
		}
		address_close(&listener->address);
		connections_free(&listener->connections);
		certificate_free(&listener->certificate);
	}
	if ((*server)->ticket_key.data != NULL)
		secret_wipe((*server)->ticket_key.data, (*server)->ticket_key.size);
	gnutls_free((*server)->ticket_key.data);
	free(*server);
	*server = NULL;
}
