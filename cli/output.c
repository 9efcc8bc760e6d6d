#include "cli/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "core/base/clock.h"
#include "core/base/secret.h"
#include "core/base/text.h"

enum { LINE_BYTES = 2048, FIELD_WIDTH = 18 };

void
output_prepare(void)
{
	json_set_alloc_funcs(secret_block_new, secret_block_free);
}

/* --- standard output ----------------------------------------------------------------------------------------------- */

int
output_finish(int rc)
{
	if ((fflush(stdout) != 0 || ferror(stdout) != 0) && rc == EX_OK)
		return output_fail(EX_IOERR, "standard output could not be written: what was to be shown is lost");
	return rc;
}

void
output_text(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
}

void
output_field(const char *label, const char *text)
{
	char clean[LINE_BYTES] = "none";

	if (text != NULL && text[0] != '\0')
		text_sanitize(bytes_of(text), clean, sizeof clean);
	(void)printf("%-*s %s\n", FIELD_WIDTH, label, clean);
}

void
output_time_field(const char *label, int64_t time_s)
{
	char text[CLOCK_RFC3339_BYTES] = "never";

	if (time_s != 0)
		clock_format_rfc3339(time_s, text);
	output_field(label, text);
}

int
output_json(json_t *body)
{
	int failed;

	if (body == NULL)
		return output_fail_status(STATUS_NO_MEMORY, "the output");
	failed = json_dumpf(body, stdout, JSON_INDENT(2));
	json_decref(body);
	(void)putchar('\n');
	return failed != 0 ? output_fail(EX_IOERR, "standard output could not be written") : EX_OK;
}

json_t *
output_json_time(int64_t time_s)
{
	char text[CLOCK_RFC3339_BYTES];

	if (time_s == 0)
		return json_null();
	clock_format_rfc3339(time_s, text);
	return json_string(text);
}

json_t *
output_json_optional(const char *text)
{
	return text[0] == '\0' ? json_null() : json_string(text);
}

/* --- complaints ---------------------------------------------------------------------------------------------------- */

int
output_fail(int rc, const char *format, ...)
{
	char line[LINE_BYTES], clean[LINE_BYTES];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof line, format, args);
	va_end(args);
	text_sanitize(bytes_of(line), clean, sizeof clean);
	(void)fflush(stdout);   /* in the order in which it was said */
	(void)fprintf(stderr, "counterfoil: %s\n", clean);
	return rc;
}

static const struct meaning {
	enum status status;
	int exit_code;
	const char *text;
} meanings[] = {
	{ STATUS_INVALID, EX_DATAERR, "is not acceptable" },
	{ STATUS_NOT_FOUND, EX_NOUSER, "does not exist here; is the realm right (--realm store, --realm staff)?" },
	{ STATUS_CONFLICT, EX_CANTCREAT, "exists already, or its state does not allow this" },
	{ STATUS_UNAUTHENTICATED, EX_NOPERM, "was refused: the database does not accept this role" },
	{ STATUS_FORBIDDEN, EX_NOPERM,
	    "was refused: the database role may not do this; the default role is counterfoil_admin" },
	{ STATUS_UNAVAILABLE, EX_UNAVAILABLE,
	    "failed: the database is out of reach or its schema is not ours; \"counterfoil doctor\" says which" },
	{ STATUS_OVERLOADED, EX_TEMPFAIL, "had to wait too long; try again" },
	{ STATUS_NO_MEMORY, EX_OSERR, "did not fit into memory" },
	{ STATUS_INTERNAL, EX_SOFTWARE, "failed inside; the lines above and \"counterfoil doctor\" may say why" },
};

static const struct meaning *
meaning_of(enum status status)
{
	unsigned count = sizeof meanings / sizeof meanings[0];

	for (unsigned i = 0; i < count; i++)
		if (meanings[i].status == status)
			return &meanings[i];
	return &meanings[count - 1];
}

int
output_exit_code(enum status status)
{
	return status == STATUS_OK ? EX_OK : meaning_of(status)->exit_code;
}

int
output_fail_status(enum status status, const char *what)
{
	const struct meaning *meaning = meaning_of(status);

	return output_fail(meaning->exit_code, "%s %s", what, meaning->text);
}
