#include "core/base/secret_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
is_set_gid(void)
{
	return getauxval(AT_SECURE) != 0 && getegid() != getgid();
}

static enum status
check_group_and_names(int fd, const char *path, char *error)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return config_fault(error, STATUS_INVALID, "%s: %s", path, strerror(errno));
	if (st.st_nlink != 1)
		return config_fault(error, STATUS_INVALID, "%s: has %lu names (hard links); leave it one", path,
		    (unsigned long)st.st_nlink);
	if ((st.st_mode & S_IRWXG) != 0 && st.st_gid != getegid())
		return config_fault(error, STATUS_INVALID, "%s: is for another group than this program's", path);
	return STATUS_OK;
}

static enum status
read_all(int fd, const char *path, struct secret *text, char *error)
{
	size_t capacity = secret_view(text).len, len = 0;

	while (len < capacity) {
		ssize_t got = read(fd, secret_data(text) + len, capacity - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return config_fault(error, STATUS_INVALID, "%s: %s", path, strerror(errno));
		if (got == 0)
			break;
		len += (size_t)got;
	}
	secret_truncate(text, len);
	return STATUS_OK;
}

enum status
secret_file_read(const char *path, size_t max_bytes, struct secret **out, char error[static CONFIG_ERROR_BYTES])
{
	unsigned forbidden = is_set_gid() ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
	struct secret *text = NULL;
	int fd = -1;
	enum status st;

	if ((st = config_open_trusted(path, forbidden, max_bytes, &fd, error)) != STATUS_OK)
		return st;
	if ((st = check_group_and_names(fd, path, error)) != STATUS_OK)
		goto out;
	if ((st = secret_new(max_bytes, &text)) != STATUS_OK) {
		(void)config_fault(error, st, "%s: out of memory", path);
		goto out;
	}
	if ((st = read_all(fd, path, text, error)) != STATUS_OK)
		goto out;
	*out = text;
	text = NULL;
out:
	secret_free(&text);
	(void)close(fd);
	return st;
}
