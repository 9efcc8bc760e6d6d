/* breakglass.h: what a PAM host keeps for the day when Counterfoil is out of reach: single-use codes of its break-glass
 * people as Argon2id tags, how long the service has been away, and what is still to be reported.  All of it is one text, so
 * that the use of a code and the report of it are one write.  Pure: knows no clock and no file.
 *
 * A code is a recovery code (120 bits, recovery_code.h).  One salt serves all codes of a person, so that a wrong code
 * costs one hash; at 120 bits nobody guesses one, whichever salt it has. */
#ifndef COUNTERFOIL_BREAKGLASS_H
#define COUNTERFOIL_BREAKGLASS_H

#include "core/base/entropy.h"
#include "core/base/text.h"
#include "core/credential/password.h"
#include "core/credential/recovery_code.h"

#define BREAKGLASS_PEOPLE_MAX  16
#define BREAKGLASS_CODES_MAX   10       /* of one person */
#define BREAKGLASS_REPORTS_MAX 640      /* every code there can be, used up, every person issued and revoked; uses of tickets */
/* Whoever has a ticket can use it as often as they like, and must not fill the room that a code needs. */
#define BREAKGLASS_REPORTS_TICKETS_MAX (BREAKGLASS_REPORTS_MAX - BREAKGLASS_PEOPLE_MAX * (BREAKGLASS_CODES_MAX + 2))
#define BREAKGLASS_TEXT_MAX    (512 * 1024)
#define BREAKGLASS_HOST_BYTES  32
#define BREAKGLASS_SALT_BYTES  16
#define BREAKGLASS_TAG_BYTES   32

struct breakglass_person {
	char login[TEXT_LOGIN_MAX_BYTES + 1];           /* canonical */
	int64_t issued_at_s, expires_at_s;
	int64_t failures, blocked_until_s;              /* wrong codes since the last right one, and what they led to */
	struct password_cost cost;
	uint8_t salt[BREAKGLASS_SALT_BYTES];
	unsigned code_count;                            /* that are left */
	uint8_t tags[BREAKGLASS_CODES_MAX][BREAKGLASS_TAG_BYTES];
};

enum breakglass_event {
	BREAKGLASS_ISSUED = 1, BREAKGLASS_USED, BREAKGLASS_REVOKED, BREAKGLASS_EXPIRED,
	BREAKGLASS_TICKET_USED,         /* no code: an offline ticket (offline_ticket.h) let the person in */
	BREAKGLASS_EVENTS_END
};

/* "issued", "used", "revoked", "expired", "ticket_used": in the text, on the wire and for SQL.  NULL: no event. */
const char *breakglass_event_name(uint32_t event);

struct breakglass_report {
	char id[UUID_TEXT_BYTES];                       /* the same however often it is sent */
	enum breakglass_event event;
	char login[TEXT_LOGIN_MAX_BYTES + 1];
	int64_t at_s, expires_at_s;                     /* the latter of the codes, or of the ticket */
	unsigned left;                                  /* codes of that person behind the event */
};

struct breakglass {
	uint8_t host[BREAKGLASS_HOST_BYTES];            /* whose codes these are */
	int64_t outage_first_s, outage_last_s;          /* failures in a row to reach the service: the first and the last */
	int64_t outage_count;                           /* 0: none */
	unsigned person_count, report_count;
	struct breakglass_person people[BREAKGLASS_PEOPLE_MAX];
	struct breakglass_report reports[BREAKGLASS_REPORTS_MAX];
};

/* --- the text --------------------------------------------------------------------------------------------------- */

/* TEXT as breakglass_print() writes it, to the byte.  STATUS_INVALID: *OUT_WRONG says why; *out is then unspecified.
 * STATUS_NO_MEMORY. */
enum status breakglass_parse(struct bytes text, struct breakglass *out, const char **out_wrong) NODISCARD;

/* *OUT is for free(). */
enum status breakglass_print(const struct breakglass *from, char **out, size_t *out_len) NODISCARD;

/* --- people ------------------------------------------------------------------------------------------------------- */

/* Borrowed from FROM; NULL: none.  LOGIN is canonical. */
struct breakglass_person *breakglass_find(struct breakglass *from, const char *login);

/* COUNT fresh codes for LOGIN, in the place of those that there may be.  STATUS_CONFLICT: too many people. */
enum status breakglass_issue(struct breakglass *to, const char *login, unsigned count, const struct password_cost *cost,
    int64_t now_s, int64_t expires_at_s, char codes[static BREAKGLASS_CODES_MAX][RECOVERY_CODE_TEXT_BYTES]) NODISCARD;

void breakglass_remove(struct breakglass *from, struct breakglass_person *person);

/* What CODE becomes for PERSON on this host: bound to host, login and expiry, so that no line of a file serves elsewhere.
 * STATUS_INVALID: CODE has not the shape of one.  Else outcomes as argon2_job. */
enum status breakglass_tag(const struct breakglass *of, const struct breakglass_person *person, const char *code,
    uint8_t out[static BREAKGLASS_TAG_BYTES]) NODISCARD;

/* Take the code with TAG out of PERSON's.  False: there is none.  In constant time. */
bool breakglass_burn(struct breakglass_person *person, const uint8_t tag[static BREAKGLASS_TAG_BYTES]) NODISCARD;

/* --- reports ------------------------------------------------------------------------------------------------------ */

/* What happened to PERSON, behind those that wait.  STATUS_OVERLOADED: too many wait.  STATUS_INTERNAL: no entropy. */
enum status breakglass_report(struct breakglass *to, enum breakglass_event event, const struct breakglass_person *person,
    int64_t at_s) NODISCARD;

/* Take out the report with ID, if it is there. */
void breakglass_forget_report(struct breakglass *from, const char *id);

#endif
