/* conf.c: the grammar of pam.conf: sections, keys, comments on lines of their own. */
#include "pam_module/conf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pam_module/text_rules.h"

enum { SERVICE_MAX = 64, KEYS_MAX = 64, SECTIONS_MAX = 256 };

/* Where the lines of a section go: each is checked, but only those that are meant decide. */
enum section { SECTION_NONE, SECTION_DEFAULT, SECTION_SERVICE, SECTION_OTHER };

struct parse {
	const char *name, *service;
	struct conf *wanted;            /* what is being filled */
	struct conf scratch;            /* takes what is only checked */
	enum section fills;             /* the section that fills WANTED in this pass */
	enum section section;
	uint64_t seen;                  /* a bit a key of the present section */
	uint32_t sections[SECTIONS_MAX];        /* where each began, to find a doubled one */
	size_t section_count;
	const char *text;
	unsigned line;
	char *error;
};

_Static_assert(KEYS_MAX <= 64, "seen has a bit for each key");

__attribute__((format(printf, 3, 4))) static bool
fault(struct parse *parse, size_t column, const char *format, ...)
{
	int n = snprintf(parse->error, CONF_ERROR_BYTES, "%s:%u:%zu: ", parse->name, parse->line, column + 1);
	va_list args;

	if (n < 0 || n >= CONF_ERROR_BYTES)
		return false;
	va_start(args, format);
	(void)vsnprintf(parse->error + n, CONF_ERROR_BYTES - (size_t)n, format, args);
	va_end(args);
	return false;
}

/* LINE is the LEN bytes from '[' to ']'. */
static bool
begin_section(struct parse *parse, const char *line, size_t len)
{
	for (size_t i = 0; i < parse->section_count; i++)
		if (memcmp(parse->text + parse->sections[i], line, len) == 0)
			return fault(parse, 0, "the section %.*s is there twice", (int)len, line);
	if (parse->section_count == SECTIONS_MAX)
		return fault(parse, 0, "more than %d sections", SECTIONS_MAX);
	parse->sections[parse->section_count++] = (uint32_t)(line - parse->text);
	parse->seen = 0;
	return true;
}

/* "[default]" or "[service "name"]"; LINE has no white space around it. */
static bool
take_section(struct parse *parse, const char *line, size_t len)
{
	static const char head[] = "[service \"", tail[] = "\"]";
	const size_t head_len = sizeof head - 1, tail_len = sizeof tail - 1;
	const char *name = line + head_len;
	size_t name_len;

	if (len == sizeof "[default]" - 1 && memcmp(line, "[default]", len) == 0) {
		parse->section = SECTION_DEFAULT;
		return begin_section(parse, line, len);
	}
	if (len <= head_len + tail_len || memcmp(line, head, head_len) != 0 ||
	    memcmp(line + len - tail_len, tail, tail_len) != 0)
		return fault(parse, 0, "a section is [default] or [service \"name\"]");
	name_len = len - head_len - tail_len;
	if (name_len > SERVICE_MAX || memchr(name, '"', name_len) != NULL || memchr(name, '/', name_len) != NULL)
		return fault(parse, head_len, "this is no name of a service");
	parse->section = SECTION_OTHER;
	if (strlen(parse->service) == name_len && memcmp(name, parse->service, name_len) == 0) {
		parse->section = SECTION_SERVICE;
		parse->wanted->has_own_section = true;
	}
	return begin_section(parse, line, len);
}

static const struct conf_key *
find_key(const char *name, size_t len, unsigned *out_index)
{
	size_t count;
	const struct conf_key *keys = conf_keys(&count);

	for (size_t i = 0; i < count && i < KEYS_MAX; i++) {
		if (strlen(keys[i].name) != len || memcmp(keys[i].name, name, len) != 0)
			continue;
		*out_index = (unsigned)i;
		return &keys[i];
	}
	return NULL;
}

static size_t
trimmed(const char *text, size_t len)
{
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	return len;
}

/* A value in double quotes keeps the spaces at its ends: a prompt needs that. */
static bool
unquote(const char **value, size_t *len)
{
	if (*len == 0 || (*value)[0] != '"')
		return true;
	if (*len < 2 || (*value)[*len - 1] != '"' || memchr(*value + 1, '"', *len - 2) != NULL)
		return false;
	(*value)++;
	*len -= 2;
	return true;
}

static bool
take_pair(struct parse *parse, const char *line, size_t len)
{
	char copy[CONF_LINE_MAX_BYTES + 1];
	const char *equals = memchr(line, '=', len), *value, *wrong;
	const struct conf_key *key;
	size_t name_len, value_len;
	unsigned index;

	if (equals == NULL)
		return fault(parse, 0, "neither a [section] nor \"key = value\"");
	if (parse->section == SECTION_NONE)
		return fault(parse, 0, "a key before the first section");
	name_len = trimmed(line, (size_t)(equals - line));
	if ((key = find_key(line, name_len, &index)) == NULL)
		return fault(parse, 0, "there is no key \"%.*s\"", (int)(name_len < 64 ? name_len : 64), line);
	if ((parse->seen & UINT64_C(1) << index) != 0)
		return fault(parse, 0, "%s is there twice in this section", key->name);
	parse->seen |= UINT64_C(1) << index;
	for (value = equals + 1; value < line + len && (*value == ' ' || *value == '\t');)
		value++;
	value_len = (size_t)(line + len - value);
	if (!unquote(&value, &value_len))
		return fault(parse, (size_t)(value - line), "%s: a quoted value ends in its second \"", key->name);
	memcpy(copy, value, value_len);
	copy[value_len] = '\0';
	wrong = conf_set(key, copy, parse->section == parse->fills ? parse->wanted : &parse->scratch);
	return wrong == NULL || fault(parse, (size_t)(value - line), "%s %s%s%s", key->name, wrong,
	    key->words != NULL ? ": " : "", key->words != NULL ? key->words : "");
}

static bool
take_line(struct parse *parse, const char *line, size_t len)
{
	size_t indent;

	if (len > CONF_LINE_MAX_BYTES)
		return fault(parse, CONF_LINE_MAX_BYTES, "the line is longer than %d bytes", CONF_LINE_MAX_BYTES);
	for (indent = 0; indent < len && (line[indent] == ' ' || line[indent] == '\t'); indent++)
		continue;
	len = trimmed(line, len);
	if (len <= indent || line[indent] == '#')
		return true;
	if (line[indent] == '[')
		return take_section(parse, line + indent, len - indent);
	return take_pair(parse, line + indent, len - indent);
}

static bool
pass(struct parse *parse, size_t len, enum section fills)
{
	const char *at = parse->text, *end = parse->text + len;

	parse->fills = fills;
	parse->section = SECTION_NONE;
	parse->section_count = 0;
	for (parse->line = 1; at < end; parse->line++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t line_len = (size_t)((newline != NULL ? newline : end) - at);

		if (!take_line(parse, at, line_len))
			return false;
		at += line_len + 1;
	}
	return true;
}

/* Text without a control character but tab and newline; otherwise the line and column of the first. */
static bool
check_bytes(struct parse *parse, size_t len)
{
	const char *at = parse->text, *end = at + len;

	for (parse->line = 1; at < end; parse->line++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline != NULL ? newline : end;

		for (const char *begin = at; at < stop; begin = at = at + 1) {
			while (at < stop && *at != '\t')
				at++;
			if (!text_rules_hold(begin, (size_t)(at - begin)))
				return fault(parse, 0, "a control character, or not UTF-8");
		}
		at = stop + 1;
	}
	return true;
}

static bool
agrees_with_itself(struct parse *parse)
{
	parse->line = 0;
	if (parse->wanted->unenrolled == UNENROLLED_IGNORE && parse->wanted->unenrolled_until == 0)
		return fault(parse, 0, "unenrolled = ignore needs unenrolled_until = YYYY-MM-DD, the day on which it ends");
	if (parse->wanted->offline == OFFLINE_TICKET && parse->wanted->backend != BACKEND_AUTHD)
		return fault(parse, 0, "offline = ticket needs backend = authd: it is the service that signs the tickets");
	if (parse->wanted->timeout_connect_s > parse->wanted->timeout_total_s)
		parse->wanted->timeout_connect_s = parse->wanted->timeout_total_s;
	return true;
}

static void
fill_defaults(struct conf *conf)
{
	size_t count;
	const struct conf_key *keys = conf_keys(&count);

	*conf = (struct conf){ .factors = 0 };
	for (size_t i = 0; i < count; i++)
		(void)conf_set(&keys[i], keys[i].initial, conf);
}

bool
conf_parse(const char *name, const char *text, size_t len, const char *service, struct conf *out,
    char error[static CONF_ERROR_BYTES])
{
	struct parse parse = { .name = name, .service = service, .wanted = out, .text = text, .error = error };

	fill_defaults(out);
	return check_bytes(&parse, len) && pass(&parse, len, SECTION_DEFAULT) && pass(&parse, len, SECTION_SERVICE) &&
	    agrees_with_itself(&parse);
}

bool
conf_load(const char *path, const char *service, struct conf *out, char error[static CONF_ERROR_BYTES])
{
	char *text = malloc(CONF_FILE_MAX_BYTES + 1);
	size_t len = 0;
	bool good;

	if (text == NULL) {
		(void)snprintf(error, CONF_ERROR_BYTES, "%s: out of memory", path);
		return false;
	}
	good = conf_read_file(path, text, CONF_FILE_MAX_BYTES + 1, &len, error) &&
	    conf_parse(path, text, len, service, out, error);
	free(text);
	return good;
}

/* The password of Counterfoil cannot be verified while Counterfoil is away, so what comes before the code has to be
 * somebody else's: pam_unix, or sshd with a key. */
const char *
conf_offline_fault(const struct conf *conf, const char *service)
{
	bool recovery = conf->offline == OFFLINE_RECOVERY;

	if (conf->offline == OFFLINE_OFF)
		return NULL;
	if (conf->factors != FACTORS_OTP)
		return recovery ? "offline = recovery needs factors = otp, behind pam_unix or an ssh key" :
		    "offline = ticket needs factors = otp, behind an ssh key";
	if (!recovery && strcmp(service, "sshd") != 0)
		return "offline = ticket is for sshd alone: write it below [service \"sshd\"]";
	if (recovery && !conf->accept_recovery)
		return "offline = recovery needs accept_recovery = yes";
	return NULL;
}
