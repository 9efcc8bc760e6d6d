#include "core/store/db_pool.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/log.h"

enum {
	WAIT_MS = 1000,         /* for a connection that another thread uses */
	PAUSE_MS = 500,         /* after an attempt that nobody answered: until then all are refused at once */
	GRACE_MS = 500          /* of ours over the server's statement timeout */
};

struct db {
	struct db_conninfo info;
	int64_t connect_timeout_ms, call_timeout_ms;
	pthread_mutex_t mutex;
	pthread_cond_t returned;
	unsigned limit, made;   /* connections at most, connections there are, used ones included */
	unsigned idle_count;
	struct db_connection **idle;    /* a stack: what was used last is warm */
	int64_t pause_until_ms;
	bool is_down;           /* said in the log, and not yet taken back */
};

static bool
init_locks(struct db *db)
{
	pthread_condattr_t attributes;
	bool good;

	if (pthread_mutex_init(&db->mutex, NULL) != 0)
		return false;
	if (pthread_condattr_init(&attributes) != 0) {
		(void)pthread_mutex_destroy(&db->mutex);
		return false;
	}
	good = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
	    pthread_cond_init(&db->returned, &attributes) == 0;
	(void)pthread_condattr_destroy(&attributes);
	if (!good)
		(void)pthread_mutex_destroy(&db->mutex);
	return good;
}

enum status
db_open(const struct db_settings *settings, struct db **out, char error[static CONFIG_ERROR_BYTES])
{
	struct db *db = calloc(1, sizeof *db);
	enum status st = STATUS_NO_MEMORY;

	db_conninfo_scrub_environment();
	db_conninfo_warm_up();
	(void)snprintf(error, CONFIG_ERROR_BYTES, "out of memory");
	if (db == NULL || (db->idle = calloc(settings->connections, sizeof(struct db_connection *))) == NULL)
		goto out;
	if ((st = db_conninfo_make(settings, &db->info, error)) != STATUS_OK)
		goto out;
	db->limit = settings->connections;
	db->connect_timeout_ms = settings->connect_timeout_ms;
	db->call_timeout_ms = settings->statement_timeout_ms + GRACE_MS;
	st = STATUS_NO_MEMORY;
	if (!init_locks(db))
		goto out;
	*out = db;
	return STATUS_OK;
out:
	if (db != NULL) {
		db_conninfo_free(&db->info);
		free(db->idle);
	}
	free(db);
	return st;
}

void
db_close(struct db **db)
{
	if (db == NULL || *db == NULL)
		return;
	while ((*db)->idle_count > 0)
		db_connection_close(&(*db)->idle[--(*db)->idle_count]);
	(void)pthread_cond_destroy(&(*db)->returned);
	(void)pthread_mutex_destroy(&(*db)->mutex);
	db_conninfo_free(&(*db)->info);
	free((*db)->idle);
	free(*db);
	*db = NULL;
}

int64_t
db_pool_call_timeout_ms(const struct db *db)
{
	return db->call_timeout_ms;
}

/* --- making connections ---------------------------------------------------------------------------------------------- */

/* Say it once when the database goes away and once when it is back: an outage does not flood the log. */
static void
note_outcome(struct db *db, enum status st, int64_t took_ms, const char *error)
{
	bool was_down;

	(void)pthread_mutex_lock(&db->mutex);
	was_down = db->is_down;
	db->is_down = st != STATUS_OK;
	if (st != STATUS_OK) {
		db->made--;
		if (took_ms >= db->connect_timeout_ms)
			db->pause_until_ms = clock_monotonic_ms() + PAUSE_MS;
		(void)pthread_cond_signal(&db->returned);
	}
	(void)pthread_mutex_unlock(&db->mutex);
	if (st != STATUS_OK)
		log_event(was_down ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR, "database_unreachable", (const struct log_field[]){
		    LOG_TEXT("error", error), LOG_END });
	else if (st == STATUS_OK && was_down)
		log_event(LOG_LEVEL_NOTICE, "database_reachable", (const struct log_field[]){ LOG_END });
}

/* One more, for which db->made was raised already. */
static enum status
make_connection(struct db *db, struct db_connection **out)
{
	char error[CONFIG_ERROR_BYTES] = "";
	int64_t begun_ms = clock_monotonic_ms();
	enum status st = db_connection_open(&db->info, db->connect_timeout_ms, out, error);

	note_outcome(db, st, clock_monotonic_ms() - begun_ms, error);
	return st;
}

/* --- taking and giving ----------------------------------------------------------------------------------------------- */

static struct timespec
monotonic(int64_t ms)
{
	return (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 };
}

/* An idle connection; or none, with leave to make one (STATUS_OK and *out NULL). */
static enum status
reserve(struct db *db, struct db_connection **out)
{
	struct timespec until = monotonic(clock_monotonic_ms() + WAIT_MS);
	enum status st = STATUS_OVERLOADED;
	int failed = 0;

	*out = NULL;
	(void)pthread_mutex_lock(&db->mutex);
	while (db->idle_count == 0 && db->made >= db->limit && failed == 0)
		failed = pthread_cond_timedwait(&db->returned, &db->mutex, &until);
	if (db->idle_count > 0) {
		*out = db->idle[--db->idle_count];
		st = STATUS_OK;
	} else if (db->made < db->limit) {
		st = clock_monotonic_ms() < db->pause_until_ms ? STATUS_UNAVAILABLE : STATUS_OK;
		db->made += st == STATUS_OK;
	}
	(void)pthread_mutex_unlock(&db->mutex);
	return st;
}

enum status
db_pool_take(struct db *db, struct db_connection **out)
{
	enum status st;

	for (;;) {
		if ((st = reserve(db, out)) != STATUS_OK)
			return st;
		if (*out == NULL)
			return make_connection(db, out);
		if (db_connection_is_alive(*out))
			return STATUS_OK;
		db_connection_doom(*out);       /* it died while it was idle: nothing was sent, so another one may try */
		db_pool_give(db, *out);
	}
}

void
db_pool_give(struct db *db, struct db_connection *connection)
{
	struct db_connection *dead = db_connection_is_doomed(connection) ? connection : NULL;

	(void)pthread_mutex_lock(&db->mutex);
	if (dead != NULL)
		db->made--;
	else
		db->idle[db->idle_count++] = connection;
	(void)pthread_mutex_unlock(&db->mutex);
	(void)pthread_cond_signal(&db->returned);
	if (dead != NULL)
		db_connection_close(&dead);
}
