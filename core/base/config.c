#include "core/base/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ini.h>
#include <unistr.h>

#include "core/base/text.h"

struct parse {
	const char *path;
	const struct config_key *keys;
	size_t key_count;
	void *target;
	unsigned *seen;         /* a key's line, 0: not yet */
	const char *at, *end;   /* the rest of the file */
	unsigned line;
	enum status status;     /* the first fault stays */
	char *error;
};

enum status
config_fault(char *error, enum status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error, CONFIG_ERROR_BYTES, format, args);
	va_end(args);
	return status;
}

/* Does PATH lie in a folder that root alone can write to? */
static bool
is_placed_by_root(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	struct stat st;
	int n = slash == NULL ? snprintf(folder, sizeof folder, ".") :
	    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);

	return n > 0 && (size_t)n < sizeof folder && stat(folder, &st) == 0 && st.st_uid == 0 &&
	    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static bool
is_owner_trusted(const char *path, const struct stat *st, unsigned forbidden_mode)
{
	if (st->st_uid == 0 || st->st_uid == geteuid())
		return true;
	return geteuid() == 0 && (forbidden_mode & (S_IRWXG | S_IRWXO)) == (S_IRWXG | S_IRWXO) && is_placed_by_root(path);
}

static enum status
check_trusted(const char *path, const struct stat *st, unsigned forbidden_mode, size_t max_bytes, char *error)
{
	if (!S_ISREG(st->st_mode))
		return config_fault(error, STATUS_INVALID, "%s: not a regular file", path);
	if (!is_owner_trusted(path, st, forbidden_mode))
		return config_fault(error, STATUS_INVALID, "%s: owned by user id %u; make it root's: chown root %s",
		    path, (unsigned)st->st_uid, path);
	if ((st->st_mode & forbidden_mode) != 0)
		return config_fault(error, STATUS_INVALID, "%s: mode %04o gives others too much; mend it: chmod %04o %s", path,
		    (unsigned)st->st_mode & 07777, (unsigned)st->st_mode & 07777 & ~forbidden_mode, path);
	if (st->st_size < 0 || (size_t)st->st_size > max_bytes)
		return config_fault(error, STATUS_INVALID, "%s: %lld bytes, the limit is %zu", path, (long long)st->st_size,
		    max_bytes);
	return STATUS_OK;
}

enum status
config_open_trusted(const char *path, unsigned forbidden_mode, size_t max_bytes, int *out_fd,
    char error[static CONFIG_ERROR_BYTES])
{
	/* O_NONBLOCK: a FIFO in the file's place must not hang a login. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	enum status status;

	if (fd < 0 && errno == ENOENT)
		return config_fault(error, STATUS_NOT_FOUND, "%s: there is no such file", path);
	if (fd < 0 && errno == ELOOP)
		return config_fault(error, STATUS_INVALID, "%s: a symbolic link; name the file itself", path);
	if (fd < 0)
		return config_fault(error, STATUS_INVALID, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) != 0)
		status = config_fault(error, STATUS_INVALID, "%s: %s", path, strerror(errno));
	else
		status = check_trusted(path, &st, forbidden_mode, max_bytes, error);
	if (status != STATUS_OK) {
		(void)close(fd);
		return status;
	}
	*out_fd = fd;
	return STATUS_OK;
}

/* The whole file, at most CONFIG_FILE_MAX_BYTES even if it grows while it is read. */
static enum status
read_all(int fd, const char *path, char *text, size_t *out_len, char *error)
{
	size_t len = 0;

	for (;;) {
		ssize_t got = read(fd, text + len, CONFIG_FILE_MAX_BYTES + 1 - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return config_fault(error, STATUS_INVALID, "%s: %s", path, strerror(errno));
		if (got == 0)
			break;
		len += (size_t)got;
		if (len > CONFIG_FILE_MAX_BYTES)
			return config_fault(error, STATUS_INVALID, "%s: over the limit of %d bytes", path, CONFIG_FILE_MAX_BYTES);
	}
	*out_len = len;
	return STATUS_OK;
}

/* --- one value ---------------------------------------------------------------------------------------------- */

static void *
member(void *target, const struct config_key *key)
{
	return (char *)target + key->offset;
}

static const char no_memory[] = "does not fit into memory";

/* NULL when VALUE was taken; otherwise what is wrong with it. */
static const char *
set_text(const struct config_key *key, const char *value, char **slot)
{
	size_t len = strlen(value);

	if (len < (size_t)key->min || len > (size_t)key->max)
		return "is too short or too long";
	if (!text_is_printable(bytes_of(value)))
		return "holds a control character or is not UTF-8";
	free(*slot);
	*slot = strdup(value);
	return *slot != NULL ? NULL : no_memory;
}

static const char *
set_integer(const struct config_key *key, const char *value, int64_t *slot)
{
	char *end = NULL;
	long long number;

	if (value[0] != '-' && (value[0] < '0' || value[0] > '9'))
		return "is not a whole number";
	errno = 0;
	number = strtoll(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0')
		return "is not a whole number";
	if (number < key->min || number > key->max)
		return "is out of range";
	*slot = number;
	return NULL;
}

static const char *
set_boolean(const char *value, bool *slot)
{
	bool yes = strcmp(value, "yes") == 0;

	if (!yes && strcmp(value, "no") != 0)
		return "is neither yes nor no";
	*slot = yes;
	return NULL;
}

static const char *
set_value(const struct config_key *key, const char *value, void *target)
{
	switch (key->type) {
	case CONFIG_TEXT:
		return set_text(key, value, member(target, key));
	case CONFIG_INTEGER:
		return set_integer(key, value, member(target, key));
	case CONFIG_BOOLEAN:
		return set_boolean(value, member(target, key));
	default:
		return "has no type";
	}
}

/* What a value may be, for the end of an error line. */
static void
describe(const struct config_key *key, char *out, size_t capacity)
{
	switch (key->type) {
	case CONFIG_TEXT:
		(void)snprintf(out, capacity, "%lld to %lld bytes", (long long)key->min, (long long)key->max);
		break;
	case CONFIG_INTEGER:
		(void)snprintf(out, capacity, "%lld to %lld", (long long)key->min, (long long)key->max);
		break;
	case CONFIG_BOOLEAN:
	default:
		(void)snprintf(out, capacity, "yes or no");
		break;
	}
}

/* --- the file ------------------------------------------------------------------------------------------------ */

__attribute__((format(printf, 2, 3))) static int
line_fault(struct parse *parse, const char *format, ...)
{
	va_list args;
	int n;

	if (parse->status != STATUS_OK)
		return 0;
	parse->status = STATUS_INVALID;
	n = snprintf(parse->error, CONFIG_ERROR_BYTES, "%s:%u: ", parse->path, parse->line);
	if (n < 0 || n >= CONFIG_ERROR_BYTES)
		return 0;
	va_start(args, format);
	(void)vsnprintf(parse->error + n, CONFIG_ERROR_BYTES - (size_t)n, format, args);
	va_end(args);
	return 0;
}

static int
memory_fault(struct parse *parse)
{
	parse->status = config_fault(parse->error, STATUS_NO_MEMORY, "%s: out of memory", parse->path);
	return 0;
}

static bool
section_is_known(const struct parse *parse, const char *section, size_t len)
{
	for (size_t i = 0; i < parse->key_count; i++) {
		const char *known = parse->keys[i].section;

		if (strlen(known) == len && memcmp(known, section, len) == 0)
			return true;
	}
	return false;
}

/* A section is looked at when it begins, so that a misspelled one is found even when it is empty. */
static void
check_section_line(struct parse *parse, const char *line)
{
	const char *begin = line + strspn(line, " \t"), *end;

	if (*begin != '[')
		return;
	begin++;
	end = strchr(begin, ']');
	if (end == NULL || end[1 + strspn(end + 1, " \t\r\n")] != '\0')
		(void)line_fault(parse, "a section is written [name], alone on its line");
	else if (!section_is_known(parse, begin, (size_t)(end - begin)))
		(void)line_fault(parse, "there is no section [%.*s]", (int)(end - begin < 64 ? end - begin : 64), begin);
}

/* inih's fgets: whole lines only, so that a long one is an error instead of two lines. */
static char *
next_line(char *out, int capacity, void *cookie)
{
	struct parse *parse = cookie;
	size_t rest = (size_t)(parse->end - parse->at), len;
	const char *newline;

	if (rest == 0 || parse->status != STATUS_OK)
		return NULL;
	parse->line++;
	newline = memchr(parse->at, '\n', rest);
	len = newline != NULL ? (size_t)(newline - parse->at) + 1 : rest;
	if (len > CONFIG_LINE_MAX_BYTES || len >= (size_t)capacity) {
		(void)line_fault(parse, "the line is longer than %d bytes", CONFIG_LINE_MAX_BYTES);
		return NULL;
	}
	memcpy(out, parse->at, len);
	out[len] = '\0';
	parse->at += len;
	check_section_line(parse, out);
	return parse->status == STATUS_OK ? out : NULL;
}

/* inih's handler: nonzero is success. */
static int
take_pair(void *cookie, const char *section, const char *name, const char *value)
{
	struct parse *parse = cookie;

	for (size_t i = 0; i < parse->key_count; i++) {
		const struct config_key *key = &parse->keys[i];
		char wanted[80];
		const char *wrong;

		if (strcmp(key->section, section) != 0)
			continue;
		if (key->name == NULL)
			return 1;
		if (strcmp(key->name, name) != 0)
			continue;
		if (parse->seen[i] != 0)
			return line_fault(parse, "%s is set a second time; line %u set it already", name, parse->seen[i]);
		parse->seen[i] = parse->line;
		if ((wrong = set_value(key, value, parse->target)) == NULL)
			return 1;
		if (wrong == no_memory)
			return memory_fault(parse);
		describe(key, wanted, sizeof wanted);
		return line_fault(parse, "%s %s; it takes %s", name, wrong, wanted);
	}
	return line_fault(parse, "there is no key \"%.64s\" in section [%.64s]", name, section);
}

/* inih as we need it: long lines, no continuation lines, no comments behind values, no byte order mark. */
static void
set_up_inih(void)
{
	ini_use_stack = false;
	ini_max_line = ini_initial_alloc = CONFIG_LINE_MAX_BYTES + 3;
	ini_allow_realloc = false;
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	ini_allow_bom = false;
	ini_allow_no_value = false;
	ini_stop_on_first_error = true;
}

static void
check_is_text(struct parse *parse, const char *text, size_t len)
{
	const uint8_t *wrong = memchr(text, '\0', len);

	if (wrong == NULL)
		wrong = u8_check((const uint8_t *)text, len);
	if (wrong == NULL)
		return;
	parse->line = 1;
	for (const char *at = text; at < (const char *)wrong; at++)
		parse->line += *at == '\n';
	(void)line_fault(parse, *wrong == 0 ? "holds a NUL byte; it must be text" : "is not UTF-8");
}

static void
parse_text(struct parse *parse, const char *text, size_t len)
{
	int line;

	check_is_text(parse, text, len);
	if (parse->status != STATUS_OK)
		return;
	set_up_inih();
	parse->at = text;
	parse->end = text + len;
	line = ini_parse_stream(next_line, parse, take_pair, parse);
	if (line == -2 && parse->status == STATUS_OK)
		(void)memory_fault(parse);
	if (line > 0 && parse->status == STATUS_OK) {
		parse->line = (unsigned)line;
		(void)line_fault(parse, "neither a [section] nor \"key = value\"");
	}
}

/* What the file left out gets its default; what has none is a fault. */
static void
fill_defaults(struct parse *parse)
{
	for (size_t i = 0; i < parse->key_count && parse->status == STATUS_OK; i++) {
		const struct config_key *key = &parse->keys[i];
		const char *wrong;

		if (key->name == NULL || parse->seen[i] != 0)
			continue;
		if (key->initial == NULL)
			parse->status = config_fault(parse->error, STATUS_INVALID, "%s: section [%s] lacks the key %s: %s",
			    parse->path, key->section, key->name, key->summary);
		else if ((wrong = set_value(key, key->initial, parse->target)) == no_memory)
			(void)memory_fault(parse);
		else if (wrong != NULL)
			parse->status = config_fault(parse->error, STATUS_INTERNAL, "the default of [%s] %s %s", key->section,
			    key->name, wrong);
	}
}

enum status
config_load(const char *path, const struct config_key *keys, size_t key_count, void *target,
    char error[static CONFIG_ERROR_BYTES])
{
	struct parse parse = { .path = path, .keys = keys, .key_count = key_count, .target = target,
	    .status = STATUS_NO_MEMORY, .error = error };
	char *text = malloc(CONFIG_FILE_MAX_BYTES + 1);
	size_t len = 0;
	int fd = -1;

	parse.seen = calloc(key_count + 1, sizeof *parse.seen);
	if (text == NULL || parse.seen == NULL) {
		(void)config_fault(error, STATUS_NO_MEMORY, "%s: out of memory", path);
		goto out;
	}
	parse.status = config_open_trusted(path, S_IWGRP | S_IWOTH, CONFIG_FILE_MAX_BYTES, &fd, error);
	if (parse.status == STATUS_NOT_FOUND)
		parse.status = STATUS_INVALID;
	if (parse.status != STATUS_OK || (parse.status = read_all(fd, path, text, &len, error)) != STATUS_OK)
		goto out;
	parse_text(&parse, text, len);
	fill_defaults(&parse);
	if (parse.status != STATUS_OK)
		config_free_values(keys, key_count, target);
out:
	if (fd >= 0)
		(void)close(fd);
	free(parse.seen);
	free(text);
	return parse.status;
}

void
config_free_values(const struct config_key *keys, size_t key_count, void *target)
{
	for (size_t i = 0; i < key_count; i++) {
		char **slot;

		if (keys[i].name == NULL || keys[i].type != CONFIG_TEXT)
			continue;
		slot = member(target, &keys[i]);
		free(*slot);
		*slot = NULL;
	}
}
