#include "pam_module/helper_reply.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "core/base/encoding.h"
#include "core/base/secret.h"
#include "core/base/text.h"
#include "core/credential/qr.h"
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

static enum status
draw(const char *uri, char out[static WIRE_PICTURE_MAX + 1])
{
	struct secret *modules = NULL;
	enum status st = qr_modules(bytes_of(uri), &modules);
	struct bytes view = { NULL, 0 };

	if (st == STATUS_OK)
		view = secret_view(modules);
	if (view.len > WIRE_PICTURE_MAX)
		view.len = 0;
	if (view.len > 0)
		memcpy(out, view.data, view.len);
	out[view.len] = '\0';
	secret_free(&modules);
	return st;
}

enum status
helper_reply_enrollment(struct helper_reply *reply, const char *factor_id, const char *key, const char *uri)
{
	size_t id_len = strlen(factor_id), key_len = strlen(key);
	enum status st;

	if (id_len == 0 || id_len > WIRE_FACTOR_MAX || key_len == 0 || key_len > WIRE_KEY_MAX)
		return STATUS_INVALID;
	if ((st = draw(uri, reply->enroll_picture)) != STATUS_OK)
		return st;
	memcpy(reply->factor_id, factor_id, id_len + 1);
	memcpy(reply->enroll_key, key, key_len + 1);
	reply->wire.factor_id = reply->factor_id;
	reply->wire.enroll_key = reply->enroll_key;
	reply->wire.enroll_picture = reply->enroll_picture[0] != '\0' ? reply->enroll_picture : NULL;
	return STATUS_OK;
}

void
helper_reply_enroll_url(struct helper_reply *reply, const char *url)
{
	(void)snprintf(reply->enroll_url, sizeof reply->enroll_url, "%s", url);
	reply->wire.enroll_url = reply->enroll_url;
}

void
helper_reply_recovery_codes(struct helper_reply *reply, const char *codes)
{
	(void)snprintf(reply->recovery_codes, sizeof reply->recovery_codes, "%s", codes);
	reply->wire.recovery_codes = reply->recovery_codes;
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
