/* conf_file.c: opening a file that decides about security, folder by folder, so that no link and no folder that
 * somebody else may write to leads astray. */
#include "pam_module/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_OWN_FD = 3 };

static bool
fault(char *error, const char *path, const char *what)
{
	(void)snprintf(error, CONF_ERROR_BYTES, "%s: %s", path, what);
	return false;
}

static bool
owner_is_trusted(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

/* NULL: good.  In a sticky folder of root's nobody can rename or remove what is another's. */
static const char *
folder_fault(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return "a folder above it cannot be read";
	if (!owner_is_trusted(&st))
		return "a folder above it belongs to another user";
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !((st.st_mode & S_ISVTX) != 0 && st.st_uid == 0))
		return "a folder above it is writable by group or others";
	return NULL;
}

static const char *
file_fault(int fd, size_t max)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return "cannot be read";
	if (!S_ISREG(st.st_mode))
		return "is not a regular file";
	if (!owner_is_trusted(&st))
		return "belongs to another user: chown root";
	if (st.st_nlink != 1)
		return "has a second name (hard link)";
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "is writable by group or others: chmod go-w";
	if (st.st_size < 0 || (size_t)st.st_size > max)
		return "is larger than 64 KiB";
	return NULL;
}

/* A host that closed its standard descriptors must not get one of ours as its standard output. */
static int
above_standard(int fd)
{
	int moved;

	if (fd < 0 || fd >= FIRST_OWN_FD)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_OWN_FD);
	(void)close(fd);
	return moved;
}

static int
open_at(int folder, const char *name, int flags)
{
	return above_standard(openat(folder, name, flags | O_CLOEXEC | O_NOFOLLOW));
}

/* From / down to the folder that holds the file; *out_name is the rest of PATH.  -1: *out_wrong says why. */
static int
open_folder(const char *path, const char **out_name, const char **out_wrong)
{
	int folder = open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY), next;
	const char *at = path, *slash;

	while (folder >= 0 && (*out_wrong = folder_fault(folder)) == NULL) {
		char part[CONF_PATH_MAX];

		at += strspn(at, "/");
		slash = strchr(at, '/');
		if (slash == NULL) {
			*out_name = at;
			return folder;
		}
		memcpy(part, at, (size_t)(slash - at));
		part[slash - at] = '\0';
		if ((next = open_at(folder, part, O_PATH | O_DIRECTORY)) < 0)
			*out_wrong = errno == ENOENT ? "there is no such file" : "a folder above it is a link, or no folder";
		(void)close(folder);
		folder = next;
		at = slash;
	}
	if (folder >= 0)
		(void)close(folder);
	return -1;
}

static const char *
open_fault(void)
{
	if (errno == ENOENT)
		return "there is no such file";
	if (errno == ELOOP)
		return "is a symbolic link";
	return "cannot be opened";
}

static const char *
read_all(int fd, char *out, size_t capacity, size_t *out_len)
{
	size_t len = 0;

	for (;;) {
		ssize_t got = read(fd, out + len, capacity - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return "cannot be read";
		if (got == 0)
			break;
		len += (size_t)got;
		if (len == capacity)
			return "is larger than 64 KiB";
	}
	*out_len = len;
	return NULL;
}

int
conf_open_file(const char *path, int flags, size_t max, char error[static CONF_ERROR_BYTES])
{
	const char *name = NULL, *wrong = "cannot be opened";
	int folder = -1, fd = -1;

	if (path[0] != '/' || strnlen(path, CONF_PATH_MAX) >= CONF_PATH_MAX) {
		(void)fault(error, "conf", "must be an absolute path of at most 255 bytes");
		return -1;
	}
	if ((folder = open_folder(path, &name, &wrong)) < 0) {
		(void)fault(error, path, wrong);
		return -1;
	}
	/* O_NONBLOCK: a FIFO in the file's place must not hang a login. */
	fd = open_at(folder, name, flags | O_NOCTTY | O_NONBLOCK);
	wrong = fd < 0 ? open_fault() : file_fault(fd, max);
	(void)close(folder);
	if (wrong == NULL)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	(void)fault(error, path, wrong);
	return -1;
}

bool
conf_read_file(const char *path, char *out, size_t capacity, size_t *out_len, char error[static CONF_ERROR_BYTES])
{
	int fd = conf_open_file(path, O_RDONLY, capacity - 1, error);
	const char *wrong;

	if (fd < 0)
		return false;
	wrong = read_all(fd, out, capacity, out_len);
	(void)close(fd);
	return wrong == NULL || fault(error, path, wrong);
}
