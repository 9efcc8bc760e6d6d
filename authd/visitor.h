/* visitor.h: who sits in front of the browser, and whether it is our own page that asks. */
#ifndef COUNTERFOIL_AUTHD_VISITOR_H
#define COUNTERFOIL_AUTHD_VISITOR_H

#include "authd/json_body.h"
#include "authd/request.h"
#include "core/operation/hosted_page.h"

/* No API key came along, so the token of the page's cookie is all that counts. */
struct visitor {
	struct caller caller;           /* CALLER_NONE with source, user agent and request id */
	char ip[INET6_ADDRSTRLEN];
	char user_agent[257];
	const char *token;              /* NULL: there is no cookie */
};

/* Never fails; OUT borrows from REQUEST. */
void visitor_of(const struct request *request, enum page_purpose purpose, struct visitor *out);

/* The same for a route that needs the cookie.  False: there is none, and the 404 is in the reply. */
bool visitor_with_token(struct request *request, enum page_purpose purpose, struct visitor *out);

/* The body of a POST that our own page sent, as json_body_read().  NULL: the refusal is in the reply;
 * 403 cross-site before anything else is looked at. */
json_t *visitor_body(struct request *request, const struct field *fields, size_t count);

/* The page's token goes to the browser and stays there for so many seconds. */
void visitor_keep(struct request *request, enum page_purpose purpose, const char *token, int64_t seconds);

/* Seconds from now until TIME_S, at least 0. */
int64_t visitor_seconds_until(int64_t time_s);

/* STATUS_INVALID of an operation that took nothing but the cookie: it holds no token, so there is no such page. */
static inline enum status
visitor_no_such_page(enum status status)
{
	return status == STATUS_INVALID ? STATUS_NOT_FOUND : status;
}

/* What every page is told about itself: {login, issuer, state, return_to, expires_in}; NULL: no memory. */
json_t *visitor_page_json(const struct request *request, const struct hosted_page *page);

#endif
