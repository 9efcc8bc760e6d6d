/* lying_argon2.c: preloaded into a program under test, a libargon2 whose argon2id_hash_raw() has one wrong bit in what it
 * gives, so that the judge of our kernel and the kernel differ.  argon2id_ctx(), which hashes passwords when ours is off,
 * stays as it is. */
#include <argon2.h>
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

__attribute__((visibility("default"))) int
argon2id_hash_raw(const uint32_t passes, const uint32_t memory_kib, const uint32_t lanes, const void *password,
    const size_t password_len, const void *salt, const size_t salt_len, void *tag, const size_t tag_len)
{
	int (*honest)(uint32_t, uint32_t, uint32_t, const void *, size_t, const void *, size_t, void *, size_t);
	void *found = dlsym(RTLD_NEXT, "argon2id_hash_raw");
	int result;

	memcpy(&honest, &found, sizeof honest);         /* ISO C knows no cast from an object to a function */
	result = honest(passes, memory_kib, lanes, password, password_len, salt, salt_len, tag, tag_len);
	((uint8_t *)tag)[tag_len - 1] ^= 1;
	return result;
}
