/* bench_code_step.c: accounts with an authenticator and a challenge that waits for its code, as rows for COPY, so that the
 * code step can be measured without a hash for each.  Prints, tabs between: account, factor, seed (sealed), its key's
 * number, digest of the challenge, challenge, code of the present time step. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/encoding.h"
#include "core/base/entropy.h"
#include "core/credential/keyring.h"
#include "core/credential/seal.h"
#include "core/credential/token.h"
#include "core/credential/totp.h"

static void
must(enum status st, const char *what)
{
	if (st == STATUS_OK)
		return;
	(void)fprintf(stderr, "bench_code_step: %s: %s\n", what, status_name(st));
	exit(1);
}

static void
print_hex(const uint8_t *bytes, size_t len)
{
	(void)printf("\t\\\\x");         /* COPY takes the backslash doubled */
	for (size_t i = 0; i < len; i++)
		(void)printf("%02x", bytes[i]);
}

static void
print_one(const struct keyring *keyring)
{
	uint8_t seed[TOTP_SEED_BYTES], sealed[TOTP_SEED_BYTES + SEAL_OVERHEAD_BYTES], raw[TOKEN_RAW_BYTES], digest[DIGEST_BYTES];
	char account[UUID_TEXT_BYTES], factor[UUID_TEXT_BYTES], challenge[TOKEN_TEXT_BYTES], code[TOTP_DIGITS + 1];
	const struct seal_place place = { REALM_STORE, "factor.seed", factor, account };
	int key_id;

	must(entropy_uuid(account), "entropy");
	must(entropy_uuid(factor), "entropy");
	must(entropy_fill(seed, sizeof seed), "entropy");
	must(seal_close(keyring, &place, (struct bytes){ seed, sizeof seed }, sealed, &key_id), "seal");
	must(token_generate(challenge), "token");
	must(token_parse(challenge, TOKEN_TEXT_BYTES - 1, raw), "token");
	must(keyring_digest(keyring, REALM_STORE, "challenge", (struct bytes){ raw, sizeof raw }, digest), "digest");
	must(totp_code((struct bytes){ seed, sizeof seed }, totp_step_at(clock_now_s()), code), "code");
	(void)printf("%s\t%s", account, factor);
	print_hex(sealed, sizeof sealed);
	(void)printf("\t%d", key_id);
	print_hex(digest, sizeof digest);
	(void)printf("\t%s\t%s\n", challenge, code);
}

int
main(int argc, char **argv)
{
	char error[CONFIG_ERROR_BYTES] = "";
	struct keyring *keyring = NULL;

	if (argc != 3 || sodium_init() < 0 || keyring_open(argv[1], &keyring, error) != STATUS_OK) {
		(void)fprintf(stderr, "usage: bench_code_step KEYRING COUNT\n%s\n", error);
		return 1;
	}
	for (long left = strtol(argv[2], NULL, 10); left > 0; left--)
		print_one(keyring);
	keyring_free(&keyring);
	return 0;
}
