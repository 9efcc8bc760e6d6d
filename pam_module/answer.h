/* answer.h: every way in which a call can end, and the one table that gives each its PAM code, its word in the log
 * and what the person is told. */
#ifndef COUNTERFOIL_PAM_ANSWER_H
#define COUNTERFOIL_PAM_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

/* Sparse and never zero, so that neither cleared nor overwritten memory reads as "allow".
 * The numbers up to ANSWER_FROM_HELPER travel on the wire. */
enum answer {
	ANSWER_NONE = 0,                /* not decided yet: denies */
	ANSWER_DENY = 1,                /* wrong password, wrong or used code: one answer for all */
	ANSWER_UNKNOWN_USER = 2,
	ANSWER_NOT_ENROLLED = 3,        /* the password was right, there is no second factor */
	ANSWER_THROTTLED = 4,           /* too many attempts: no credential was looked at, or only the password */
	ANSWER_UNAVAILABLE = 5,         /* no network, time out, 503: what fail=ignore_unavailable means */
	ANSWER_UNUSABLE = 6,            /* a back end that answers wrongly, or too much work: never ignored */
	ANSWER_REFUSED = 7,             /* the host's own credential was refused */
	ANSWER_MISCONFIGURED = 8,
	ANSWER_NO_MEMORY = 9,
	ANSWER_INTERNAL = 10,
	ANSWER_LOCKED = 11,             /* account phase: locked or disabled */
	ANSWER_EXPIRED = 12,            /* account phase */
	ANSWER_CHANGE_REQUIRED = 13,    /* account phase: the password must change first */
	ANSWER_PASSWORD_REFUSED = 14,   /* the new password breaks the policy; the reason says how */
	ANSWER_NOT_OWN_ACCOUNT = 15,    /* an unprivileged caller asked about somebody else */
	ANSWER_ENROLL_STARTED = 16,     /* a factor is pending: nothing is proven by that */
	ANSWER_FROM_HELPER = 99,        /* the limit; no answer itself */

	ANSWER_EMPTY = 101,             /* an empty answer to a prompt */
	ANSWER_BAD_INPUT = 102,         /* too long, control characters, not UTF-8, not the shape of a code */
	ANSWER_NO_FIRST_PASS = 103,     /* use_first_pass, and no module before asked */
	ANSWER_NO_PUBLICKEY = 104,      /* require_ssh_publickey, and there was none */
	ANSWER_CONVERSATION = 105,      /* the application could not ask */
	ANSWER_BLIND = 106,             /* sshd's password method: it answers every prompt with the password */
	ANSWER_HELPER_BROKEN = 107,     /* it died, or its reply was malformed or somebody else's */
	ANSWER_HELPER_LATE = 108,       /* it did not answer in time and was killed */
	ANSWER_TRIES_USED_UP = 109,
	ANSWER_NO_MFA = 110,            /* account=require_mfa, and our auth phase has not run */
	ANSWER_TRAINING_DUE = 114,      /* training=require, and its day has passed */
	ANSWER_JUNK = 111,              /* sshd let nobody in whatever was typed: it sent its junk password */
	ANSWER_EXEMPT = 120,
	ANSWER_IGNORE_UNKNOWN = 121,
	ANSWER_IGNORE_UNENROLLED = 122,
	ANSWER_IGNORE_UNAVAILABLE = 123,
	ANSWER_NOTHING_TO_CHANGE = 124, /* only expired passwords were to be changed, and this one is not */
	ANSWER_NEW_UNEQUAL = 112,       /* the new password was typed in two ways */
	ANSWER_NOT_PROVEN = 113,        /* a new password, and nobody has proven the old one */
	ANSWER_OFF = 130,               /* the phase is turned off for this service */
	ANSWER_RECORDED = 131,          /* a session began or ended */
	ANSWER_ALLOW = 0x5afe
};

enum phase { PHASE_AUTH = 1, PHASE_ACCOUNT, PHASE_PASSWORD, PHASE_SESSION };

struct answer_row {
	enum answer answer;
	int code, account_code;         /* PAM_*: in general, and in the account phase */
	int priority;                   /* of syslog(3) */
	const char *result;             /* deny, allow, ignore, unavailable, error: in the log */
	const char *reason;             /* in the log, unless the helper gave one */
	const char *notice;             /* shown to the person, or NULL */
};

/* Never NULL: what the table lacks is the row of ANSWER_INTERNAL. */
const struct answer_row *answer_row(enum answer answer);

/* The PAM code that ends PHASE.  The only source of PAM_SUCCESS in a phase that decides. */
int answer_to_pam(enum answer answer, enum phase phase);

/* The code's name without its "PAM_", for the log. */
const char *answer_code_name(int pam_code);

/* Is NUMBER one that the helper may send?  Out: the answer, or ANSWER_NONE. */
enum answer answer_of_wire(uint32_t number);

/* The rows, for the test that walks them. */
const struct answer_row *answer_rows(unsigned *out_count);

#endif
