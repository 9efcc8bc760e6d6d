/* enrollment_page.c: the hosted page: a link, once, for the page's own token; then start and confirm with it.
 * Links and page tokens are digested under the service's key: who shows one has not yet said in which realm. */
#include <stdio.h>
#include <string.h>

#include "core/operation/enrollment_inside.h"
#include "core/store/link_sql.h"

#define PURPOSE "enrollment"

_Static_assert(RETURN_TO_MAX_BYTES == LINK_SQL_RETURN_TO_MAX, "the page leads back to what the link was given");

enum status
enrollment_link_create(struct core *core, const struct caller *caller, const char *account_id, const char *return_to,
    char out_token[static TOKEN_TEXT_BYTES], int64_t *out_expires_at_s)
{
	struct enrollment_who who;
	struct vault_token token;
	enum status st;

	if (return_to != NULL && strlen(return_to) > RETURN_TO_MAX_BYTES)
		return STATUS_INVALID;
	if ((st = enrollment_by_account(core, caller, account_id, &who)) != STATUS_OK ||
	    (st = vault_token_new(core, REALM_SERVICE, "link", &token)) != STATUS_OK)
		return st;
	st = link_sql_create(core->db, &who.bound.db, who.account_id, vault_digest_view(token.digest), PURPOSE, return_to,
	    core_policy(core, who.realm)->enrollment_ttl_s, out_expires_at_s);
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
enrollment_link_exchange(struct core *core, const struct caller *page, const char *link_token,
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
	st = link_sql_exchange(core->db, &bound.db, vault_digest_view(link_digest), PURPOSE,
	    vault_digest_view(token.digest), page_ttl_s(core), out_expires_at_s);
	if (st == STATUS_OK)
		memcpy(out_page_token, token.text, TOKEN_TEXT_BYTES);
	vault_token_wipe(&token);
	return st;
}

static enum status
by_page(struct core *core, const struct caller *page, const char *page_token, struct enrollment_who *who,
    struct page_row *row)
{
	enum status st;

	memset(who, 0, sizeof *who);
	who->is_page = true;
	if ((st = caller_bind_page(page, &who->bound)) != STATUS_OK ||
	    (st = vault_token_digest(core, REALM_SERVICE, "page", page_token, who->page_digest)) != STATUS_OK ||
	    (st = link_sql_page_get(core->db, &who->bound.db, vault_digest_view(who->page_digest), PURPOSE, row)) !=
	    STATUS_OK)
		return st == STATUS_INVALID ? STATUS_NOT_FOUND : st;
	who->realm = (enum realm)row->realm;
	memcpy(who->account_id, row->account_id, sizeof who->account_id);
	return core_policy(core, who->realm) != NULL ? STATUS_OK : STATUS_INTERNAL;
}

enum status
enrollment_page_get(struct core *core, const struct caller *page, const char *page_token, struct enrollment_page *out)
{
	struct enrollment_who who;
	struct page_row row;
	enum status st;

	memset(out, 0, sizeof *out);
	if ((st = by_page(core, page, page_token, &who, &row)) != STATUS_OK ||
	    (st = vault_open_login(core, who.realm, who.account_id, &row.login_sealed, row.login_key_id, out->login)) !=
	    STATUS_OK)
		return st;
	memcpy(out->account_id, row.account_id, sizeof out->account_id);
	memcpy(out->return_to, row.return_to, sizeof out->return_to);
	(void)snprintf(out->state, sizeof out->state, "%.15s", row.state);
	out->expires_at_s = row.expires_at_s;
	return STATUS_OK;
}

enum status
enrollment_page_start(struct core *core, const struct caller *page, const char *page_token, struct totp_enrollment *out)
{
	struct enrollment_who who;
	struct page_row row;
	enum status st;

	memset(out, 0, sizeof *out);
	if ((st = by_page(core, page, page_token, &who, &row)) == STATUS_OK)
		st = enrollment_start(core, &who, NULL, out);
	return st;
}

enum status
enrollment_page_confirm(struct core *core, const struct caller *page, const char *page_token, const char *code,
    enum verdict *verdict, struct recovery_codes *out)
{
	struct enrollment_who who;
	struct page_row row;
	enum status st;

	*verdict = VERDICT_DENIED;
	memset(out, 0, sizeof *out);
	if ((st = by_page(core, page, page_token, &who, &row)) == STATUS_OK)
		st = enrollment_confirm(core, &who, NULL, code, verdict, out);
	return st;
}
