/* log.h: one line an event, key=value, to stderr, syslog or (stderr under systemd) journald.
 * Library code does not log: programs and operations do.  Values are quoted and escaped here, so no
 * input can forge a line; secrets have a type that no field below accepts. */
#ifndef COUNTERFOIL_LOG_H
#define COUNTERFOIL_LOG_H

#include <stdint.h>

#include "core/base/status.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_NOTICE, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR, LOG_LEVEL_CRITICAL,
	LOG_LEVEL_ALERT };      /* somebody has to look at once */
enum log_target { LOG_TARGET_AUTO, LOG_TARGET_STDERR, LOG_TARGET_SYSLOG };   /* AUTO: journald prefix when stderr is the journal */

struct log_field {
	const char *key;        /* NULL ends the list */
	const char *text;       /* quoted and escaped; NULL: NUMBER is printed */
	int64_t number;
};

#define LOG_TEXT(k, v)   ((struct log_field){ .key = (k), .text = (v) != NULL ? (v) : "" })
#define LOG_NUMBER(k, v) ((struct log_field){ .key = (k), .number = (int64_t)(v) })
#define LOG_END          ((struct log_field){ .key = NULL })
#define LOG_LINE_MAX_BYTES 900   /* and the line's end; longer lines are cut at a field and end in truncated=1 */

/* Once, before threads.  PROGRAM is borrowed for the life of the process. */
void log_open(const char *program, enum log_target target, enum log_level lowest);

/* EVENT is a constant of our own words: log_event(LOG_LEVEL_INFO, "listener_ready",
 *     (const struct log_field[]){ LOG_TEXT("address", a), LOG_NUMBER("port", p), LOG_END }); */
void log_event(enum log_level level, const char *event, const struct log_field *fields);

#endif
