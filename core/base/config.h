/* config.h: one INI file into one struct, driven by a table of keys.  Knows no key by itself.
 * Every fault names file and line; an unknown or doubled key is a fault, never a shrug. */
#ifndef COUNTERFOIL_CONFIG_H
#define COUNTERFOIL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

enum config_type {
	CONFIG_TEXT,            /* char *, owned by the struct; config_free_values() frees it */
	CONFIG_INTEGER,         /* int64_t within [min, max] */
	CONFIG_BOOLEAN          /* bool: yes or no, nothing else */
};

struct config_key {
	const char *section;    /* "api", "realm store" */
	const char *name;       /* NULL: the whole section is another program's business and is skipped */
	enum config_type type;
	size_t offset;          /* of the member in the target struct */
	const char *initial;    /* the default as it would be written; NULL: required */
	int64_t min, max;       /* CONFIG_INTEGER: the range; CONFIG_TEXT: bytes */
	const char *summary;    /* one sentence for --help, authd.conf(5) and docs */
};

#define CONFIG_FILE_MAX_BYTES 65536
#define CONFIG_LINE_MAX_BYTES 4096
#define CONFIG_ERROR_BYTES 512

/* Say in ERROR, CONFIG_ERROR_BYTES long, what is wrong, cut where it is too long.  Returns STATUS. */
__attribute__((format(printf, 3, 4))) enum status config_fault(char *error, enum status status, const char *format, ...);

/* Read PATH into TARGET, a zeroed struct.  Defaults come from the table.
 * The file: regular, no symbolic link, owned by root or by the effective user, not writable by others or group,
 * at most CONFIG_FILE_MAX_BYTES, UTF-8 without NUL, no line over CONFIG_LINE_MAX_BYTES with its end.
 * Comments are whole lines that begin with '#' or ';'.  Call it before threads: inih keeps its settings in globals.
 * STATUS_INVALID: something is wrong with the file or a value; ERROR says what, where (path:line) and what to do.
 * STATUS_NO_MEMORY.  On failure the target owns nothing. */
enum status config_load(const char *path, const struct config_key *keys, size_t key_count, void *target,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

/* Free every CONFIG_TEXT member and zero it.  A half-filled or zeroed target is fine. */
void config_free_values(const struct config_key *keys, size_t key_count, void *target);

struct config_given { const char *section, *name, *value; };

/* Print KEYS as a file that config_load() reads, each behind its summary.  A key in GIVEN has that value, one without a
 * default is left to be filled in, and all others are commented out with their defaults.  Keys of one section lie side
 * by side in the table.  The caller looks at the stream for errors. */
void config_print(FILE *out, const struct config_key *keys, size_t key_count, const struct config_given *given,
    size_t given_count);

/* Open a file that decides about security: O_NOFOLLOW, regular, owned by root or the effective user,
 * no mode bit of FORBIDDEN_MODE set, at most MAX_BYTES.  *out_fd is the caller's to close.
 * Root also trusts the owner of a secret (FORBIDDEN_MODE is all of group's and others') in a folder that root alone can
 * write to: authd's keyring belongs to the user that authd runs as, and the operator's commands read it too.
 * STATUS_NOT_FOUND: there is no such file.  STATUS_INVALID: ERROR says what is wrong and how to mend it. */
enum status config_open_trusted(const char *path, unsigned forbidden_mode, size_t max_bytes, int *out_fd,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

#endif
