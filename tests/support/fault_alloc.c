/* fault_alloc.c: preloaded into a program under test, lets its n-th allocation fail, or its source of random bytes.
 *
 * The test shares a file with the program (COUNTERFOIL_FAULT_FILE, struct fault_plan) and arms it while the program
 * runs, so that only the request under test is hit.  Nothing is allocated here: these are the allocator's own doors. */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

struct fault_plan {
	_Atomic int64_t countdown;      /* 1: the next allocation fails; 0 or less: not armed */
	_Atomic int64_t width;          /* this many in a row fail, from there on */
	_Atomic int64_t failures;       /* how many have failed since the start */
	_Atomic int64_t allocations;    /* how many there were */
	_Atomic int64_t no_entropy;     /* 1: getrandom() fails */
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
EXPORT void *malloc(size_t size);
EXPORT void *calloc(size_t count, size_t size);
EXPORT void *realloc(void *old, size_t size);
EXPORT ssize_t getrandom(void *out, size_t len, unsigned flags);

static struct fault_plan *plan; /* set before main, while there is one thread */

/* Libraries under GnuTLS's handshake that know no failure: GMP aborts, libtasn1 uses what it did not get.  The process
 * ends, lets nobody in, and systemd starts it again; nobody above them can do better.  What they ask for is always
 * given, and faults are kept for those who can answer them. */
static const char *const spared_names[] = { "/libgmp.so", "/libtasn1.so" };
enum { SPARED_COUNT = sizeof spared_names / sizeof spared_names[0] };
static struct { uintptr_t begin, end; } spared[SPARED_COUNT];

static int
find_spared(struct dl_phdr_info *info, size_t size, void *cookie)
{
	(void)size;
	(void)cookie;
	for (int n = 0; n < SPARED_COUNT; n++) {
		if (strstr(info->dlpi_name, spared_names[n]) == NULL)
			continue;
		for (int i = 0; i < info->dlpi_phnum; i++) {
			const ElfW(Phdr) *part = &info->dlpi_phdr[i];

			if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0) {
				spared[n].begin = info->dlpi_addr + part->p_vaddr;
				spared[n].end = spared[n].begin + part->p_memsz;
			}
		}
	}
	return 0;
}

static int
is_spared(const void *caller)
{
	uintptr_t from = (uintptr_t)caller;

	for (int n = 0; n < SPARED_COUNT; n++)
		if (from >= spared[n].begin && from < spared[n].end)
			return 1;
	return 0;
}

__attribute__((constructor)) static void
fault_open(void)
{
	const char *path = getenv("COUNTERFOIL_FAULT_FILE");
	void *map;
	int fd;

	if (path == NULL || (fd = open(path, O_RDWR | O_CLOEXEC)) < 0)
		return;
	map = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	(void)dl_iterate_phdr(find_spared, NULL);
	if (map != MAP_FAILED)
		plan = map;
}

static int
must_fail(const void *caller)
{
	int64_t left;

	if (plan == NULL || is_spared(caller))
		return 0;
	atomic_fetch_add_explicit(&plan->allocations, 1, memory_order_relaxed);
	if (atomic_load_explicit(&plan->width, memory_order_relaxed) <= 0)
		return 0;
	left = atomic_fetch_sub_explicit(&plan->countdown, 1, memory_order_relaxed);
	if (left > 1 || left <= 1 - atomic_load_explicit(&plan->width, memory_order_relaxed))
		return 0;
	atomic_fetch_add_explicit(&plan->failures, 1, memory_order_relaxed);
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t size)
{
	return must_fail(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	return must_fail(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *
realloc(void *old, size_t size)
{
	return must_fail(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

ssize_t
getrandom(void *out, size_t len, unsigned flags)
{
	if (plan != NULL && atomic_load_explicit(&plan->no_entropy, memory_order_relaxed) != 0) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_getrandom, out, len, flags);
}
