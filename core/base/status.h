/* status.h: the two result channels (docs/architecture.md).
 * A status says whether the machinery worked; a verdict says what was decided.
 * Refusal is never an error and an error is never a refusal. */
#ifndef COUNTERFOIL_STATUS_H
#define COUNTERFOIL_STATUS_H

enum status {
	STATUS_OK = 0,          /* it worked: now, and only now, the verdict means something */
	STATUS_INVALID,         /* the caller's input is outside its documented bounds */
	STATUS_NOT_FOUND,       /* the named thing does not exist for this caller */
	STATUS_CONFLICT,        /* the state forbids it: taken, already done, used up */
	STATUS_EXPIRED,         /* the single-use thing was good, unused, and its time is over: ask for a new one */
	STATUS_UNAUTHENTICATED, /* the calling program's own credential is missing, wrong, expired or revoked */
	STATUS_FORBIDDEN,       /* the calling program is known and lacks the scope */
	STATUS_UNAVAILABLE,     /* the database or another part is out of reach: try again later */
	STATUS_OVERLOADED,      /* more work than this machine carries: try again later */
	STATUS_NO_MEMORY,
	STATUS_INTERNAL         /* a defect or a broken invariant: look at the log */
};

enum verdict {
	VERDICT_DENIED = 0,     /* zero denies: a forgotten field lets nobody in */
	VERDICT_THROTTLED,
	VERDICT_CHALLENGE,      /* the password was right, a second factor is due */
	VERDICT_CHANGE_REQUIRED,
	VERDICT_GRANTED
};

/* Stable lower-case names for logs ("ok", "unavailable", "granted"); "unknown" outside the range. */
const char *status_name(enum status status);
const char *verdict_name(enum verdict verdict);

/* The one table that ends every path: what a status and verdict mean outside. */
struct outcome {
	enum status status;
	enum verdict verdict;   /* looked at for STATUS_OK only */
	int http_status;
	const char *problem;    /* last path segment of the RFC 9457 type; NULL for success */
	const char *title;      /* RFC 9457 title, fixed text; NULL for success */
	int pam_code;           /* a PAM_* value of <security/_pam_types.h> */
};

/* Never NULL: what the table lacks is the row of STATUS_INTERNAL. */
const struct outcome *outcome_of(enum status status, enum verdict verdict);

/* The rows, for the test that walks them. */
const struct outcome *outcome_rows(unsigned *out_count);

#endif
