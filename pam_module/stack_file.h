/* stack_file.h: a file of /etc/pam.d as libpam reads it: the lines of one kind after the other, with what they include. */
#ifndef COUNTERFOIL_PAM_STACK_FILE_H
#define COUNTERFOIL_PAM_STACK_FILE_H

#include <stdbool.h>

#define STACK_LINES_MAX    128          /* more is no stack that anybody reads */
#define STACK_FIELD_BYTES  512
#define STACK_ACTION_BYTES 16

struct stack_line {
	char file[64];                  /* where it stands; of what is included, the included file */
	unsigned number;
	char kind[16];                  /* auth, account, password, session */
	bool may_be_missing;            /* it was written "-auth": a module that is not there is passed over */
	char control[STACK_FIELD_BYTES], module[STACK_FIELD_BYTES], arguments[STACK_FIELD_BYTES];
};

struct stack_file {
	bool is_partial;                /* something that it includes could not be read */
	unsigned count;
	struct stack_line lines[STACK_LINES_MAX];
};

/* NULL: FOLDER has no such file, or no memory is left; else for free().  "@include" and "include" are followed; "substack",
 * which ends by itself, stays one line. */
struct stack_file *stack_file_read(const char *folder, const char *service);

/* Is it a line of NAME, as "pam_unix.so", in whichever folder? */
bool stack_line_is(const struct stack_line *line, const char *name);

/* What the control makes of RESULT, as "success" or "auth_err"; "default": of what it does not name.  A word of pam.d(5): ok,
 * done, bad, die, ignore, reset, or the number of lines that are jumped over. */
const char *stack_line_action(const struct stack_line *line, const char *result, char out[static STACK_ACTION_BYTES]);

/* How many lines ACTION jumps over; 0: it is none. */
unsigned stack_action_jump(const char *action);

#endif
