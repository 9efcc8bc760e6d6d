#include "authd/workers.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/base/clock.h"

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct work *head, *tail;
	pthread_t *threads;
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

/* The oldest piece of work, or NULL when the pool stops. */
static struct work *
wait_for_work(struct pool *pool)
{
	struct work *work;

	(void)pthread_mutex_lock(&pool->lock);
	while (pool->head == NULL && !pool->stopping)
		(void)pthread_cond_wait(&pool->filled, &pool->lock);
	if ((work = take(pool)) != NULL)
		pool->busy++;
	(void)pthread_mutex_unlock(&pool->lock);
	return work;
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
	struct pool *pool = arg;
	struct work *work;

	while ((work = wait_for_work(pool)) != NULL) {
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
	if ((pool->threads = calloc(threads > 0 ? threads : 1, sizeof *pool->threads)) == NULL)
		return STATUS_NO_MEMORY;
	for (; pool->thread_count < threads; pool->thread_count++)
		if (pthread_create(&pool->threads[pool->thread_count], NULL, work_on, pool) != 0)
			return STATUS_NO_MEMORY;
	return STATUS_OK;
}

enum status
workers_start(const struct workers_options *options, struct workers **out)
{
	struct workers *workers = calloc(1, sizeof *workers);
	enum status st = STATUS_OK;

	if (workers == NULL)
		return STATUS_NO_MEMORY;
	for (int i = 0; i < WORK_CLASSES; i++) {
		(void)pthread_mutex_init(&workers->pools[i].lock, NULL);
		(void)pthread_cond_init(&workers->pools[i].filled, NULL);
	}
	for (int i = 0; i < WORK_CLASSES && st == STATUS_OK; i++)
		st = pool_start(&workers->pools[i], options->threads[i], options);
	if (st != STATUS_OK)
		workers_free(&workers);
	*out = workers;
	return st;
}

enum status
workers_submit(struct workers *workers, enum work_class class, struct work *work)
{
	struct pool *pool = &workers->pools[class];
	enum status st = STATUS_OVERLOADED;

	work->queued_ms = clock_monotonic_ms();
	work->next = NULL;
	(void)pthread_mutex_lock(&pool->lock);
	if (pool->stopping || pool->thread_count == 0 || pool->waiting >= pool->queue_length) {
		pool->refused++;
		goto out;
	}
	if (pool->tail != NULL)
		pool->tail->next = work;
	else
		pool->head = work;
	pool->tail = work;
	pool->waiting++;
	(void)pthread_cond_signal(&pool->filled);
	st = STATUS_OK;
out:
	(void)pthread_mutex_unlock(&pool->lock);
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
	(void)pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	(void)pthread_cond_broadcast(&pool->filled);
	(void)pthread_mutex_unlock(&pool->lock);
	refuse_waiting(pool, true);
	for (unsigned i = 0; i < pool->thread_count; i++)
		(void)pthread_join(pool->threads[i], NULL);
	(void)pthread_mutex_lock(&pool->lock);
	free(pool->threads);
	pool->threads = NULL;
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
	for (int i = 0; i < WORK_CLASSES; i++) {
		(void)pthread_cond_destroy(&(*workers)->pools[i].filled);
		(void)pthread_mutex_destroy(&(*workers)->pools[i].lock);
	}
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
