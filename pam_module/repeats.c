#include "pam_module/repeats.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "pam_module/conf.h"
#include "pam_module/paths.h"

struct record {
	int64_t at_s;                           /* CLOCK_BOOTTIME: nobody sets it back, and it sleeps with the host */
	uint32_t held;
	char identity[REPEATS_IDENTITY_BYTES];  /* as it is: a digest of our own making could take one alarm for another */
};
_Static_assert(sizeof(struct record) == 1024, "the file has one layout");

enum { FILE_BYTES = REPEATS_RECORDS * sizeof(struct record) };

/* Writing beyond RLIMIT_FSIZE would end the application by a signal. */
static bool
may_write(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) == 0 && (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= FILE_BYTES);
}

static off_t
place_of(unsigned number)
{
	return (off_t)(number * sizeof(struct record));
}

/* What the file does not have yet is zero.  A time that has not come was not written by this module since this boot. */
static bool
read_record(int fd, unsigned number, int64_t now_s, struct record *out)
{
	memset(out, 0, sizeof *out);
	if (pread(fd, out, sizeof *out, place_of(number)) < 0)
		return false;
	out->identity[sizeof out->identity - 1] = '\0';
	if (out->at_s < 0 || out->at_s > now_s)
		memset(out, 0, sizeof *out);
	return true;
}

static bool
write_record(int fd, unsigned number, const struct record *record)
{
	return pwrite(fd, record, sizeof *record, place_of(number)) == (ssize_t)sizeof *record;
}

/* The record of IDENTITY, or else the oldest, emptied. */
static bool
find(int fd, const char *identity, int64_t now_s, unsigned *out_number, struct record *out)
{
	int64_t oldest_s = INT64_MAX;

	for (unsigned number = 0; number < REPEATS_RECORDS; number++) {
		if (!read_record(fd, number, now_s, out))
			return false;
		if (strcmp(out->identity, identity) == 0) {
			*out_number = number;
			return true;
		}
		if (out->at_s < oldest_s) {
			oldest_s = out->at_s;
			*out_number = number;
		}
	}
	memset(out, 0, sizeof *out);
	memcpy(out->identity, identity, strlen(identity));
	return true;
}

static bool
judge(int fd, const char *identity, uint32_t *out_held)
{
	struct timespec now;
	struct record record;
	unsigned number = 0;

	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || clock_gettime(CLOCK_BOOTTIME, &now) != 0 ||
	    !find(fd, identity, now.tv_sec, &number, &record))
		return true;
	if (record.at_s > 0 && now.tv_sec - record.at_s < REPEATS_PAUSE_S) {
		if (record.held < UINT32_MAX)
			record.held++;
		return !write_record(fd, number, &record);
	}
	*out_held = record.held;
	record.held = 0;
	record.at_s = now.tv_sec;
	if (!write_record(fd, number, &record))
		*out_held = 0;          /* the next one says it */
	return true;
}

bool
repeats_due(const char *identity, uint32_t *out_held)
{
	char error[CONF_ERROR_BYTES];
	const char *path = paths_repeats();
	bool due;
	int fd;

	*out_held = 0;
	if (path == NULL || identity[0] == '\0' || strlen(identity) >= REPEATS_IDENTITY_BYTES || !may_write() ||
	    (fd = conf_open_file(path, O_RDWR, FILE_BYTES, error)) < 0)
		return true;
	due = judge(fd, identity, out_held);
	(void)close(fd);
	return due;
}
