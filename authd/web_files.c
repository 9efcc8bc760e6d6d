#include "authd/web_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HTML   "text/html; charset=utf-8"
#define CSS    "text/css; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"

static const struct { const char *path, *name, *content_type; } table[] = {
	{ "/enroll", "enroll.html", HTML },
	{ "/activity", "activity.html", HTML },
	{ "/assets/page.css", "page.css", CSS },
	{ "/assets/page.js", "page.js", SCRIPT },
	{ "/assets/enroll.js", "enroll.js", SCRIPT },
	{ "/assets/activity.js", "activity.js", SCRIPT },
	{ "/assets/strings.en.js", "strings.en.js", SCRIPT },
	{ "/assets/mark.svg", "mark.svg", "image/svg+xml" },
};

enum { FILE_COUNT = sizeof table / sizeof table[0], NAME_MAX_BYTES = 1024 + 64 };

struct web_files {
	struct web_file files[FILE_COUNT];
};

static enum status
read_all(int fd, struct web_file *file)
{
	size_t capacity = file->len;

	file->len = 0;
	while (file->len < capacity) {
		ssize_t n = read(fd, file->data + file->len, capacity - file->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return STATUS_INVALID;
		file->len += (size_t)n;
	}
	return STATUS_OK;
}

/* NONBLOCK: a named pipe in the place of a page must not hold up the start. */
static enum status
read_file(const char *path, struct web_file *file, const char **out_fault)
{
	enum status st = STATUS_INVALID;
	struct stat about;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) < 0) {
		*out_fault = strerror(errno);
		return STATUS_INVALID;
	}
	*out_fault = "is not a regular file";
	if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
		goto out;
	*out_fault = "must have 1 to 262144 bytes";
	if (about.st_size < 1 || about.st_size > WEB_FILE_MAX_BYTES)
		goto out;
	*out_fault = "cannot be read";
	file->len = (size_t)about.st_size;
	st = STATUS_NO_MEMORY;
	if ((file->data = malloc(file->len)) != NULL)
		st = read_all(fd, file);
out:
	(void)close(fd);
	return st;
}

enum status
web_files_load(const char *directory, struct web_files **out, char error[static CONFIG_ERROR_BYTES])
{
	struct web_files *files = calloc(1, sizeof *files);
	char path[NAME_MAX_BYTES];
	const char *fault = NULL;
	enum status st = STATUS_OK;

	if (files == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < FILE_COUNT && st == STATUS_OK; i++) {
		files->files[i].content_type = table[i].content_type;
		(void)snprintf(path, sizeof path, "%s/%s", directory, table[i].name);
		st = read_file(path, &files->files[i], &fault);
	}
	if (st == STATUS_INVALID)
		(void)snprintf(error, CONFIG_ERROR_BYTES, "[pages] %.400s: %s; directory must name the folder with the "
		    "pages", path, fault);
	if (st != STATUS_OK)
		web_files_free(&files);
	*out = files;
	return st;
}

void
web_files_free(struct web_files **files)
{
	if (*files == NULL)
		return;
	for (size_t i = 0; i < FILE_COUNT; i++)
		free((*files)->files[i].data);
	free(*files);
	*files = NULL;
}

const struct web_file *
web_files_find(const struct web_files *files, const char *path)
{
	for (size_t i = 0; files != NULL && i < FILE_COUNT; i++)
		if (strcmp(table[i].path, path) == 0)
			return &files->files[i];
	return NULL;
}
