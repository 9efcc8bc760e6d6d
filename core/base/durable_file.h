/* durable_file.h: files that survive a crash at any moment: written, synced, and named only when they are whole. */
#ifndef COUNTERFOIL_DURABLE_FILE_H
#define COUNTERFOIL_DURABLE_FILE_H

#include <sys/stat.h>

#include "core/base/config.h"

/* A new file for its owner to read: mode 0400; OWNER's where it is not NULL.
 * STATUS_CONFLICT: there is one already, which is left as it is.  STATUS_INVALID: ERROR says why; nothing was left. */
enum status durable_file_create(const char *path, struct bytes text, const struct stat *owner,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

/* Put TEXT in the place of PATH, which is there, with its owner: whoever opens it sees the old file or the new one, never
 * half of one.  It is made as PATH.new: one that lies there is what a crash left, or somebody's own, and gives
 * STATUS_CONFLICT.  On any other failure PATH is as it was, but for one: the folder could not be synced; then it is the new
 * one, and may be the old one after a crash. */
enum status durable_file_replace(const char *path, struct bytes text, char error[static CONFIG_ERROR_BYTES]) NODISCARD;

#endif
