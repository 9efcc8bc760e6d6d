/* server.h: the listeners: libmicrohttpd on epoll threads, requests handed to workers while the connection sleeps. */
#ifndef COUNTERFOIL_AUTHD_SERVER_H
#define COUNTERFOIL_AUTHD_SERVER_H

#include <stdbool.h>

#include "authd/request.h"
#include "authd/settings.h"
#include "core/base/config.h"
#include "core/base/status.h"

struct server;

/* Open every listener that SETTINGS names and serve.  SETTINGS and SERVICE outlive the server.
 * STATUS_INVALID, STATUS_UNAVAILABLE: ERROR says what is wrong and what to do. */
enum status server_start(const struct settings *settings, struct service *service, struct server **out,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

/* Cut what is too slow.  Call it a few times a second. */
void server_sweep(struct server *server);

/* Take the certificates from their files again.  A failure is logged and the old one stays. */
void server_reload(struct server *server);

/* Accept no more; replies from now on end their connections. */
void server_drain(struct server *server);

/* Is nothing in flight any more? */
bool server_is_idle(struct server *server);

/* Close everything.  The workers were stopped before: no connection may sleep.  NULL is fine. */
void server_stop(struct server **server);

#endif
