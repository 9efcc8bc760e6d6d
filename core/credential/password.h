/* password.h: Argon2id password hashes as PHC strings.  Pure: knows no account, no clock, no storage.
 * Passwords arrive in the form that text_password() makes: NFC, bounded, never empty. */
#ifndef COUNTERFOIL_PASSWORD_H
#define COUNTERFOIL_PASSWORD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/credential/argon2_engine.h"

/* Cost of one hash (RFC 9106 section 3.1).  Lanes are always 1: a second lane buys latency only on idle cores. */
struct password_cost {
	uint32_t memory_kib;
	uint32_t passes;
};

#define PASSWORD_SALT_BYTES 16
#define PASSWORD_TAG_BYTES  32
#define PASSWORD_PHC_MAX    256                 /* with the NUL */

/* What a stored string may ask for before a byte of memory is touched; above it the row is hostile or broken. */
#define PASSWORD_STORED_MEMORY_KIB_MAX (1024 * 1024)
#define PASSWORD_STORED_PASSES_MAX     16
#define PASSWORD_STORED_LANES_MAX      8

/* Is COST at or above a row of OWASP's table (ASVS 5.0 appendix C: t=1 m>=47104; t=2 m>=19456; t>=3 m>=12288)? */
bool password_cost_is_acceptable(const struct password_cost *cost);

#define PASSWORD_SALT_MAX 48
#define PASSWORD_TAG_MAX  64

/* One hash in three parts, so that somebody else can choose when and beside what it is computed: ..._begin() prepares
 * JOB, which borrows the password and points into this struct, so neither may move; the job is run; ..._end() reads it,
 * returns its status and wipes the struct.  A job that was not run fails. */
struct password_run {
	struct argon2_job job;
	uint8_t salt[PASSWORD_SALT_MAX], tag[PASSWORD_TAG_MAX];
	uint8_t want[PASSWORD_TAG_MAX];         /* password_verify_begin(): what the tag should be */
};
enum status password_hash_begin(const struct password_cost *cost, struct bytes password,
    struct password_run *run) NODISCARD;
enum status password_hash_end(struct password_run *run, char out_phc[static PASSWORD_PHC_MAX]) NODISCARD;
enum status password_verify_begin(const char *phc, struct bytes password, struct password_run *run) NODISCARD;
enum status password_verify_end(struct password_run *run, bool *out_match) NODISCARD;

/* The three parts at once, in this thread and in memory of its own. */

/* Hash PASSWORD with a fresh salt.  OUT_PHC: "$argon2id$v=19$m=..,t=..,p=1$salt$tag".
 * STATUS_INVALID: empty password.  STATUS_NO_MEMORY.  STATUS_INTERNAL: no entropy, or the library failed. */
enum status password_hash(const struct password_cost *cost, struct bytes password,
    char out_phc[static PASSWORD_PHC_MAX]) NODISCARD;

/* Does PASSWORD belong to PHC?  *out_match is written on STATUS_OK only.
 * STATUS_INTERNAL: PHC is not an argon2id string within the caps above: an outage, never a refusal. */
enum status password_verify(const char *phc, struct bytes password, bool *out_match) NODISCARD;

/* What may be told of PHC without telling the hash: "argon2id m=..,t=.." for one of password_hash()'s shape, else "other". */
#define PASSWORD_FORM_BYTES 40                  /* with the NUL */
void password_form(const char *phc, char out[static PASSWORD_FORM_BYTES]);

/* Is a hash of FORM weaker than COST in memory or passes, or of another shape than password_hash() writes? */
bool password_form_is_weaker(const char *form, const struct password_cost *cost);
/* The same for the hash itself. */
bool password_needs_rehash(const char *phc, const struct password_cost *cost);

/* A well-formed hash of nothing anybody knows, of exactly this COST: what an unknown login is verified against. */
enum status password_decoy(const struct password_cost *cost, char out_phc[static PASSWORD_PHC_MAX]) NODISCARD;

#endif
