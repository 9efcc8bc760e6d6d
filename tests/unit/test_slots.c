/* test_slots.c: who is next for a hash slot, who is told no, and what becomes of those who went away. */
#include "tests/support/unit.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/operation/slots.h"
#include "tests/support/clock_settable.h"

/* --- the queue --------------------------------------------------------------------------------------------------------- */

static void
sources_are_addresses_in_networks(void **state)
{
	struct slots_source a = slots_source_of("192.0.2.1"), b = slots_source_of("192.0.2.99"),
	    c = slots_source_of("192.0.3.1");
	struct slots_source p = slots_source_of("2001:db8:1:2::1"), q = slots_source_of("2001:db8:1:2::2"),
	    r = slots_source_of("2001:db8:1:3::1"), s = slots_source_of("2001:db8:2:3::1");

	(void)state;
	assert_int_not_equal(a.address, b.address);
	assert_int_equal(a.network, b.network);
	assert_int_not_equal(a.network, c.network);
	assert_int_equal(p.address, q.address);
	assert_int_not_equal(p.address, r.address);
	assert_int_equal(p.network, r.network);
	assert_int_not_equal(p.network, s.network);
	assert_int_equal(slots_source_of("::ffff:192.0.2.1").address, a.address);
	assert_int_equal(slots_source_of(NULL).address, 0);
	assert_int_equal(slots_source_of("shop.example").network, 0);
}

static void
a_host_that_tells_addresses_is_a_network_of_its_own(void **state)
{
	struct slots_source told = slots_source_of("192.0.2.1"), a = slots_source_of_host("host-a", "192.0.2.1"),
	    b = slots_source_of_host("host-b", "192.0.2.1"), other = slots_source_of_host("host-a", "198.51.100.1"),
	    none = slots_source_of_host("host-a", NULL);

	(void)state;
	assert_true(a.network == other.network && a.network == none.network);
	assert_true(a.network != b.network && a.network != told.network);
	assert_true(a.address != b.address && a.address != told.address && a.address != other.address);
	assert_true(none.address != 0 && none.network != 0);
	assert_int_equal(slots_source_of_host("host-a", "192.0.2.1").address, a.address);
}

static struct slots_place
place_from(const char *ip, unsigned level)
{
	return (struct slots_place){ .source = slots_source_of(ip), .level = level, .work = 100 };
}

/* The queue is exactly these places, in this order. */
static void
expect_order(const struct slots_queue *queue, struct slots_place *const places[], unsigned count)
{
	const struct slots_place *p = queue->head;

	assert_int_equal(queue->length, count);
	for (unsigned i = 0; i < count; i++, p = p->next)
		assert_ptr_equal(p, places[i]);
	assert_null(p);
}

static void
a_crowd_from_one_network_stands_in_front_once(void **state)
{
	struct slots_queue queue = { 0 };
	struct slots_place crowd[3] = { place_from("198.51.100.1", 0), place_from("198.51.100.2", 0),
		place_from("198.51.100.3", 0) };
	struct slots_place ann = place_from("192.0.2.1", 0), bob = place_from("203.0.113.1", 0);

	(void)state;
	for (int i = 0; i < 3; i++)
		slots_queue_insert(&queue, &crowd[i]);
	slots_queue_insert(&queue, &ann);
	slots_queue_insert(&queue, &bob);
	expect_order(&queue, (struct slots_place *[]){ &crowd[0], &ann, &bob, &crowd[1], &crowd[2] }, 5);
	assert_int_equal(slots_queue_work_before(&queue, &bob), 200);
	assert_ptr_equal(slots_queue_last(&queue), &crowd[2]);
	slots_queue_remove(&queue, &ann);
	expect_order(&queue, (struct slots_place *[]){ &crowd[0], &bob, &crowd[1], &crowd[2] }, 4);
}

static void
who_comes_from_nowhere_is_no_crowd(void **state)
{
	struct slots_queue queue = { 0 };
	struct slots_place some[3] = { place_from(NULL, 0), place_from(NULL, 0), place_from("192.0.2.1", 0) };

	(void)state;
	for (int i = 0; i < 3; i++)
		slots_queue_insert(&queue, &some[i]);
	expect_order(&queue, (struct slots_place *[]){ &some[0], &some[1], &some[2] }, 3);
}

static void
failures_go_behind_everybody(void **state)
{
	struct slots_queue queue = { 0 };
	struct slots_place worse = place_from("192.0.2.1", 2), bad = place_from("192.0.3.1", 1),
	    good = place_from("192.0.4.1", 0), second = place_from("192.0.4.2", 0);

	(void)state;
	slots_queue_insert(&queue, &worse);
	slots_queue_insert(&queue, &bad);
	slots_queue_insert(&queue, &good);
	slots_queue_insert(&queue, &second);
	expect_order(&queue, (struct slots_place *[]){ &good, &second, &bad, &worse }, 4);
}

static void
failures_are_remembered_for_five_minutes(void **state)
{
	static struct slots_failures failures;
	struct slots_source source = slots_source_of("192.0.2.1"), other = slots_source_of("192.0.2.2"),
	    nobody = slots_source_of(NULL);

	(void)state;
	assert_int_equal(slots_failures_level(&failures, &source, 0), 0);
	for (int i = 0; i < 3; i++)
		slots_failures_note(&failures, &source, 1000);
	assert_int_equal(slots_failures_level(&failures, &source, 1000), 1);
	slots_failures_note(&failures, &source, 2000);
	assert_int_equal(slots_failures_level(&failures, &source, 2000 + SLOTS_FAILURES_FORGET_MS), 2);
	assert_int_equal(slots_failures_level(&failures, &source, 2001 + SLOTS_FAILURES_FORGET_MS), 0);
	slots_failures_note(&failures, &source, 3000 + SLOTS_FAILURES_FORGET_MS);
	assert_int_equal(slots_failures_level(&failures, &source, 3000 + SLOTS_FAILURES_FORGET_MS), 1);
	assert_int_equal(slots_failures_level(&failures, &other, 3000), 0);
	slots_failures_note(&failures, &nobody, 1000);
	assert_int_equal(slots_failures_level(&failures, &nobody, 1000), 0);
}

static void
jobs_of_one_cost_find_each_other_in_the_queue(void **state)
{
	struct argon2_job small = { .memory_kib = 64, .passes = 1, .lanes = 1 }, large = small, again = small;
	struct slots_queue queue = { 0 };
	struct slots_place held = place_from(NULL, 0), a = held, b = held, c = held;

	(void)state;
	large.memory_kib = 128;
	slots_queue_insert(&queue, &held);
	slots_queue_insert(&queue, &a);
	slots_queue_insert(&queue, &b);
	slots_queue_insert(&queue, &c);
	assert_null(slots_queue_first(&queue));
	slots_queue_ready(&queue, &a, &small);
	assert_ptr_equal(slots_queue_first(&queue), &a);
	slots_queue_ready(&queue, &b, &large);
	assert_null(slots_queue_partner(&queue, &a));
	slots_queue_ready(&queue, &c, &again);
	assert_ptr_equal(slots_queue_partner(&queue, &a), &c);
	assert_int_equal(queue.ready, 3);
	slots_queue_remove(&queue, &c);
	assert_int_equal(queue.ready, 2);
}

static void
only_those_in_front_pair(void **state)
{
	struct argon2_job jobs[4];
	struct slots_queue queue = { 0 };
	struct slots_place first = place_from("198.51.100.1", 0), second = place_from("198.51.100.2", 0),
	    bad = place_from("203.0.113.1", 1), ann = place_from("192.0.2.1", 0);
	struct slots_place *places[] = { &first, &second, &bad, &ann };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		jobs[i] = (struct argon2_job){ .memory_kib = 64, .passes = 1, .lanes = 1 };
		slots_queue_insert(&queue, places[i]);
		slots_queue_ready(&queue, places[i], &jobs[i]);
	}
	assert_null(slots_queue_partner(&queue, &first));
	assert_null(slots_queue_partner(&queue, &second));
	jobs[3] = jobs[0];
	slots_queue_insert(&queue, &ann);
	slots_queue_ready(&queue, &ann, &jobs[3]);
	assert_ptr_equal(slots_queue_partner(&queue, &first), &ann);
	assert_ptr_equal(slots_queue_partner(&queue, &ann), &first);
	assert_null(slots_queue_partner(&queue, &bad));
}

/* --- slots ------------------------------------------------------------------------------------------------------------- */

/* A thread that wants one hash. */
struct customer {
	struct slots *slots;
	const char *ip;
	int watch_fd;
	uint32_t memory_kib, passes;
	bool hold;                      /* take a place, and wait for GO before the job */
	atomic_bool *until;             /* NULL, or the job takes until this is set */
	sem_t entered_once, go;
	uint8_t tag[32];
	enum status entered, ran;
	struct argon2_job job;
	pthread_t thread;
};

static void *
customer_main(void *arg)
{
	struct customer *c = arg;
	struct slots_turn turn;

	c->job = (struct argon2_job){ .memory_kib = c->memory_kib, .passes = c->passes, .lanes = 1,
		.password = BYTES("password"), .salt = BYTES("somesalt"), .tag = c->tag, .tag_len = sizeof c->tag,
		.cancelled = c->until };
	c->entered = slots_enter(c->slots, slots_source_of(c->ip), c->watch_fd, c->memory_kib, c->passes, &turn);
	(void)sem_post(&c->entered_once);
	if (c->hold)
		(void)sem_wait(&c->go);
	if (c->entered == STATUS_OK) {
		c->ran = slots_run(c->slots, &turn, &c->job);
		slots_leave(c->slots, &turn, false);
	}
	return NULL;
}

/* One like LIKE, on its way. */
static void
customer_send(struct customer *c, const struct customer *like)
{
	*c = *like;
	c->ran = STATUS_INTERNAL;
	assert_int_equal(sem_init(&c->entered_once, 0, 0), 0);
	assert_int_equal(sem_init(&c->go, 0, 0), 0);
	assert_int_equal(pthread_create(&c->thread, NULL, customer_main, c), 0);
}

/* One that was called, or refused. */
static void
customer_start(struct customer *c, struct slots *slots, const char *ip, uint32_t memory_kib, uint32_t passes, bool hold)
{
	customer_send(c, &(struct customer){ .slots = slots, .ip = ip, .memory_kib = memory_kib, .passes = passes,
	    .hold = hold });
	assert_int_equal(sem_wait(&c->entered_once), 0);
}

static void
customer_end(struct customer *c)
{
	assert_int_equal(pthread_join(c->thread, NULL), 0);
	(void)sem_destroy(&c->entered_once);
	(void)sem_destroy(&c->go);
}

static struct slots *
start_calm(unsigned slots_count, unsigned queue_length, int64_t deadline_ms, int64_t calm_ms)
{
	const struct slots_options options = { .slots = slots_count, .queue_length = queue_length,
		.called_beside = 1, .calm_ms = calm_ms, .deadline_ms = deadline_ms, .idle_ms = 60000, .memory_kib = 1024 };
	char error[CONFIG_ERROR_BYTES] = "";
	struct slots *slots = NULL;

	assert_int_equal(slots_start(&options, &slots, error), STATUS_OK);
	return slots;
}

static struct slots *
start(unsigned slots_count, unsigned queue_length, int64_t deadline_ms)
{
	return start_calm(slots_count, queue_length, deadline_ms, 0);
}

static void
many_at_once_all_get_their_own_hash(void **state)
{
	static struct customer customers[40];
	uint8_t want[32];
	struct argon2_job alone = { .memory_kib = 256, .passes = 2, .lanes = 1, .password = BYTES("password"),
		.salt = BYTES("somesalt"), .tag = want, .tag_len = sizeof want };
	struct slots *slots = start(2, 100, 60000);
	struct slots_report report;

	(void)state;
	argon2_engine_run_alone(&alone);
	for (size_t i = 0; i < 40; i++)
		customer_start(&customers[i], slots, NULL, 256, 2, false);
	for (size_t i = 0; i < 40; i++) {
		customer_end(&customers[i]);
		assert_int_equal(customers[i].ran, STATUS_OK);
		assert_int_equal(customers[i].job.status, STATUS_OK);
		assert_memory_equal(customers[i].tag, want, sizeof want);
	}
	slots_report(slots, &report);
	assert_int_equal(report.runs, 40);
	assert_int_equal(report.costs[0].singles + report.costs[0].pairs, 40);
	assert_int_equal(report.waiting, 0);
	assert_int_equal(report.running, 0);
	slots_stop(&slots);
	slots_stop(&slots);
}

static void
a_full_queue_refuses_the_crowd_and_takes_the_single_customer(void **state)
{
	struct customer crowd[4], ann;
	struct slots *slots = start(1, 3, 60000);

	(void)state;
	for (size_t i = 0; i < 4; i++)
		customer_start(&crowd[i], slots, "198.51.100.1", 64, 1, true);
	assert_int_equal(crowd[2].entered, STATUS_OK);
	assert_int_equal(crowd[3].entered, STATUS_OVERLOADED);
	customer_start(&ann, slots, "192.0.2.1", 64, 1, false);
	assert_int_equal(ann.entered, STATUS_OK);       /* the third of the crowd lost its place to her */
	for (size_t i = 0; i < 4; i++)
		(void)sem_post(&crowd[i].go);
	customer_end(&ann);
	for (size_t i = 0; i < 4; i++)
		customer_end(&crowd[i]);
	assert_int_equal(ann.ran, STATUS_OK);
	assert_int_equal(crowd[1].ran, STATUS_OK);
	assert_int_equal(crowd[2].ran, STATUS_OVERLOADED);
	slots_stop(&slots);
}

static void
wait_until_queued(struct slots *slots, unsigned length)
{
	struct slots_report report;

	do {
		slots_report(slots, &report);
		(void)poll(NULL, 0, 1);
	} while (report.waiting != length);
}

static void
the_crowd_is_called_few_at_a_time_and_in_its_order_and_others_at_once(void **state)
{
	struct slots *slots = start(1, 100, 60000);     /* so two of the crowd are called */
	const struct customer like = { .slots = slots, .ip = "198.51.100.1", .memory_kib = 64, .passes = 1, .hold = true };
	struct customer crowd[5], ann;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		customer_send(&crowd[i], &like);
		wait_until_queued(slots, i + 1);
	}
	for (size_t i = 0; i < 3; i++)          /* the first stands in front */
		assert_int_equal(sem_wait(&crowd[i].entered_once), 0);
	customer_start(&ann, slots, "192.0.2.1", 64, 1, false);
	customer_end(&ann);
	assert_int_equal(ann.ran, STATUS_OK);
	(void)sem_post(&crowd[0].go);
	customer_end(&crowd[0]);                /* it was not one of the two */
	assert_int_equal(sem_trywait(&crowd[3].entered_once), -1);
	(void)sem_post(&crowd[2].go);
	customer_end(&crowd[2]);
	assert_int_equal(sem_wait(&crowd[3].entered_once), 0);
	assert_int_equal(sem_trywait(&crowd[4].entered_once), -1);
	for (size_t i = 0; i < 5; i++)
		(void)sem_post(&crowd[i].go);
	for (size_t i = 0; i < 5; i++) {
		if (i != 0 && i != 2)
			customer_end(&crowd[i]);
		assert_int_equal(crowd[i].ran, STATUS_OK);
	}
	slots_stop(&slots);
}

/* Three of one network who were called and hold their places: with one slot and one beside it, no more are. */
static void
fill_with_crowd(struct customer called[static 3], struct slots *slots)
{
	for (size_t i = 0; i < 3; i++) {
		customer_start(&called[i], slots, "198.51.100.1", 64, 1, true);
		assert_int_equal(called[i].entered, STATUS_OK);
	}
}

static void
let_go(struct customer called[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)sem_post(&called[i].go);
	for (size_t i = 0; i < count; i++)
		customer_end(&called[i]);
}

static void
who_is_not_called_in_time_is_refused(void **state)
{
	struct slots *slots = start(1, 100, 50);
	struct customer called[3], late;
	struct slots_report report;

	(void)state;
	fill_with_crowd(called, slots);
	customer_start(&late, slots, "198.51.100.1", 64, 1, false);
	assert_int_equal(late.entered, STATUS_OVERLOADED);
	customer_end(&late);
	slots_report(slots, &report);
	assert_int_equal(report.refused_late, 1);
	assert_int_equal(report.waiting, 3);
	let_go(called, 3);
	slots_stop(&slots);
}

static void
who_went_away_is_not_called(void **state)
{
	struct slots *slots = start(1, 100, 60000);
	struct customer called[3], gone;
	struct slots_report report;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	fill_with_crowd(called, slots);
	customer_send(&gone, &(struct customer){ .slots = slots, .ip = "198.51.100.1", .watch_fd = ends[0],
	    .memory_kib = 64, .passes = 1 });
	wait_until_queued(slots, 4);
	(void)close(ends[1]);
	let_go(called, 3);
	customer_end(&gone);
	assert_int_equal(gone.entered, STATUS_OVERLOADED);
	slots_report(slots, &report);
	assert_int_equal(report.dropped, 1);
	assert_int_equal(report.waiting, 0);
	slots_stop(&slots);
	(void)close(ends[0]);
}

/* Two of one network, behind a third one that holds its place in front, with jobs that take until STOP. */
static void
send_endless_crowd(struct customer crowd[static 3], struct slots *slots, atomic_bool *stop)
{
	struct customer like = { .slots = slots, .ip = "198.51.100.1", .memory_kib = 64, .passes = UINT32_MAX, .until = stop };

	customer_start(&crowd[0], slots, like.ip, 64, 1, true);
	customer_send(&crowd[1], &like);
	customer_send(&crowd[2], &like);
}

/* Until COUNT jobs run and WAITING requests are in the queue, or more run than that. */
static void
expect_running(struct slots *slots, unsigned count, unsigned waiting)
{
	struct slots_report report;

	do {
		slots_report(slots, &report);
		(void)poll(NULL, 0, 1);
	} while (report.running < count || (report.running == count && report.waiting != waiting));
	assert_int_equal(report.running, count);
}

static void
the_crowd_leaves_half_of_the_slots_while_others_come(void **state)
{
	const int64_t endless_ms = INT64_C(1) << 40;
	struct slots *slots = start_calm(2, 100, endless_ms, endless_ms);
	atomic_bool stop = false;
	struct customer crowd[3], ann[3];

	(void)state;
	send_endless_crowd(crowd, slots, &stop);
	expect_running(slots, 1, 2);
	for (size_t i = 0; i < 3; i++) {
		customer_start(&ann[i], slots, "192.0.2.1", 64, 1, false);
		customer_end(&ann[i]);
		assert_int_equal(ann[i].ran, STATUS_OK);
	}
	expect_running(slots, 1, 2);
	atomic_store(&stop, true);
	let_go(crowd, 3);
	assert_int_equal(crowd[0].ran, STATUS_OK);
	assert_int_equal(crowd[2].job.status, STATUS_UNAVAILABLE);      /* its turn came: it was cancelled inside */
	slots_stop(&slots);
}

static void
who_stands_in_front_does_not_wait_for_one_of_the_crowd_that_runs(void **state)
{
	uint8_t want[32];
	struct argon2_job alone = { .memory_kib = 256, .passes = 2, .lanes = 1, .password = BYTES("password"),
		.salt = BYTES("somesalt"), .tag = want, .tag_len = sizeof want };
	struct slots *slots = start_calm(1, 100, INT64_C(1) << 40, 0);
	struct customer crowd[3], ann[3];
	atomic_bool stop = false;

	(void)state;
	argon2_engine_run_alone(&alone);
	send_endless_crowd(crowd, slots, &stop);
	expect_running(slots, 1, 2);
	for (size_t i = 0; i < 3; i++) {
		customer_start(&ann[i], slots, "192.0.2.1", 256, i < 2 ? 2 : 1, false);
		customer_end(&ann[i]);
		assert_int_equal(ann[i].ran, STATUS_OK);
		assert_int_equal(memcmp(ann[i].tag, want, sizeof want) == 0, i < 2);
	}
	customer_start(&ann[0], slots, "192.0.2.1", 4096, 1, false);   /* more than the arena has left: in memory of its own */
	customer_end(&ann[0]);
	assert_int_equal(ann[0].ran, STATUS_OK);
	expect_running(slots, 1, 2);
	atomic_store(&stop, true);
	let_go(crowd, 3);
	slots_stop(&slots);
}

static void
those_who_give_way_and_those_who_come_between_all_get_their_own_hash(void **state)
{
	static struct customer crowd[12], others[12];
	uint8_t want[32];
	struct argon2_job alone = { .memory_kib = 1024, .passes = 4, .lanes = 1, .password = BYTES("password"),
		.salt = BYTES("somesalt"), .tag = want, .tag_len = sizeof want };
	struct slots *slots = start_calm(1, 100, INT64_C(1) << 40, 0);

	(void)state;
	argon2_engine_run_alone(&alone);
	for (size_t i = 0; i < 12; i++)
		customer_send(&crowd[i], &(struct customer){ .slots = slots, .ip = "198.51.100.1", .memory_kib = 1024,
		    .passes = 4 });
	for (size_t i = 0; i < 12; i++) {
		customer_start(&others[i], slots, NULL, 1024, 4, false);
		customer_end(&others[i]);
	}
	for (size_t i = 0; i < 12; i++) {
		customer_end(&crowd[i]);
		assert_int_equal(crowd[i].ran, STATUS_OK);
		assert_int_equal(others[i].ran, STATUS_OK);
		assert_memory_equal(crowd[i].tag, want, sizeof want);
		assert_memory_equal(others[i].tag, want, sizeof want);
	}
	slots_stop(&slots);
}

static void
the_crowd_has_all_slots_when_nobody_else_comes(void **state)
{
	struct slots *slots = start_calm(2, 100, INT64_C(1) << 40, 0);
	atomic_bool stop = false;
	struct customer crowd[3];

	(void)state;
	send_endless_crowd(crowd, slots, &stop);
	expect_running(slots, 2, 1);
	atomic_store(&stop, true);
	let_go(crowd, 3);
	slots_stop(&slots);
}

static void
what_would_wait_too_long_is_refused_at_once(void **state)
{
	struct customer first, second;
	struct slots *slots = start(1, 100, 10);
	struct slots_report report;

	(void)state;
	/* a job of hours, as far as anybody knows: it only holds its place */
	customer_start(&first, slots, "192.0.2.1", UINT32_MAX, 1, true);
	customer_start(&second, slots, "192.0.3.1", 64, 1, false);
	assert_int_equal(second.entered, STATUS_OVERLOADED);
	slots_report(slots, &report);
	assert_int_equal(report.refused_at_once, 1);
	first.memory_kib = 64;
	first.job.memory_kib = 64;
	(void)sem_post(&first.go);
	customer_end(&first);
	customer_end(&second);
	slots_stop(&slots);
}

static void
what_did_wait_too_long_is_refused_then(void **state)
{
	struct slots_turn turn;
	struct slots *slots = start(1, 100, 500);
	uint8_t tag[32];
	struct argon2_job job = { .memory_kib = 64, .passes = 1, .lanes = 1, .password = BYTES("p"), .salt = BYTES("somesalt"),
		.tag = tag, .tag_len = sizeof tag };
	atomic_bool stop = false;
	struct customer busy;
	struct slots_report report;

	(void)state;
	assert_int_equal(slots_enter(slots, slots_source_of(NULL), 0, 64, 1, &turn), STATUS_OK);
	customer_send(&busy, &(struct customer){ .slots = slots, .memory_kib = 64, .passes = UINT32_MAX, .until = &stop });
	assert_int_equal(sem_wait(&busy.entered_once), 0);
	assert_int_equal(busy.entered, STATUS_OK);
	do
		slots_report(slots, &report);
	while (report.running == 0);
	assert_int_equal(slots_run(slots, &turn, &job), STATUS_OVERLOADED);
	assert_int_equal(job.status, STATUS_OVERLOADED);
	slots_leave(slots, &turn, false);
	atomic_store(&stop, true);
	customer_end(&busy);
	slots_stop(&slots);
}

static void
who_went_away_is_dropped_before_the_work(void **state)
{
	uint8_t tag[32];
	struct argon2_job job = { .memory_kib = 64, .passes = 1, .lanes = 1, .password = BYTES("p"), .salt = BYTES("somesalt"),
		.tag = tag, .tag_len = sizeof tag };
	struct slots *slots = start(1, 100, 60000);
	struct slots_report report;
	struct slots_turn turn;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(slots_enter(slots, slots_source_of(NULL), ends[0], 64, 1, &turn), STATUS_OK);
	assert_int_equal(slots_run(slots, &turn, &job), STATUS_OK);
	(void)close(ends[1]);
	assert_int_equal(slots_run(slots, &turn, &job), STATUS_UNAVAILABLE);
	assert_int_equal(job.status, STATUS_UNAVAILABLE);
	slots_leave(slots, &turn, false);
	slots_report(slots, &report);
	assert_int_equal(report.dropped, 1);
	assert_int_equal(report.runs, 1);
	(void)close(ends[0]);
	slots_stop(&slots);
}

static void
one_request_may_hash_twice(void **state)
{
	uint8_t tag[32];
	struct argon2_job job = { .memory_kib = 64, .passes = 1, .lanes = 1, .password = BYTES("p"), .salt = BYTES("somesalt"),
		.tag = tag, .tag_len = sizeof tag };
	struct slots *slots = start(1, 1, 60000);
	struct slots_turn turn;

	(void)state;
	assert_int_equal(slots_enter(slots, slots_source_of(NULL), 0, 64, 1, &turn), STATUS_OK);
	assert_int_equal(slots_run(slots, &turn, &job), STATUS_OK);
	job.memory_kib = 4096;          /* dearer than the policy: in memory of its own */
	assert_int_equal(slots_run(slots, &turn, &job), STATUS_OK);
	assert_int_equal(job.status, STATUS_OK);
	slots_leave(slots, &turn, false);
	slots_leave(slots, &turn, false);
	slots_stop(&slots);
}

static void
memory_that_the_machine_has_not_is_refused_at_start(void **state)
{
	const struct slots_options options = { .slots = 1024, .queue_length = 1, .deadline_ms = 1, .idle_ms = 1000,
		.memory_kib = 1024 * 1024 * 1024 };
	char error[CONFIG_ERROR_BYTES] = "";
	struct slots *slots = NULL;

	(void)state;
	assert_int_equal(slots_start(&options, &slots, error), STATUS_INVALID);
	assert_non_null(strstr(error, "slots = 1024"));
	assert_null(slots);
}

static void
an_unused_arena_is_given_back(void **state)
{
	const struct slots_options options = { .slots = 1, .queue_length = 1, .deadline_ms = 60000, .idle_ms = 1,
		.memory_kib = 1024 };
	char error[CONFIG_ERROR_BYTES] = "";
	struct customer one;
	struct slots *slots = NULL;
	struct slots_report report;

	(void)state;
	assert_int_equal(slots_start(&options, &slots, error), STATUS_OK);
	customer_start(&one, slots, NULL, 64, 1, false);
	customer_end(&one);
	assert_int_equal(one.ran, STATUS_OK);
	do {                            /* the event is waited for; the suite's limit of time is the end of patience */
		slots_report(slots, &report);
		(void)poll(NULL, 0, 1);
	} while (report.warm > 0);
	slots_stop(&slots);
}

static void *
spin(void *stop)
{
	while (!atomic_load((atomic_bool *)stop))
		continue;
	return NULL;
}

static void
a_processor_that_others_take_makes_no_hash_look_slow(void **state)
{
	pthread_t neighbours[4];
	atomic_bool stop = false;
	struct customer one;
	struct slots *slots;
	struct slots_report report;
	cpu_set_t all, single;
	int64_t begun_us;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
	CPU_ZERO(&single);
	CPU_SET((size_t)sched_getcpu(), &single);
	assert_int_equal(sched_setaffinity(0, sizeof single, &single), 0);
	slots = start(1, 10, 60000);    /* a slot runs where its starter may */
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&neighbours[i], NULL, spin, &stop), 0);
	begun_us = clock_monotonic_us();
	customer_start(&one, slots, NULL, 1024, 100, false);
	customer_end(&one);
	begun_us = clock_monotonic_us() - begun_us;
	atomic_store(&stop, true);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(neighbours[i], NULL), 0);
	assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
	slots_report(slots, &report);
	assert_true(report.costs[0].single_us > 0 && report.costs[0].single_us < (double)begun_us / 2);
	slots_stop(&slots);
}

static void
an_arena_that_must_be_warmed_makes_no_hash_look_slow(void **state)
{
	const struct slots_options options = { .slots = 1, .queue_length = 1, .deadline_ms = 60000, .idle_ms = 60000,
		.memory_kib = 64 * 1024 };
	char error[CONFIG_ERROR_BYTES] = "";
	struct customer one;
	struct slots *slots = NULL;
	struct slots_report report;
	clock_t begun;

	(void)state;
	(void)argon2_engine();          /* its self-test is not of what is measured */
	assert_int_equal(slots_start(&options, &slots, error), STATUS_OK);
	begun = clock();
	customer_start(&one, slots, NULL, 64, 1, false);
	customer_end(&one);
	begun = clock() - begun;        /* of the whole process, in microseconds */
	assert_int_equal(one.ran, STATUS_OK);
	slots_report(slots, &report);
	assert_true(report.costs[0].single_us > 0 && report.costs[0].single_us < (double)begun / 2);
	slots_stop(&slots);
}

/* As the kernel has it. */
struct scheduling {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t slice_ns, deadline_ns, period_ns;
};

static bool
look_at(pid_t thread, struct scheduling *out)
{
	return syscall(SYS_sched_getattr, thread, out, sizeof *out, 0) == 0;
}

/* The longest slice of those that stand below OWN. */
static uint64_t
longest_slice_below(const struct scheduling *own)
{
	DIR *tasks = opendir("/proc/self/task");
	struct scheduling found;
	struct dirent *entry;
	uint64_t longest = 0;

	assert_non_null(tasks);
	while ((entry = readdir(tasks)) != NULL)
		if (entry->d_name[0] != '.' && look_at(atoi(entry->d_name), &found) && found.nice > own->nice &&
		    found.slice_ns > longest)
			longest = found.slice_ns;
	(void)closedir(tasks);
	return longest;
}

static void
a_slot_lets_others_go_first(void **state)
{
	struct scheduling own = { 0 };
	struct customer one;
	struct slots *slots;

	(void)state;
	slots = start(1, 10, 60000);
	customer_start(&one, slots, NULL, 64, 1, false);
	customer_end(&one);             /* the slot has lowered itself before it hashed */
	assert_true(look_at(0, &own));
	assert_true(own.slice_ns == 0 || longest_slice_below(&own) > own.slice_ns);     /* Linux before 6.12 knows none */
	slots_stop(&slots);
}

/* It stops the clock, so it comes last. */
static void
one_of_the_crowd_gives_way_no_more_after_its_own_deadline(void **state)
{
	const int64_t deadline_ms = INT64_C(1) << 40;
	struct slots *slots = start_calm(1, 100, deadline_ms, 0);
	struct customer like = { .slots = slots, .ip = "198.51.100.1", .memory_kib = 64, .passes = 1 << 15 };
	struct customer holds, crowd, ann;
	struct slots_report report;

	(void)state;
	customer_start(&holds, slots, like.ip, 64, 1, true);    /* stands in front, so the next one of its network does not */
	customer_send(&crowd, &like);
	expect_running(slots, 1, 1);
	clock_advance_ms(deadline_ms);
	for (unsigned i = 0; i < 2; i++) {              /* the slot may have looked at the clock a moment before */
		customer_start(&ann, slots, "192.0.2.1", 64, 1, false);
		customer_end(&ann);
		assert_int_equal(ann.ran, STATUS_OK);
	}
	slots_report(slots, &report);
	assert_int_equal(report.running, 0);    /* she came after it, not in between */
	customer_end(&crowd);
	assert_int_equal(crowd.ran, STATUS_OK);
	let_go(&holds, 1);
	slots_stop(&slots);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_are_addresses_in_networks),
		cmocka_unit_test(a_host_that_tells_addresses_is_a_network_of_its_own),
		cmocka_unit_test(a_crowd_from_one_network_stands_in_front_once),
		cmocka_unit_test(who_comes_from_nowhere_is_no_crowd),
		cmocka_unit_test(failures_go_behind_everybody),
		cmocka_unit_test(failures_are_remembered_for_five_minutes),
		cmocka_unit_test(jobs_of_one_cost_find_each_other_in_the_queue),
		cmocka_unit_test(only_those_in_front_pair),
		cmocka_unit_test(many_at_once_all_get_their_own_hash),
		cmocka_unit_test(a_full_queue_refuses_the_crowd_and_takes_the_single_customer),
		cmocka_unit_test(the_crowd_is_called_few_at_a_time_and_in_its_order_and_others_at_once),
		cmocka_unit_test(who_is_not_called_in_time_is_refused),
		cmocka_unit_test(who_went_away_is_not_called),
		cmocka_unit_test(the_crowd_leaves_half_of_the_slots_while_others_come),
		cmocka_unit_test(who_stands_in_front_does_not_wait_for_one_of_the_crowd_that_runs),
		cmocka_unit_test(those_who_give_way_and_those_who_come_between_all_get_their_own_hash),
		cmocka_unit_test(the_crowd_has_all_slots_when_nobody_else_comes),
		cmocka_unit_test(what_would_wait_too_long_is_refused_at_once),
		cmocka_unit_test(what_did_wait_too_long_is_refused_then),
		cmocka_unit_test(who_went_away_is_dropped_before_the_work),
		cmocka_unit_test(one_request_may_hash_twice),
		cmocka_unit_test(memory_that_the_machine_has_not_is_refused_at_start),
		cmocka_unit_test(an_unused_arena_is_given_back),
		cmocka_unit_test(a_processor_that_others_take_makes_no_hash_look_slow),
		cmocka_unit_test(a_slot_lets_others_go_first),
		cmocka_unit_test(an_arena_that_must_be_warmed_makes_no_hash_look_slow),
		cmocka_unit_test(one_of_the_crowd_gives_way_no_more_after_its_own_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
