#include "core/operation/slots.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/memory_limit.h"

enum {
	WIPE_BYTES = 2 * 1024 * 1024,   /* at a time, some tenths of a millisecond: a job that comes meanwhile waits so long */
	EXPLORE_EVERY = 64,             /* chances to pair after which the way that seemed slower is tried again */
	AVERAGE_OVER = 16,
	NICENESS = 5                    /* epoll threads, workers and PostgreSQL have little to do, but at once */
};

#define SLICE_NS UINT64_C(100000000)    /* the longest that the kernel knows */

#define BLOCK_US_FIRST 0.25             /* before anything was measured */

struct took { int64_t us, thread_us; };         /* by the clock, and of the slot's own thread */

struct slot {
	struct slots *slots;
	struct argon2_arena *arena;
	pthread_t thread;
	size_t taken;                   /* of the arena, from its start, by a job that gave way; 0: there is none */
	struct took away;               /* how long that did */
	uint64_t work;                  /* of what runs now */
	bool warm;                      /* the arena, as it was when the lock was last held */
};

/* What a request's thread waits for.  Kept until the end, so that it may be rung without the lock, when the request and its
 * thread are perhaps gone: the next one that has it looks why it woke, and waits on. */
struct bell {
	pthread_cond_t rung;
	struct bell *next;              /* while nobody has it */
};

struct slots {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct bell *bells;             /* that nobody has */
	struct slots_queue queue;
	struct slots_failures failures;
	struct slots_options options;
	struct slot *slot;
	unsigned started, idle;
	unsigned called;                /* of the crowd, and not yet gone */
	unsigned crowd_running;
	int64_t front_ms;               /* when the last one came who stood in front */
	bool stopping;
	double block_us;                /* how long one block takes on one slot */
	unsigned chances;               /* to pair */
	pthread_mutex_t large;          /* jobs beyond the arena: one at a time */
	struct slots_report report;
};

/* --- what was learnt ------------------------------------------------------------------------------------------------------- */

/* The statistics of this cost, or NULL when there are too many different ones. */
static struct slots_cost *
cost_of(struct slots *slots, const struct argon2_job *job)
{
	struct slots_report *report = &slots->report;

	for (unsigned i = 0; i < report->cost_count; i++)
		if (report->costs[i].memory_kib == job->memory_kib && report->costs[i].passes == job->passes)
			return &report->costs[i];
	if (report->cost_count == SLOTS_COSTS)
		return NULL;
	report->costs[report->cost_count] = (struct slots_cost){ .memory_kib = job->memory_kib, .passes = job->passes };
	return &report->costs[report->cost_count++];
}

static void
average(double *value, double next)
{
	*value = *value == 0 ? next : *value + (next - *value) / AVERAGE_OVER;
}

/* COUNT jobs like JOB took TOOK together.  A wait is a matter of the clock; which way is faster is not: whoever gets the
 * processor in the middle of a hash says nothing about it.  With the lock held. */
static void
learn(struct slots *slots, const struct argon2_job *job, unsigned count, const struct took *took)
{
	struct slots_cost *cost = cost_of(slots, job);

	average(&slots->block_us, (double)took->us / count / ((double)job->memory_kib * job->passes));
	slots->report.runs += count;
	if (cost == NULL)
		return;
	if (count == 1) {
		cost->singles++;
		average(&cost->single_us, (double)took->thread_us);
	} else {
		cost->pairs += count;
		average(&cost->pair_us, (double)took->thread_us / count);
	}
}

/* Two jobs of this cost are here: is a pair the faster way?  Once in a while the other way is tried. */
static bool
pairing_pays(struct slots *slots, const struct argon2_job *job)
{
	const struct slots_cost *cost = cost_of(slots, job);
	bool pays = cost == NULL || cost->single_us == 0 || cost->pair_us == 0 || cost->pair_us < cost->single_us;

	return ++slots->chances % EXPLORE_EVERY == 0 ? !pays : pays;
}

/* --- ways out of the queue ------------------------------------------------------------------------------------------------------ */

static void
tell(struct slots_turn *turn, enum slots_state state)
{
	turn->state = state;
	(void)pthread_cond_signal(&turn->bell->rung);
}

static struct slots_turn *
turn_of(struct slots_place *place)
{
	return (struct slots_turn *)(void *)place;      /* its first member */
}

static bool
is_gone(int fd)
{
	struct pollfd watch = { .fd = fd, .events = POLLRDHUP };

	return fd > 0 && poll(&watch, 1, 0) == 1 && (watch.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* With ST, and one more in COUNTER of the report.  With the lock held. */
static void
refuse(struct slots *slots, struct slots_turn *turn, enum status st, uint64_t *counter)
{
	slots_queue_remove(&slots->queue, &turn->place);
	(*counter)++;
	if (turn->place.job != NULL)
		turn->place.job->status = st;
	tell(turn, SLOTS_TURN_REFUSED);
}

/* Is somebody there to be answered?  If not, it is dropped.  With the lock held. */
static bool
is_wanted(struct slots *slots, struct slots_turn *turn)
{
	if (!is_gone(turn->watch_fd))
		return true;
	refuse(slots, turn, STATUS_UNAVAILABLE, &slots->report.dropped);
	return false;
}

/* The first who was not called, or NULL. */
static struct slots_turn *
first_uncalled(const struct slots *slots)
{
	struct slots_place *place = slots->queue.head;

	while (place != NULL && turn_of(place)->state != SLOTS_TURN_UNCALLED)
		place = place->next;
	return place != NULL ? turn_of(place) : NULL;
}

/* Call as many of the crowd as may be.  With the lock held. */
static void
call(struct slots *slots)
{
	struct slots_turn *turn;

	while (slots->called < slots->started + slots->options.called_beside && (turn = first_uncalled(slots)) != NULL)
		if (is_wanted(slots, turn)) {
			slots->called++;
			turn->counted = true;
			tell(turn, SLOTS_TURN_HELD);
		}
}

/* --- a slot's thread ----------------------------------------------------------------------------------------------------------- */

/* Out of the queue with it, to be run.  False: nobody waits for it any more.  With the lock held. */
static bool
take(struct slots *slots, struct slots_place *place)
{
	struct slots_turn *turn = turn_of(place);

	if (!is_wanted(slots, turn))
		return false;
	slots_queue_remove(&slots->queue, place);
	turn->state = SLOTS_TURN_RUNNING;
	slots->report.waited_us += (double)(clock_monotonic_us() - turn->ready_us);
	return true;
}

/* How many slots those like PLACE may have.  With the lock held. */
static unsigned
share(const struct slots *slots, const struct slots_place *place)
{
	if (slots_queue_stands_in_front(place) || clock_monotonic_ms() - slots->front_ms >= slots->options.calm_ms)
		return slots->started;
	return slots->started > 1 ? slots->started / 2 : 1;
}

static bool
may_run(const struct slots *slots, const struct slots_place *place)
{
	return slots_queue_stands_in_front(place) || slots->crowd_running < share(slots, place);
}

/* What to run next; 0: nothing is ready, or all that is must leave slots to others.  With the lock held. */
static unsigned
choose(struct slots *slots, struct slots_place *out[ARGON2_TOGETHER_MAX])
{
	struct slots_place *partner;
	unsigned count = 0;

	while (count == 0 && (out[0] = slots_queue_first(&slots->queue)) != NULL && may_run(slots, out[0]))
		count = take(slots, out[0]) ? 1 : 0;
	/* idle slots would take the others at once, and each alone is done sooner */
	if (count == 1 && slots->queue.ready > slots->idle &&
	    (partner = slots_queue_partner(&slots->queue, out[0])) != NULL && pairing_pays(slots, out[0]->job) &&
	    take(slots, partner))
		out[count++] = partner;
	return count;
}

static struct took
took_now(void)
{
	return (struct took){ clock_monotonic_us(), clock_thread_us() };
}

static struct took
took_since(struct took begun)
{
	return (struct took){ clock_monotonic_us() - begun.us, clock_thread_us() - begun.thread_us };
}

static void serve(struct slot *slot, struct slots_place *const places[], unsigned count);

/* Somebody in front is ready and no slot is idle: him, now. */
static bool
serve_in_front(struct slot *slot)
{
	struct slots *slots = slot->slots;
	struct slots_place *place;
	bool serves;

	(void)pthread_mutex_lock(&slots->lock);
	place = slots_queue_first(&slots->queue);
	serves = place != NULL && slots_queue_stands_in_front(place) && slots->idle == 0;
	if (serves && take(slots, place))
		serve(slot, &place, 1);
	(void)pthread_mutex_unlock(&slots->lock);
	return serves;
}

/* Between two parts of the job at PLACE, one of the crowd, which keeps the first TAKEN bytes of the arena.  Not beyond its
 * deadline: those in front could come without an end.  What they leave is wiped, for no job may ever come over it. */
static void
give_way(struct slot *slot, struct slots_place *place, size_t taken)
{
	const struct took begun = took_now();
	int64_t deadline_ms = turn_of(place)->deadline_ms;
	struct took away;

	slot->taken = taken;
	for (;;)
		if (clock_monotonic_ms() < deadline_ms && serve_in_front(slot))
			continue;
		else if (argon2_arena_dirty(slot->arena) > taken)
			argon2_arena_wipe(slot->arena, taken, WIPE_BYTES);
		else
			break;
	slot->taken = 0;
	away = took_since(begun);
	slot->away.us += away.us;
	slot->away.thread_us += away.thread_us;
}

/* COUNT jobs, without the lock.  *OUT_BEGUN: when.  An arena is warmed before that: as the time of the first pair it would
 * make pairs look slow for thousands of jobs. */
static void
run_jobs(struct slot *slot, struct slots_place *const places[], unsigned count, struct took *out_begun)
{
	bool gives_way = !slots_queue_stands_in_front(places[0]);
	struct argon2_job *jobs[ARGON2_TOGETHER_MAX];
	struct argon2_run run;
	size_t room;

	for (unsigned i = 0; i < count; i++)
		jobs[i] = places[i]->job;
	*out_begun = took_now();
	room = argon2_engine_room(jobs[0], count);
	if (room > argon2_arena_size(slot->arena) - slot->taken) {
		(void)pthread_mutex_lock(&slot->slots->large);
		for (unsigned i = 0; i < count; i++)
			argon2_engine_run_alone(jobs[i]);
		(void)pthread_mutex_unlock(&slot->slots->large);
		return;
	}
	if (argon2_arena_warm(slot->arena) != STATUS_OK) {
		for (unsigned i = 0; i < count; i++)
			jobs[i]->status = STATUS_NO_MEMORY;
		return;
	}
	*out_begun = took_now();
	argon2_engine_begin(&run, slot->arena, slot->taken, jobs, count);
	while (argon2_engine_step(&run))
		if (gives_way)
			give_way(slot, places[0], room);
}

/* With the lock held before and after. */
static void
serve(struct slot *slot, struct slots_place *const places[], unsigned count)
{
	struct slots *slots = slot->slots;
	unsigned of_crowd = slots_queue_stands_in_front(places[0]) ? 0 : 1;     /* these do not pair */
	const uint64_t work = places[0]->work * count;
	struct bell *bells[ARGON2_TOGETHER_MAX];
	struct took took;

	slot->work += work;
	slots->crowd_running += of_crowd;
	slots->report.running += count;
	if (slots->queue.ready > 0)     /* another slot may do what this one could have */
		(void)pthread_cond_signal(&slots->filled);
	(void)pthread_mutex_unlock(&slots->lock);
	run_jobs(slot, places, count, &took);
	took = took_since(took);
	if (of_crowd > 0) {
		took = (struct took){ took.us - slot->away.us, took.thread_us - slot->away.thread_us };
		slot->away = (struct took){ 0, 0 };
	}
	(void)pthread_mutex_lock(&slots->lock);
	slots->crowd_running -= of_crowd;
	slots->report.running -= count;
	slot->warm = argon2_arena_is_warm(slot->arena);
	slot->work -= work;
	learn(slots, places[0]->job, count, &took);
	for (unsigned i = 0; i < count; i++) {
		bells[i] = turn_of(places[i])->bell;
		turn_of(places[i])->state = SLOTS_TURN_DONE;
	}
	/* whoever wakes has the processor at once, and would only find the lock taken; from here on the turns may be gone */
	(void)pthread_mutex_unlock(&slots->lock);
	for (unsigned i = 0; i < count; i++)
		(void)pthread_cond_signal(&bells[i]->rung);
	(void)pthread_mutex_lock(&slots->lock);
}

static struct timespec
from_now(int64_t ms)
{
	struct timespec at = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	if (ms < 0)
		ms = 0;
	at.tv_sec += ms / 1000;
	at.tv_nsec += ms % 1000 * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

/* Nothing to run: wipe, then wait, then give the memory back.  With the lock held before and after. */
static void
rest(struct slot *slot)
{
	struct slots *slots = slot->slots;
	struct timespec until = from_now(slots->options.idle_ms);
	bool idle;

	if (argon2_arena_dirty(slot->arena) > 0) {
		(void)pthread_mutex_unlock(&slots->lock);
		argon2_arena_wipe(slot->arena, 0, WIPE_BYTES);
		(void)pthread_mutex_lock(&slots->lock);
		return;
	}
	slots->idle++;
	if (argon2_arena_is_warm(slot->arena))
		idle = pthread_cond_timedwait(&slots->filled, &slots->lock, &until) != 0;
	else
		idle = pthread_cond_wait(&slots->filled, &slots->lock) != 0;
	slots->idle--;
	if (idle && slots->queue.ready == 0) {
		argon2_arena_cool(slot->arena);
		slot->warm = false;
	}
}

/* The kernel's struct sched_attr in its first version: its header and glibc's of before 2.41 exclude each other. */
struct scheduling {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};

#define KEEP_POLICY 0x08        /* SCHED_FLAG_KEEP_POLICY */

/* Below the other threads of the process, wherever these stand: an operator may have lowered or raised them all.  And in a
 * longer slice than theirs: they all have little to do, and from 6.12 on Linux gives the processor at once to whoever wakes
 * with a shorter one; with equal ones he waits until a part of ours is over.  Each is a favour that a system may refuse. */
static void
give_way_to_others(void)
{
	const int nice = getpriority(PRIO_PROCESS, (id_t)gettid()) + NICENESS;
	const struct scheduling longer = { .size = sizeof longer, .flags = KEEP_POLICY, .nice = nice, .runtime_ns = SLICE_NS };

	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), nice);
	(void)syscall(SYS_sched_setattr, 0, &longer, 0);
}

static void *
slot_main(void *arg)
{
	struct slot *slot = arg;
	struct slots *slots = slot->slots;
	struct slots_place *places[ARGON2_TOGETHER_MAX];
	unsigned count;

	give_way_to_others();
	(void)pthread_mutex_lock(&slots->lock);
	while (!slots->stopping || slots->queue.ready > 0)
		if ((count = choose(slots, places)) > 0)
			serve(slot, places, count);
		else if (!slots->stopping)
			rest(slot);
	(void)pthread_mutex_unlock(&slots->lock);
	return NULL;
}

/* --- start and end --------------------------------------------------------------------------------------------------------------- */

static size_t
arena_size(const struct slots_options *options)
{
	const struct argon2_job largest = { .memory_kib = options->memory_kib, .passes = 1, .lanes = 1 };
	size_t room = argon2_engine_room(&largest, ARGON2_TOGETHER_MAX);

	return room > 0 ? room : 1;     /* libargon2 brings its own memory */
}

static enum status
check_memory(const struct slots_options *options, char error[static CONFIG_ERROR_BYTES])
{
	uint64_t wanted = (uint64_t)options->slots * ARGON2_TOGETHER_MAX * options->memory_kib * 1024 + SLOTS_BASE_BYTES;
	char name[MEMORY_LIMIT_NAME_MAX];
	uint64_t limit = memory_limit(name);

	if (limit == 0 || wanted <= limit)
		return STATUS_OK;
	(void)snprintf(error, CONFIG_ERROR_BYTES, "[hashing] slots = %u: two hashes of %u KiB in each need %llu MiB with the "
	    "rest, and %.200s allows %llu MiB: take fewer slots or less argon2_memory_kib", options->slots,
	    options->memory_kib, (unsigned long long)(wanted >> 20), name, (unsigned long long)(limit >> 20));
	return STATUS_INVALID;
}

static enum status
start_slot(struct slots *slots, struct slot *slot)
{
	enum status st;

	slot->slots = slots;
	if ((st = argon2_arena_new(arena_size(&slots->options), &slot->arena)) != STATUS_OK)
		return st;
	if (pthread_create(&slot->thread, NULL, slot_main, slot) != 0) {
		argon2_arena_free(&slot->arena);
		return STATUS_NO_MEMORY;
	}
	slots->started++;
	return STATUS_OK;
}

static void
use_monotonic(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(condition, &attributes);
	(void)pthread_condattr_destroy(&attributes);
}

static unsigned
processors(void)
{
	long found = sysconf(_SC_NPROCESSORS_ONLN);

	return found > 0 && found <= 1024 ? (unsigned)found : 1;
}

enum status
slots_start(const struct slots_options *options, struct slots **out, char error[static CONFIG_ERROR_BYTES])
{
	struct slots *slots = calloc(1, sizeof *slots);
	enum status st;

	if (slots == NULL)
		return STATUS_NO_MEMORY;
	slots->options = *options;
	if (options->slots == 0)
		slots->options.slots = processors();
	slots->block_us = BLOCK_US_FIRST;
	slots->front_ms = clock_monotonic_ms() - options->calm_ms;
	(void)pthread_mutex_init(&slots->lock, NULL);
	(void)pthread_mutex_init(&slots->large, NULL);
	use_monotonic(&slots->filled);
	if ((st = check_memory(&slots->options, error)) == STATUS_OK &&
	    (slots->slot = calloc(slots->options.slots, sizeof *slots->slot)) == NULL)
		st = STATUS_NO_MEMORY;
	for (unsigned i = 0; i < slots->options.slots && st == STATUS_OK; i++)
		st = start_slot(slots, &slots->slot[i]);
	if (st != STATUS_OK)
		slots_stop(&slots);
	*out = slots;
	return st;
}

static void
free_bells(struct bell *bell)
{
	struct bell *next;

	for (; bell != NULL; bell = next) {
		next = bell->next;
		(void)pthread_cond_destroy(&bell->rung);
		free(bell);
	}
}

void
slots_stop(struct slots **slots)
{
	struct slots *s;

	if (slots == NULL || (s = *slots) == NULL)
		return;
	(void)pthread_mutex_lock(&s->lock);
	s->stopping = true;
	(void)pthread_cond_broadcast(&s->filled);
	(void)pthread_mutex_unlock(&s->lock);
	for (unsigned i = 0; i < s->started; i++) {
		(void)pthread_join(s->slot[i].thread, NULL);
		argon2_arena_free(&s->slot[i].arena);
	}
	free(s->slot);
	free_bells(s->bells);
	(void)pthread_cond_destroy(&s->filled);
	(void)pthread_mutex_destroy(&s->lock);
	(void)pthread_mutex_destroy(&s->large);
	free(s);
	*slots = NULL;
}

/* --- a request's way ------------------------------------------------------------------------------------------------------------- */

/* When would the turn of PLACE come?  With the lock held. */
static double
expected_wait_us(const struct slots *slots, const struct slots_place *place)
{
	double work = (double)slots_queue_work_before(&slots->queue, place);

	if (slots->idle > 0 && work == 0)
		return 0;
	for (unsigned i = 0; i < slots->started; i++)
		work += (double)slots->slot[i].work / 2;        /* half of it is done, on average */
	return work * slots->block_us / share(slots, place);
}

/* Nobody stays whose turn would come too late, nor whoever came off worst in a queue that is too long: that may be TURN
 * or another.  With the lock held. */
static void
admit(struct slots *slots, struct slots_turn *turn)
{
	if (slots->queue.length > slots->options.queue_length)
		turn = turn_of(slots_queue_last(&slots->queue));
	else if (expected_wait_us(slots, &turn->place) <= (double)slots->options.deadline_ms * 1000)
		return;
	refuse(slots, turn, STATUS_OVERLOADED, &slots->report.refused_at_once);
}

/* While it is in STATE, until the deadline.  With the lock held. */
static void
wait_in_queue(struct slots *slots, struct slots_turn *turn, enum slots_state state)
{
	struct timespec until = from_now(turn->deadline_ms - clock_monotonic_ms());

	while (turn->state == state)
		if (pthread_cond_timedwait(&turn->bell->rung, &slots->lock, &until) != 0 && turn->state == state)
			refuse(slots, turn, STATUS_OVERLOADED, &slots->report.refused_late);
}

/* With the lock held.  NULL: out of memory. */
static struct bell *
take_bell(struct slots *slots)
{
	struct bell *bell = slots->bells;

	if (bell != NULL)
		slots->bells = bell->next;
	else if ((bell = malloc(sizeof *bell)) != NULL)
		use_monotonic(&bell->rung);
	return bell;
}

enum status
slots_enter(struct slots *slots, struct slots_source source, int watch_fd, uint32_t memory_kib, uint32_t passes,
    struct slots_turn *turn)
{
	int64_t now_ms = clock_monotonic_ms();
	enum status st = STATUS_OK;

	*turn = (struct slots_turn){ .deadline_ms = now_ms + slots->options.deadline_ms, .watch_fd = watch_fd,
		.state = SLOTS_TURN_UNCALLED, .place = { .work = (uint64_t)memory_kib * passes } };
	turn->place.source = source;
	(void)pthread_mutex_lock(&slots->lock);
	if ((turn->bell = take_bell(slots)) == NULL) {
		(void)pthread_mutex_unlock(&slots->lock);
		return STATUS_NO_MEMORY;
	}
	turn->place.level = slots_failures_level(&slots->failures, &turn->place.source, now_ms);
	slots_queue_insert(&slots->queue, &turn->place);
	if (slots_queue_stands_in_front(&turn->place)) {
		turn->state = SLOTS_TURN_HELD;
		slots->front_ms = now_ms;
	}
	admit(slots, turn);
	call(slots);
	wait_in_queue(slots, turn, SLOTS_TURN_UNCALLED);
	if (turn->state == SLOTS_TURN_REFUSED)
		st = STATUS_OVERLOADED;
	(void)pthread_mutex_unlock(&slots->lock);
	if (st != STATUS_OK)
		slots_leave(slots, turn, false);
	return st;
}

/* Until a slot has done it, somebody refused it, or the deadline is here.  With the lock held. */
static enum status
wait_for_turn(struct slots *slots, struct slots_turn *turn)
{
	wait_in_queue(slots, turn, SLOTS_TURN_HELD);
	while (turn->state == SLOTS_TURN_RUNNING)
		(void)pthread_cond_wait(&turn->bell->rung, &slots->lock);
	return turn->state == SLOTS_TURN_DONE ? STATUS_OK : turn->place.job->status;
}

enum status
slots_run(struct slots *slots, struct slots_turn *turn, struct argon2_job *job)
{
	enum status st = STATUS_OVERLOADED;

	turn->ready_us = clock_monotonic_us();
	(void)pthread_mutex_lock(&slots->lock);
	if (turn->state == SLOTS_TURN_DONE) {           /* a further job of the same request */
		slots_queue_insert(&slots->queue, &turn->place);
		turn->state = SLOTS_TURN_HELD;
	}
	if (turn->state == SLOTS_TURN_HELD) {
		turn->place.work = (uint64_t)job->memory_kib * job->passes;
		slots_queue_ready(&slots->queue, &turn->place, job);
		(void)pthread_cond_signal(&slots->filled);
		if ((st = wait_for_turn(slots, turn)) == STATUS_OK)
			slots->report.turns_us += (double)(clock_monotonic_us() - turn->ready_us);
	}
	(void)pthread_mutex_unlock(&slots->lock);
	return st;
}

void
slots_leave(struct slots *slots, struct slots_turn *turn, bool failed)
{
	if (turn->bell == NULL)
		return;
	(void)pthread_mutex_lock(&slots->lock);
	if (turn->state == SLOTS_TURN_HELD)
		slots_queue_remove(&slots->queue, &turn->place);
	if (failed)
		slots_failures_note(&slots->failures, &turn->place.source, clock_monotonic_ms());
	if (turn->counted)
		slots->called--;
	call(slots);
	turn->bell->next = slots->bells;
	slots->bells = turn->bell;
	(void)pthread_mutex_unlock(&slots->lock);
	turn->bell = NULL;
	turn->state = SLOTS_TURN_OUT;
}

void
slots_report(struct slots *slots, struct slots_report *out)
{
	(void)pthread_mutex_lock(&slots->lock);
	*out = slots->report;
	out->slots = slots->started;
	out->waiting = slots->queue.length;
	for (unsigned i = 0; i < slots->started; i++)
		out->warm += slots->slot[i].warm ? 1 : 0;
	(void)pthread_mutex_unlock(&slots->lock);
}
