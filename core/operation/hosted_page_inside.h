/* hosted_page_inside.h: a page's token as core/operation's own files use it. */
#ifndef COUNTERFOIL_HOSTED_PAGE_INSIDE_H
#define COUNTERFOIL_HOSTED_PAGE_INSIDE_H

#include "core/operation/hosted_page.h"
#include "core/operation/vault.h"
#include "core/store/link_sql.h"

/* What SQL is told of a page: BOUND borrows from the caller. */
struct page_bound {
	struct caller_bound bound;
	uint8_t digest[DIGEST_BYTES];   /* of the token */
};

/* STATUS_NOT_FOUND: PAGE_TOKEN has not the form of one. */
enum status hosted_page_bind(const struct core *core, const struct caller *page, const char *page_token,
    struct page_bound *out) NODISCARD;

/* The same, and the page's row.  Outcomes as hosted_page_get(). */
enum status hosted_page_hold(struct core *core, const struct caller *page, enum page_purpose purpose,
    const char *page_token, struct page_bound *out, struct page_row *out_row) NODISCARD;

#endif
