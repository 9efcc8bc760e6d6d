/* fuzz_pam_wire.c: any bytes as a message between the PAM module and its helper: what decodes encodes to the same bytes. */
#include <string.h>

#include "pam_module/text_rules.h"
#include "pam_module/wire.h"
#include "tests/fuzz/fuzz.h"

static void
expect_text(const char *text, size_t max)
{
	INSIST(text == NULL || (strlen(text) <= max && text_rules_hold(text, strlen(text))));
}

static void
request(const uint8_t *body, size_t len)
{
	struct wire_request decoded;
	uint8_t again[WIRE_MESSAGE_MAX];
	size_t again_len = 0;

	if (!wire_decode_request(body, len, &decoded))
		return;
	expect_text(decoded.user, WIRE_USER_MAX);
	expect_text(decoded.password, WIRE_ANSWER_MAX);
	expect_text(decoded.code, WIRE_ANSWER_MAX);
	expect_text(decoded.enroll_code, WIRE_ANSWER_MAX);
	expect_text(decoded.factor_id, WIRE_FACTOR_MAX);
	INSIST(decoded.operation >= 1 && decoded.operation < WIRE_OPERATIONS_END);
	INSIST(wire_encode_request(&decoded, again, sizeof again, &again_len));
	INSIST(again_len == WIRE_LENGTH_BYTES + len && wire_body_len(again) == len);
	INSIST(memcmp(again + WIRE_LENGTH_BYTES, body, len) == 0);
}

static void
reply(const uint8_t *body, size_t len)
{
	struct wire_reply decoded;
	uint8_t again[WIRE_MESSAGE_MAX];
	size_t again_len = 0;

	if (!wire_decode_reply(body, len, &decoded))
		return;
	expect_text(decoded.user, WIRE_USER_MAX);
	expect_text(decoded.detail, WIRE_DETAIL_MAX);
	expect_text(decoded.enroll_key, WIRE_KEY_MAX);
	expect_text(decoded.enroll_picture, WIRE_PICTURE_MAX);
	expect_text(decoded.recovery_codes, WIRE_CODES_MAX);
	INSIST(decoded.password_right <= 1 && decoded.must_change <= 1 && decoded.enrolled <= 1);
	INSIST(wire_encode_reply(&decoded, again, sizeof again, &again_len));
	INSIST(again_len == WIRE_LENGTH_BYTES + len && memcmp(again + WIRE_LENGTH_BYTES, body, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *body = malloc(len + 1);

	memcpy(body, data, len);
	request(body, len);
	reply(body, len);
	if (len >= WIRE_LENGTH_BYTES)
		INSIST(wire_body_len(data) <= WIRE_BODY_MAX);
	free(body);
	return 0;
}
