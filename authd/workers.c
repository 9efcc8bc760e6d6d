#include "authd/workers.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/base/clock.h"

/* A thread.  What it is called for is handed to it with the call, and the one that rested last is called first: its stack
 * is still in a cache. */
struct seat {
	struct pool *pool;
	pthread_t thread;
	sem_t called;
	struct work *work;              /* at the call; NULL: go */
	struct seat *next;              /* in the list of those that rest */
};

struct pool {
	pthread_mutex_t lock;
	struct work *head, *tail;       /* waiting: only while no thread rests */
	struct seat *seats, *resting;
	unsigned thread_count, busy, waiting;
	uint64_t done, refused;
	bool stopping;
	unsigned queue_length;
	int64_t queue_wait_ms;
};

struct workers {
	struct pool pools[WORK_CLASSES];
};

const char *
work_class_name(enum work_class class)
{
	static const char *const names[WORK_CLASSES] = { "inline", "hashing", "quick", "probe" };

	return (unsigned)class < WORK_CLASSES ? names[class] : "unknown";
}

/* With the lock held. */
static struct work *
take(struct pool *pool)
{
	struct work *work = pool->head;

	if (work != NULL && (pool->head = work->next) == NULL)
		pool->tail = NULL;
	if (work != NULL)
		pool->waiting--;
	return work;
}

/* NULL: the pool stops. */
static struct work *
rest(struct seat *seat)
{
	while (sem_wait(&seat->called) != 0)
		continue;               /* a signal */
	return seat->work;
}

/* The oldest piece of work, when there is some; NULL when the pool stops. */
static struct work *
next_work(struct seat *seat)
{
	struct pool *pool = seat->pool;
	struct work *work;
	bool stays;

	(void)pthread_mutex_lock(&pool->lock);
	stays = (work = take(pool)) == NULL && !pool->stopping;
	if (work != NULL)
		pool->busy++;
	if (stays) {
		seat->next = pool->resting;
		pool->resting = seat;
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return stays ? rest(seat) : work;
}

static void
finish(struct pool *pool, bool ran)
{
	(void)pthread_mutex_lock(&pool->lock);
	pool->busy--;
	if (ran)
		pool->done++;
	else
		pool->refused++;
	(void)pthread_mutex_unlock(&pool->lock);
}

static void *
work_on(void *arg)
{
	struct seat *seat = arg;
	struct pool *pool = seat->pool;
	struct work *work;

	while ((work = next_work(seat)) != NULL) {
		bool late = clock_monotonic_ms() - work->queued_ms > pool->queue_wait_ms;

		/* the owner may free WORK inside the call: nothing of it is touched afterwards */
		if (late)
			work->refuse(work->owner);
		else
			work->run(work->owner);
		finish(pool, !late);
	}
	return NULL;
}

static enum status
pool_start(struct pool *pool, unsigned threads, const struct workers_options *options)
{
	pool->queue_length = options->queue_length;
	pool->queue_wait_ms = options->queue_wait_ms;
	if ((pool->seats = calloc(threads > 0 ? threads : 1, sizeof *pool->seats)) == NULL)
		return STATUS_NO_MEMORY;
	for (; pool->thread_count < threads; pool->thread_count++) {
		struct seat *seat = &pool->seats[pool->thread_count];

		seat->pool = pool;
		(void)sem_init(&seat->called, 0, 0);
		if (pthread_create(&seat->thread, NULL, work_on, seat) != 0)
			return STATUS_NO_MEMORY;
	}
	return STATUS_OK;
}

enum status
workers_start(const struct workers_options *options, struct workers **out)
{
	struct workers *workers = calloc(1, sizeof *workers);
	enum status st = STATUS_OK;

	if (workers == NULL)
		return STATUS_NO_MEMORY;
	for (int i = 0; i < WORK_CLASSES; i++)
		(void)pthread_mutex_init(&workers->pools[i].lock, NULL);
	for (int i = 0; i < WORK_CLASSES && st == STATUS_OK; i++)
		st = pool_start(&workers->pools[i], options->threads[i], options);
	if (st != STATUS_OK)
		workers_free(&workers);
	*out = workers;
	return st;
}

/* With the lock held. */
static struct seat *
wake(struct pool *pool, struct work *work)
{
	struct seat *seat = pool->resting;

	if (seat != NULL) {
		pool->resting = seat->next;
		seat->work = work;
	}
	return seat;
}

/* With the lock held. */
static void
append(struct pool *pool, struct work *work)
{
	if (pool->tail != NULL)
		pool->tail->next = work;
	else
		pool->head = work;
	pool->tail = work;
	pool->waiting++;
}

enum status
workers_submit(struct workers *workers, enum work_class class, struct work *work)
{
	struct pool *pool = &workers->pools[class];
	struct seat *seat = NULL;
	enum status st = STATUS_OK;

	work->queued_ms = clock_monotonic_ms();
	work->next = NULL;
	(void)pthread_mutex_lock(&pool->lock);
	if (pool->stopping || pool->thread_count == 0)
		st = STATUS_OVERLOADED;
	else if ((seat = wake(pool, work)) != NULL)
		pool->busy++;
	else if (pool->waiting < pool->queue_length)
		append(pool, work);
	else
		st = STATUS_OVERLOADED;
	if (st != STATUS_OK)
		pool->refused++;
	(void)pthread_mutex_unlock(&pool->lock);
	if (seat != NULL)               /* not before: it would wake to wait for the lock */
		(void)sem_post(&seat->called);
	return st;
}

/* Refuse what waited too long, or ALL; each outside the lock, for refusing resumes a connection. */
static void
refuse_waiting(struct pool *pool, bool all)
{
	int64_t limit = clock_monotonic_ms() - pool->queue_wait_ms;
	struct work *work;

	for (;;) {
		(void)pthread_mutex_lock(&pool->lock);
		work = pool->head != NULL && (all || pool->head->queued_ms < limit) ? take(pool) : NULL;
		if (work != NULL)
			pool->refused++;
		(void)pthread_mutex_unlock(&pool->lock);
		if (work == NULL)
			return;
		work->refuse(work->owner);
	}
}

void
workers_expire(struct workers *workers)
{
	for (int i = 0; i < WORK_CLASSES; i++)
		refuse_waiting(&workers->pools[i], false);
}

static void
pool_stop(struct pool *pool)
{
	struct seat *seat;

	(void)pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	while ((seat = wake(pool, NULL)) != NULL)
		(void)sem_post(&seat->called);
	(void)pthread_mutex_unlock(&pool->lock);
	refuse_waiting(pool, true);
	for (unsigned i = 0; i < pool->thread_count; i++) {
		(void)pthread_join(pool->seats[i].thread, NULL);
		(void)sem_destroy(&pool->seats[i].called);
	}
	(void)pthread_mutex_lock(&pool->lock);
	free(pool->seats);
	pool->seats = NULL;
	pool->thread_count = 0;
	(void)pthread_mutex_unlock(&pool->lock);
}

void
workers_stop(struct workers *workers)
{
	for (int i = 0; i < WORK_CLASSES; i++)
		pool_stop(&workers->pools[i]);
}

void
workers_free(struct workers **workers)
{
	if (workers == NULL || *workers == NULL)
		return;
	workers_stop(*workers);
	for (int i = 0; i < WORK_CLASSES; i++)
		(void)pthread_mutex_destroy(&(*workers)->pools[i].lock);
	free(*workers);
	*workers = NULL;
}

void
workers_load(struct workers *workers, enum work_class class, struct workers_load *out)
{
	struct pool *pool = &workers->pools[class];

	(void)pthread_mutex_lock(&pool->lock);
	*out = (struct workers_load){ pool->thread_count, pool->busy, pool->waiting, pool->done, pool->refused };
	(void)pthread_mutex_unlock(&pool->lock);
}
