#include "authd/maintenance.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/log.h"

enum { BATCHES_MAX = 200 };     /* of one round: who has more to do goes on in the next */

struct maintenance {
	struct core *core;
	struct metrics *metrics;
	int64_t interval_s;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t stopped;
	bool stop;
};

static bool
must_stop(struct maintenance *maintenance)
{
	bool stop;

	(void)pthread_mutex_lock(&maintenance->mutex);
	stop = maintenance->stop;
	(void)pthread_mutex_unlock(&maintenance->mutex);
	return stop;
}

static void
run_round(struct maintenance *maintenance)
{
	struct core_weak_hashes weak;
	enum status st = STATUS_OK;
	bool more = true;

	for (unsigned i = 0; i < BATCHES_MAX && more && st == STATUS_OK && !must_stop(maintenance); i++)
		st = core_maintain(maintenance->core, &more);
	if (st == STATUS_OK && (st = core_weak_hashes(maintenance->core, &weak)) == STATUS_OK)
		metrics_weak_hashes(maintenance->metrics, &weak);
	if (st != STATUS_OK && st != STATUS_UNAVAILABLE)        /* an outage was told where it was found */
		log_event(LOG_LEVEL_WARNING, "maintenance_failed", (const struct log_field[]){
		    LOG_TEXT("status", status_name(st)), LOG_END });
}

/* Until the next round, or the end. */
static void
pause_between(struct maintenance *maintenance)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += maintenance->interval_s;
	(void)pthread_mutex_lock(&maintenance->mutex);
	while (!maintenance->stop &&
	    pthread_cond_timedwait(&maintenance->stopped, &maintenance->mutex, &until) == 0)
		continue;
	(void)pthread_mutex_unlock(&maintenance->mutex);
}

static void *
work(void *cookie)
{
	struct maintenance *maintenance = cookie;

	while (!must_stop(maintenance)) {
		run_round(maintenance);
		pause_between(maintenance);
	}
	return NULL;
}

static bool
init_locks(struct maintenance *maintenance)
{
	pthread_condattr_t attributes;
	bool good;

	if (pthread_condattr_init(&attributes) != 0)
		return false;
	good = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
	    pthread_cond_init(&maintenance->stopped, &attributes) == 0;
	(void)pthread_condattr_destroy(&attributes);
	if (good && pthread_mutex_init(&maintenance->mutex, NULL) != 0) {
		(void)pthread_cond_destroy(&maintenance->stopped);
		good = false;
	}
	return good;
}

static void
release(struct maintenance *maintenance)
{
	(void)pthread_mutex_destroy(&maintenance->mutex);
	(void)pthread_cond_destroy(&maintenance->stopped);
	free(maintenance);
}

enum status
maintenance_start(struct core *core, struct metrics *metrics, int64_t interval_s, struct maintenance **out)
{
	struct maintenance *maintenance;

	if (interval_s == 0)
		return STATUS_OK;
	if ((maintenance = calloc(1, sizeof *maintenance)) == NULL)
		return STATUS_NO_MEMORY;
	maintenance->core = core;
	maintenance->metrics = metrics;
	maintenance->interval_s = interval_s;
	if (!init_locks(maintenance)) {
		free(maintenance);
		return STATUS_NO_MEMORY;
	}
	if (pthread_create(&maintenance->thread, NULL, work, maintenance) != 0) {
		release(maintenance);
		return STATUS_NO_MEMORY;
	}
	*out = maintenance;
	return STATUS_OK;
}

void
maintenance_stop(struct maintenance **maintenance)
{
	if (maintenance == NULL || *maintenance == NULL)
		return;
	(void)pthread_mutex_lock(&(*maintenance)->mutex);
	(*maintenance)->stop = true;
	(void)pthread_cond_signal(&(*maintenance)->stopped);
	(void)pthread_mutex_unlock(&(*maintenance)->mutex);
	(void)pthread_join((*maintenance)->thread, NULL);
	release(*maintenance);
	*maintenance = NULL;
}
