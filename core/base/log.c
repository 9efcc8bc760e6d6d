#include "core/base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <unictype.h>
#include <unistr.h>

#include "core/base/clock.h"

/* The one mutable static of the core: where a process logs to is a property of the process.
 * Written by log_open() before threads, read only afterwards. */
static struct {
	const char *program;
	enum log_level lowest;
	bool to_syslog, to_journal;
} sink = { .program = "counterfoil", .lowest = LOG_LEVEL_INFO };

struct line {
	char text[LOG_LINE_MAX_BYTES + 1];      /* room for the newline */
	size_t len;
	bool full;
};

#define TRUNCATED " truncated=1"
#define ROOM_BEFORE_MARK (LOG_LINE_MAX_BYTES - (sizeof TRUNCATED - 1))

static const struct { const char *name; int priority; } levels[] = {
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG }, [LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_NOTICE] = { "notice", LOG_NOTICE }, [LOG_LEVEL_WARNING] = { "warning", LOG_WARNING },
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR }, [LOG_LEVEL_CRITICAL] = { "critical", LOG_CRIT },
	[LOG_LEVEL_ALERT] = { "alert", LOG_ALERT },
};

/* Is standard error the journal?  systemd says so by device and inode. */
static bool
stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	if (stream == NULL || sscanf(stream, "%llu:%llu", &device, &inode) != 2 || fstat(STDERR_FILENO, &st) != 0)
		return false;
	return st.st_dev == device && st.st_ino == inode;
}

void
log_open(const char *program, enum log_target target, enum log_level lowest)
{
	sink.program = program;
	sink.lowest = lowest;
	sink.to_syslog = target == LOG_TARGET_SYSLOG;
	sink.to_journal = target == LOG_TARGET_AUTO && stderr_is_journal();
	if (sink.to_syslog)
		openlog(program, LOG_PID | LOG_NDELAY, LOG_AUTHPRIV);
}

static void
put(struct line *line, const char *text, size_t len)
{
	if (line->full || line->len + len > LOG_LINE_MAX_BYTES) {
		line->full = true;
		return;
	}
	memcpy(line->text + line->len, text, len);
	line->len += len;
}

static void
put_text(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

/* May this character stand in a log as it is?  Controls forge lines, format characters turn text around. */
static bool
is_plain(ucs4_t c)
{
	return c != '"' && c != '\\' && !uc_is_general_category_withtable(c,
	    UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf | UC_CATEGORY_MASK_Zl | UC_CATEGORY_MASK_Zp);
}

/* How many of the first bytes stand as they are: a run of ASCII, which is nearly always all of them and costs a fiftieth of
 * what the library takes; or one other character.  0: the first byte must be escaped, and then so must the rest of its character. */
static size_t
plain_length(const uint8_t *at, size_t len)
{
	size_t run = 0;
	ucs4_t c;
	int n;

	while (run < len && at[run] >= 0x20 && at[run] < 0x7f && at[run] != '"' && at[run] != '\\')
		run++;
	if (run > 0)
		return run;
	n = u8_mbtoucr(&c, at, len);
	return n > 0 && is_plain(c) ? (size_t)n : 0;
}

static void
put_escaped(struct line *line, uint8_t byte)
{
	char escape[8];

	(void)snprintf(escape, sizeof escape, byte == '"' || byte == '\\' ? "\\%c" : "\\x%02x", byte);
	put_text(line, escape);
}

static void
put_quoted(struct line *line, const char *text)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + strlen(text);

	put(line, "\"", 1);
	while (at < end) {
		size_t n = plain_length(at, (size_t)(end - at));

		if (n > 0)
			put(line, (const char *)at, n);
		else
			put_escaped(line, *at);
		at += n > 0 ? n : 1;
	}
	put(line, "\"", 1);
}

static void
put_field(struct line *line, const struct log_field *field)
{
	char number[24];

	put(line, " ", 1);
	put_text(line, field->key);
	put(line, "=", 1);
	if (field->text != NULL) {
		put_quoted(line, field->text);
		return;
	}
	(void)snprintf(number, sizeof number, "%lld", (long long)field->number);
	put_text(line, number);
}

/* The journal and syslog know the time, the level and the program themselves. */
static void
put_prefix(struct line *line, enum log_level level)
{
	char now[CLOCK_RFC3339_BYTES], prefix[96];

	if (sink.to_syslog)
		return;
	if (sink.to_journal) {
		(void)snprintf(prefix, sizeof prefix, "<%d>", levels[level].priority);
	} else {
		clock_format_rfc3339(clock_now_s(), now);
		(void)snprintf(prefix, sizeof prefix, "time=%s level=%s program=%.32s ", now, levels[level].name,
		    sink.program);
	}
	put_text(line, prefix);
}

static void
emit(struct line *line, enum log_level level)
{
	if (sink.to_syslog) {
		line->text[line->len] = '\0';
		syslog(levels[level].priority, "%s", line->text);
		return;
	}
	line->text[line->len++] = '\n';
	/* One write, so that lines of several threads do not mix; a log that cannot be written must not stop a login. */
	if (write(STDERR_FILENO, line->text, line->len) < 0)
		return;
}

void
log_event(enum log_level level, const char *event, const struct log_field *fields)
{
	struct line line = { .len = 0 };
	size_t cut;     /* the end of the last field behind which the mark would fit */

	if (level < sink.lowest || (unsigned)level >= sizeof levels / sizeof levels[0])
		return;
	put_prefix(&line, level);
	put_text(&line, "event=");
	put_text(&line, event);
	cut = line.len < ROOM_BEFORE_MARK ? line.len : ROOM_BEFORE_MARK;
	for (; fields != NULL && fields->key != NULL && !line.full; fields++) {
		put_field(&line, fields);
		if (!line.full && line.len <= ROOM_BEFORE_MARK)
			cut = line.len;
	}
	if (line.full) {
		memcpy(line.text + cut, TRUNCATED, sizeof TRUNCATED - 1);
		line.len = cut + sizeof TRUNCATED - 1;
	}
	emit(&line, level);
}
