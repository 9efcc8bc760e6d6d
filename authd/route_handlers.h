/* route_handlers.h: what the rows of the tables call, each on a worker's thread: typed fields out of the body, one
 * operation, its result as JSON.  Each leaves its answer in request->reply. */
#ifndef COUNTERFOIL_AUTHD_ROUTE_HANDLERS_H
#define COUNTERFOIL_AUTHD_ROUTE_HANDLERS_H

#include "authd/json_body.h"
#include "authd/request.h"

/* route_meta.c */
void route_contract(struct request *request);
void route_health(struct request *request);
void route_readiness(struct request *request);
void route_metrics(struct request *request);

/* route_accounts.c */
void route_account_create(struct request *request);
void route_account_get(struct request *request);
void route_account_lock(struct request *request);
void route_account_unlock(struct request *request);
void route_account_password(struct request *request);
void route_account_reset(struct request *request);

/* route_logins.c */
void route_login_password(struct request *request);
void route_login_code(struct request *request);

/* route_totp.c */
void route_totp_start(struct request *request);
void route_totp_confirm(struct request *request);

/* route_factors.c */
void route_factor_list(struct request *request);
void route_factor_revoke(struct request *request);
void route_recovery_codes(struct request *request);

/* route_links.c */
void route_enrollment_link_create(struct request *request);
void route_activity_link_create(struct request *request);

/* route_enrollment_page.c */
void route_enrollment_page_get(struct request *request);
void route_enrollment_page_start(struct request *request);
void route_enrollment_page_confirm(struct request *request);

/* route_activity_page.c */
void route_activity_page_get(struct request *request);
void route_activity_page_end(struct request *request);

/* route_events.c */
void route_event_list(struct request *request);
void route_account_export(struct request *request);
void route_account_erase(struct request *request);

/* route_sessions.c */
void route_session_introspect(struct request *request);
void route_session_list(struct request *request);
void route_session_end(struct request *request);
void route_session_end_all(struct request *request);
void route_device_list(struct request *request);
void route_device_revoke(struct request *request);
void route_device_revoke_all(struct request *request);

/* route_step_ups.c */
void route_step_up_begin(struct request *request);
void route_step_up_code(struct request *request);

/* route_pam.c */
void route_pam_verify(struct request *request);
void route_pam_account(struct request *request);
void route_pam_session(struct request *request);
void route_pam_enroll(struct request *request);
void route_pam_breakglass(struct request *request);

/* --- what several of them share ------------------------------------------------------------------------------------ */

/* The parameter N as a UUID.  NULL, with the 404 in the reply, when it is none: no such thing has that name. */
const char *route_uuid(struct request *request, unsigned n);

/* Is TEXT a numeric IPv4 or IPv6 address? */
bool route_is_address(const char *text);

/* Has TEXT the form of a token?  Its form alone: whether it exists is the operation's to say. */
bool route_is_token(const char *text);

/* Where the person is, as the shop tells it: a field of the body for ROUTE_SOURCE_FIELD, taken into request->caller.
 * An address that is none is refused, in the reply.  USER_AGENT is any stranger's text: it is cut and cleaned, never
 * refused.  What is taken ends with BODY: route_drop_source() before json_decref(). */
#define ROUTE_AGENT_BYTES 257
extern const struct field route_source_fields[2];
#define ROUTE_SOURCE_FIELD { "source", FIELD_OBJECT, false, 0, 0, route_source_fields, 2 }
bool route_take_source(struct request *request, const json_t *body, char user_agent[static ROUTE_AGENT_BYTES]);
void route_drop_source(struct request *request);

/* NAMES as a JSON array; a new reference, NULL when out of memory. */
json_t *route_names_json(const char *const *names, unsigned count);

/* The address of the page PATH ("enroll") with the TOKEN of a link; a new reference, NULL when out of memory. */
json_t *route_page_url(const struct request *request, const char *path, const char *token);

struct totp_enrollment;
/* 201 with everything that a start hands out: this once. */
void route_reply_enrollment(struct request *request, const struct totp_enrollment *enrollment);

struct recovery_codes;
/* The codes as a JSON array; a new reference, NULL when out of memory. */
json_t *route_codes_json(const struct recovery_codes *codes);

/* The refusal of a new password: `password-rejected` with its reason. */
struct password_refusal;
void route_refuse_password(struct request *request, const struct password_refusal *refusal);

#endif
