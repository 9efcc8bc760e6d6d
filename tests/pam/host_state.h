/* host_state.h: everything of a process that a module of its could have changed behind its back. */
#ifndef COUNTERFOIL_TESTS_HOST_STATE_H
#define COUNTERFOIL_TESTS_HOST_STATE_H

#define HOST_STATE_MAX_BYTES 65536

struct host_state { char text[HOST_STATE_MAX_BYTES]; };

/* One line a thing: descriptors and where they lead, signal dispositions and mask, umask, locale, environment, working
 * directory, ids, groups, threads, children, resource limits, timers. */
void host_state_take(struct host_state *out);

/* The first line that differs, or NULL. */
const char *host_state_difference(const struct host_state *before, const struct host_state *after);

#endif
