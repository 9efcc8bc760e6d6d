#include "core/credential/password.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "core/base/entropy.h"
#include "core/base/secret.h"
#include "core/credential/argon2_engine.h"

#define SALT_MIN 8              /* RFC 9106 section 3.1 */
#define TAG_MIN 16
#define FORM_PREFIX "argon2id m="
#define PHC_BASE64 sodium_base64_VARIANT_ORIGINAL_NO_PADDING

/* A PHC string taken apart. */
struct phc {
	struct password_cost cost;
	uint32_t lanes;
	uint8_t salt[PASSWORD_SALT_MAX], tag[PASSWORD_TAG_MAX];
	size_t salt_len, tag_len;
};

/* --- PHC strings ------------------------------------------------------------------------------------------- */

/* Step over the constant WORD. */
static bool
skip(const char **at, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*at, word, len) != 0)
		return false;
	*at += len;
	return true;
}

/* A decimal number without sign or leading zero, from MIN to MAX. */
static bool
take_number(const char **at, uint32_t min, uint32_t max, uint32_t *out)
{
	uint64_t value = 0;
	const char *p = *at;

	if (*p < '1' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		value = value * 10 + (unsigned)(*p - '0');
		if (value > max)
			return false;
	}
	if (value < min)
		return false;
	*out = (uint32_t)value;
	*at = p;
	return true;
}

static bool
take_base64(const char **at, uint8_t *out, size_t min, size_t max, size_t *out_len)
{
	size_t len = strcspn(*at, "$");

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)(*at)[i] > 0x7f)     /* libsodium 1.0.18 would take it */
			return false;
	}
	if (sodium_base642bin(out, max, *at, len, NULL, out_len, NULL, PHC_BASE64) != 0 || *out_len < min)
		return false;
	*at += len;
	return true;
}

static bool
phc_parse(const char *text, struct phc *out)
{
	memset(out, 0, sizeof *out);
	return skip(&text, "$argon2id$v=19$m=") &&
	    take_number(&text, 8, PASSWORD_STORED_MEMORY_KIB_MAX, &out->cost.memory_kib) && skip(&text, ",t=") &&
	    take_number(&text, 1, PASSWORD_STORED_PASSES_MAX, &out->cost.passes) && skip(&text, ",p=") &&
	    take_number(&text, 1, PASSWORD_STORED_LANES_MAX, &out->lanes) && skip(&text, "$") &&
	    take_base64(&text, out->salt, SALT_MIN, PASSWORD_SALT_MAX, &out->salt_len) && skip(&text, "$") &&
	    take_base64(&text, out->tag, TAG_MIN, PASSWORD_TAG_MAX, &out->tag_len) && *text == '\0' &&
	    out->cost.memory_kib >= 8 * out->lanes;
}

static enum status
phc_write(const struct phc *phc, char out[static PASSWORD_PHC_MAX])
{
	char salt[PASSWORD_SALT_MAX * 4 / 3 + 4], tag[PASSWORD_TAG_MAX * 4 / 3 + 4];
	int n;

	(void)sodium_bin2base64(salt, sizeof salt, phc->salt, phc->salt_len, PHC_BASE64);
	(void)sodium_bin2base64(tag, sizeof tag, phc->tag, phc->tag_len, PHC_BASE64);
	n = snprintf(out, PASSWORD_PHC_MAX, "$argon2id$v=19$m=%u,t=%u,p=%u$%s$%s", (unsigned)phc->cost.memory_kib,
	    (unsigned)phc->cost.passes, (unsigned)phc->lanes, salt, tag);
	secret_wipe(tag, sizeof tag);
	return n > 0 && n < PASSWORD_PHC_MAX ? STATUS_OK : STATUS_INTERNAL;
}

/* --- what the header promises -------------------------------------------------------------------------------- */

bool
password_cost_is_acceptable(const struct password_cost *cost)
{
	static const struct password_cost rows[] = { { 47104, 1 }, { 19456, 2 }, { 12288, 3 } };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (cost->passes >= rows[i].passes && cost->memory_kib >= rows[i].memory_kib)
			return true;
	}
	return false;
}

/* --- a run in three parts --------------------------------------------------------------------------------------- */

static void
prepare_job(const struct phc *phc, struct bytes password, struct password_run *run)
{
	memcpy(run->salt, phc->salt, sizeof run->salt);
	memcpy(run->want, phc->tag, sizeof run->want);
	run->job = (struct argon2_job){
		.memory_kib = phc->cost.memory_kib, .passes = phc->cost.passes, .lanes = phc->lanes,
		.password = password, .salt = { run->salt, phc->salt_len }, .tag = run->tag,
		.tag_len = (uint32_t)phc->tag_len, .status = STATUS_INTERNAL,
	};
}

/* What the caller gave was in bounds: a job that says otherwise was made wrong here. */
static enum status
job_status(const struct argon2_job *job)
{
	return job->status == STATUS_INVALID ? STATUS_INTERNAL : job->status;
}

enum status
password_hash_begin(const struct password_cost *cost, struct bytes password, struct password_run *run)
{
	struct phc phc = { .cost = *cost, .lanes = 1, .salt_len = PASSWORD_SALT_BYTES, .tag_len = PASSWORD_TAG_BYTES };
	enum status st;

	if (password.len == 0)
		return STATUS_INVALID;
	if ((st = entropy_fill(phc.salt, phc.salt_len)) == STATUS_OK)
		prepare_job(&phc, password, run);
	return st;
}

enum status
password_hash_end(struct password_run *run, char out_phc[static PASSWORD_PHC_MAX])
{
	const struct argon2_job *job = &run->job;
	struct phc phc = { .cost = { job->memory_kib, job->passes }, .lanes = job->lanes, .salt_len = job->salt.len,
		.tag_len = job->tag_len };
	enum status st = job_status(job);

	memcpy(phc.salt, run->salt, sizeof phc.salt);
	memcpy(phc.tag, run->tag, sizeof phc.tag);
	if (st == STATUS_OK)
		st = phc_write(&phc, out_phc);
	secret_wipe(&phc, sizeof phc);
	secret_wipe(run, sizeof *run);
	return st;
}

enum status
password_verify_begin(const char *phc_text, struct bytes password, struct password_run *run)
{
	struct phc phc;

	if (!phc_parse(phc_text, &phc))
		return STATUS_INTERNAL;
	prepare_job(&phc, password, run);
	secret_wipe(&phc, sizeof phc);
	return STATUS_OK;
}

enum status
password_verify_end(struct password_run *run, bool *out_match)
{
	const struct argon2_job *job = &run->job;
	enum status st = job_status(job);

	if (st == STATUS_OK)
		*out_match = job->password.len > 0 && secret_equal((struct bytes){ run->tag, job->tag_len },
		    (struct bytes){ run->want, job->tag_len });
	secret_wipe(run, sizeof *run);
	return st;
}

enum status
password_hash(const struct password_cost *cost, struct bytes password, char out_phc[static PASSWORD_PHC_MAX])
{
	struct password_run run;
	enum status st;

	if ((st = password_hash_begin(cost, password, &run)) != STATUS_OK)
		return st;
	argon2_engine_run_alone(&run.job);
	return password_hash_end(&run, out_phc);
}

enum status
password_verify(const char *phc_text, struct bytes password, bool *out_match)
{
	struct password_run run;
	enum status st;

	if ((st = password_verify_begin(phc_text, password, &run)) != STATUS_OK)
		return st;
	argon2_engine_run_alone(&run.job);
	return password_verify_end(&run, out_match);
}

void
password_form(const char *phc_text, char out[static PASSWORD_FORM_BYTES])
{
	struct phc phc;

	if (phc_parse(phc_text, &phc) && phc.lanes == 1 && phc.salt_len == PASSWORD_SALT_BYTES &&
	    phc.tag_len == PASSWORD_TAG_BYTES)
		(void)snprintf(out, PASSWORD_FORM_BYTES, FORM_PREFIX "%u,t=%u", (unsigned)phc.cost.memory_kib,
		    (unsigned)phc.cost.passes);
	else
		(void)snprintf(out, PASSWORD_FORM_BYTES, "other");
	secret_wipe(&phc, sizeof phc);
}

bool
password_form_is_weaker(const char *form, const struct password_cost *cost)
{
	struct password_cost has;

	return !skip(&form, FORM_PREFIX) || !take_number(&form, 8, PASSWORD_STORED_MEMORY_KIB_MAX, &has.memory_kib) ||
	    !skip(&form, ",t=") || !take_number(&form, 1, PASSWORD_STORED_PASSES_MAX, &has.passes) || *form != '\0' ||
	    has.memory_kib < cost->memory_kib || has.passes < cost->passes;
}

bool
password_needs_rehash(const char *phc_text, const struct password_cost *cost)
{
	char form[PASSWORD_FORM_BYTES];

	password_form(phc_text, form);
	return password_form_is_weaker(form, cost);
}

enum status
password_decoy(const struct password_cost *cost, char out_phc[static PASSWORD_PHC_MAX])
{
	struct phc phc = { .cost = *cost, .lanes = 1, .salt_len = PASSWORD_SALT_BYTES, .tag_len = PASSWORD_TAG_BYTES };
	enum status st;

	/* A random tag has no known password: 2^256 tags, and nobody hashed anything to get this one. */
	if ((st = entropy_fill(phc.salt, phc.salt_len)) != STATUS_OK ||
	    (st = entropy_fill(phc.tag, phc.tag_len)) != STATUS_OK)
		return st;
	return phc_write(&phc, out_phc);
}
