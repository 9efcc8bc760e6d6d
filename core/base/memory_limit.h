/* memory_limit.h: how much memory this process may have. */
#ifndef COUNTERFOIL_MEMORY_LIMIT_H
#define COUNTERFOIL_MEMORY_LIMIT_H

#include <stdint.h>

#define MEMORY_LIMIT_NAME_MAX 1024

/* The least of the machine's memory and the limits of the control groups (version 1 or 2) that this process is in, in
 * bytes.  OUT_NAME: what set it, for an error message.  0: nothing could be found out. */
uint64_t memory_limit(char out_name[static MEMORY_LIMIT_NAME_MAX]);

/* The same, with other folders in the place of /proc and /sys/fs/cgroup: for tests. */
uint64_t memory_limit_in(const char *proc, const char *cgroup, char out_name[static MEMORY_LIMIT_NAME_MAX]);

#endif
