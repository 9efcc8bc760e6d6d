/* bench_blocklist.c: what a look-up in the list FILE costs.  Prints entries, and nanoseconds a look-up, a line a round. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/credential/blocklist.h"

enum { ROUNDS = 15, LOOKUPS = 20000, WORD_BYTES = 48 };

static double
processor_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Passwords that are not on the list, in mixed case, so that each is looked up twice: the dearest answer there is. */
static double
round_ns(const struct blocklist *list, unsigned round)
{
	static char words[LOOKUPS][WORD_BYTES];
	double begin;

	for (unsigned i = 0; i < LOOKUPS; i++)
		(void)snprintf(words[i], WORD_BYTES, "Nobody has this One %u %u", round, i);
	begin = processor_ns();
	for (unsigned i = 0; i < LOOKUPS; i++) {
		bool found;

		if (blocklist_find(list, bytes_of(words[i]), &found) != STATUS_OK)
			exit(1);
	}
	return (processor_ns() - begin) / LOOKUPS;
}

int
main(int argc, char **argv)
{
	char error[CONFIG_ERROR_BYTES];
	struct blocklist *list = NULL;

	if (argc != 2 || blocklist_open(argv[1], &list, error) != STATUS_OK)
		return 1;
	(void)printf("%llu\n", (unsigned long long)blocklist_count(list));
	for (unsigned round = 0; round < ROUNDS; round++)
		(void)printf("%.0f\n", round_ns(list, round));
	blocklist_close(&list);
	return 0;
}
