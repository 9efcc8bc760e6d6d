#include "pam_module/stack_file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 2048, DEPTH_MAX = 8 };

/* --- lines ------------------------------------------------------------------------------------------------------------ */

static void
trim_end(char *text)
{
	size_t len = strcspn(text, "#\n");

	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	text[len] = '\0';
}

/* One line, with those that a backslash at the end makes part of it.  False: there is no more. */
static bool
next_text(FILE *in, char out[static TEXT_BYTES], unsigned *number)
{
	char part[TEXT_BYTES];
	size_t len = 0;
	bool goes_on = true, any = false;

	for (out[0] = '\0'; goes_on && fgets(part, sizeof part, in) != NULL; any = true) {
		(*number)++;
		trim_end(part);
		goes_on = part[0] != '\0' && part[strlen(part) - 1] == '\\';
		if (goes_on)
			part[strlen(part) - 1] = ' ';
		if (len + strlen(part) < TEXT_BYTES) {
			memcpy(out + len, part, strlen(part) + 1);
			len += strlen(part);
		}
	}
	return any;
}

static void
lower(char *text)
{
	for (; *text != '\0'; text++)
		*text = (char)tolower((unsigned char)*text);
}

/* "[success=1 default=die]", or a word; the rest follows *text. */
static bool
take_control(char **text, char out[static STACK_FIELD_BYTES])
{
	int at = 0;

	if (**text != '[') {
		if (sscanf(*text, "%511s%n", out, &at) != 1)
			return false;
		lower(out);
	} else {
		at = (int)strcspn(*text, "]") + 1;
		if (at >= STACK_FIELD_BYTES || (*text)[at - 1] != ']')
			return false;
		memcpy(out, *text, (size_t)at);
		out[at] = '\0';
	}
	*text += at;
	return true;
}

/* False: no such line. */
static bool
split(char *text, struct stack_line *out)
{
	int at = 0;

	if (sscanf(text, " %15s%n", out->kind, &at) != 1)
		return false;
	text += at;
	text += strspn(text, " \t");
	lower(out->kind);
	if ((out->may_be_missing = out->kind[0] == '-'))
		memmove(out->kind, out->kind + 1, strlen(out->kind));
	if (!take_control(&text, out->control) || sscanf(text, " %511s%n", out->module, &at) != 1)
		return false;
	(void)snprintf(out->arguments, sizeof out->arguments, "%s", text + at);
	return true;
}

/* --- files ------------------------------------------------------------------------------------------------------------ */

/* One file that is being read: KIND alone counts, NULL: every one. */
struct reading {
	struct stack_file *out;
	const char *folder, *kind;
	unsigned depth;
};

static bool read_file(const struct reading *reading, const char *name);

static void
include(const struct reading *reading, const char *kind, const char *name)
{
	const struct reading inner = { reading->out, reading->folder, kind, reading->depth + 1 };

	if (!read_file(&inner, name))
		reading->out->is_partial = true;
}

static void
take(const struct reading *reading, char *text, const char *name, unsigned number)
{
	static const char word[] = "@include";
	struct stack_file *out = reading->out;
	struct stack_line line = { .number = number };
	char other[STACK_FIELD_BYTES];

	text += strspn(text, " \t");
	if (strncmp(text, word, sizeof word - 1) == 0) {
		if (sscanf(text + sizeof word - 1, "%511s", other) == 1)
			include(reading, reading->kind, other);
		return;
	}
	(void)snprintf(line.file, sizeof line.file, "%s", name);
	if (!split(text, &line) || (reading->kind != NULL && strcmp(reading->kind, line.kind) != 0))
		return;
	if (strcmp(line.control, "include") == 0)
		include(reading, line.kind, line.module);
	else if (out->count < STACK_LINES_MAX)
		out->lines[out->count++] = line;
}

static bool
read_file(const struct reading *reading, const char *name)
{
	char path[1024], text[TEXT_BYTES];
	unsigned number = 0, before;
	FILE *in = NULL;

	(void)snprintf(path, sizeof path, "%s%s%s", name[0] == '/' ? "" : reading->folder, name[0] == '/' ? "" : "/", name);
	if (reading->depth > DEPTH_MAX || (in = fopen(path, "re")) == NULL)
		return false;
	while (before = number, next_text(in, text, &number))
		take(reading, text, name, before + 1);
	(void)fclose(in);
	return true;
}

struct stack_file *
stack_file_read(const char *folder, const char *service)
{
	struct stack_file *out = calloc(1, sizeof *out);
	const struct reading reading = { .out = out, .folder = folder };

	if (out != NULL && !read_file(&reading, service)) {
		free(out);
		out = NULL;
	}
	return out;
}

/* --- what they say ---------------------------------------------------------------------------------------------------- */

bool
stack_line_is(const struct stack_line *line, const char *name)
{
	const char *slash = strrchr(line->module, '/');

	return strcmp(slash != NULL ? slash + 1 : line->module, name) == 0;
}

/* The control as a list, also where it is a word. */
static const char *
list_of(const char *control)
{
	static const char *const words[][2] = {
		{ "required", "success=ok new_authtok_reqd=ok ignore=ignore default=bad" },
		{ "requisite", "success=ok new_authtok_reqd=ok ignore=ignore default=die" },
		{ "sufficient", "success=done new_authtok_reqd=done default=ignore" },
		{ "optional", "success=ok new_authtok_reqd=ok default=ignore" },
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(control, words[i][0]) == 0)
			return words[i][1];
	return control;
}

const char *
stack_line_action(const struct stack_line *line, const char *result, char out[static STACK_ACTION_BYTES])
{
	static const char blank[] = " \t[]";
	char name[32], value[STACK_ACTION_BYTES];

	(void)snprintf(out, STACK_ACTION_BYTES, "bad");         /* libpam's, where the list has no default */
	for (const char *at = list_of(line->control); *(at += strspn(at, blank)) != '\0'; at += strcspn(at, blank)) {
		if (sscanf(at, "%31[^= \t]=%15[^] \t]", name, value) != 2)
			continue;
		if (strcmp(name, result) == 0 || strcmp(name, "default") == 0)
			memcpy(out, value, sizeof value);
		if (strcmp(name, result) == 0)
			break;
	}
	return out;
}

unsigned
stack_action_jump(const char *action)
{
	return action[0] >= '0' && action[0] <= '9' ? (unsigned)strtoul(action, NULL, 10) : 0;
}
