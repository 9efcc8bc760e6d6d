/* fuzz_offline_ticket.c: any bytes as a ticket and as a host's file of keys, the first time as they are and the second time
 * in the place of a signature: nothing that nobody signed is good, and what is signed is good in its time only. */
#include <stdio.h>
#include <string.h>

#include "core/credential/offline_ticket.h"
#include "tests/fuzz/fuzz.h"

#define NOW INT64_C(1795522736)

static const uint8_t seed[OFFLINE_TICKET_SEED_BYTES] = "thirty-two bytes of a known seed";
static const struct offline_ticket_bound bound = { "alice", "2f00112233445566", "SHA256:AAAA" };

static void
try_forged(struct bytes data, const struct offline_ticket_keys *keys)
{
	char text[2 * OFFLINE_TICKET_TEXT_BYTES];
	struct offline_ticket_life life;
	int n = snprintf(text, sizeof text, "cft1.%lld.%lld.%.*s", (long long)NOW, (long long)NOW + 60,
	    (int)(data.len < OFFLINE_TICKET_TEXT_BYTES ? data.len : OFFLINE_TICKET_TEXT_BYTES), (const char *)data.data);

	INSIST(n > 0);
	INSIST(offline_ticket_judge(bytes_of(text), &bound, keys, NOW, &life) == OFFLINE_TICKET_INVALID);
}

/* The first sixteen bytes are two times. */
static void
try_signed(const uint8_t *data, const struct offline_ticket_keys *keys)
{
	char text[OFFLINE_TICKET_TEXT_BYTES];
	struct offline_ticket_life life, read = { 0, 0 };

	memcpy(&life, data, sizeof life);
	if (offline_ticket_sign(seed, &bound, &life, text) != STATUS_OK)
		return;
	INSIST(life.expires_at_s > life.issued_at_s && life.expires_at_s - life.issued_at_s <= OFFLINE_TICKET_LIFE_MAX_S);
	INSIST(strlen(text) < sizeof text);
	INSIST(offline_ticket_judge(bytes_of(text), &bound, keys, life.issued_at_s, &read) == OFFLINE_TICKET_GOOD);
	INSIST(read.issued_at_s == life.issued_at_s && read.expires_at_s == life.expires_at_s);
	INSIST(offline_ticket_judge(bytes_of(text), &bound, keys, life.expires_at_s, &read) == OFFLINE_TICKET_EXPIRED);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char line[OFFLINE_TICKET_KEY_LINE_BYTES];
	struct offline_ticket_keys ours, theirs;
	struct offline_ticket_life life;
	enum status st = offline_ticket_keys_parse((struct bytes){ data, len }, &theirs);

	INSIST(st == STATUS_OK ? theirs.count > 0 && theirs.count <= OFFLINE_TICKET_KEYS_MAX : theirs.count == 0);
	offline_ticket_key_line(seed, line);
	INSIST(offline_ticket_keys_parse(bytes_of(line), &ours) == STATUS_OK && ours.count == 1);
	INSIST(offline_ticket_judge((struct bytes){ data, len }, &bound, &ours, NOW, &life) == OFFLINE_TICKET_INVALID);
	if (len > 0)
		try_forged((struct bytes){ data, len }, &ours);
	if (len >= sizeof(struct offline_ticket_life))
		try_signed(data, &ours);
	return 0;
}
