#include "core/credential/totp.h"

#include <string.h>

#include <liboath/oath.h>

#include "core/base/secret.h"

int64_t
totp_step_at(int64_t now_s)
{
	int64_t step = now_s / TOTP_PERIOD_S;

	return now_s % TOTP_PERIOD_S < 0 ? step - 1 : step;
}

enum status
totp_code(struct bytes seed, int64_t step, char out[static TOTP_DIGITS + 1])
{
	/* liboath would take an empty seed and make codes that anybody can compute. */
	if (seed.len < TOTP_SEED_MIN || step < 0)
		return STATUS_INVALID;
	if (oath_hotp_generate((const char *)seed.data, seed.len, (uint64_t)step, TOTP_DIGITS, false,
	    OATH_HOTP_DYNAMIC_TRUNCATION, out) != OATH_OK)
		return STATUS_INTERNAL;
	return STATUS_OK;
}

bool
totp_is_code(const char *code)
{
	if (code == NULL || strlen(code) != TOTP_DIGITS)
		return false;
	return strspn(code, "0123456789") == TOTP_DIGITS;
}

enum status
totp_match(struct bytes seed, int64_t now_s, int64_t last_step, const char *code, int64_t *out_step)
{
	int64_t now_step = totp_step_at(now_s), found = TOTP_NO_STEP;
	char expected[TOTP_DIGITS + 1];
	enum status st = STATUS_OK;

	if (!totp_is_code(code) || seed.len < TOTP_SEED_MIN)
		return STATUS_INVALID;
	/* Every step, whatever matched before; of two steps with the same code the later counts and uses up both. */
	for (int64_t step = now_step - TOTP_PAST_STEPS; step <= now_step && st == STATUS_OK; step++) {
		bool same;

		if (step < 0)
			continue;
		if ((st = totp_code(seed, step, expected)) != STATUS_OK)
			break;
		same = secret_equal(bytes_of(expected), bytes_of(code));
		if (same & (step > last_step))
			found = step;
	}
	secret_wipe(expected, sizeof expected);
	if (st == STATUS_OK)
		*out_step = found;
	return st;
}

enum status
totp_match_pair(struct bytes seed, int64_t now_s, const char *first, const char *second, int64_t *out_step)
{
	int64_t step = TOTP_NO_STEP, before = TOTP_NO_STEP, at;
	enum status st;

	if (!totp_is_code(first))
		return STATUS_INVALID;
	if ((st = totp_match(seed, now_s, TOTP_NO_STEP, second, &step)) != STATUS_OK)
		return st;
	/* the step before, and none else; behind a wrong SECOND the same work, which matches nothing */
	at = step > 0 ? step - 1 : totp_step_at(now_s);
	if ((st = totp_match(seed, at * TOTP_PERIOD_S, step > 0 ? step - 2 : at, first, &before)) != STATUS_OK)
		return st;
	*out_step = before != TOTP_NO_STEP ? step : TOTP_NO_STEP;
	return STATUS_OK;
}
