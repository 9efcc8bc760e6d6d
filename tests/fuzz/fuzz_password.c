/* fuzz_password.c: any string as a stored hash: taken within its caps and in agreement with libargon2, or refused before a
 * byte of memory is asked for.  A hash of more than a tiny cost is parsed only. */
#include <string.h>

#include <argon2.h>

#include "core/credential/password.h"
#include "tests/fuzz/fuzz.h"

#define PASSWORD "password"

/* The numbers as a careless reader would see them. */
static bool
is_tiny(const char *phc)
{
	unsigned long memory_kib, passes;

	return sscanf(phc, "$argon2id$v=19$m=%lu,t=%lu", &memory_kib, &passes) == 2 && memory_kib <= 128 && passes <= 2;
}

static void
verify(const char *phc)
{
	bool match = false;
	int judge;

	if (password_verify(phc, bytes_of(PASSWORD), &match) != STATUS_OK)
		return;
	judge = argon2id_verify(phc, PASSWORD, strlen(PASSWORD));
	INSIST(judge == (match ? ARGON2_OK : ARGON2_VERIFY_MISMATCH));
	INSIST(password_verify(phc, bytes_of(NULL), &match) == STATUS_OK && !match);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct password_cost least = { .memory_kib = 1, .passes = 1 };
	char *phc = malloc(len + 1);
	bool match = true;

	memcpy(phc, data, len);
	phc[len] = '\0';
	(void)password_needs_rehash(phc, &least);
	if (is_tiny(phc))
		verify(phc);
	else if (password_needs_rehash(phc, &least) && strstr(phc, "$argon2id$v=19$m=") != phc)
		INSIST(password_verify(phc, bytes_of(PASSWORD), &match) == STATUS_INTERNAL && match);
	free(phc);
	return 0;
}
