#include "core/base/memory_limit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 512, LINE_BYTES = 512 };

struct limit {
	uint64_t bytes;                 /* 0: none known */
	char *name;
};

static void
lower(struct limit *limit, uint64_t bytes, const char *name)
{
	if (bytes == 0 || (limit->bytes != 0 && limit->bytes <= bytes))
		return;
	limit->bytes = bytes;
	(void)snprintf(limit->name, MEMORY_LIMIT_NAME_MAX, "%s", name);
}

static void
look_at_machine(const char *proc, struct limit *limit)
{
	char path[PATH_BYTES], line[LINE_BYTES];
	unsigned long long kib;
	FILE *in;

	(void)snprintf(path, sizeof path, "%s/meminfo", proc);
	if ((in = fopen(path, "re")) == NULL)
		return;
	while (fgets(line, sizeof line, in) != NULL)
		if (sscanf(line, "MemTotal: %llu kB", &kib) == 1)
			lower(limit, kib * 1024, "the machine's memory");
	(void)fclose(in);
}

/* One number, or "max". */
static void
look_at_file(const char *path, struct limit *limit)
{
	char line[LINE_BYTES], *end;
	unsigned long long bytes;
	FILE *in = fopen(path, "re");

	if (in == NULL)
		return;
	if (fgets(line, sizeof line, in) != NULL) {
		bytes = strtoull(line, &end, 10);
		if (end != line)
			lower(limit, bytes, path);
	}
	(void)fclose(in);
}

/* The group GROUP below ROOT, and all that it is inside of: each may set a limit. */
static void
look_at_groups(const char *root, const char *group, const char *file, struct limit *limit)
{
	char inner[PATH_BYTES], path[2 * PATH_BYTES];
	char *slash;

	(void)snprintf(inner, sizeof inner, "%s", group);
	for (;;) {
		(void)snprintf(path, sizeof path, "%s%s/%s", root, strcmp(inner, "/") == 0 ? "" : inner, file);
		look_at_file(path, limit);
		if ((slash = strrchr(inner, '/')) == NULL)
			return;
		*slash = '\0';
	}
}

/* A line of /proc/self/cgroup, "0::/system.slice/x" in version 2, "5:memory:/x" in version 1. */
static void
look_at_line(char *line, const char *cgroup, struct limit *limit)
{
	char root[PATH_BYTES];
	char *controllers = strchr(line, ':');
	char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;

	if (group == NULL)
		return;
	*group++ = '\0';
	group[strcspn(group, "\n")] = '\0';
	if (controllers[1] == '\0') {
		look_at_groups(cgroup, group, "memory.max", limit);
	} else if (strcmp(controllers + 1, "memory") == 0) {
		(void)snprintf(root, sizeof root, "%s/memory", cgroup);
		look_at_groups(root, group, "memory.limit_in_bytes", limit);
	}
}

uint64_t
memory_limit_in(const char *proc, const char *cgroup, char out_name[static MEMORY_LIMIT_NAME_MAX])
{
	struct limit limit = { 0, out_name };
	char path[PATH_BYTES], line[LINE_BYTES];
	FILE *in;

	out_name[0] = '\0';
	look_at_machine(proc, &limit);
	(void)snprintf(path, sizeof path, "%s/self/cgroup", proc);
	if ((in = fopen(path, "re")) != NULL) {
		while (fgets(line, sizeof line, in) != NULL)
			look_at_line(line, cgroup, &limit);
		(void)fclose(in);
	}
	return limit.bytes;
}

uint64_t
memory_limit(char out_name[static MEMORY_LIMIT_NAME_MAX])
{
	return memory_limit_in("/proc", "/sys/fs/cgroup", out_name);
}
