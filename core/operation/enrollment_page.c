/* enrollment_page.c: start and confirm from the hosted page, whose token stands for the account. */
#include <string.h>

#include "core/operation/enrollment_inside.h"
#include "core/operation/hosted_page_inside.h"
#include "core/operation/login_grant.h"

static enum status
by_page(struct core *core, const struct caller *page, const char *page_token, struct enrollment_who *who)
{
	struct page_bound bound;
	struct page_row row;
	enum status st;

	memset(who, 0, sizeof *who);
	if ((st = hosted_page_hold(core, page, PAGE_ENROLLMENT, page_token, &bound, &row)) != STATUS_OK)
		return st;
	who->bound = bound.bound;
	who->has_token = true;
	memcpy(who->token_digest, bound.digest, sizeof who->token_digest);
	who->realm = (enum realm)row.realm;
	memcpy(who->account_id, row.account_id, sizeof who->account_id);
	return STATUS_OK;
}

enum status
enrollment_page_start(struct core *core, const struct caller *page, const char *page_token, const char *proof_code,
    struct page_start *out)
{
	struct bytes proof = { NULL, 0 };
	uint8_t digest[DIGEST_BYTES];
	struct login_result proven;
	struct enrollment_who who;
	enum status st;

	memset(out, 0, sizeof *out);
	if ((st = by_page(core, page, page_token, &who)) != STATUS_OK)
		return st;
	if (proof_code != NULL) {
		st = login_page_proof(core, page, who.realm, vault_digest_view(who.token_digest), proof_code, digest, &proven);
		out->verdict = proven.verdict;
		out->retry_after_s = proven.retry_after_s;
		login_result_wipe(&proven);
		if (st != STATUS_OK || out->verdict != VERDICT_GRANTED)
			return st;
		proof = vault_digest_view(digest);
	}
	st = enrollment_start(core, &who, NULL, proof, &out->enrollment);
	out->retry_after_s = out->enrollment.retry_after_s;
	out->verdict = out->retry_after_s > 0 ? VERDICT_THROTTLED : VERDICT_GRANTED;
	return st;
}

enum status
enrollment_page_confirm(struct core *core, const struct caller *page, const char *page_token, const char *code,
    struct totp_confirmation *out)
{
	struct enrollment_who who;
	enum status st;

	memset(out, 0, sizeof *out);
	if ((st = by_page(core, page, page_token, &who)) == STATUS_OK)
		st = enrollment_confirm(core, &who, NULL, NULL, code, out);
	return st;
}
