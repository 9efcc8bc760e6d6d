/* slots_queue.h: who is next for a hash slot: an order, a count and an estimate.  Knows no thread and no clock.
 *
 * Sources with recent failures come after those without; then come those who have fewer others of their own network before
 * them; then those who came first.  So a network that asks a hundred times at once stands once in front, and ninety-nine
 * times behind everybody else. */
#ifndef COUNTERFOIL_SLOTS_QUEUE_H
#define COUNTERFOIL_SLOTS_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/credential/argon2_engine.h"

/* Where a request comes from, as keyed digests: of the address (IPv4, or an IPv6 /64) and of the network around it
 * (/24, /48).  Zero: unknown, and related to nobody. */
struct slots_source {
	uint64_t address, network;
};

/* IP: numeric, as struct caller has it; NULL or nonsense is unknown. */
struct slots_source slots_source_of(const char *ip);
/* The same, as HOST tells it, which could tell any: the host is the network, and its failures are nobody else's. */
struct slots_source slots_source_of_host(const char *host, const char *ip);

/* --- failures: a table of fixed size, so invented sources cannot make it grow ------------------------------------------ */

enum { SLOTS_FAILURES_BUCKETS = 4096, SLOTS_FAILURES_FORGET_MS = 300000 };

struct slots_failures {
	struct { uint64_t address; int64_t last_ms; uint32_t count; } buckets[SLOTS_FAILURES_BUCKETS];
};

void slots_failures_note(struct slots_failures *failures, const struct slots_source *source, int64_t now_ms);
/* 0: none within the last five minutes; 1: up to three, as people have; 2: more. */
unsigned slots_failures_level(const struct slots_failures *failures, const struct slots_source *source, int64_t now_ms);

/* --- the queue ----------------------------------------------------------------------------------------------------------- */

/* One request's place; the caller's, in the queue from insert to remove.  Set SOURCE, LEVEL and WORK before. */
struct slots_place {
	struct slots_source source;
	unsigned level;                 /* of failures */
	uint64_t work;                  /* blocks to fill: memory in KiB times passes */
	struct argon2_job *job;         /* NULL: it holds its place, but is not ready to be run */
	unsigned rank;                  /* for the queue */
	uint64_t number;                /* for the queue */
	struct slots_place *next;       /* for the queue */
};

struct slots_queue {
	struct slots_place *head;
	unsigned length, ready;
	uint64_t entered;               /* since the beginning */
};

void slots_queue_insert(struct slots_queue *queue, struct slots_place *place);
void slots_queue_remove(struct slots_queue *queue, struct slots_place *place);
/* A place in the queue is ready now, with JOB. */
void slots_queue_ready(struct slots_queue *queue, struct slots_place *place, struct argon2_job *job);

/* The first that is ready; the next ready one whose job may run beside that of PLACE; NULL: there is none.  Only those pair
 * who have no failures and are the first of their network: a pair holds its slot for twice as long, which those who come
 * before the crowd should neither wait for nor share. */
struct slots_place *slots_queue_first(const struct slots_queue *queue);
struct slots_place *slots_queue_partner(const struct slots_queue *queue, const struct slots_place *place);
/* The one that came off worst, ready or not. */
struct slots_place *slots_queue_last(const struct slots_queue *queue);

/* No failures, and the first of its network: all others are the crowd. */
bool slots_queue_stands_in_front(const struct slots_place *place);

/* Blocks to fill before PLACE has its turn. */
uint64_t slots_queue_work_before(const struct slots_queue *queue, const struct slots_place *place);

#endif
