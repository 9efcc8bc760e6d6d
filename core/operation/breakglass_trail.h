/* breakglass_trail.h: what the service knows of the break-glass codes that hosts keep: what they report, and no more. */
#ifndef COUNTERFOIL_BREAKGLASS_TRAIL_H
#define COUNTERFOIL_BREAKGLASS_TRAIL_H

#include "core/operation/caller.h"
#include "core/operation/core.h"

#define BREAKGLASS_TRAIL_HOST_BYTES 257
#define BREAKGLASS_TRAIL_CODES_MAX  100         /* of one account on one host, as SQL has it */

struct breakglass_fact {
	const char *host;               /* its name; one with a key is called by that */
	const char *event;              /* issued | used | revoked | expired; ticket_used: no code, an offline ticket */
	int64_t at_s, left, expires_at_s;
};

/* LOGIN, as the host has it.  An event in the trail, and for issued, used and ticket_used one in the outbox.  CALLER_HOST,
 * whose request id names the report: one that comes again changes nothing.
 * STATUS_NOT_FOUND: codes are issued to active staff only.  STATUS_INVALID: no such event, host or login. */
enum status breakglass_trail_record(struct core *core, const struct caller *caller, struct bytes login,
    const struct breakglass_fact *fact) NODISCARD;

struct breakglass_outstanding {
	char host[BREAKGLASS_TRAIL_HOST_BYTES];
	int64_t codes_left, issued_at_s, expires_at_s;
};
/* Where an account may still have codes, as the hosts last said; free() *out.  CALLER_OPERATOR. */
enum status breakglass_trail_list(struct core *core, const struct caller *caller, const char *account_id,
    struct breakglass_outstanding **out, unsigned *out_count) NODISCARD;

#endif
