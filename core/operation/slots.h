/* slots.h: as many hashes at once as there are slots, and an honest no to what could not be hashed in time.  Each slot is a
 * thread with an arena for two jobs; two jobs of equal cost run side by side where this machine is faster that way. */
#ifndef COUNTERFOIL_SLOTS_H
#define COUNTERFOIL_SLOTS_H

#include "core/base/config.h"
#include "core/operation/slots_queue.h"

struct slots;
struct bell;

struct slots_options {
	unsigned slots;                 /* 0: as many as processors */
	unsigned queue_length;          /* requests in the queue, at most */
	unsigned called_beside;         /* of the crowd, called beyond the number of slots, at most */
	int64_t calm_ms;                /* so long after one who stands in front the crowd has half of the slots at most */
	int64_t deadline_ms;            /* a request whose turn comes later than this is refused */
	int64_t idle_ms;                /* an arena that was not needed for so long is given back */
	uint32_t memory_kib;            /* of the most expensive policy; dearer stored hashes run one at a time */
};

enum { SLOTS_BASE_BYTES = 64 * 1024 * 1024 };   /* what the program needs besides, for the check of memory */

/* STATUS_INVALID: the arenas do not fit into the machine's or the control group's memory; ERROR says how to mend it.
 * STATUS_NO_MEMORY: out of memory or of threads. */
enum status slots_start(const struct slots_options *options, struct slots **out,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

/* When no thread is inside any more: wipe, join, free.  NULL is fine. */
void slots_stop(struct slots **slots);

/* In the queue are those who wait to be called, and those who were and prepare their job. */
enum slots_state { SLOTS_TURN_OUT = 0, SLOTS_TURN_UNCALLED, SLOTS_TURN_HELD, SLOTS_TURN_REFUSED, SLOTS_TURN_RUNNING, SLOTS_TURN_DONE };

/* One request's way through; on the stack of its thread, from enter to leave. */
struct slots_turn {
	struct slots_place place;
	int64_t deadline_ms;
	int watch_fd;
	int64_t ready_us;               /* when its job was */
	enum slots_state state;
	bool counted;                   /* among those of the crowd that were called */
	struct bell *bell;              /* its thread waits for; NULL: it is out */
};

/* Take a place before any other work is done for the request, and wait to be called: those who stand in front
 * (slots_queue.h) are at once, the crowd in its order and few at a time, so that it holds no more of the database than of
 * the slots.  STATUS_OVERLOADED: its turn would come after the deadline, or the queue is full of others who come before it.
 * WATCH_FD: the connection that the answer goes to, 0: none; should its other end be closed when it is called or its turn
 * comes, it is dropped.  MEMORY_KIB and PASSES: what the hash will probably cost. */
enum status slots_enter(struct slots *slots, struct slots_source source, int watch_fd, uint32_t memory_kib, uint32_t passes,
    struct slots_turn *turn) NODISCARD;

/* Run JOB when its turn comes; again for a further one.  STATUS_OK: JOB->status says how it went.
 * STATUS_OVERLOADED: the deadline came first.  STATUS_UNAVAILABLE: the other end of the connection is closed.
 * The job was not run then. */
enum status slots_run(struct slots *slots, struct slots_turn *turn, struct argon2_job *job) NODISCARD;

/* Give the place back.  FAILED: the password was wrong, which its source will be remembered for. */
void slots_leave(struct slots *slots, struct slots_turn *turn, bool failed);

/* --- what happened ----------------------------------------------------------------------------------------------------- */

enum { SLOTS_COSTS = 8 };

struct slots_cost {
	uint32_t memory_kib, passes;
	uint64_t singles, pairs;        /* jobs: a pair counts two */
	double single_us, pair_us;      /* processor time of one job, averaged over the last ones; 0: none yet */
};

struct slots_report {
	unsigned slots, running, waiting, warm;
	uint64_t refused_at_once, refused_late, dropped;        /* overloaded; deadline passed; the client was gone */
	uint64_t runs;
	double waited_us;               /* of all jobs that ran, for a slot */
	double turns_us;                /* of the same, the wait and the hash */
	struct slots_cost costs[SLOTS_COSTS];
	unsigned cost_count;
};
void slots_report(struct slots *slots, struct slots_report *out);

#endif
