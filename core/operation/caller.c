#include "core/operation/caller.h"

#include <string.h>

#include "core/operation/core_inside.h"

static const char *
kind_name(enum caller_kind kind)
{
	switch (kind) {
	case CALLER_CLIENT:
		return "client";
	case CALLER_HOST:
		return "host";
	case CALLER_OPERATOR:
		return "operator";
	case CALLER_NONE:
	default:
		return NULL;
	}
}

enum realm
caller_realm(const struct caller *caller)
{
	switch (caller->kind) {
	case CALLER_CLIENT:
		return caller->realm;
	case CALLER_HOST:
		return REALM_STAFF;
	case CALLER_OPERATOR:
		return caller->realm == REALM_NONE ? REALM_STORE : caller->realm;
	case CALLER_NONE:
	default:
		return REALM_NONE;
	}
}

static void
bind(const struct caller *caller, const char *kind, struct caller_bound *out)
{
	memset(out, 0, sizeof *out);
	out->db.kind = kind;
	out->db.realm = caller_realm(caller);
	out->db.request_id = caller->request_id[0] != '\0' ? caller->request_id : NULL;
	out->db.source = caller->source_ip;
	out->db.user_agent = caller->user_agent;
	out->db.service = caller->service;
}

enum status
caller_bind(const struct core *core, const struct caller *caller, struct caller_bound *out)
{
	const char *kind = kind_name(caller->kind);
	enum status st;

	if (kind == NULL || caller_realm(caller) == REALM_NONE)
		return STATUS_UNAUTHENTICATED;
	bind(caller, kind, out);
	if (caller->kind != CALLER_CLIENT && (caller->kind != CALLER_HOST || caller->key_id[0] == '\0'))
		return STATUS_OK;
	st = keyring_digest(core->keyring, REALM_SERVICE, "api_key",
	    (struct bytes){ caller->key_secret, sizeof caller->key_secret }, out->key_digest);
	out->db.key_id = caller->key_id;
	out->db.key_digest = (struct bytes){ out->key_digest, sizeof out->key_digest };
	return st == STATUS_OK ? STATUS_OK : STATUS_INTERNAL;
}

enum status
caller_bind_page(const struct caller *page, struct caller_bound *out)
{
	if (page->kind != CALLER_NONE)
		return STATUS_INTERNAL;
	bind(page, "page", out);
	return STATUS_OK;
}
