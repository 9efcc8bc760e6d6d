#include "authd/certificate.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/secret.h"

enum {
	CHAIN_MAX = 10,
	FILE_MAX_BYTES = 256 * 1024,
	/* A handshake may still hold a pair that was replaced; it is cut long before this. */
	RETIRED_FOR_MS = 15 * 60 * 1000
};

/* One pair as it was read.  Handshakes borrow it without counting, so it is kept for a while after its time. */
struct pair {
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned count;
	gnutls_privkey_t key;
	int64_t retired_ms;
	struct pair *next;
};

struct certificate {
	const char *chain_path, *key_path;
	pthread_rwlock_t lock;
	struct pair *current;
	struct pair *retired;
};

static void
pair_free(struct pair *pair)
{
	if (pair == NULL)
		return;
	for (unsigned i = 0; i < pair->count; i++)
		gnutls_pcert_deinit(&pair->chain[i]);
	if (pair->key != NULL)
		gnutls_privkey_deinit(pair->key);
	free(pair);
}

static enum status
fault(char error[static CONFIG_ERROR_BYTES], const char *path, const char *what)
{
	(void)snprintf(error, CONFIG_ERROR_BYTES, "%s: %s", path, what);
	return STATUS_INVALID;
}

/* Symbolic links are followed here: that is how ACME clients keep the newest certificate. */
static enum status
read_pem(const char *path, mode_t forbidden, struct secret **out, char error[static CONFIG_ERROR_BYTES])
{
	struct stat info;
	struct secret *text = NULL;
	enum status st = STATUS_INVALID;
	size_t have = 0;
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		return fault(error, path, "cannot be opened: does it exist, and may this user read it?");
	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size < 1 || info.st_size > FILE_MAX_BYTES) {
		(void)fault(error, path, "is not a file of 1 byte to 256 KiB");
		goto out;
	}
	if ((info.st_mode & forbidden) != 0) {
		(void)fault(error, path, "is open to others: chmod 0640 or stricter");
		goto out;
	}
	if ((st = secret_new((size_t)info.st_size, &text)) != STATUS_OK)
		goto out;
	while (have < (size_t)info.st_size &&
	    (n = read(fd, secret_data(text) + have, (size_t)info.st_size - have)) > 0)
		have += (size_t)n;
	secret_truncate(text, have);
	*out = text;
	text = NULL;
out:
	secret_free(&text);
	(void)close(fd);
	return st;
}

static gnutls_datum_t
datum_of(struct secret *text)
{
	struct bytes view = secret_view(text);

	return (gnutls_datum_t){ .data = secret_data(text), .size = (unsigned)view.len };
}

static enum status
read_chain(const char *path, struct pair *pair, char error[static CONFIG_ERROR_BYTES])
{
	struct secret *text = NULL;
	gnutls_datum_t datum;
	unsigned count = CHAIN_MAX;
	enum status st;

	if ((st = read_pem(path, 0002, &text, error)) != STATUS_OK)
		return st;
	datum = datum_of(text);
	if (gnutls_pcert_list_import_x509_raw(pair->chain, &count, &datum, GNUTLS_X509_FMT_PEM, 0) != GNUTLS_E_SUCCESS ||
	    count == 0)
		st = fault(error, path, "holds no PEM certificate chain (1 to 10, the server's own first)");
	else
		pair->count = count;
	secret_free(&text);
	return st;
}

static enum status
read_key(const char *path, struct pair *pair, char error[static CONFIG_ERROR_BYTES])
{
	struct secret *text = NULL;
	gnutls_datum_t datum;
	enum status st;

	if ((st = read_pem(path, 0027, &text, error)) != STATUS_OK)
		return st;
	datum = datum_of(text);
	if (gnutls_privkey_init(&pair->key) != GNUTLS_E_SUCCESS)
		st = STATUS_NO_MEMORY;
	else if (gnutls_privkey_import_x509_raw(pair->key, &datum, GNUTLS_X509_FMT_PEM, NULL, 0) != GNUTLS_E_SUCCESS)
		st = fault(error, path, "holds no private key in PEM form (without a passphrase)");
	secret_free(&text);
	return st;
}

static bool
belong_together(const struct pair *pair)
{
	uint8_t of_key[64], of_certificate[64];
	size_t key_len = sizeof of_key, certificate_len = sizeof of_certificate;
	gnutls_pubkey_t public = NULL;
	bool same = false;

	if (gnutls_pubkey_init(&public) != GNUTLS_E_SUCCESS)
		return false;
	if (gnutls_pubkey_import_privkey(public, pair->key, 0, 0) == GNUTLS_E_SUCCESS &&
	    gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, of_key, &key_len) == GNUTLS_E_SUCCESS &&
	    gnutls_pubkey_get_key_id(pair->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, of_certificate,
	    &certificate_len) == GNUTLS_E_SUCCESS)
		same = key_len == certificate_len && memcmp(of_key, of_certificate, key_len) == 0;
	gnutls_pubkey_deinit(public);
	return same;
}

static enum status
pair_read(const struct certificate *certificate, struct pair **out, char error[static CONFIG_ERROR_BYTES])
{
	struct pair *pair = calloc(1, sizeof *pair);
	enum status st;

	error[0] = '\0';
	if (pair == NULL)
		return STATUS_NO_MEMORY;
	if ((st = read_chain(certificate->chain_path, pair, error)) == STATUS_OK)
		st = read_key(certificate->key_path, pair, error);
	if (st == STATUS_OK && !belong_together(pair))
		st = fault(error, certificate->key_path, "is not the key of the certificate");
	if (st != STATUS_OK) {
		pair_free(pair);
		return st;
	}
	*out = pair;
	return STATUS_OK;
}

enum status
certificate_open(const char *chain_path, const char *key_path, struct certificate **out,
    char error[static CONFIG_ERROR_BYTES])
{
	struct certificate *certificate = calloc(1, sizeof *certificate);
	enum status st;

	if (certificate == NULL)
		return STATUS_NO_MEMORY;
	certificate->chain_path = chain_path;
	certificate->key_path = key_path;
	if ((st = pair_read(certificate, &certificate->current, error)) != STATUS_OK) {
		free(certificate);
		return st;
	}
	(void)pthread_rwlock_init(&certificate->lock, NULL);
	*out = certificate;
	return STATUS_OK;
}

/* Free what was retired long ago. */
static void
sweep(struct certificate *certificate, int64_t now_ms)
{
	struct pair **at = &certificate->retired;

	while (*at != NULL) {
		struct pair *pair = *at;

		if (now_ms - pair->retired_ms < RETIRED_FOR_MS) {
			at = &pair->next;
			continue;
		}
		*at = pair->next;
		pair_free(pair);
	}
}

enum status
certificate_reload(struct certificate *certificate, char error[static CONFIG_ERROR_BYTES])
{
	int64_t now_ms = clock_monotonic_ms();
	struct pair *pair;
	enum status st;

	if ((st = pair_read(certificate, &pair, error)) != STATUS_OK)
		return st;
	(void)pthread_rwlock_wrlock(&certificate->lock);
	certificate->current->retired_ms = now_ms;
	certificate->current->next = certificate->retired;
	certificate->retired = certificate->current;
	certificate->current = pair;
	sweep(certificate, now_ms);
	(void)pthread_rwlock_unlock(&certificate->lock);
	return STATUS_OK;
}

void
certificate_free(struct certificate **certificate)
{
	struct pair *pair, *next;

	if (certificate == NULL || *certificate == NULL)
		return;
	for (pair = (*certificate)->retired; pair != NULL; pair = next) {
		next = pair->next;
		pair_free(pair);
	}
	pair_free((*certificate)->current);
	(void)pthread_rwlock_destroy(&(*certificate)->lock);
	free(*certificate);
	*certificate = NULL;
}

int
certificate_retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **out_chain,
    unsigned *out_count, gnutls_ocsp_data_st **out_ocsp, unsigned *out_ocsp_count, gnutls_privkey_t *out_key,
    unsigned *out_flags)
{
	struct certificate *certificate = gnutls_session_get_ptr(session);

	(void)info;
	if (certificate == NULL)
		return -1;
	(void)pthread_rwlock_rdlock(&certificate->lock);
	*out_chain = certificate->current->chain;
	*out_count = certificate->current->count;
	*out_key = certificate->current->key;
	(void)pthread_rwlock_unlock(&certificate->lock);
	*out_ocsp = NULL;
	*out_ocsp_count = 0;
	*out_flags = 0;
	return 0;
}
