/* test_ssh_key.c: fingerprints as ssh-keygen -l writes them. */
#include "core/credential/ssh_key.h"

#include <string.h>

#include "tests/support/unit.h"

#define KEY         "AAAAC3NzaC1lZDI1NTE5AAAAIKiCkacrlYj/PV65gKxjpDpEZLGsity2pzk77yuY61hs"
#define FINGERPRINT "SHA256:KB/K+YzaIcXpR2Ns8Pu2wDNFHk+MNq+ATcL/easb90U"      /* ssh-keygen -l of OpenSSH 9.2 */

static void
a_fingerprint_is_that_of_ssh_keygen_whatever_the_comment(void **state)
{
	static const char *const keys[] = { "ssh-ed25519 " KEY, "ssh-ed25519 " KEY " alice@example.com" };
	char out[SSH_KEY_FINGERPRINT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		assert_true(ssh_key_fingerprint(keys[i], out));
		assert_string_equal(out, FINGERPRINT);
	}
}

static void
what_is_no_key_has_no_fingerprint(void **state)
{
	static const char *const none[] = { "", " ", "ssh-ed25519", "ssh-ed25519 ", KEY, "ssh-ed25519 !" };
	char out[SSH_KEY_FINGERPRINT_BYTES] = "as it was", endless[2 * SSH_KEY_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		assert_false(ssh_key_fingerprint(none[i], out));
	memset(endless, 'A', sizeof endless);
	memcpy(endless, "ssh-rsa ", 8);
	endless[sizeof endless - 1] = '\0';
	assert_false(ssh_key_fingerprint(endless, out));
	assert_string_equal(out, "as it was");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fingerprint_is_that_of_ssh_keygen_whatever_the_comment),
		cmocka_unit_test(what_is_no_key_has_no_fingerprint),
	};

	return cmocka_run_group_tests_name("ssh_key", tests, NULL, NULL);
}
