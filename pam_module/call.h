/* call.h: one call of the module: all of its state, from the first line of an entry point to the one line of its log.
 * Nothing outlives it but the marker, which libpam keeps for the account phase. */
#ifndef COUNTERFOIL_PAM_CALL_H
#define COUNTERFOIL_PAM_CALL_H

#include <stdint.h>

#include <security/pam_modules.h>

#include "pam_module/answer.h"
#include "pam_module/conf.h"
#include "pam_module/options.h"
#include "pam_module/vault.h"
#include "pam_module/who.h"
#include "pam_module/wire.h"

struct call {
	pam_handle_t *pamh;
	int flags;                              /* PAM_SILENT and kin, as the application gave them */
	enum phase phase;
	const char *event;                      /* auth, account, password, session_open, session_close: in the log */
	struct options options;
	struct conf conf;
	struct who who;
	struct vault *vault;
	struct wire_reply reply;                /* the last one; its texts live in the vault */
	uint8_t request_id[WIRE_ID_BYTES];      /* of the last request; zero: none was sent */
	int tries;
	const char *reason;                     /* over what table and helper say; a token, or NULL */
	char detail[CONF_ERROR_BYTES];          /* what is broken and where; empty: nothing to say */
	int64_t started_ms;
};

/* Run DECIDE with everything read and checked, log one line, wipe, and give the PAM code. */
int call_run(pam_handle_t *pamh, int flags, int argc, const char **argv, enum phase phase, const char *event,
    enum answer (*decide)(struct call *));

/* What a helper request of this call has in common; the texts are borrowed from the call. */
struct wire_request call_request(struct call *call, enum wire_operation operation);

/* Ask the helper.  A fresh id each time. */
enum answer call_ask(struct call *call, struct wire_request *request);

/* The factors in force: the PAM line's, else pam.conf's. */
enum wire_factors call_factors(const struct call *call);

/* What the auth phase leaves for the account phase of the same PAM handle. */
struct marker {
	char user[WIRE_USER_MAX + 1], pam_user[WIRE_USER_MAX + 1];
	bool must_change;
	bool offline;           /* by a break-glass code or a ticket: nobody can be asked about the account */
};

void marker_clear(pam_handle_t *pamh);
void marker_set(const struct call *call);
/* The password is new: the account phase need not ask for another. */
void marker_changed(pam_handle_t *pamh);
/* NULL: our auth phase has not let this user in, in this handle. */
const struct marker *marker_get(pam_handle_t *pamh, const struct who *who);
/* Whoever it was: sudo opens the session for its target. */
const struct marker *marker_any(pam_handle_t *pamh);

#endif
