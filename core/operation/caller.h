/* caller.h: who asks, from where.  Every operation takes one and SQL decides with it: what a caller may do is
 * checked in the same statement that does it, so a revoked key is refused at once on every node. */
#ifndef COUNTERFOIL_CALLER_H
#define COUNTERFOIL_CALLER_H

#include "core/base/entropy.h"
#include "core/credential/keyring.h"
#include "core/credential/token.h"

enum caller_kind {
	CALLER_NONE = 0,        /* may do nothing */
	CALLER_CLIENT,          /* a program with an API key: realm and scopes are those of the key's row */
	CALLER_HOST,            /* a staff host: realm staff; the database role of its helper decides or, where it asks
	                         * authd, its API key with scope pam */
	CALLER_OPERATOR         /* the command line: REALM as asked; the database role decides */
};

struct caller {
	enum caller_kind kind;
	enum realm realm;                               /* CALLER_CLIENT: of the key; CALLER_OPERATOR: as asked */
	char key_id[API_KEY_ID_BYTES];                  /* CALLER_CLIENT, and CALLER_HOST with a key; else empty */
	uint8_t key_secret[TOKEN_RAW_BYTES];            /* with it; the owner wipes it */
	char request_id[UUID_TEXT_BYTES];               /* in every event and every error */
	const char *source_ip;                          /* numeric address of the person who signs in, or NULL */
	const char *user_agent;                         /* as told, at most 256 bytes, or NULL */
	int watch_fd;                                   /* the connection that the answer goes to; 0: none */
	const char *service;                            /* PAM service or program name, or NULL */
};

#endif
