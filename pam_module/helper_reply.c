#include "pam_module/helper_reply.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "core/base/encoding.h"
#include "core/base/text.h"
#include "core/credential/ssh_key.h"

enum { DIGEST_SHOWN_BYTES = 4 };        /* enough to see that two lines are about one name, too few to guess it by */

void
helper_reply_begin(const struct wire_request *request, struct helper_reply *out)
{
	*out = (struct helper_reply){ .wire = { .answer = ANSWER_DENY, .user = request->user } };
	memcpy(out->wire.id, request->id, sizeof out->wire.id);
	helper_reply_set(out, ANSWER_DENY, "denied", NULL);
}

void
helper_reply_set(struct helper_reply *reply, enum answer answer, const char *reason, const char *detail)
{
	reply->wire.answer = (uint32_t)answer;
	(void)snprintf(reply->reason, sizeof reply->reason, "%s", reason[0] != '\0' ? reason : "none");
	reply->wire.reason = reply->reason;
	if (detail != NULL && detail[0] != '\0')
		helper_reply_say(reply, detail);
}

void
helper_reply_say(struct helper_reply *reply, const char *detail)
{
	text_sanitize(bytes_of(detail), reply->detail, sizeof reply->detail);
	reply->wire.detail = reply->detail;
}

static void
describe_user(struct helper_reply *reply, const char *user)
{
	static const char prefix[] = "sha256:";
	uint8_t digest[crypto_hash_sha256_BYTES];

	(void)crypto_hash_sha256(digest, (const uint8_t *)user, strlen(user));
	memcpy(reply->user_digest, prefix, sizeof prefix);
	encoding_hex((struct bytes){ digest, DIGEST_SHOWN_BYTES }, reply->user_digest + sizeof prefix - 1);
	reply->wire.user_digest = reply->user_digest;
}

void
helper_reply_describe(struct helper_reply *reply, const struct wire_request *request)
{
	if (request->ssh_key != NULL && ssh_key_fingerprint(request->ssh_key, reply->ssh_key))
		reply->wire.ssh_key = reply->ssh_key;
	describe_user(reply, request->user);
}
