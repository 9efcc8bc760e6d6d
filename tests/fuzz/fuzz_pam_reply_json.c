/* fuzz_pam_reply_json.c: any bytes as the service's reply to a PAM host.  The first says how the reply is dressed, the second
 * what was asked; the others are the body.  An allow needs the code under the host's key, and a body that names this request,
 * user and host; what is shown of an authenticator needs them too. */
#include <string.h>

#include "core/credential/pam_reply_mac.h"
#include "pam_module/authd_reply.h"
#include "tests/fuzz/fuzz.h"

#define REQUEST_ID "3f2b8c1e-5a77-4d0e-9c53-0c9d6e1f2a4b"
#define HOST       "2f00112233445566"
#define CODE_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567- "
#define SECRET     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ"

enum dress { SIGNED = 1, STATUS_503 = 2, CUT = 4, ENCODED = 8, HTML = 16, OTHER_OPERATION = 32, OTHER_KEY = 64, OTHER_STATUS = 128 };

enum { HEAD_BYTES = 2 };

static const struct { enum wire_operation operation; const char *name; } asked[] = {
	{ WIRE_VERIFY, "verify" }, { WIRE_DECOY, "decoy" }, { WIRE_ENROLL_START, "start" }, { WIRE_ENROLL_CONFIRM, "confirm" },
};

static void
dress(const struct pam_reply_bound *bound, uint8_t how, struct https_reply *https)
{
	struct pam_reply_bound signed_as = *bound;

	https->status = how & STATUS_503 ? 503 : how & OTHER_STATUS ? 201 : 200;
	https->is_whole = !(how & CUT);
	https->is_encoded = how & ENCODED;
	(void)snprintf(https->content_type, sizeof https->content_type, "%s", how & HTML ? "text/html" : "application/json");
	if (how & OTHER_KEY)
		signed_as.secret = bytes_of("BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ");
	if (how & OTHER_OPERATION)
		signed_as.operation = "look";
	if (how & SIGNED)
		INSIST(pam_reply_mac(&signed_as, https->mac) == STATUS_OK);
	else    /* a code that begins like the body */
		memcpy(https->mac, https->body, https->len < PAM_REPLY_MAC_TEXT_BYTES ? https->len : PAM_REPLY_MAC_TEXT_BYTES - 1);
}

static bool
body_has(const struct https_reply *https, const char *text)
{
	return memmem(https->body, https->len, text, strlen(text)) != NULL;
}

/* A string may be spelled with escapes: then the words are not there as they are. */
static void
expect_right(const struct https_reply *https, uint8_t how, const char *answer)
{
	bool is_plain = memchr(https->body, '\\', https->len) == NULL;

	INSIST(how == SIGNED);
	INSIST(!is_plain || (body_has(https, answer) && body_has(https, "\"" REQUEST_ID "\"") &&
	    body_has(https, "\"alice\"") && body_has(https, "\"" HOST "\"")));
}

/* Whatever is shown comes from a right reply to the one question that it belongs to, and is fit for a terminal. */
static void
expect_shown(const struct wire_reply *wire, enum wire_operation operation)
{
	bool has_started = wire->answer == (uint32_t)ANSWER_ENROLL_STARTED;

	INSIST(has_started == (wire->enroll_key != NULL) && has_started == (wire->factor_id != NULL));
	INSIST((wire->enroll_picture == NULL && wire->enroll_url == NULL) || has_started);
	INSIST(wire->enroll_url == NULL || strncmp(wire->enroll_url, "https://", 8) == 0);
	for (const char *at = wire->enroll_url; at != NULL && *at != '\0'; at++)
		INSIST(*at > ' ' && *at < 0x7f);
	INSIST(!has_started || operation == WIRE_ENROLL_START);
	INSIST(wire->recovery_codes == NULL || (operation == WIRE_ENROLL_CONFIRM && wire->answer == (uint32_t)ANSWER_ALLOW));
	INSIST(wire->enroll_key == NULL || wire->enroll_key[strspn(wire->enroll_key, CODE_CHARACTERS)] == '\0');
	INSIST(wire->recovery_codes == NULL || wire->recovery_codes[strspn(wire->recovery_codes, CODE_CHARACTERS)] == '\0');
}

static void
expect_bounds(const struct helper_reply *reply)
{
	uint8_t message[WIRE_MESSAGE_MAX];
	size_t len;

	INSIST(answer_of_wire(reply->wire.answer) != ANSWER_NONE);
	INSIST(reply->wire.password_right <= 1 && reply->wire.must_change <= 1 && reply->wire.enrolled <= 1);
	INSIST(wire_encode_reply(&reply->wire, message, sizeof message, &len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t which = len > 1 ? data[1] % (sizeof asked / sizeof asked[0]) : 0;
	bool may_bring_ticket = asked[which].operation == WIRE_VERIFY;
	const struct wire_request request = { .operation = asked[which].operation, .user = "alice", .service = "sshd",
	    .offline = may_bring_ticket ? WIRE_OFFLINE_TICKET : WIRE_OFFLINE_NO };
	struct authd_question question = { .request = &request, .request_id = REQUEST_ID,
	    .operation = asked[which].name, .host = HOST, .secret = bytes_of(SECRET),
	    .body = bytes_of("{\"user\":\"alice\"}") };
	struct pam_reply_bound bound = { .secret = question.secret, .request_id = REQUEST_ID,
	    .operation = question.operation, .host = HOST, .request = question.body };
	struct https_reply https = { .status = 0 };
	struct helper_reply reply;

	if (len < HEAD_BYTES || len - HEAD_BYTES > HTTPS_BODY_MAX)
		return 0;
	https.len = len - HEAD_BYTES;
	memcpy(https.body, data + HEAD_BYTES, https.len);
	bound.reply = (struct bytes){ https.body, https.len };
	dress(&bound, data[0], &https);
	helper_reply_begin(&request, &reply);
	authd_reply_take(&question, &https, &reply);
	expect_bounds(&reply);
	expect_shown(&reply.wire, asked[which].operation);
	INSIST(memchr(reply.ticket, '\0', sizeof reply.ticket) != NULL);
	INSIST(reply.ticket[0] == '\0' || (may_bring_ticket && data[0] == SIGNED));
	if (reply.wire.answer == (uint32_t)ANSWER_ALLOW) {
		INSIST(which == 0 || asked[which].operation == WIRE_ENROLL_CONFIRM);
		expect_right(&https, data[0], "\"allow\"");
	} else if (reply.wire.answer == (uint32_t)ANSWER_ENROLL_STARTED) {
		expect_right(&https, data[0], "\"enroll_started\"");
	}
	if (https.status == 200 && !pam_reply_mac_holds(&bound, https.mac))
		INSIST(reply.wire.answer == (uint32_t)ANSWER_UNUSABLE);
	return 0;
}
