/* Links and page tokens are digested under the service's key: who shows one has not yet said in which realm. */
#include "core/operation/hosted_page.h"

#include <stdio.h>
#include <string.h>

#include "core/base/encoding.h"
#include "core/operation/hosted_page_inside.h"

_Static_assert(RETURN_TO_MAX_BYTES == LINK_SQL_RETURN_TO_MAX, "the page leads back to what the link was given");

static const char *
purpose_name(enum page_purpose purpose)
{
	return purpose == PAGE_ACTIVITY ? "activity" : "enrollment";
}

enum status
hosted_page_link(struct core *core, const struct caller *caller, const char *account_id, enum page_purpose purpose,
    const char *return_to, char out_token[static TOKEN_TEXT_BYTES], int64_t *out_expires_at_s)
{
	enum realm realm = caller_realm(caller);
	struct caller_bound bound;
	struct vault_token token;
	enum status st;

	if (return_to != NULL && strlen(return_to) > RETURN_TO_MAX_BYTES)
		return STATUS_INVALID;
	if ((st = caller_bind(core, caller, &bound)) != STATUS_OK)
		return st;
	if (core_policy(core, realm) == NULL)
		return STATUS_FORBIDDEN;
	if (!encoding_is_uuid(account_id))
		return STATUS_NOT_FOUND;
	if ((st = vault_token_new(core, REALM_SERVICE, "link", &token)) != STATUS_OK)
		return st;
	st = link_sql_create(core->db, &bound.db, account_id, vault_digest_view(token.digest), purpose_name(purpose),
	    return_to, core_policy(core, realm)->enrollment_ttl_s, out_expires_at_s);
	if (st == STATUS_OK)
		memcpy(out_token, token.text, TOKEN_TEXT_BYTES);
	vault_token_wipe(&token);
	return st;
}

/* The realm is not known before the exchange: both have the same limit by design (R193), the shorter one is taken. */
static int64_t
page_ttl_s(const struct core *core)
{
	int64_t store = core_policy(core, REALM_STORE)->enrollment_ttl_s;
	int64_t staff = core_policy(core, REALM_STAFF)->enrollment_ttl_s;

	return store < staff ? store : staff;
}

enum status
hosted_page_exchange(struct core *core, const struct caller *page, enum page_purpose purpose, const char *link_token,
    char out_page_token[static TOKEN_TEXT_BYTES], int64_t *out_expires_at_s)
{
	uint8_t link_digest[DIGEST_BYTES];
	struct caller_bound bound;
	struct vault_token token;
	enum status st;

	if ((st = caller_bind_page(page, &bound)) != STATUS_OK ||
	    (st = vault_token_digest(core, REALM_SERVICE, "link", link_token, link_digest)) != STATUS_OK ||
	    (st = vault_token_new(core, REALM_SERVICE, "page", &token)) != STATUS_OK)
		return st == STATUS_INVALID ? STATUS_NOT_FOUND : st;    /* what has not a token's form was never issued */
	st = link_sql_exchange(core->db, &bound.db, vault_digest_view(link_digest), purpose_name(purpose),
	    vault_digest_view(token.digest), page_ttl_s(core), out_expires_at_s);
	if (st == STATUS_OK)
		memcpy(out_page_token, token.text, TOKEN_TEXT_BYTES);
	vault_token_wipe(&token);
	return st;
}

enum status
hosted_page_bind(const struct core *core, const struct caller *page, const char *page_token, struct page_bound *out)
{
	enum status st;

	memset(out, 0, sizeof *out);
	if ((st = caller_bind_page(page, &out->bound)) == STATUS_OK)
		st = vault_token_digest(core, REALM_SERVICE, "page", page_token, out->digest);
	return st == STATUS_INVALID ? STATUS_NOT_FOUND : st;
}

enum status
hosted_page_hold(struct core *core, const struct caller *page, enum page_purpose purpose, const char *page_token,
    struct page_bound *out, struct page_row *out_row)
{
	enum status st;

	if ((st = hosted_page_bind(core, page, page_token, out)) != STATUS_OK ||
	    (st = link_sql_page_get(core->db, &out->bound.db, vault_digest_view(out->digest), purpose_name(purpose),
	    out_row)) != STATUS_OK)
		return st;
	return core_policy(core, (enum realm)out_row->realm) != NULL ? STATUS_OK : STATUS_INTERNAL;
}

enum status
hosted_page_get(struct core *core, const struct caller *page, enum page_purpose purpose, const char *page_token,
    struct hosted_page *out)
{
	struct page_bound bound;
	struct page_row row;
	enum status st;

	memset(out, 0, sizeof *out);
	if ((st = hosted_page_hold(core, page, purpose, page_token, &bound, &row)) != STATUS_OK ||
	    (st = vault_open_login(core, (enum realm)row.realm, row.account_id, &row.login_sealed, row.login_key_id,
	    out->login)) != STATUS_OK)
		return st;
	out->realm = (enum realm)row.realm;
	memcpy(out->account_id, row.account_id, sizeof out->account_id);
	memcpy(out->return_to, row.return_to, sizeof out->return_to);
	(void)snprintf(out->state, sizeof out->state, "%.15s", row.state);
	out->second_factor = row.second_factor;
	out->expires_at_s = row.expires_at_s;
	return STATUS_OK;
}
