/* test_memory_limit.c: the machine's memory and the limits of control groups, the least of which counts. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/memory_limit.h"

static char top[] = "/tmp/counterfoil-memory-XXXXXX";

static void
put(const char *path, const char *text)
{
	char full[512], *slash;
	FILE *out;

	(void)snprintf(full, sizeof full, "%s/%s", top, path);
	for (slash = strchr(full + strlen(top) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(full, 0700);
		*slash = '/';
	}
	assert_non_null(out = fopen(full, "we"));
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static uint64_t
limit(char name[static MEMORY_LIMIT_NAME_MAX])
{
	char proc[300], cgroup[300];

	(void)snprintf(proc, sizeof proc, "%s/proc", top);
	(void)snprintf(cgroup, sizeof cgroup, "%s/cgroup", top);
	return memory_limit_in(proc, cgroup, name);
}

static void
nothing_known_is_no_limit(void **state)
{
	char name[MEMORY_LIMIT_NAME_MAX] = "x";

	(void)state;
	assert_int_equal(limit(name), 0);
	assert_string_equal(name, "");
}

static void
the_machine_is_a_limit(void **state)
{
	char name[MEMORY_LIMIT_NAME_MAX];

	(void)state;
	put("proc/meminfo", "MemFree: 1 kB\nMemTotal:        4096 kB\n");
	assert_int_equal(limit(name), 4096 * 1024);
	assert_string_equal(name, "the machine's memory");
}

static void
any_group_around_may_set_a_lower_one(void **state)
{
	char name[MEMORY_LIMIT_NAME_MAX];

	(void)state;
	put("proc/self/cgroup", "0::/system.slice/authd.service\n");
	put("cgroup/system.slice/authd.service/memory.max", "max\n");
	put("cgroup/system.slice/memory.max", "2097152\n");
	assert_int_equal(limit(name), 2097152);
	assert_non_null(strstr(name, "/cgroup/system.slice/memory.max"));
	put("cgroup/system.slice/authd.service/memory.max", "1048576\n");
	assert_int_equal(limit(name), 1048576);
	put("cgroup/system.slice/authd.service/memory.max", "9999999999999\n");
	assert_int_equal(limit(name), 2097152);
}

static void
version_1_is_known_too(void **state)
{
	char name[MEMORY_LIMIT_NAME_MAX];

	(void)state;
	put("proc/self/cgroup", "3:cpu:/a\nnonsense\n5:memory:/box\n");
	put("cgroup/memory/box/memory.limit_in_bytes", "524288\n");
	assert_int_equal(limit(name), 524288);
}

static void
this_process_has_a_limit(void **state)
{
	char name[MEMORY_LIMIT_NAME_MAX];

	(void)state;
	assert_true(memory_limit(name) > 1024 * 1024);
	assert_true(name[0] != '\0');
}

static int
make_top(void **state)
{
	(void)state;
	return mkdtemp(top) != NULL ? 0 : -1;
}

static int
remove_top(void **state)
{
	char command[300];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -rf '%s'", top);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_known_is_no_limit),
		cmocka_unit_test(the_machine_is_a_limit),
		cmocka_unit_test(any_group_around_may_set_a_lower_one),
		cmocka_unit_test(version_1_is_known_too),
		cmocka_unit_test(this_process_has_a_limit),
	};

	return cmocka_run_group_tests(tests, make_top, remove_top);
}
