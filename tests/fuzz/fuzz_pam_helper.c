/* fuzz_pam_helper.c: the helper of fuzz_pam_call: a reply made well, then spoilt as the input says; and the judge's own
 * reading of it, which shares no code with the module's. */
#include "pam_module/answer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_pam_world.h"

enum { HEAD_BYTES = WIRE_LENGTH_BYTES + 4, TAG_ID = 1, TAG_OPERATION = 2, TAG_ANSWER = 2, TAG_FACTORS = 4, TAG_USER = 7,
	TAG_PASSWORD = 13, TAG_CODE = 14,
	TAG_ENROLL_CODE = 21, TAG_FACTOR = 22, TAG_CODE_BEFORE = 23, TAG_PASSWORD_RIGHT = 3 };

/* --- reading ---------------------------------------------------------------------------------------------------- */

static size_t
big_endian(const uint8_t *bytes, size_t count)
{
	size_t number = 0;

	for (size_t i = 0; i < count; i++)
		number = number << 8 | bytes[i];
	return number;
}

const uint8_t *
message_field(const uint8_t *message, size_t len, const char *magic, uint8_t tag, size_t *out_len)
{
	const uint8_t *found = NULL;
	size_t at = HEAD_BYTES, size;

	if (len < HEAD_BYTES || big_endian(message, WIRE_LENGTH_BYTES) != len - WIRE_LENGTH_BYTES ||
	    memcmp(message + WIRE_LENGTH_BYTES, magic, 4) != 0)
		return NULL;
	for (; at < len; at += 3 + size) {
		if (len - at < 3 || (size = big_endian(message + at + 1, 2)) > len - at - 3)
			return NULL;
		if (message[at] == tag) {
			found = message + at + 3;
			*out_len = size;
		}
	}
	return found;
}

uint32_t
message_number(const uint8_t *message, size_t len, const char *magic, uint8_t tag)
{
	size_t size = 0;
	const uint8_t *value = message_field(message, len, magic, tag, &size);

	return value != NULL && size == 4 ? (uint32_t)big_endian(value, 4) : 0;
}

static bool
request_has(uint8_t tag)
{
	size_t len;

	return message_field(world->request, world->request_len, "CFQ1", tag, &len) != NULL;
}

static bool
same_field(uint8_t tag)
{
	size_t asked_len = 0, told_len = 0;
	const uint8_t *asked = message_field(world->request, world->request_len, "CFQ1", tag, &asked_len);
	const uint8_t *told = message_field(world->reply, world->reply_len, "CFR1", tag, &told_len);

	return asked != NULL && told != NULL && asked_len == told_len && memcmp(asked, told, asked_len) == 0;
}

/* A yes to a request that lacks a factor which it names is no yes. */
static bool
has_its_factors(uint32_t operation)
{
	uint32_t factors = message_number(world->request, world->request_len, "CFQ1", TAG_FACTORS);

	if (operation == WIRE_ENROLL_CONFIRM)
		return request_has(TAG_ENROLL_CODE) && request_has(TAG_FACTOR) && request_has(TAG_CODE_BEFORE) && request_has(TAG_CODE);
	return operation != WIRE_VERIFY || ((factors == WIRE_OTP || request_has(TAG_PASSWORD)) &&
	    (factors == WIRE_PASSWORD || request_has(TAG_CODE)));
}

void
helper_judge(void)
{
	uint32_t operation = message_number(world->request, world->request_len, "CFQ1", TAG_OPERATION);
	uint32_t answer = message_number(world->reply, world->reply_len, "CFR1", TAG_ANSWER);

	if (operation == 0 || operation >= WIRE_OPERATIONS_END || !same_field(TAG_ID) || !same_field(TAG_USER) ||
	    !has_its_factors(operation) || (world->end != CHILD_IN_ORDER && !world->end_is_hidden))
		return;
	if (answer == ANSWER_ALLOW)
		world->allowed[operation] = true;
	if (operation == WIRE_VERIFY && answer == ANSWER_NOT_ENROLLED)
		world->password_right = message_number(world->reply, world->reply_len, "CFR1", TAG_PASSWORD_RIGHT) == 1;
	if (operation == WIRE_ENROLL_START && answer == ANSWER_ENROLL_STARTED && request_has(TAG_ENROLL_CODE))
		world->enroll_started = world->password_right;
}

/* --- a good reply ----------------------------------------------------------------------------------------------- */

static const char *
some_text(const char *const *texts, unsigned count, char raw[static 400])
{
	unsigned which = take_below(count + 2);

	if (which < count)
		return texts[which];
	return take_text(raw, 400) > 0 ? raw : "x";
}

/* The default answer of a start is that it started; FLAGS 64: without what there is to show, 128: with a picture. */
static void
put_enrollment(struct wire_reply *reply, uint8_t flags)
{
	static char picture[21 * 6 + 1];
	uint32_t operation = message_number(world->request, world->request_len, "CFQ1", TAG_OPERATION);

	if ((operation != WIRE_ENROLL_START && operation != WIRE_ENROLL_CONFIRM) || (flags & 64) != 0)
		return;
	if (operation == WIRE_ENROLL_START && reply->answer == ANSWER_ALLOW && (flags & 32) == 0)
		reply->answer = ANSWER_ENROLL_STARTED;
	memset(picture, (flags & 2) != 0 ? 'a' : 'x', sizeof picture - 1);
	reply->factor_id = "12345678-1234-4234-8234-123456789012";
	reply->enroll_key = (flags & 4) != 0 ? "A" : "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	reply->enroll_picture = (flags & 128) != 0 ? picture : NULL;
	reply->recovery_codes = (flags & 8) != 0 ? NULL : "ABCD-EFGH-IJKL-MNOP-QRST-UVWX ZBCD-EFGH-IJKL-MNOP-QRST-UVWX";
}

/* What the module could not say to anybody does not go: then the helper says nothing. */
static size_t
good_reply(uint8_t out[static WIRE_MESSAGE_MAX])
{
	static const uint32_t answers[] = { ANSWER_ALLOW, ANSWER_DENY, ANSWER_UNKNOWN_USER, ANSWER_NOT_ENROLLED,
		ANSWER_THROTTLED, ANSWER_UNAVAILABLE, ANSWER_UNUSABLE, ANSWER_REFUSED, ANSWER_MISCONFIGURED, ANSWER_NO_MEMORY,
		ANSWER_INTERNAL, ANSWER_LOCKED, ANSWER_EXPIRED, ANSWER_CHANGE_REQUIRED, ANSWER_PASSWORD_REFUSED,
		ANSWER_NOT_OWN_ACCOUNT, 0, 1, 0x5afd, 99, 100, 130, ANSWER_ENROLL_STARTED };
	static const char *const reasons[] = { "granted", "wrong_code", "code_replayed", "too_short", "common" };
	static const char *const details[] = { NULL, "a file: a fault", "x\\\"y" };
	struct wire_reply reply = { .answer = answers[take_below(sizeof answers / sizeof answers[0])] };
	char reason[400], detail[400], digest[400];
	size_t len = 0, size = 0;
	const uint8_t *id = message_field(world->request, world->request_len, "CFQ1", TAG_ID, &size);
	const uint8_t *user = message_field(world->request, world->request_len, "CFQ1", TAG_USER, &size);
	uint8_t flags = take();

	INSIST(id != NULL && user != NULL);
	put_enrollment(&reply, flags);
	memcpy(reply.id, id, sizeof reply.id);
	reply.user = (const char *)user;
	reply.password_right = flags & 1;
	reply.must_change = flags >> 1 & 1;
	reply.enrolled = flags >> 2 & 1;
	reply.training_due = (flags & 8) != 0 ? 1 : (flags & 16) != 0 ? 1700600000 : 0;
	reply.minimum_points = (flags & 64) != 0 ? 12 : 0;
	reply.reason = some_text(reasons, 5, reason);
	reply.detail = some_text(details, 3, detail);
	reply.user_digest = (flags & 32) != 0 ? some_text(details, 3, digest) : NULL;
	return wire_encode_reply(&reply, out, WIRE_MESSAGE_MAX, &len) ? len : 0;
}

/* --- a bad one -------------------------------------------------------------------------------------------------- */

static size_t
change_field(uint8_t tag)
{
	size_t len = 0;
	const uint8_t *value = message_field(world->reply, world->reply_len, "CFR1", tag, &len);

	if (value != NULL && len > 0)
		world->reply[(size_t)(value - world->reply) + take_below((unsigned)len)] ^= (uint8_t)(1 + take_below(255));
	return world->reply_len;
}

static size_t
put_text(const char *text)
{
	memcpy(world->reply, text, strlen(text));
	return strlen(text);
}

static size_t
insert_bytes(size_t len)
{
	size_t at = take() + 256U * take_below(16), count = 1 + take_below(32);

	at = at < len ? at : len;
	memmove(world->reply + at + count, world->reply + at, len - at);
	for (size_t i = 0; i < count; i++)
		world->reply[at + i] = take();
	return len + count;
}

static size_t
flip_byte(size_t len)
{
	size_t at = take() + 256U * take_below(16);

	if (at < len)
		world->reply[at] ^= (uint8_t)(1 + take_below(255));
	return len;
}

/* With a length that is right again, so that what is behind it gets looked at. */
static size_t
mend_length(size_t len)
{
	if (len < HEAD_BYTES)
		return len;
	for (unsigned i = 0; i < WIRE_LENGTH_BYTES; i++)
		world->reply[i] = (uint8_t)((len - WIRE_LENGTH_BYTES) >> (24 - 8 * i));
	return len;
}

static size_t
earlier_reply(size_t len)
{
	if (len > HEAD_BYTES + 3 + WIRE_ID_BYTES)
		memcpy(world->reply + HEAD_BYTES + 3, world->earlier_id, WIRE_ID_BYTES);
	return len;
}

static size_t
spoil(size_t len)
{
	switch (take_below(13)) {
	case 1:
		return change_field(TAG_ID);
	case 2:
		return change_field(TAG_USER);
	case 3:
		return len > 0 ? take_below((unsigned)len) : 0;
	case 4:
		return insert_bytes(len);
	case 5:
		return flip_byte(len);
	case 6:
		return mend_length(insert_bytes(len));
	case 7:
		memcpy(world->reply + len, world->reply, len);
		return 2 * len;
	case 8:
		return put_text("HTTP/1.1 200 OK\r\n\r\n{\"answer\":\"allow\"}");
	case 9:
		return take_text((char *)world->reply, WIRE_MESSAGE_MAX);
	case 10:
		return earlier_reply(len);
	case 11:
		return change_field(TAG_ANSWER);
	case 12:
		return mend_length(len > HEAD_BYTES ? HEAD_BYTES + take_below((unsigned)len - HEAD_BYTES) : len);
	default:
		return len;
	}
}

/* --- a system that lies ----------------------------------------------------------------------------------------- */

static void
copy_user(void)
{
	size_t asked_len = 0, told_len = 0;
	const uint8_t *asked = message_field(world->request, world->request_len, "CFQ1", TAG_USER, &asked_len);
	const uint8_t *told = message_field(world->reply, world->reply_len, "CFR1", TAG_USER, &told_len);

	if (asked != NULL && told != NULL && asked_len == told_len)
		memcpy(world->reply + (told - world->reply), asked, asked_len);
}

/* What a module without one of its checks would believe: COUNTERFOIL_FUZZ_LIE gives it that, behind the judge's back. */
static void
lie(void)
{
	const char *what = getenv("COUNTERFOIL_FUZZ_LIE");
	size_t len = 0;
	const uint8_t *id = message_field(world->request, world->request_len, "CFQ1", TAG_ID, &len);

	if (what == NULL || id == NULL)
		return;
	if (strcmp(what, "id") == 0 && world->reply_len > HEAD_BYTES + 3 + WIRE_ID_BYTES)
		memcpy(world->reply + HEAD_BYTES + 3, id, WIRE_ID_BYTES);
	if (strcmp(what, "user") == 0)
		copy_user();
	if (strcmp(what, "end") == 0)
		world->end = CHILD_IN_ORDER;
}

/* Once for each request, when the module first looks whether there is something. */
void
helper_reply(void)
{
	size_t len = 0;
	const uint8_t *id = message_field(world->request, world->request_len, "CFQ1", TAG_ID, &len);

	if (world->replied)
		return;
	world->replied = true;
	world->reply_at = world->reply_len = 0;
	world->end = (enum child_end)take_below(CHILD_ENDS);
	if (id == NULL)
		return;         /* half a request gets no reply */
	world->reply_len = good_reply(world->reply);
	world->reply_len = spoil(world->reply_len);
	helper_judge();
	memcpy(world->earlier_id, id, WIRE_ID_BYTES);
	lie();
}
