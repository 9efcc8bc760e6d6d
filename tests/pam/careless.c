/* careless.c: preloaded, it makes of everything that keeps secrets out of a core nothing: neither wiped nor given back, dumped
 * like the rest, no limit.  What a test finds then, and not without it, it has looked for indeed. */
#include <stddef.h>

void careless_bzero(void *data, size_t len) __asm__("explicit_bzero");
void careless_bzero_chk(void *data, size_t len, size_t room) __asm__("__explicit_bzero_chk");
void careless_memzero(void *data, size_t len) __asm__("sodium_memzero");
int careless_munmap(void *pages, size_t len) __asm__("munmap");
int careless_madvise(void *pages, size_t len, int advice) __asm__("madvise");
int careless_prctl(int option) __asm__("prctl");
int careless_setrlimit(int which, const void *limit) __asm__("setrlimit");
int careless_setrlimit64(int which, const void *limit) __asm__("setrlimit64");

void
careless_bzero(void *data, size_t len)
{
	(void)data;
	(void)len;
}

void
careless_bzero_chk(void *data, size_t len, size_t room)
{
	(void)data;
	(void)len;
	(void)room;
}

void
careless_memzero(void *data, size_t len)
{
	(void)data;
	(void)len;
}

int
careless_munmap(void *pages, size_t len)
{
	(void)pages;
	(void)len;
	return 0;
}

int
careless_madvise(void *pages, size_t len, int advice)
{
	(void)pages;
	(void)len;
	(void)advice;
	return 0;
}

int
careless_prctl(int option)
{
	(void)option;
	return 0;
}

int
careless_setrlimit(int which, const void *limit)
{
	(void)which;
	(void)limit;
	return 0;
}

int
careless_setrlimit64(int which, const void *limit)
{
	(void)which;
	(void)limit;
	return 0;
}
