#include "core/base/durable_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
write_all(int fd, struct bytes text)
{
	while (text.len > 0) {
		ssize_t put = write(fd, text.data, text.len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return -1;
		text.data += put;
		text.len -= (size_t)put;
	}
	return fsync(fd);
}

/* The new name must survive a crash too. */
static int
sync_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd, n, result;

	n = slash == NULL ? snprintf(folder, sizeof folder, ".") :
	    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
	if (n < 0 || (size_t)n >= sizeof folder || (fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return -1;
	result = fsync(fd);
	(void)close(fd);
	return result;
}

enum status
durable_file_create(const char *path, struct bytes text, const struct stat *owner, char error[static CONFIG_ERROR_BYTES])
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR);
	bool written;
	int cause;

	if (fd < 0 && errno == EEXIST)
		return config_fault(error, STATUS_CONFLICT, "%s: exists already and is left as it is", path);
	if (fd < 0)
		return config_fault(error, STATUS_INVALID, "%s: %s", path, strerror(errno));
	written = (owner == NULL || fchown(fd, owner->st_uid, owner->st_gid) == 0) && write_all(fd, text) == 0;
	cause = errno;
	if (close(fd) != 0 && written) {
		cause = errno;
		written = false;
	}
	if (written && sync_folder(path) == 0)
		return STATUS_OK;
	cause = written ? errno : cause;
	(void)unlink(path);
	return config_fault(error, STATUS_INVALID, "%s: %s", path, strerror(cause));
}

enum status
durable_file_replace(const char *path, struct bytes text, char error[static CONFIG_ERROR_BYTES])
{
	char beside[PATH_MAX];
	struct stat owner;
	int n = snprintf(beside, sizeof beside, "%s.new", path), cause;
	enum status st;

	if (n < 0 || (size_t)n >= sizeof beside || stat(path, &owner) != 0)
		return config_fault(error, STATUS_INVALID, "%s: cannot be replaced", path);
	/* One that lies there is what a crash left, or somebody's own: it is not ours to overwrite. */
	if ((st = durable_file_create(beside, text, &owner, error)) != STATUS_OK)
		return st;
	if (rename(beside, path) == 0 && sync_folder(path) == 0)
		return STATUS_OK;
	cause = errno;
	(void)unlink(beside);
	return config_fault(error, STATUS_INVALID, "%s: %s", path, strerror(cause));
}
