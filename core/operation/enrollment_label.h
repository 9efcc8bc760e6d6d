/* enrollment_label.h: the names in an authenticator app: issuer and account, as the Key URI format can take them. */
#ifndef COUNTERFOIL_ENROLLMENT_LABEL_H
#define COUNTERFOIL_ENROLLMENT_LABEL_H

#include "core/base/secret.h"
#include "core/base/status.h"
#include "core/base/text.h"

/* STATUS_INVALID: no authenticator app could be given ISSUER. */
enum status enrollment_check_issuer(const char *issuer) NODISCARD;

/* The URI of SEED for the owner of LOGIN (canonical).  A login that is too long is cut at a character, a colon in it
 * becomes a dot: the label only helps its reader. */
enum status enrollment_uri(const char *issuer, const char *login, struct bytes seed, struct secret **out) NODISCARD;

#endif
