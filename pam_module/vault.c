#include "pam_module/vault.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

struct vault *
vault_open(void)
{
	void *pages = mmap(NULL, sizeof(struct vault), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		return NULL;
	/* Each is a layer more; where the kernel refuses one, the wiping still holds. */
	(void)madvise(pages, sizeof(struct vault), MADV_DONTDUMP);
	(void)madvise(pages, sizeof(struct vault), MADV_WIPEONFORK);
	(void)mlock(pages, sizeof(struct vault));
	return pages;
}

void
vault_clear_answers(struct vault *vault)
{
	explicit_bzero(vault, offsetof(struct vault, reply));
}

void
vault_close(struct vault **vault)
{
	if (*vault == NULL)
		return;
	explicit_bzero(*vault, sizeof **vault);
	(void)munmap(*vault, sizeof **vault);
	*vault = NULL;
}
