/* test_workers.c: every piece of work comes to exactly one end: it is run, or it is refused. */
#include "tests/support/unit.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

#include "authd/workers.h"
#include "tests/support/clock_settable.h"

enum { MANY = 2000 };

/* One piece of work, and what became of it. */
struct task {
	struct work work;
	atomic_int ran, refused;
	pthread_t by;
	sem_t *begun, *may_end, *ended;         /* each may be NULL */
};

static void
run(void *owner)
{
	struct task *task = owner;

	task->by = pthread_self();
	if (task->begun != NULL)
		(void)sem_post(task->begun);
	if (task->may_end != NULL)
		(void)sem_wait(task->may_end);
	atomic_fetch_add(&task->ran, 1);
	if (task->ended != NULL)
		(void)sem_post(task->ended);
}

static void
refuse(void *owner)
{
	struct task *task = owner;

	atomic_fetch_add(&task->refused, 1);
	if (task->ended != NULL)
		(void)sem_post(task->ended);
}

static struct workers *
start(unsigned threads, unsigned queue_length)
{
	const struct workers_options options = { .threads = { [WORK_QUICK] = threads }, .queue_length = queue_length,
		.queue_wait_ms = 1000 };
	struct workers *workers = NULL;

	assert_int_equal(workers_start(&options, &workers), STATUS_OK);
	return workers;
}

static enum status
submit(struct workers *workers, struct task *task)
{
	task->work = (struct work){ .run = run, .refuse = refuse, .owner = task };
	return workers_submit(workers, WORK_QUICK, &task->work);
}

static struct workers_load
load_of(struct workers *workers)
{
	struct workers_load load;

	workers_load(workers, WORK_QUICK, &load);
	return load;
}

struct crowd { struct workers *workers; struct task *tasks; };

static void *
submit_many(void *cookie)
{
	const struct crowd *crowd = cookie;

	for (unsigned i = 0; i < MANY; i++)
		if (submit(crowd->workers, &crowd->tasks[i]) != STATUS_OK)
			return NULL;
	return cookie;
}

static void
what_several_threads_submit_is_run_once_each(void **state)
{
	static struct task tasks[3][MANY];
	struct workers *workers = start(4, 3 * MANY);
	struct crowd crowds[3];
	pthread_t threads[3];
	void *good;
	sem_t ended;

	(void)state;
	assert_int_equal(sem_init(&ended, 0, 0), 0);
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned j = 0; j < MANY; j++)
			tasks[i][j].ended = &ended;
		crowds[i] = (struct crowd){ workers, tasks[i] };
		assert_int_equal(pthread_create(&threads[i], NULL, submit_many, &crowds[i]), 0);
	}
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(threads[i], &good), 0);
		assert_non_null(good);
	}
	for (unsigned i = 0; i < 3 * MANY; i++)
		assert_int_equal(sem_wait(&ended), 0);
	workers_stop(workers);
	for (unsigned i = 0; i < 3; i++)
		for (unsigned j = 0; j < MANY; j++)
			assert_int_equal(atomic_load(&tasks[i][j].ran), 1);
	assert_int_equal(load_of(workers).done, 3 * MANY);
	assert_int_equal(load_of(workers).busy, 0);
	workers_free(&workers);
	(void)sem_destroy(&ended);
}

static void
the_thread_that_rested_last_is_called_first(void **state)
{
	struct workers *workers = start(8, 1);
	static struct task tasks[1000];
	unsigned in_a_row = 0;
	sem_t ended;

	(void)state;
	assert_int_equal(sem_init(&ended, 0, 0), 0);
	/* a late one of the start may rest meanwhile, seven times; from then on nobody new is needed */
	for (unsigned i = 0; i < sizeof tasks / sizeof tasks[0] && in_a_row < 5; i++) {
		tasks[i].ended = &ended;
		assert_int_equal(submit(workers, &tasks[i]), STATUS_OK);
		assert_int_equal(sem_wait(&ended), 0);
		while (load_of(workers).busy > 0)
			continue;       /* until it rests, or is about to */
		in_a_row = i > 0 && pthread_equal(tasks[i - 1].by, tasks[i].by) ? in_a_row + 1 : 0;
	}
	workers_free(&workers);
	assert_int_equal(in_a_row, 5);
	(void)sem_destroy(&ended);
}

static void
a_full_queue_refuses_and_keeps_what_it_has(void **state)
{
	struct workers *workers = start(1, 2);
	struct task busy = { 0 }, waiting[2], more = { 0 };
	sem_t begun, may_end;

	(void)state;
	memset(waiting, 0, sizeof waiting);
	assert_int_equal(sem_init(&begun, 0, 0), 0);
	assert_int_equal(sem_init(&may_end, 0, 0), 0);
	busy.begun = &begun;
	busy.may_end = &may_end;
	assert_int_equal(submit(workers, &busy), STATUS_OK);
	assert_int_equal(sem_wait(&begun), 0);
	assert_int_equal(submit(workers, &waiting[0]), STATUS_OK);
	assert_int_equal(submit(workers, &waiting[1]), STATUS_OK);
	assert_int_equal(submit(workers, &more), STATUS_OVERLOADED);
	assert_int_equal(load_of(workers).waiting, 2);
	assert_int_equal(load_of(workers).refused, 1);
	assert_int_equal(sem_post(&may_end), 0);
	while (load_of(workers).done < 3)
		continue;
	workers_free(&workers);
	assert_int_equal(atomic_load(&waiting[0].ran) + atomic_load(&waiting[1].ran), 2);
	assert_int_equal(atomic_load(&more.ran) + atomic_load(&more.refused), 0);
	(void)sem_destroy(&begun);
	(void)sem_destroy(&may_end);
}

static void
what_waited_too_long_is_refused(void **state)
{
	struct workers *workers = start(1, 9);
	struct task busy = { 0 }, late = { 0 }, later = { 0 };
	sem_t begun, may_end;

	(void)state;
	assert_int_equal(sem_init(&begun, 0, 0), 0);
	assert_int_equal(sem_init(&may_end, 0, 0), 0);
	clock_set(1000);
	busy.begun = &begun;
	busy.may_end = &may_end;
	assert_int_equal(submit(workers, &busy), STATUS_OK);
	assert_int_equal(sem_wait(&begun), 0);
	assert_int_equal(submit(workers, &late), STATUS_OK);
	clock_advance_ms(600);
	assert_int_equal(submit(workers, &later), STATUS_OK);
	clock_advance_ms(600);
	workers_expire(workers);
	assert_int_equal(atomic_load(&late.refused), 1);
	assert_int_equal(atomic_load(&later.refused), 0);
	clock_advance_ms(600);          /* nobody expires it: the thread itself finds out */
	assert_int_equal(sem_post(&may_end), 0);
	while (load_of(workers).refused < 2)
		continue;
	workers_free(&workers);
	assert_int_equal(atomic_load(&later.refused), 1);
	assert_int_equal(atomic_load(&late.ran) + atomic_load(&later.ran), 0);
	(void)sem_destroy(&begun);
	(void)sem_destroy(&may_end);
}

static void *
stop(void *workers)
{
	workers_stop(workers);
	return NULL;
}

static void
stopping_refuses_what_waits_and_lets_what_runs_finish(void **state)
{
	struct workers *workers = start(3, 9);
	struct task busy[3], waiting = { 0 }, after = { 0 };
	sem_t begun, may_end, refused;
	pthread_t stopper;

	(void)state;
	memset(busy, 0, sizeof busy);
	assert_int_equal(sem_init(&begun, 0, 0), 0);
	assert_int_equal(sem_init(&may_end, 0, 0), 0);
	assert_int_equal(sem_init(&refused, 0, 0), 0);
	for (unsigned i = 0; i < 3; i++) {
		busy[i].begun = &begun;
		busy[i].may_end = &may_end;
		assert_int_equal(submit(workers, &busy[i]), STATUS_OK);
	}
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(sem_wait(&begun), 0);
	waiting.ended = &refused;
	assert_int_equal(submit(workers, &waiting), STATUS_OK);
	assert_int_equal(pthread_create(&stopper, NULL, stop, workers), 0);
	assert_int_equal(sem_wait(&refused), 0);
	assert_int_equal(atomic_load(&waiting.refused), 1);
	assert_int_equal(submit(workers, &after), STATUS_OVERLOADED);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(sem_post(&may_end), 0);
	assert_int_equal(pthread_join(stopper, NULL), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(atomic_load(&busy[i].ran), 1);
	workers_free(&workers);
	workers_free(&workers);
	(void)sem_destroy(&begun);
	(void)sem_destroy(&may_end);
	(void)sem_destroy(&refused);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_several_threads_submit_is_run_once_each),
		cmocka_unit_test(the_thread_that_rested_last_is_called_first),
		cmocka_unit_test(a_full_queue_refuses_and_keeps_what_it_has),
		cmocka_unit_test(stopping_refuses_what_waits_and_lets_what_runs_finish),
		cmocka_unit_test(what_waited_too_long_is_refused),      /* last: from here on the clock stands still */
	};

	return cmocka_run_group_tests_name("workers", tests, NULL, NULL);
}
