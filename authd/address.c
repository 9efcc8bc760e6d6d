#include "authd/address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static enum status
fault(char error[static CONFIG_ERROR_BYTES], enum status st, const char *text, const char *what)
{
	(void)snprintf(error, CONFIG_ERROR_BYTES, "listen address \"%s\": %s", text, what);
	return st;
}

/* Split at the last colon; brackets around an IPv6 address go away. */
static bool
split(const char *text, char *host, size_t host_size, const char **out_port)
{
	const char *colon = strrchr(text, ':');
	const char *start = text;
	size_t len;

	if (colon == NULL || colon[1] == '\0')
		return false;
	len = (size_t)(colon - text);
	if (len >= 2 && text[0] == '[' && colon[-1] == ']') {
		start++;
		len -= 2;
	} else if (memchr(text, ':', len) != NULL) {
		return false;
	}
	if (len == 0 || len >= host_size)
		return false;
	memcpy(host, start, len);
	host[len] = '\0';
	*out_port = colon + 1;
	return true;
}

/* getaddrinfo() takes 70000 for 4464. */
static bool
is_port(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= 5 && strspn(text, "0123456789") == len && strtoul(text, NULL, 10) <= UINT16_MAX;
}

static bool
is_loopback(const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof v4);
		return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
	}
	memcpy(&v6, address, sizeof v6);
	return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

static enum status
resolve(const char *text, struct addrinfo **out, char error[static CONFIG_ERROR_BYTES])
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	const char *port;
	char host[256];
	int rc;

	if (!split(text, host, sizeof host, &port) || !is_port(port))
		return fault(error, STATUS_INVALID, text, "write host:port or [v6]:port, the port from 0 to 65535");
	if ((rc = getaddrinfo(host, port, &hints, out)) != 0)
		return fault(error, STATUS_INVALID, text, gai_strerror(rc));
	return STATUS_OK;
}

static enum status
check_unix(const char *path, char error[static CONFIG_ERROR_BYTES])
{
	if (path[0] == '/' && strlen(path) < sizeof ((struct sockaddr_un *)NULL)->sun_path)
		return STATUS_OK;
	return fault(error, STATUS_INVALID, path, "write unix: and an absolute path of at most 107 bytes");
}

/* Does a process listen at this socket?  One that a killed predecessor left refuses. */
static bool
is_served(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool served = fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN);

	if (fd >= 0)
		(void)close(fd);
	return served;
}

static enum status
listen_unix(const char *path, struct address *out, char error[static CONFIG_ERROR_BYTES])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat info;
	mode_t mask;
	enum status st;
	int rc;

	if ((st = check_unix(path, error)) != STATUS_OK)
		return st;
	memcpy(address.sun_path, path, strlen(path) + 1);
	if ((out->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
		return fault(error, STATUS_UNAVAILABLE, path, strerror(errno));
	if (is_served(&address))
		return fault(error, STATUS_UNAVAILABLE, path, strerror(EADDRINUSE));
	/* what a killed predecessor left; a socket only, never a file */
	if (lstat(path, &info) == 0 && S_ISSOCK(info.st_mode))
		(void)unlink(path);
	mask = umask(0117);
	rc = bind(out->fd, (const struct sockaddr *)&address, sizeof address);
	(void)umask(mask);
	if (rc != 0 || listen(out->fd, BACKLOG) != 0)
		return fault(error, STATUS_UNAVAILABLE, path, strerror(errno));
	memcpy(out->path, address.sun_path, sizeof out->path);
	out->loopback = true;
	return STATUS_OK;
}

static enum status
listen_tcp(const char *text, struct address *out, char error[static CONFIG_ERROR_BYTES])
{
	struct addrinfo *found = NULL;
	struct sockaddr_storage bound;
	socklen_t len = sizeof bound;
	const int on = 1;
	enum status st;

	if ((st = resolve(text, &found, error)) != STATUS_OK)
		return st;
	out->loopback = is_loopback(found->ai_addr);
	out->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (out->fd < 0 || setsockopt(out->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    bind(out->fd, found->ai_addr, found->ai_addrlen) != 0 || listen(out->fd, BACKLOG) != 0 ||
	    getsockname(out->fd, (struct sockaddr *)&bound, &len) != 0) {
		st = fault(error, STATUS_UNAVAILABLE, text, strerror(errno));
		goto out;
	}
	/* the port lies at the same place in both families */
	out->port = ntohs(((struct sockaddr_in *)&bound)->sin_port);
out:
	freeaddrinfo(found);
	return st;
}

enum status
address_listen(const char *text, struct address *out, char error[static CONFIG_ERROR_BYTES])
{
	enum status st;

	memset(out, 0, sizeof *out);
	out->fd = -1;
	if (strncmp(text, "unix:", 5) == 0)
		st = listen_unix(text + 5, out, error);
	else
		st = listen_tcp(text, out, error);
	if (st != STATUS_OK)
		address_close(out);
	return st;
}

enum status
address_check(const char *text, bool *out_loopback, char error[static CONFIG_ERROR_BYTES])
{
	struct addrinfo *found = NULL;
	enum status st;

	if (strncmp(text, "unix:", 5) == 0) {
		*out_loopback = true;
		return check_unix(text + 5, error);
	}
	if ((st = resolve(text, &found, error)) != STATUS_OK)
		return st;
	*out_loopback = is_loopback(found->ai_addr);
	freeaddrinfo(found);
	return STATUS_OK;
}

void
address_close(struct address *address)
{
	if (address->fd >= 0)
		(void)close(address->fd);
	address->fd = -1;
	if (address->path[0] != '\0')
		(void)unlink(address->path);
	address->path[0] = '\0';
}
