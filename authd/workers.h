/* workers.h: bounded pools of threads.  A class of work has its own threads and its own queue, so that hashing and
 * quick requests never wait behind each other.  Knows nothing of HTTP. */
#ifndef COUNTERFOIL_AUTHD_WORKERS_H
#define COUNTERFOIL_AUTHD_WORKERS_H

#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

enum work_class {
	WORK_INLINE = 0,        /* no thread: done where it arrived; must not block */
	WORK_HASHING,           /* runs Argon2 */
	WORK_QUICK,             /* a few database calls */
	WORK_PROBE,             /* the operator's probes: answered when all others are stuck */
	WORK_CLASSES
};

/* One piece of work, owned by the caller until one of its two functions was called, exactly once. */
struct work {
	void (*run)(void *owner);
	void (*refuse)(void *owner);    /* it waited too long, or the pool is stopping; must not block */
	void *owner;
	int64_t queued_ms;              /* for workers.c */
	struct work *next;              /* for workers.c */
};

struct workers_options {
	unsigned threads[WORK_CLASSES]; /* 0 for WORK_INLINE */
	unsigned queue_length;          /* waiting in one class, at most */
	int64_t queue_wait_ms;
};

struct workers;

/* STATUS_NO_MEMORY: out of memory or of threads. */
enum status workers_start(const struct workers_options *options, struct workers **out) NODISCARD;

/* STATUS_OVERLOADED: the queue of CLASS is full or the pool is stopping; neither function will be called. */
enum status workers_submit(struct workers *workers, enum work_class class, struct work *work) NODISCARD;

/* Refuse what has waited longer than queue_wait_ms.  Call it a few times a second. */
void workers_expire(struct workers *workers);

/* Refuse what waits, let what runs finish, join every thread.  What is submitted from now on is refused. */
void workers_stop(struct workers *workers);

/* Stop, and free: nobody may submit any more.  NULL is fine. */
void workers_free(struct workers **workers);

struct workers_load { unsigned threads, busy, waiting; uint64_t done, refused; };
void workers_load(struct workers *workers, enum work_class class, struct workers_load *out);

const char *work_class_name(enum work_class class);

#endif
