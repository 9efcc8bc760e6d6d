/* certificate.h: a TLS listener's certificate and key, changed while connections come in. */
#ifndef COUNTERFOIL_AUTHD_CERTIFICATE_H
#define COUNTERFOIL_AUTHD_CERTIFICATE_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "core/base/config.h"
#include "core/base/status.h"

struct certificate;

/* Read the PEM files.  The paths are borrowed for the life of the result.
 * STATUS_INVALID: ERROR says which file is wrong and how to mend it. */
enum status certificate_open(const char *chain_path, const char *key_path, struct certificate **out,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

/* Read them again: handshakes from now on use the new ones.  On failure the old ones stay. */
enum status certificate_reload(struct certificate *certificate, char error[static CONFIG_ERROR_BYTES]) NODISCARD;

/* After every connection of the listener has ended.  NULL is fine. */
void certificate_free(struct certificate **certificate);

/* A gnutls_certificate_retrieve_function3; the session's pointer (gnutls_session_set_ptr) is the certificate. */
int certificate_retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **out_chain,
    unsigned *out_count, gnutls_ocsp_data_st **out_ocsp, unsigned *out_ocsp_count, gnutls_privkey_t *out_key,
    unsigned *out_flags);

#endif
