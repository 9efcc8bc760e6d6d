#include "pam_module/helper_slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"

enum { POLL_MS = 20, OWN_SLOT = 4096 };         /* OWN_SLOT: behind every slot that can be configured */

static enum status
fault(const char *path, const char *what, char error[static CONFIG_ERROR_BYTES])
{
	(void)snprintf(error, CONFIG_ERROR_BYTES, "%.350s: %.120s", path, what);
	return STATUS_INVALID;
}

/* Whoever may open the file can take all slots, so it is root's, or for lockers root's and the helper's group's; a
 * locker's helper makes none, for it would be the caller's. */
static enum status
open_slots(const char *directory, bool of_lockers, int *out_fd, char error[static CONFIG_ERROR_BYTES])
{
	char path[1100];
	struct stat st;
	int fd;

	if (!of_lockers && mkdir(directory, 0750) != 0 && errno != EEXIST)
		return fault(directory, strerror(errno), error);
	(void)snprintf(path, sizeof path, "%s/%s", directory, of_lockers ? "locker-slots" : "slots");
	if ((fd = open(path, O_RDWR | (of_lockers ? 0 : O_CREAT) | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
		return fault(path, strerror(errno), error);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_uid != 0 && st.st_uid != geteuid()) ||
	    (st.st_mode & S_IRWXO) != 0) {
		(void)close(fd);
		return fault(path, "must be a file of root's without access for others", error);
	}
	*out_fd = fd;
	return STATUS_OK;
}

/* A slot is a byte; the lock belongs to the open file, which lives as long as the process. */
static bool
try_slot(int fd, int64_t slot)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = slot, .l_len = 1 };

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

/* Who may start helpers at will can also stop each in the middle of its work: a user holds one slot, and not all of them. */
static bool
try_own(int fd, bool of_lockers)
{
	return !of_lockers || try_slot(fd, (int64_t)OWN_SLOT + getuid());
}

enum status
helper_slots_take(const char *directory, bool of_lockers, int64_t count, int64_t deadline_ms, char error[static CONFIG_ERROR_BYTES])
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	bool is_turn = false;
	enum status st;
	int fd;

	if ((st = open_slots(directory, of_lockers, &fd, error)) != STATUS_OK)
		return st;
	do {
		is_turn = is_turn || try_own(fd, of_lockers);
		for (int64_t slot = 0; is_turn && slot < count; slot++)
			if (try_slot(fd, slot))
				return STATUS_OK;
		(void)nanosleep(&pause, NULL);
	} while (clock_monotonic_ms() < deadline_ms);
	(void)close(fd);
	(void)snprintf(error, CONFIG_ERROR_BYTES, "all %lld slots were taken", (long long)count);
	return STATUS_OVERLOADED;
}
