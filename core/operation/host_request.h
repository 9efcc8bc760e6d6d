/* host_request.h: what a staff host asks on behalf of its PAM applications: one question, one decision.  Both ways to ask
 * come here: pam-helper on the database's host, and a host that asks authd with a key of its own. */
#ifndef COUNTERFOIL_HOST_REQUEST_H
#define COUNTERFOIL_HOST_REQUEST_H

#include "core/credential/offline_ticket.h"
#include "core/operation/breakglass_trail.h"
#include "core/operation/caller.h"
#include "core/operation/core.h"
#include "core/operation/enrollment.h"

#define HOST_REASON_MAX 48

enum host_operation {
	HOST_VERIFY = 1,        /* password and code, as FACTORS demands */
	HOST_DECOY,             /* the same work for nobody: never allowed */
	HOST_LOOK,              /* is there such an account, and what is its state? */
	HOST_CHANGE,            /* set new_password; password proves the old one */
	HOST_SESSION_OPEN,      /* a session began, and is recorded */
	HOST_SESSION_CLOSE,
	HOST_ENROLL_START = 10, /* with password and enroll_code: a pending first authenticator, which proves nothing yet */
	HOST_ENROLL_CONFIRM,    /* with enroll_code, factor_id and two codes in a row: it is bound, and USER signed in */
	HOST_BREAKGLASS = 100   /* what happened to USER's break-glass codes on the host: breakglass_trail.h */
};

enum host_factors { HOST_PASSWORD_OTP = 1, HOST_OTP, HOST_PASSWORD };

/* Texts are borrowed, as typed; NULL: absent. */
struct host_request {
	enum host_operation operation;
	enum host_factors factors;      /* HOST_VERIFY and HOST_DECOY */
	const char *user;
	const char *password, *code, *new_password;
	const char *enroll_code;        /* HOST_ENROLL_*: that an operator issued */
	const char *factor_id;          /* HOST_ENROLL_CONFIRM: what the start's answer named */
	const char *code_before;        /* HOST_ENROLL_CONFIRM: of the time step before CODE's */
	bool wants_link;                /* HOST_ENROLL_START: to the enrolment page, which there is */
	struct bytes body;              /* as it came; data NULL: it cannot come again, and is not remembered */
	const struct breakglass_fact *fact;     /* HOST_BREAKGLASS; its login is USER */
	bool wants_ticket;              /* HOST_VERIFY: an allow may bring an offline ticket (offline_ticket.h) */
	const char *target, *tty;       /* HOST_SESSION_*: whose session it is, where it is not USER's own; the terminal */
};

enum host_decision {
	HOST_DENY = 0,                  /* wrong password, wrong or used code: one answer for all */
	HOST_UNKNOWN_USER,
	HOST_NOT_ENROLLED,              /* the password was right, there is no second factor */
	HOST_THROTTLED,
	HOST_LOCKED,                    /* HOST_LOOK */
	HOST_EXPIRED,                   /* HOST_LOOK: disabled for good */
	HOST_CHANGE_REQUIRED,           /* HOST_LOOK: the password must change first */
	HOST_PASSWORD_REFUSED,          /* HOST_CHANGE: the new password breaks the policy; the reason says how */
	HOST_ENROLL_STARTED,            /* HOST_ENROLL_START alone: nothing is proven by that */
	HOST_ALLOW
};

/* "allow", "deny", "unknown_user"...: the words of the interface. */
const char *host_decision_name(enum host_decision decision);

struct host_answer {
	enum host_decision decision;            /* zero denies */
	char reason[HOST_REASON_MAX + 1];       /* a word, for the host's log */
	bool password_right;
	bool must_change;                       /* HOST_VERIFY: allowed, but the account phase must ask for a new password */
	bool enrolled;                          /* HOST_LOOK: there is an active second factor */
	int64_t retry_after_s;                  /* HOST_THROTTLED: at least 1 */
	int64_t training_due_at_s;              /* HOST_LOOK: 0: none is due */
	int64_t minimum_points;                 /* HOST_PASSWORD_REFUSED: code points that a new password must have */
	struct totp_enrollment enrollment;      /* HOST_ENROLL_STARTED: shown this once */
	char link_token[TOKEN_TEXT_BYTES];      /* likewise, where it was wanted; else empty */
	struct recovery_codes codes;            /* HOST_ENROLL_CONFIRM, allowed: likewise */
	char ticket[OFFLINE_TICKET_TEXT_BYTES]; /* HOST_VERIFY by a code behind an ssh key, where one is wanted; else empty */
};
void host_answer_wipe(struct host_answer *answer);

/* Are the credentials there that OPERATION and FACTORS need? */
bool host_request_is_complete(const struct host_request *request);

/* CALLER is of kind CALLER_HOST; its user agent is the fingerprint of the person's ssh key, where there is one.
 * What a person typed is never a failure: it denies.
 * STATUS_OK       OUT is decided; on any other status it denies.  host_answer_wipe() it in any case.
 * STATUS_INVALID  the request is not complete.
 * STATUS_CONFLICT another BODY came with the caller's request id within the last minute.  The same again gets the same
 *                 decision, and uses nothing up; what is shown once comes anew, and what was lost is void. */
enum status host_request_run(struct core *core, const struct caller *caller, const struct host_request *request,
    struct host_answer *out) NODISCARD;

#endif
