/* calibrate.c: counterfoil calibrate: what a password hash costs on this machine, and what it could afford. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/output.h"
#include "core/base/clock.h"
#include "core/credential/password.h"

enum {
	ROUNDS = 3,                     /* the best of them counts: what disturbs is not the hash's */
	TARGET_MAX = 100000,
	STEP_KIB = 1024
};

static const struct password_cost rows[] = { { 47104, 1 }, { 19456, 2 }, { 12288, 3 }, { 65536, 3 } };

struct measured {
	double single_us, paired_us;    /* of one hash */
};

static unsigned
processors(void)
{
	long found = sysconf(_SC_NPROCESSORS_ONLN);

	return found > 0 ? (unsigned)found : 1;
}

/* --- measuring ------------------------------------------------------------------------------------------------------- */

/* COUNT hashes at once; the time of one, in microseconds; 0: it failed. */
static double
time_one(const struct argon2_kernel *kernel, struct argon2_arena *arena, const struct password_cost *cost, unsigned count)
{
	static const uint8_t salt[PASSWORD_SALT_BYTES];
	uint8_t tags[ARGON2_TOGETHER_MAX][PASSWORD_TAG_BYTES];
	struct argon2_job jobs[ARGON2_TOGETHER_MAX], *list[ARGON2_TOGETHER_MAX];
	int64_t begun_us;

	for (unsigned i = 0; i < count; i++) {
		jobs[i] = (struct argon2_job){ .memory_kib = cost->memory_kib, .passes = cost->passes, .lanes = 1,
			.password = bytes_of("calibrate"), .salt = { salt, sizeof salt }, .tag = tags[i],
			.tag_len = PASSWORD_TAG_BYTES };
		list[i] = &jobs[i];
	}
	begun_us = clock_monotonic_us();
	argon2_engine_run_on(kernel, arena, list, count);
	return jobs[0].status == STATUS_OK ? (double)(clock_monotonic_us() - begun_us) / count : 0;
}

static bool
measure(const struct argon2_kernel *kernel, const struct password_cost *cost, struct measured *out)
{
	const struct argon2_job like = { .memory_kib = cost->memory_kib, .passes = cost->passes, .lanes = 1 };
	struct argon2_arena *arena = NULL;
	double us;

	*out = (struct measured){ 0, 0 };
	if (argon2_arena_new(argon2_engine_room(&like, ARGON2_TOGETHER_MAX), &arena) != STATUS_OK ||
	    argon2_arena_warm(arena) != STATUS_OK)
		goto out;
	for (int round = 0; round < ROUNDS; round++) {
		us = time_one(kernel, arena, cost, 1);
		if (out->single_us == 0 || us < out->single_us)
			out->single_us = us;
		us = time_one(kernel, arena, cost, ARGON2_TOGETHER_MAX);
		if (out->paired_us == 0 || us < out->paired_us)
			out->paired_us = us;
	}
out:
	argon2_arena_free(&arena);
	return out->single_us > 0 && out->paired_us > 0;
}

/* --- what is wanted ------------------------------------------------------------------------------------------------------ */

/* "250ms" or "40/s", as the microseconds that one hash may take on one core.  False: neither. */
static bool
parse_target(const char *text, double *out_us)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || errno != 0 || number == 0 || number > TARGET_MAX)
		return false;
	if (strcmp(end, "ms") == 0)
		*out_us = (double)number * 1000;
	else if (strcmp(end, "/s") == 0)
		*out_us = 1e6 * processors() / (double)number;
	else
		return false;
	return true;
}

/* The strongest cost that takes at most TARGET_US where one block takes BLOCK_US: as much memory as there is time for, for
 * memory is what an attacker pays for, and a second or third pass only where that is too little for one.
 * Memory 0: nothing acceptable is so cheap. */
static struct password_cost
propose(double block_us, double target_us)
{
	for (uint32_t passes = 1; passes <= 3; passes++) {
		double fits = target_us / (block_us * passes);
		struct password_cost cost = { .passes = passes };

		cost.memory_kib = fits > PASSWORD_STORED_MEMORY_KIB_MAX ? PASSWORD_STORED_MEMORY_KIB_MAX :
		    (uint32_t)fits / STEP_KIB * STEP_KIB;
		if (password_cost_is_acceptable(&cost))
			return cost;
	}
	return (struct password_cost){ 0, 0 };
}

/* --- the command --------------------------------------------------------------------------------------------------------- */

static void
print_row(const char *kernel, const struct password_cost *cost, const struct measured *m)
{
	double best = m->paired_us < m->single_us ? m->paired_us : m->single_us;

	output_text("%-10s %7u %6u %11.1f %12.1f %14.1f %12u\n", kernel, cost->memory_kib, cost->passes, m->single_us / 1000,
	    m->paired_us / 1000, 1e6 / best, cost->memory_kib * ARGON2_TOGETHER_MAX / 1024);
}

static json_t *
json_row(const char *kernel, const struct password_cost *cost, const struct measured *m)
{
	return json_pack("{s:s, s:I, s:I, s:f, s:f}", "kernel", kernel, "memory_kib", (json_int_t)cost->memory_kib, "passes",
	    (json_int_t)cost->passes, "alone_ms", m->single_us / 1000, "paired_ms", m->paired_us / 1000);
}

/* All rows on all kernels.  *out_block_us: one block at the first row, on the kernel in use. */
static bool
measure_all(json_t *table, double *out_block_us)
{
	unsigned count;
	const struct argon2_kernel *const *kernels = argon2_engine_kernels(&count);
	struct measured m;

	for (unsigned k = 0; k < count; k++)
		for (size_t i = 0; kernels[k]->is_usable() && i < sizeof rows / sizeof rows[0]; i++) {
			if (!measure(kernels[k], &rows[i], &m))
				return false;
			if (kernels[k] == argon2_engine()->kernel && i == 0)
				*out_block_us = (m.paired_us < m.single_us ? m.paired_us : m.single_us) / rows[i].memory_kib;
			if (table != NULL)
				(void)json_array_append_new(table, json_row(kernels[k]->name, &rows[i], &m));
			else
				print_row(kernels[k]->name, &rows[i], &m);
		}
	return true;
}

static void
print_proposal(const char *target, const struct password_cost *cost, double us)
{
	if (cost->memory_kib == 0) {
		output_text("\nNothing at or above OWASP's rows is so cheap here: allow more than %s, or take more cores.\n", target);
		return;
	}
	output_text("\nFor %s on %u cores, in [realm store] or [realm staff]:\n"
	    "argon2_memory_kib = %u\nargon2_passes = %u\n"
	    "That is about %.1f ms a hash and %.1f logins a second. Slots need %u MiB.\n", target, processors(),
	    cost->memory_kib, cost->passes, us / 1000, 1e6 * processors() / us,
	    processors() * ARGON2_TOGETHER_MAX * (cost->memory_kib / 1024));
}

int
calibrate_command(const struct invocation *in)
{
	const char *target = in->operand_count > 0 ? in->operands[0] : "100ms";
	bool as_json = in->values[OPTION_JSON] != NULL;
	json_t *table = as_json ? json_array() : NULL;
	double target_us, block_us = 0;
	struct password_cost cost;

	if (!parse_target(target, &target_us)) {
		json_decref(table);
		return output_fail(EX_USAGE, "%s: say how long a hash may take, as in 100ms, or how many logins a second this "
		    "machine has to carry, as in 40/s", target);
	}
	if (!as_json)
		output_text("%-10s %7s %6s %11s %12s %14s %12s\n", "kernel", "KiB", "passes", "alone, ms", "paired, ms",
		    "per s and core", "MiB per slot");
	if (argon2_engine()->kernel == NULL || !measure_all(table, &block_us)) {
		json_decref(table);
		return output_fail(EX_UNAVAILABLE, "nothing could be measured: %s",
		    argon2_engine()->fault != NULL ? argon2_engine()->fault : "there is not enough memory");
	}
	cost = propose(block_us, target_us);
	if (as_json)
		return output_json(json_pack("{s:o, s:{s:I, s:I}}", "measured", table, "proposed", "memory_kib",
		    (json_int_t)cost.memory_kib, "passes", (json_int_t)cost.passes));
	print_proposal(target, &cost, block_us * cost.memory_kib * cost.passes);
	return EX_OK;
}
