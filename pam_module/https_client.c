#include "pam_module/https_client.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "core/base/clock.h"
#include "core/base/secret.h"

#define SCHEME "https://"
#define PIN_PREFIX "sha256//"

enum { URL_BYTES = 512, HEADER_LINE_BYTES = 160, PIN_BASE64_LEN = 43 };

struct transfer {
	CURL *easy;
	struct curl_slist *headers;
	uint64_t wire_bytes;            /* that came over the connection, whatever they are */
	size_t header_bytes;
	bool is_too_long;
	struct https_reply *reply;
};

/* --- settings --------------------------------------------------------------------------------------------------------- */

static bool
is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/* libcurl takes whatever does not begin like a pin for the name of a file. */
static bool
are_pins(const char *at)
{
	for (;;) {
		size_t len = 0;

		if (strncmp(at, PIN_PREFIX, sizeof PIN_PREFIX - 1) != 0)
			return false;
		at += sizeof PIN_PREFIX - 1;
		while (is_base64(at[len]))
			len++;
		if (len != PIN_BASE64_LEN || at[len] != '=')
			return false;
		at += len + 1;
		if (*at == '\0')
			return true;
		if (*at++ != ';')
			return false;
	}
}

static bool
is_origin(const char *url)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.:[]";
	const char *host = url + sizeof SCHEME - 1;

	return strncmp(url, SCHEME, sizeof SCHEME - 1) == 0 && *host != '\0' && host[strspn(host, allowed)] == '\0';
}

const char *
https_service_fault(const struct https_service *service)
{
	if (!is_origin(service->url))
		return "[authd] url is not https://HOST or https://HOST:PORT";
	if (service->ca_file[0] == '\0' && service->pin[0] == '\0')
		return "[authd] has neither ca_file nor pin: one of them must say whom to trust";
	if (service->ca_file[0] != '\0' && service->ca_file[0] != '/')
		return "[authd] ca_file is no absolute path";
	if (service->pin[0] != '\0' && !are_pins(service->pin))
		return "[authd] pin is not sha256// and 44 characters of base64, nor several of these with a semicolon between";
	return NULL;
}

/* --- what comes in ---------------------------------------------------------------------------------------------------- */

static size_t
take_body(char *data, size_t size, size_t count, void *cookie)
{
	struct transfer *transfer = cookie;
	struct https_reply *reply = transfer->reply;
	size_t len = size * count;

	if (len > sizeof reply->body - reply->len) {
		transfer->is_too_long = true;
		return 0;
	}
	memcpy(reply->body + reply->len, data, len);
	reply->len += len;
	return len;
}

static size_t
count_header(char *data, size_t size, size_t count, void *cookie)
{
	struct transfer *transfer = cookie;

	(void)data;
	transfer->header_bytes += size * count;
	return transfer->header_bytes <= HTTPS_HEADERS_MAX ? size * count : 0;
}

/* The kernel counts; an end of the connection as one. */
static int
count_and_close(void *cookie, curl_socket_t fd)
{
	struct transfer *transfer = cookie;
	struct tcp_info info = { .tcpi_bytes_received = 0 };
	socklen_t len = sizeof info;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		info.tcpi_bytes_received = UINT64_MAX;
	if (info.tcpi_bytes_received > transfer->wire_bytes)
		transfer->wire_bytes = info.tcpi_bytes_received;
	return close(fd);
}

/* How often the header is there; its value only where that is once, and short. */
static size_t
take_header(const struct transfer *transfer, const char *name, char out[static HTTPS_WORD_BYTES])
{
	struct curl_header *header = NULL;

	out[0] = '\0';
	if (curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return 0;
	if (header->amount == 1 && strlen(header->value) < HTTPS_WORD_BYTES)
		memcpy(out, header->value, strlen(header->value) + 1);
	return header->amount;
}

static void
take_head(const struct transfer *transfer, const char *mac_header)
{
	struct https_reply *reply = transfer->reply;
	char word[HTTPS_WORD_BYTES];
	time_t date;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &reply->status);
	(void)take_header(transfer, "Content-Type", reply->content_type);
	(void)take_header(transfer, mac_header, reply->mac);
	reply->is_encoded = take_header(transfer, "Content-Encoding", word) > 0;
	(void)take_header(transfer, "Date", word);
	date = word[0] != '\0' ? curl_getdate(word, NULL) : -1;
	reply->date_s = date > 0 ? (int64_t)date : 0;
}

/* --- what goes out ---------------------------------------------------------------------------------------------------- */

static bool
add_line(struct transfer *transfer, const char *line)
{
	struct curl_slist *longer = curl_slist_append(transfer->headers, line);

	if (longer != NULL)
		transfer->headers = longer;
	return longer != NULL;
}

static bool
add_headers(struct transfer *transfer, const char *bearer)
{
	char line[HEADER_LINE_BYTES];
	bool added;

	(void)snprintf(line, sizeof line, "Authorization: Bearer %s", bearer);
	added = add_line(transfer, line) && add_line(transfer, "Content-Type: application/json") &&
	    add_line(transfer, "Accept: application/json") && add_line(transfer, "Expect:");
	secret_wipe(line, sizeof line);
	return added;
}

/* Whom to trust.  The system's own authorities never count: the path of theirs is cleared. */
static bool
set_trust(CURL *easy, const struct https_service *service)
{
	bool has_ca = service->ca_file[0] != '\0';

	return curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3 | CURL_SSLVERSION_MAX_TLSv1_3) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, has_ca ? 1L : 0L) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_CAINFO, has_ca ? service->ca_file : NULL) == CURLE_OK &&
	    (service->pin[0] == '\0' || curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, service->pin) == CURLE_OK) &&
	    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L) == CURLE_OK;
}

/* One exchange with the one service that is named, whatever the environment or the reply would have it do. */
static bool
set_manners(CURL *easy, const struct https_question *question)
{
	int64_t left_ms = question->deadline_ms - clock_monotonic_ms();
	long total_ms = (long)(left_ms > 0 ? left_ms : 1);

	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https") == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*") == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_NONE) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&     /* no wait for a name server that is silent */
	    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, total_ms) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
	        question->connect_ms < total_ms ? (long)question->connect_ms : total_ms) == CURLE_OK;
}

static bool
set_message(struct transfer *transfer, const struct https_service *service, const struct https_question *question)
{
	CURL *easy = transfer->easy;
	char url[URL_BYTES];

	(void)snprintf(url, sizeof url, "%s%s", service->url, question->path);
	return add_headers(transfer, question->bearer) &&
	    curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_USERAGENT, "counterfoil-pam-helper") == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)question->body.len) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, question->body.data) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, count_header) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, count_and_close) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)HTTPS_BODY_MAX) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->reply->error) == CURLE_OK;
}

/* --- what it came to -------------------------------------------------------------------------------------------------- */

/* An end without a reply and an end within one look alike to libcurl. */
static enum https_outcome
ended_early(const struct transfer *transfer)
{
	return transfer->header_bytes > 0 ? HTTPS_CUT : HTTPS_LOST;
}

/* A balancer whose service is away takes a connection and ends it: no byte came that could be bad TLS. */
static enum https_outcome
handshake_failed(const struct transfer *transfer)
{
	return transfer->wire_bytes > 1 ? HTTPS_UNUSABLE : HTTPS_LOST;
}

static enum https_outcome
outcome_of_code(const struct transfer *transfer, CURLcode code)
{
	switch ((int)code) {
	case CURLE_OK:
		transfer->reply->is_whole = true;
		return HTTPS_REPLIED;
	case CURLE_FILESIZE_EXCEEDED:
		return HTTPS_REPLIED;
	case CURLE_WRITE_ERROR:
		return transfer->is_too_long ? HTTPS_REPLIED : HTTPS_UNUSABLE;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
		return HTTPS_UNREACHABLE;
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
		return ended_early(transfer);
	case CURLE_SSL_CONNECT_ERROR:
		return handshake_failed(transfer);
	case CURLE_SSL_CACERT_BADFILE:
		return HTTPS_MISCONFIGURED;
	default:                /* CURLE_OUT_OF_MEMORY among them: it is a header line without end, more likely */
		return HTTPS_UNUSABLE;
	}
}

enum https_outcome
https_post(const struct https_service *service, const struct https_question *question, struct https_reply *out)
{
	struct transfer transfer = { .easy = NULL, .reply = out };
	enum https_outcome outcome = HTTPS_NO_MEMORY;
	CURLcode code;

	*out = (struct https_reply){ .status = 0 };
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return outcome;
	if ((transfer.easy = curl_easy_init()) != NULL && set_trust(transfer.easy, service) &&
	    set_manners(transfer.easy, question) && set_message(&transfer, service, question)) {
		code = curl_easy_perform(transfer.easy);
		outcome = outcome_of_code(&transfer, code);
		take_head(&transfer, question->mac_header);
		if (code != CURLE_OK && out->error[0] == '\0')
			(void)snprintf(out->error, sizeof out->error, "%s", curl_easy_strerror(code));
	}
	curl_easy_cleanup(transfer.easy);
	curl_slist_free_all(transfer.headers);
	curl_global_cleanup();
	return outcome;
}
