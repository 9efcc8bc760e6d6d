/* blocklist.c: counterfoil blocklist: common passwords, from lists of words and of hashes, as the file that authd maps. */
#include "core/credential/blocklist.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/output.h"
#include "core/base/clock.h"
#include "core/base/encoding.h"
#include "core/base/text.h"
#include "core/credential/blocklist_builder.h"

enum {
	LINE_MAX_BYTES = 4096,  /* a longer one is no password */
	POINTS_MIN = 8,         /* no policy takes a shorter password, so none needs to be on a list */
	SHA1_HEX = 2 * BLOCKLIST_SHA1_BYTES,
	REFRESH_MS = 200
};

struct build {
	struct blocklist_builder *builder;
	uint64_t lines, skipped, entries;
	uint64_t bytes_total, bytes_read;       /* of all files; total 0: not known */
	bool progress;
	int64_t shown_at_ms;
};

/* --- progress ------------------------------------------------------------------------------------------------------ */

/* PERMILLE over 1000: not known. */
static void
show_progress(struct build *build, const char *doing, unsigned permille)
{
	int64_t now_ms = clock_monotonic_ms();
	char bar[41] = "";

	if (!build->progress || now_ms - build->shown_at_ms < REFRESH_MS)
		return;
	build->shown_at_ms = now_ms;
	if (permille > 1000) {
		(void)fprintf(stderr, "\r%-8s %llu lines", doing, (unsigned long long)build->lines);
		return;
	}
	memset(bar, '#', permille / 25);
	(void)fprintf(stderr, "\r%-8s [%-40s] %3u %%  %llu lines ", doing, bar, permille / 10,
	    (unsigned long long)build->lines);
}

static void
end_progress(const struct build *build)
{
	if (build->progress)
		(void)fprintf(stderr, "\r\033[K");
}

/* --- reading ------------------------------------------------------------------------------------------------------- */

/* "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8" or the same with ":count" behind it, as lists of breached passwords have. */
static bool
is_hash(struct bytes line, uint8_t out[static BLOCKLIST_SHA1_BYTES])
{
	size_t len;

	if (line.len < SHA1_HEX || (line.len > SHA1_HEX && line.data[SHA1_HEX] != ':'))
		return false;
	for (size_t i = SHA1_HEX + 1; i < line.len; i++)
		if (line.data[i] < '0' || line.data[i] > '9')
			return false;
	return encoding_hex_decode((const char *)line.data, SHA1_HEX, out, BLOCKLIST_SHA1_BYTES, &len) == STATUS_OK;
}

/* STATUS_INVALID: no password could ever be this. */
static enum status
add_line(struct build *build, struct bytes line)
{
	uint8_t sha1[BLOCKLIST_SHA1_BYTES];

	if (is_hash(line, sha1))
		return blocklist_builder_add_sha1(build->builder, sha1);
	if (line.len > TEXT_PASSWORD_MAX_BYTES || text_points(line) < POINTS_MIN)
		return STATUS_INVALID;
	return blocklist_builder_add_word(build->builder, line);
}

static int
take_line(struct build *build, struct bytes line)
{
	enum status st = line.len <= LINE_MAX_BYTES ? add_line(build, line) : STATUS_INVALID;

	build->lines++;
	build->bytes_read += line.len + 1;
	if (st == STATUS_INVALID)
		build->skipped++;
	else if (st != STATUS_OK)
		return output_fail(st == STATUS_UNAVAILABLE ? EX_IOERR : output_exit_code(st), "the entries cannot be kept: %s",
		    strerror(errno));
	if (build->lines % 4096 == 0)
		show_progress(build, "reading", build->bytes_total > 0 && build->bytes_read <= build->bytes_total ?
		    (unsigned)(build->bytes_read * 1000 / build->bytes_total) : 1001);
	return EX_OK;
}

/* The next line without its end.  One that is too long is read to its end, and its length says so: no line, however
 * long, takes more memory than this.  False: there is none. */
static bool
next_line(FILE *in, char line[static LINE_MAX_BYTES + 1], size_t *out_len)
{
	size_t len = 0;
	int c = getc_unlocked(in);

	if (c == EOF)
		return false;
	for (; c != EOF && c != '\n'; c = getc_unlocked(in))
		if (len <= LINE_MAX_BYTES)
			line[len++] = (char)c;
	if (len > 0 && len <= LINE_MAX_BYTES && line[len - 1] == '\r')
		len--;
	*out_len = len;
	return true;
}

static int
read_file(struct build *build, const char *path)
{
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char line[LINE_MAX_BYTES + 1];
	size_t len = 0;
	int rc = EX_OK;

	if (in == NULL)
		return output_fail(EX_NOINPUT, "%s: %s", path, strerror(errno));
	while (rc == EX_OK && next_line(in, line, &len))
		rc = take_line(build, (struct bytes){ (const uint8_t *)line, len });
	if (rc == EX_OK && ferror(in) != 0)
		rc = output_fail(EX_NOINPUT, "%s: %s", path, strerror(errno));
	if (in != stdin)
		(void)fclose(in);
	return rc;
}

/* How much there is to read, for the bar.  A pipe has no size, and then the whole has none. */
static void
add_sizes(const struct invocation *in, struct build *build)
{
	for (unsigned i = 0; i < in->operand_count; i++) {
		struct stat st;

		if (stat(in->operands[i], &st) != 0 || !S_ISREG(st.st_mode)) {
			build->bytes_total = 0;
			return;
		}
		build->bytes_total += (uint64_t)st.st_size;
	}
}

/* --- build --------------------------------------------------------------------------------------------------------- */

static int
finish(struct build *build)
{
	char error[CONFIG_ERROR_BYTES] = "";
	unsigned left = 1, whole = 0;
	enum status st = STATUS_OK;

	while (left > 0 && (st = blocklist_builder_step(build->builder, &left, &build->entries, error)) == STATUS_OK) {
		if (whole == 0)
			whole = left + 1;
		show_progress(build, left > whole / 2 ? "sorting" : "writing", 1000 - left * 1000 / whole);
	}
	if (st == STATUS_INVALID)
		return output_fail(EX_DATAERR, "there is no password of %d characters or more in what was read", POINTS_MIN);
	return st == STATUS_OK ? EX_OK : output_fail(st == STATUS_UNAVAILABLE ? EX_IOERR : output_exit_code(st), "%s", error);
}

static int
report(const struct invocation *in, const struct build *build, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return output_fail(EX_IOERR, "%s: %s", path, strerror(errno));
	if (in->values[OPTION_JSON] != NULL)
		return output_json(json_pack("{s:s, s:I, s:I, s:I, s:I}", "file", path, "entries", (json_int_t)build->entries,
		    "lines", (json_int_t)build->lines, "skipped", (json_int_t)build->skipped, "bytes", (json_int_t)st.st_size));
	output_text("%s: %llu entries of %llu lines, %lld bytes.  Skipped as too short or impossible: %llu.\n", path,
	    (unsigned long long)build->entries, (unsigned long long)build->lines, (long long)st.st_size,
	    (unsigned long long)build->skipped);
	return EX_OK;
}

int
blocklist_build_command(const struct invocation *in)
{
	const char *path = in->values[OPTION_OUTPUT];
	struct build build = { .progress = isatty(STDERR_FILENO) == 1 };
	char error[CONFIG_ERROR_BYTES] = "";
	int rc = EX_OK;

	if (path == NULL)
		return output_fail(EX_USAGE, "--output is missing: where is the list to go?");
	if (blocklist_builder_new(path, &build.builder, error) != STATUS_OK)
		return output_fail(EX_CANTCREAT, "%s", error);
	add_sizes(in, &build);
	for (unsigned i = 0; i < in->operand_count && rc == EX_OK; i++)
		rc = read_file(&build, in->operands[i]);
	if (rc == EX_OK)
		rc = finish(&build);
	end_progress(&build);
	blocklist_builder_free(&build.builder);
	return rc == EX_OK ? report(in, &build, path) : rc;
}

/* --- check --------------------------------------------------------------------------------------------------------- */

int
blocklist_check_command(const struct invocation *in)
{
	const char *path = in->operands[0];
	char error[CONFIG_ERROR_BYTES] = "";
	struct blocklist *list = NULL;
	enum status st;
	int rc;

	if ((st = blocklist_open(path, &list, error)) != STATUS_OK)
		return output_fail(st == STATUS_NOT_FOUND ? EX_NOINPUT : st == STATUS_INVALID ? EX_DATAERR :
		    output_exit_code(st), "%s", error);
	if (blocklist_check(list) != STATUS_OK)
		rc = output_fail(EX_DATAERR, "%s: damaged; \"counterfoil blocklist build\" makes it anew", path);
	else if (in->values[OPTION_JSON] != NULL)
		rc = output_json(json_pack("{s:s, s:I}", "file", path, "entries", (json_int_t)blocklist_count(list)));
	else
		rc = (output_text("%s: whole, %llu entries\n", path, (unsigned long long)blocklist_count(list)), EX_OK);
	blocklist_close(&list);
	return rc;
}
