#include "authd/metrics.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/credential/argon2_engine.h"
#include "core/operation/slots.h"
#include <unistd.h>

enum { STATUS_MIN = 100, STATUS_MAX = 599, VERDICTS = VERDICT_GRANTED + 1 };

static const int64_t bucket_ms[] = { 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000 };

enum { BUCKETS = sizeof bucket_ms / sizeof bucket_ms[0] };

struct metrics {
	atomic_uint_fast64_t by_status[STATUS_MAX - STATUS_MIN + 1];
	atomic_uint_fast64_t by_time[BUCKETS + 1];
	atomic_uint_fast64_t total_ms;
	atomic_uint_fast64_t verdicts[VERDICTS];
	atomic_int_fast64_t connections, in_flight;
	atomic_uint_fast64_t cut;
	atomic_int_fast64_t weak_store, weak_staff;     /* weak passwords' hashes, and one: 0 is not counted yet */
};

enum status
metrics_new(struct metrics **out)
{
	*out = calloc(1, sizeof **out);
	return *out != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

void
metrics_free(struct metrics **metrics)
{
	free(*metrics);
	*metrics = NULL;
}

static void
count(atomic_uint_fast64_t *counter, uint64_t by)
{
	atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

static uint64_t
value(atomic_uint_fast64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void
metrics_request(struct metrics *metrics, int http_status, int64_t ms)
{
	size_t bucket = 0;

	while (bucket < BUCKETS && ms > bucket_ms[bucket])
		bucket++;
	count(&metrics->by_time[bucket], 1);
	count(&metrics->total_ms, (uint64_t)(ms > 0 ? ms : 0));
	if (http_status >= STATUS_MIN && http_status <= STATUS_MAX)
		count(&metrics->by_status[http_status - STATUS_MIN], 1);
}

void
metrics_verdict(struct metrics *metrics, enum verdict verdict)
{
	if ((unsigned)verdict < VERDICTS)
		count(&metrics->verdicts[verdict], 1);
}

void
metrics_connection(struct metrics *metrics, int change)
{
	atomic_fetch_add(&metrics->connections, change);
}

int64_t
metrics_connections(struct metrics *metrics)
{
	return atomic_load(&metrics->connections);
}

void
metrics_begin(struct metrics *metrics, int change)
{
	atomic_fetch_add(&metrics->in_flight, change);
}

int64_t
metrics_in_flight(struct metrics *metrics)
{
	return atomic_load(&metrics->in_flight);
}

void
metrics_cut(struct metrics *metrics)
{
	count(&metrics->cut, 1);
}

void
metrics_weak_hashes(struct metrics *metrics, const struct core_weak_hashes *counted)
{
	atomic_store(&metrics->weak_store, counted->store + 1);
	atomic_store(&metrics->weak_staff, counted->staff + 1);
}

static void
print_weak_hashes(FILE *out, struct metrics *metrics)
{
	int64_t store = atomic_load(&metrics->weak_store), staff = atomic_load(&metrics->weak_staff);

	if (store > 0 && staff > 0)
		(void)fprintf(out, "# TYPE counterfoil_weak_password_hashes gauge\n"
		    "counterfoil_weak_password_hashes{realm=\"store\"} %lld\n"
		    "counterfoil_weak_password_hashes{realm=\"staff\"} %lld\n", (long long)store - 1, (long long)staff - 1);
}

/* Descriptors of this process, -1 when they cannot be counted. */
static long
open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	long n = -2;                    /* "." and ".." */

	if (folder == NULL)
		return -1;
	while (readdir(folder) != NULL)
		n++;
	(void)closedir(folder);
	return n - 1;                   /* that of the folder itself */
}

static long
resident_bytes(void)
{
	FILE *in = fopen("/proc/self/statm", "re");
	long pages = -1;

	if (in == NULL)
		return -1;
	if (fscanf(in, "%*s %ld", &pages) != 1)
		pages = -1;
	(void)fclose(in);
	return pages > 0 ? pages * sysconf(_SC_PAGESIZE) : -1;
}

static void
print_process(FILE *out)
{
	(void)fprintf(out, "# TYPE process_open_fds gauge\nprocess_open_fds %ld\n"
	    "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %ld\n", open_descriptors(),
	    resident_bytes());
}

static void
print_requests(FILE *out, struct metrics *metrics)
{
	uint64_t sum = 0;

	(void)fputs("# TYPE counterfoil_requests_total counter\n", out);
	for (int i = 0; i <= STATUS_MAX - STATUS_MIN; i++)
		if (value(&metrics->by_status[i]) > 0)
			(void)fprintf(out, "counterfoil_requests_total{status=\"%d\"} %llu\n", i + STATUS_MIN,
			    (unsigned long long)value(&metrics->by_status[i]));
	(void)fputs("# TYPE counterfoil_request_seconds histogram\n", out);
	for (size_t i = 0; i < BUCKETS; i++) {
		sum += value(&metrics->by_time[i]);
		(void)fprintf(out, "counterfoil_request_seconds_bucket{le=\"%g\"} %llu\n", (double)bucket_ms[i] / 1e3,
		    (unsigned long long)sum);
	}
	sum += value(&metrics->by_time[BUCKETS]);
	(void)fprintf(out, "counterfoil_request_seconds_bucket{le=\"+Inf\"} %llu\n"
	    "counterfoil_request_seconds_sum %g\ncounterfoil_request_seconds_count %llu\n", (unsigned long long)sum,
	    (double)value(&metrics->total_ms) / 1e3, (unsigned long long)sum);
}

static void
print_verdicts(FILE *out, struct metrics *metrics)
{
	(void)fputs("# TYPE counterfoil_verdicts_total counter\n", out);
	for (int i = 0; i < VERDICTS; i++)
		(void)fprintf(out, "counterfoil_verdicts_total{verdict=\"%s\"} %llu\n", verdict_name((enum verdict)i),
		    (unsigned long long)value(&metrics->verdicts[i]));
}

static void
print_workers(FILE *out, struct workers *workers)
{
	struct workers_load load[WORK_CLASSES];

	for (int i = WORK_INLINE + 1; i < WORK_CLASSES; i++)
		workers_load(workers, (enum work_class)i, &load[i]);
	(void)fputs("# TYPE counterfoil_workers gauge\n# TYPE counterfoil_workers_busy gauge\n"
	    "# TYPE counterfoil_work_waiting gauge\n# TYPE counterfoil_work_refused_total counter\n", out);
	for (int i = WORK_INLINE + 1; i < WORK_CLASSES; i++) {
		const char *name = work_class_name((enum work_class)i);

		(void)fprintf(out, "counterfoil_workers{class=\"%s\"} %u\ncounterfoil_workers_busy{class=\"%s\"} %u\n"
		    "counterfoil_work_waiting{class=\"%s\"} %u\ncounterfoil_work_refused_total{class=\"%s\"} %llu\n",
		    name, load[i].threads, name, load[i].busy, name, load[i].waiting, name,
		    (unsigned long long)load[i].refused);
	}
}

static void
print_costs(FILE *out, const struct slots_report *report)
{
	const char *kernel = argon2_engine_name();

	(void)fputs("# TYPE counterfoil_hashes_total counter\n# TYPE counterfoil_hash_average_seconds gauge\n", out);
	for (unsigned i = 0; i < report->cost_count; i++) {
		const struct slots_cost *cost = &report->costs[i];

		for (int pair = 0; pair < 2; pair++) {
			char labels[128];

			(void)snprintf(labels, sizeof labels, "{kernel=\"%s\",memory_kib=\"%u\",passes=\"%u\",way=\"%s\"}", kernel,
			    cost->memory_kib, cost->passes, pair ? "pair" : "single");
			(void)fprintf(out, "counterfoil_hashes_total%s %llu\ncounterfoil_hash_average_seconds%s %g\n", labels,
			    (unsigned long long)(pair ? cost->pairs : cost->singles), labels,
			    (pair ? cost->pair_us : cost->single_us) / 1e6);
		}
	}
}

/* COUNT of them took US together. */
static void
print_sum(FILE *out, const char *name, double us, uint64_t count)
{
	(void)fprintf(out, "# TYPE %s summary\n%s_sum %g\n%s_count %llu\n", name, name, us / 1e6, name,
	    (unsigned long long)count);
}

static void
print_slots(FILE *out, struct slots *slots)
{
	struct slots_report report;

	if (slots == NULL)
		return;
	slots_report(slots, &report);
	(void)fprintf(out, "# TYPE counterfoil_argon2_engine gauge\ncounterfoil_argon2_engine{kernel=\"%s\"} 1\n"
	    "# TYPE counterfoil_argon2_fast_path gauge\ncounterfoil_argon2_fast_path %d\n"
	    "# TYPE counterfoil_hash_slots gauge\ncounterfoil_hash_slots %u\n"
	    "# TYPE counterfoil_hash_slots_warm gauge\ncounterfoil_hash_slots_warm %u\n"
	    "# TYPE counterfoil_hashes_running gauge\ncounterfoil_hashes_running %u\n"
	    "# TYPE counterfoil_hashes_waiting gauge\ncounterfoil_hashes_waiting %u\n", argon2_engine_name(),
	    argon2_engine()->kernel != NULL, report.slots, report.warm, report.running, report.waiting);
	print_sum(out, "counterfoil_hash_wait_seconds", report.waited_us, report.runs);
	print_sum(out, "counterfoil_hash_turn_seconds", report.turns_us, report.runs);
	(void)fprintf(out, "# TYPE counterfoil_hashes_refused_total counter\n"
	    "counterfoil_hashes_refused_total{why=\"too_long_a_wait\"} %llu\n"
	    "counterfoil_hashes_refused_total{why=\"deadline\"} %llu\n"
	    "counterfoil_hashes_refused_total{why=\"client_gone\"} %llu\n", (unsigned long long)report.refused_at_once,
	    (unsigned long long)report.refused_late, (unsigned long long)report.dropped);
	print_costs(out, &report);
}

char *
metrics_text(struct metrics *metrics, struct workers *workers, const struct core *core, size_t *out_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, out_len);

	if (out == NULL)
		return NULL;
	print_requests(out, metrics);
	print_verdicts(out, metrics);
	print_workers(out, workers);
	(void)fprintf(out, "# TYPE counterfoil_password_hashes_total counter\n"
	    "counterfoil_password_hashes_total %llu\n", (unsigned long long)core_hash_count(core));
	print_weak_hashes(out, metrics);
	print_slots(out, core_slots(core));
	(void)fprintf(out, "# TYPE counterfoil_connections gauge\ncounterfoil_connections %lld\n",
	    (long long)metrics_connections(metrics));
	(void)fprintf(out, "# TYPE counterfoil_requests_in_flight gauge\ncounterfoil_requests_in_flight %lld\n",
	    (long long)metrics_in_flight(metrics));
	(void)fprintf(out, "# TYPE counterfoil_connections_cut_total counter\ncounterfoil_connections_cut_total %llu\n",
	    (unsigned long long)value(&metrics->cut));
	print_process(out);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
