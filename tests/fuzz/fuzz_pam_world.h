/* fuzz_pam_world.h: the world of one input of fuzz_pam_call: an application of PAM, a file system, a helper. */
#ifndef COUNTERFOIL_FUZZ_PAM_WORLD_H
#define COUNTERFOIL_FUZZ_PAM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <security/pam_modules.h>

#include "pam_module/wire.h"

#define WORLD_CANARY    "c4n4ry-7341-chestnut"  /* in what is typed; in nothing that is logged or shown */
#define WORLD_TEXT_MAX  6000
#define WORLD_FIRST_FD  100
#define WORLD_FDS       16

/* What was decided is read from the front of the input, what fails from its end; beyond it everything is zero, which
 * is: the good configuration, the right answers, a helper that allows, and no failure. */
struct tape {
	const uint8_t *data;
	size_t at, end;
};

enum fd_kind { FD_NONE, FD_FOLDER, FD_FILE, FD_SOCKET, FD_OTHER_END, FD_PIDFD };
enum child_end { CHILD_IN_ORDER, CHILD_WITH_ERROR, CHILD_KILLED, CHILD_SILENT, CHILD_LINGERS, CHILD_ENDS };

struct given { char *text; size_t len; };       /* an answer, until the module has wiped and freed it */

struct world {
	struct tape tape;
	bool canary_in_input;
	/* the file system */
	char conf[WORLD_TEXT_MAX];
	size_t conf_len, conf_at;
	enum fd_kind fds[WORLD_FDS];
	/* the process */
	unsigned maps, held;            /* mappings and allocations that the module has */
	sigset_t mask;
	int64_t clock_ms;
	/* the helper of the present exchange */
	uint8_t request[WIRE_MESSAGE_MAX], reply[2 * WIRE_MESSAGE_MAX + 64];
	size_t request_len, reply_len, reply_at;
	bool replied, child_lives, child_reaped, end_is_hidden, wait_failed;
	enum child_end end;
	uint8_t earlier_id[WIRE_ID_BYTES];
	/* the application */
	char user[400], service[80], rhost[80], tty[80], ssh_info[1200];
	char *authtok, *old_authtok;
	struct given given[8];
	struct { const char *name; void *data; void (*cleanup)(pam_handle_t *, void *, int); } kept[2];
	struct passwd *passwd, *caller;
	/* what the judge goes by, of the present call */
	unsigned log_lines, prompts;
	bool allowed[WIRE_OPERATIONS_END];      /* the helper said so, whole, of this request and user, and ended in order */
	bool enroll_started;                    /* it said so of an enrolment, and had called the password right */
	bool password_right;
};

extern struct world *world;     /* of the input that runs */

/* What stands for libpam's handle: never looked into. */
pam_handle_t *world_handle(void);

/* --- the tape */
uint8_t take(void);
unsigned take_below(unsigned bound);
size_t take_text(char *out, size_t capacity);
/* Does this call fail?  errno is set. */
bool fails(void);

/* --- the helper (fuzz_pam_helper.c) */
void helper_reply(void);
/* A field's value in the LEN bytes of a message, found without the module's code; NULL: none, or the message is broken. */
const uint8_t *message_field(const uint8_t *message, size_t len, const char *magic, uint8_t tag, size_t *out_len);
uint32_t message_number(const uint8_t *message, size_t len, const char *magic, uint8_t tag);
/* Note in world->allowed whether what was sent back allows. */
void helper_judge(void);

/* --- the application (fuzz_pam_application.c) */
void application_make(void);
void application_end(void);

#endif
