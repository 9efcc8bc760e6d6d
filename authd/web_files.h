/* web_files.h: the static pages, read once at start.  A const table names them all: no path is ever made from a
 * request, so there is nothing to traverse. */
#ifndef COUNTERFOIL_AUTHD_WEB_FILES_H
#define COUNTERFOIL_AUTHD_WEB_FILES_H

#include <stddef.h>

#include "core/base/config.h"
#include "core/base/status.h"

#define WEB_FILE_MAX_BYTES 262144

struct web_files;

struct web_file {
	const char *content_type;       /* a constant */
	char *data;                     /* lives as long as the set */
	size_t len;
};

/* Read every file of the table from DIRECTORY.
 * STATUS_INVALID: ERROR says which one is missing, empty, too large or no regular file, and what to do. */
enum status web_files_load(const char *directory, struct web_files **out, char error[static CONFIG_ERROR_BYTES]) NODISCARD;
void web_files_free(struct web_files **files);

/* What the route PATH shows; NULL: the table has no such row, or FILES is NULL. */
const struct web_file *web_files_find(const struct web_files *files, const char *path);

#endif
