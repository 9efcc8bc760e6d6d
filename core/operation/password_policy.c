#include "core/operation/password_policy.h"

#include <string.h>

#include "core/base/text.h"

#define WORD_MIN_POINTS 4       /* a shorter word is in too many good passwords */
#define REST_MIN_RUNS   8       /* what a password must have beside such words; "!!!!!!" is one run, as a guesser sees it */
#define WORD_MAX_BYTES  512

int64_t
password_policy_minimum(const struct core *core, enum realm realm)
{
	const struct realm_policy *policy = core_policy(core, realm);

	return policy->second_factor_required ? policy->password_min_points : policy->password_only_min_points;
}

/* --- words of the place ---------------------------------------------------------------------------------------------- */

/* A password without regard to case, from which words are taken away. */
struct rest {
	uint8_t text[TEXT_FOLDED_MAX_BYTES];
	size_t len;
};

static void
take_away(struct rest *rest, struct bytes word)
{
	uint8_t folded[TEXT_FOLDED_MAX_BYTES];
	uint8_t *at;
	size_t len;

	if (text_points(word) < WORD_MIN_POINTS || word.len > WORD_MAX_BYTES || text_fold(word, folded, &len) != STATUS_OK)
		return;
	while ((at = memmem(rest->text, rest->len, folded, len)) != NULL) {
		size_t behind = rest->len - (size_t)(at - rest->text) - len;

		memmove(at, at + len, behind);
		rest->len -= len;
	}
}

/* Each of WORDS, which are separated by spaces. */
static void
take_away_words(struct rest *rest, const char *words)
{
	size_t len;

	for (; *words != '\0'; words += len + (words[len] == ' ')) {
		len = strcspn(words, " ");
		take_away(rest, (struct bytes){ (const uint8_t *)words, len });
	}
}

/* How often the text goes on with another character; repeated ones outside ASCII are counted each. */
static size_t
runs_of(const struct rest *rest)
{
	size_t runs = rest->len > 0;

	for (size_t i = 1; i < rest->len; i++)
		runs += rest->text[i] != rest->text[i - 1] && (rest->text[i] & 0xc0) != 0x80;
	return runs;
}

/* Is PASSWORD little more than the names of the shop and of its owner? */
static enum status
is_of_the_place(const struct core *core, const struct realm_policy *policy, const char *login, struct bytes password,
    bool *out)
{
	struct rest rest;
	size_t whole;
	enum status st;

	if ((st = text_fold(password, rest.text, &rest.len)) != STATUS_OK)
		return st == STATUS_INVALID ? STATUS_INTERNAL : st;
	whole = rest.len;
	take_away(&rest, bytes_of(login));
	take_away(&rest, (struct bytes){ (const uint8_t *)login, strcspn(login, "@") });
	take_away_words(&rest, policy->issuer);
	take_away_words(&rest, core->context_words);
	*out = rest.len < whole && runs_of(&rest) < REST_MIN_RUNS;
	secret_wipe(&rest, sizeof rest);
	return STATUS_OK;
}

/* --- the rules, in the order in which they are told -------------------------------------------------------------------- */

/* *out_reason stays NULL where PASSWORD breaks none. */
static enum status
judge(const struct core *core, enum realm realm, const char *login, struct bytes password, size_t points,
    const char **out_reason)
{
	const struct realm_policy *policy = core_policy(core, realm);
	bool found = false;
	enum status st;

	if ((int64_t)points < password_policy_minimum(core, realm)) {
		*out_reason = "too_short";
		return STATUS_OK;
	}
	if (core->blocklist != NULL && (st = blocklist_find(core->blocklist, password, &found)) != STATUS_OK)
		return st;
	if (found) {
		*out_reason = "common";
		return STATUS_OK;
	}
	if ((st = is_of_the_place(core, policy, login, password, &found)) == STATUS_OK && found)
		*out_reason = "context";
	return st;
}

enum status
password_policy_take(const struct core *core, enum realm realm, const char *login, struct bytes typed,
    struct secret **out, struct password_refusal *refusal)
{
	struct secret *normal = NULL;
	size_t points = 0;
	enum status st;

	refusal->reason = NULL;
	refusal->minimum_points = password_policy_minimum(core, realm);
	st = text_password(typed, &normal, &points);
	if (st == STATUS_INVALID && text_points(typed) > TEXT_PASSWORD_MAX_POINTS)
		refusal->reason = "too_long";
	if (st != STATUS_OK)
		return st;
	if ((st = judge(core, realm, login, secret_view(normal), points, &refusal->reason)) == STATUS_OK &&
	    refusal->reason != NULL)
		st = STATUS_INVALID;
	if (st != STATUS_OK) {
		secret_free(&normal);
		return st;
	}
	*out = normal;
	return STATUS_OK;
}
