/* hosted_page.h: the pages for people: a link, once, for the page's own token, which then stands for one account.
 *
 * PAGE, where a function takes one, carries source_ip, user_agent and request_id; its kind is CALLER_NONE, for the token
 * is the credential. */
#ifndef COUNTERFOIL_HOSTED_PAGE_H
#define COUNTERFOIL_HOSTED_PAGE_H

#include "core/base/text.h"
#include "core/operation/caller.h"
#include "core/operation/core.h"

#define RETURN_TO_MAX_BYTES 512

enum page_purpose {
	PAGE_ENROLLMENT,        /* bind an authenticator */
	PAGE_ACTIVITY           /* see recent sign-ins, and end sessions */
};

/* A single-use link token, newest only.  RETURN_TO may be NULL; otherwise the caller has matched it exactly with its
 * allow-list.  STATUS_NOT_FOUND: no such account.  STATUS_CONFLICT: it is not active. */
enum status hosted_page_link(struct core *core, const struct caller *caller, const char *account_id,
    enum page_purpose purpose, const char *return_to, char out_token[static TOKEN_TEXT_BYTES],
    int64_t *out_expires_at_s) NODISCARD;

/* Exchange the link token, once, for the page's own token, which has as long as the link had.
 * STATUS_CONFLICT: used.  STATUS_EXPIRED: never used, and too late.
 * STATUS_NOT_FOUND: never issued for this purpose, or a newer link took its place. */
enum status hosted_page_exchange(struct core *core, const struct caller *page, enum page_purpose purpose,
    const char *link_token, char out_page_token[static TOKEN_TEXT_BYTES], int64_t *out_expires_at_s) NODISCARD;

/* Where a page stands. */
struct hosted_page {
	char account_id[UUID_TEXT_BYTES];
	enum realm realm;
	char login[TEXT_LOGIN_MAX_BYTES + 1];
	char return_to[RETURN_TO_MAX_BYTES + 1];        /* empty: none */
	char state[16];                 /* "opened"; enrollment also "started" (the secret was shown), "done" */
	bool second_factor;             /* the account has an active authenticator */
	int64_t expires_at_s;
};

/* STATUS_NOT_FOUND: no such page.  STATUS_CONFLICT: it is over, or its account is not active. */
enum status hosted_page_get(struct core *core, const struct caller *page, enum page_purpose purpose,
    const char *page_token, struct hosted_page *out) NODISCARD;

#endif
