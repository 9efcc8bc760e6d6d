/* wire.h: the one request and the one reply between pam_counterfoil.so and pam-helper.  libc only: both link it.
 *
 * A message is the length of its body as four bytes, most significant first, then the body, at most WIRE_BODY_MAX:
 * the magic "CFQ1" (request) or "CFR1" (reply), then fields: tag (1 byte), length (2 bytes), value.  Tags ascend, so
 * none comes twice.  A number is four bytes, and left out where it is optional and zero; a text ends in the only NUL it
 * holds and keeps text_rules.h.  An unknown tag, a missing required field, a bound overstepped or a byte too many: the
 * whole message is malformed. */
#ifndef COUNTERFOIL_PAM_WIRE_H
#define COUNTERFOIL_PAM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_BODY_MAX     4096
#define WIRE_LENGTH_BYTES 4
#define WIRE_MESSAGE_MAX  (WIRE_LENGTH_BYTES + WIRE_BODY_MAX)
#define WIRE_ID_BYTES     16

/* Bounds of texts, in bytes without the NUL. */
#define WIRE_USER_MAX    256
#define WIRE_ANSWER_MAX  512            /* a password or code as typed: PAM_MAX_RESP_SIZE */
#define WIRE_SSH_KEY_MAX 1024
#define WIRE_REASON_MAX  48
#define WIRE_DETAIL_MAX  320
#define WIRE_FACTOR_MAX  36             /* a UUID */
#define WIRE_KEY_MAX     64             /* base32 */
#define WIRE_PICTURE_MAX 2048           /* hex digits: qr_modules() up to version 17 */
#define WIRE_CODES_MAX   320            /* ten recovery codes */
#define WIRE_URL_MAX     200            /* of the enrolment page: a prompt has 512 bytes for all */

#define WIRE_RETRY_AFTER_MAX 0x7fffffff
#define WIRE_POINTS_MAX      256        /* the longest password that there is: TEXT_PASSWORD_MAX_POINTS */

enum wire_operation {
	WIRE_VERIFY = 1,        /* password and code, as FACTORS demands */
	WIRE_DECOY,             /* the same work for nobody: the answer is always a refusal */
	WIRE_LOOK,              /* is there such an account, and what is its state? */
	WIRE_CHANGE,            /* set new_password; password proves the old one */
	WIRE_SESSION_OPEN, WIRE_SESSION_CLOSE,
	WIRE_BREAKGLASS_SYNC,   /* deliver what waits, and drop the codes of who is gone; from pam-breakglass, never the module */
	WIRE_BREAKGLASS_STATE,  /* how are this host's break-glass codes? */
	WIRE_BREAKGLASS_REPORT, /* to a back end: EVENT happened to USER's codes on host TARGET */
	WIRE_ENROLL_START,      /* with password and enroll_code: a pending first factor.  Answers ANSWER_ENROLL_STARTED, never "allow" */
	WIRE_ENROLL_CONFIRM,    /* with enroll_code, factor_id and two codes in a row: it becomes active, and the user is in */
	WIRE_TICKET,            /* before a prompt: is the back end away, and does an offline ticket let USER in without one? */
	WIRE_OPERATIONS_END
};

enum wire_factors { WIRE_PASSWORD_OTP = 1, WIRE_OTP, WIRE_PASSWORD, WIRE_FACTORS_END };
/* May a break-glass code do where the back end is out of reach?  Whoever runs a set-uid program can starve it, so that it sees
 * an outage where there is none: what it saw does not count.  WIRE_OFFLINE_TICKET: no code does, but a ticket, which an allow
 * brings. */
enum wire_offline { WIRE_OFFLINE_NO, WIRE_OFFLINE_YES, WIRE_OFFLINE_UNCOUNTED, WIRE_OFFLINE_TICKET, WIRE_OFFLINE_END };
enum wire_let_in { WIRE_LET_IN_BY_CODE = 1, WIRE_LET_IN_BY_TICKET, WIRE_LET_IN_END };
enum wire_backend { WIRE_POSTGRESQL = 1, WIRE_AUTHD, WIRE_BACKENDS_END };

/* Texts are borrowed; NULL: absent.  In a decoded message they point into its buffer. */
struct wire_request {
	uint8_t id[WIRE_ID_BYTES];      /* random; the same in a retry */
	uint32_t operation;             /* enum wire_operation */
	uint32_t backend;               /* enum wire_backend */
	uint32_t factors;               /* enum wire_factors; WIRE_VERIFY and WIRE_DECOY */
	uint32_t budget_ms;             /* the time that the helper has */
	uint32_t connect_ms;            /* of which a connection may take this much */
	const char *user;
	const char *service;
	const char *rhost;              /* a numeric address */
	const char *tty;
	const char *target;             /* session: whose it is */
	const char *ssh_key;            /* type and base64 of the key that sshd accepted */
	const char *password, *code, *new_password;
	uint32_t offline;               /* enum wire_offline; WIRE_VERIFY, WIRE_TICKET, WIRE_BREAKGLASS_STATE */
	uint32_t event, at_s, left, expires_at_s;       /* WIRE_BREAKGLASS_REPORT: enum breakglass_event; codes; epoch */
	const char *enroll_code;        /* that an operator issued */
	const char *factor_id;          /* WIRE_ENROLL_CONFIRM: what the start's reply named */
	const char *code_before;        /* WIRE_ENROLL_CONFIRM: of the time step before CODE's */
};

struct wire_reply {
	uint8_t id[WIRE_ID_BYTES];
	uint32_t answer;                /* enum answer: answer_of_wire() */
	uint32_t password_right;        /* 0 or 1 */
	uint32_t must_change;           /* 0 or 1: allowed now, but the account phase must ask for a new password */
	uint32_t enrolled;              /* 0 or 1: WIRE_LOOK */
	uint32_t retry_after_s;
	uint32_t offline;               /* enum wire_let_in: while the back end was away; 0: it was asked */
	uint32_t training_due;          /* WIRE_LOOK: when, seconds since the epoch; 0: none is */
	uint32_t minimum_points;        /* ANSWER_PASSWORD_REFUSED: code points that a new password must have; 0: not told */
	const char *user;               /* whom the answer is about: the request's, byte for byte */
	const char *reason;             /* a token */
	const char *detail;             /* for the log: what is broken and where */
	const char *ssh_key;            /* SHA256:... */
	const char *user_digest;        /* of a name that nobody has: for the log in its place */
	/* ANSWER_ENROLL_STARTED: shown this once */
	const char *factor_id;
	const char *enroll_key;         /* the seed in base32 */
	const char *enroll_picture;     /* the QR code of qr_modules(), or NULL */
	const char *enroll_url;         /* of the enrolment page, which shows the same key, or NULL */
	/* WIRE_ENROLL_CONFIRM, allowed: recovery codes, a space between; NULL: the account had some */
	const char *recovery_codes;
};

/* The whole message, with its length, into OUT.  False: a text over its bound, or it does not fit. */
bool wire_encode_request(const struct wire_request *request, uint8_t *out, size_t capacity, size_t *out_len);
bool wire_encode_reply(const struct wire_reply *reply, uint8_t *out, size_t capacity, size_t *out_len);

/* BODY_LEN of a message that begins with these four bytes; 0: out of bounds. */
size_t wire_body_len(const uint8_t length[static WIRE_LENGTH_BYTES]);

/* False: malformed.  *out is then unspecified and must not be used. */
bool wire_decode_request(const uint8_t *body, size_t body_len, struct wire_request *out);
bool wire_decode_reply(const uint8_t *body, size_t body_len, struct wire_reply *out);

/* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", as the audit trail writes it. */
#define WIRE_ID_TEXT_BYTES 37
void wire_id_text(const uint8_t id[static WIRE_ID_BYTES], char out[static WIRE_ID_TEXT_BYTES]);

#endif
