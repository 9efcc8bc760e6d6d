#include "core/operation/slots_queue.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

/* --- sources --------------------------------------------------------------------------------------------------------------- */

static uint8_t source_key[crypto_shorthash_KEYBYTES];
static pthread_once_t source_key_once = PTHREAD_ONCE_INIT;

static void
make_source_key(void)
{
	crypto_shorthash_keygen(source_key);    /* so that nobody can choose addresses which share a bucket */
}

/* Never zero. */
static uint64_t
digest(const uint8_t *prefix, size_t len)
{
	uint8_t out[crypto_shorthash_BYTES];
	uint64_t value;

	(void)crypto_shorthash(out, prefix, len, source_key);
	memcpy(&value, out, sizeof value);
	return value | 1;
}

struct slots_source
slots_source_of(const char *ip)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint8_t address[16];

	(void)pthread_once(&source_key_once, make_source_key);
	if (ip == NULL)
		return (struct slots_source){ 0, 0 };
	if (inet_pton(AF_INET, ip, address) == 1)
		return (struct slots_source){ digest(address, 4), digest(address, 3) };
	if (inet_pton(AF_INET6, ip, address) != 1)
		return (struct slots_source){ 0, 0 };
	if (memcmp(address, mapped, sizeof mapped) == 0)
		return (struct slots_source){ digest(address + 12, 4), digest(address + 12, 3) };
	return (struct slots_source){ digest(address, 8), digest(address, 6) };
}

struct slots_source
slots_source_of_host(const char *host, const char *ip)
{
	struct slots_source told = slots_source_of(ip);
	const uint64_t network = digest((const uint8_t *)host, strlen(host)), both[] = { network, told.address };

	return (struct slots_source){ digest((const uint8_t *)both, sizeof both), network };
}

/* --- failures -------------------------------------------------------------------------------------------------------------- */

static size_t
bucket_of(uint64_t address)
{
	return (size_t)(address >> 1) % SLOTS_FAILURES_BUCKETS;
}

void
slots_failures_note(struct slots_failures *failures, const struct slots_source *source, int64_t now_ms)
{
	size_t at = bucket_of(source->address);

	if (source->address == 0)
		return;
	/* two sources in one bucket: the later one counts, for it is the one that fails now */
	if (failures->buckets[at].address != source->address || slots_failures_level(failures, source, now_ms) == 0)
		failures->buckets[at].count = 0;
	failures->buckets[at].address = source->address;
	failures->buckets[at].last_ms = now_ms;
	if (failures->buckets[at].count < UINT32_MAX)
		failures->buckets[at].count++;
}

unsigned
slots_failures_level(const struct slots_failures *failures, const struct slots_source *source, int64_t now_ms)
{
	size_t at = bucket_of(source->address);

	if (source->address == 0 || failures->buckets[at].address != source->address ||
	    now_ms - failures->buckets[at].last_ms > SLOTS_FAILURES_FORGET_MS)
		return 0;
	return failures->buckets[at].count <= 3 ? 1 : 2;
}

/* --- the queue ------------------------------------------------------------------------------------------------------------- */

static bool
is_before(const struct slots_place *a, const struct slots_place *b)
{
	if (a->level != b->level)
		return a->level < b->level;
	if (a->rank != b->rank)
		return a->rank < b->rank;
	return a->number < b->number;
}

void
slots_queue_insert(struct slots_queue *queue, struct slots_place *place)
{
	struct slots_place **at;

	place->rank = 0;
	for (const struct slots_place *p = queue->head; p != NULL; p = p->next)
		if (place->source.network != 0 && p->source.network == place->source.network)
			place->rank++;
	place->number = queue->entered++;
	place->job = NULL;
	for (at = &queue->head; *at != NULL && is_before(*at, place); at = &(*at)->next)
		continue;
	place->next = *at;
	*at = place;
	queue->length++;
}

void
slots_queue_remove(struct slots_queue *queue, struct slots_place *place)
{
	for (struct slots_place **at = &queue->head; *at != NULL; at = &(*at)->next)
		if (*at == place) {
			*at = place->next;
			place->next = NULL;
			queue->length--;
			if (place->job != NULL)
				queue->ready--;
			return;
		}
}

void
slots_queue_ready(struct slots_queue *queue, struct slots_place *place, struct argon2_job *job)
{
	place->job = job;
	queue->ready++;
}

struct slots_place *
slots_queue_first(const struct slots_queue *queue)
{
	struct slots_place *p = queue->head;

	while (p != NULL && p->job == NULL)
		p = p->next;
	return p;
}

bool
slots_queue_stands_in_front(const struct slots_place *place)
{
	return place->level == 0 && place->rank == 0;
}

struct slots_place *
slots_queue_partner(const struct slots_queue *queue, const struct slots_place *place)
{
	if (!slots_queue_stands_in_front(place))
		return NULL;
	for (struct slots_place *p = queue->head; p != NULL && slots_queue_stands_in_front(p); p = p->next)
		if (p != place && p->job != NULL && argon2_engine_may_pair(p->job, place->job))
			return p;
	return NULL;
}

struct slots_place *
slots_queue_last(const struct slots_queue *queue)
{
	struct slots_place *p = queue->head;

	while (p != NULL && p->next != NULL)
		p = p->next;
	return p;
}

uint64_t
slots_queue_work_before(const struct slots_queue *queue, const struct slots_place *place)
{
	uint64_t work = 0;

	for (const struct slots_place *p = queue->head; p != NULL && p != place; p = p->next)
		work += p->work;
	return work;
}
