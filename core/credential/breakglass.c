#include "core/credential/breakglass.h"

#include <string.h>

#include "core/base/secret.h"

struct breakglass_person *
breakglass_find(struct breakglass *from, const char *login)
{
	for (unsigned i = 0; i < from->person_count; i++)
		if (strcmp(from->people[i].login, login) == 0)
			return &from->people[i];
	return NULL;
}

/* What is hashed: code, host, expiry and login, each but the last of a fixed length. */
struct bound_code {
	size_t len;
	uint8_t data[RECOVERY_CODE_RAW_BYTES + BREAKGLASS_HOST_BYTES + sizeof(int64_t) + TEXT_LOGIN_MAX_BYTES];
};

static enum status
bind(const struct breakglass *of, const struct breakglass_person *person, const char *code, struct bound_code *out)
{
	size_t at = RECOVERY_CODE_RAW_BYTES, login_len = strlen(person->login);
	uint64_t expires = (uint64_t)person->expires_at_s;
	enum status st;

	if ((st = recovery_code_parse(code, out->data)) != STATUS_OK)
		return st;
	memcpy(out->data + at, of->host, BREAKGLASS_HOST_BYTES);
	at += BREAKGLASS_HOST_BYTES;
	for (unsigned shift = 64; shift > 0; shift -= 8)
		out->data[at++] = (uint8_t)(expires >> (shift - 8));
	memcpy(out->data + at, person->login, login_len);
	out->len = at + login_len;
	return STATUS_OK;
}

enum status
breakglass_tag(const struct breakglass *of, const struct breakglass_person *person, const char *code,
    uint8_t out[static BREAKGLASS_TAG_BYTES])
{
	struct bound_code bound;
	struct argon2_job job = { .memory_kib = person->cost.memory_kib, .passes = person->cost.passes, .lanes = 1,
	    .salt = { person->salt, BREAKGLASS_SALT_BYTES }, .tag = out, .tag_len = BREAKGLASS_TAG_BYTES };
	enum status st = bind(of, person, code, &bound);

	if (st == STATUS_OK) {
		job.password = (struct bytes){ bound.data, bound.len };
		argon2_engine_run_alone(&job);
		st = job.status;
	}
	secret_wipe(&bound, sizeof bound);
	return st;
}

enum status
breakglass_issue(struct breakglass *to, const char *login, unsigned count, const struct password_cost *cost,
    int64_t now_s, int64_t expires_at_s, char codes[static BREAKGLASS_CODES_MAX][RECOVERY_CODE_TEXT_BYTES])
{
	struct breakglass_person *person = breakglass_find(to, login), fresh = { .issued_at_s = now_s,
	    .expires_at_s = expires_at_s, .cost = *cost, .code_count = count };
	size_t len = strlen(login);
	enum status st;

	if (count < 1 || count > BREAKGLASS_CODES_MAX || len > TEXT_LOGIN_MAX_BYTES)
		return STATUS_INVALID;
	if (person == NULL && to->person_count == BREAKGLASS_PEOPLE_MAX)
		return STATUS_CONFLICT;
	memcpy(fresh.login, login, len + 1);
	if ((st = entropy_fill(fresh.salt, sizeof fresh.salt)) != STATUS_OK)
		return st;
	for (unsigned i = 0; i < count; i++)
		if ((st = recovery_code_generate(codes[i])) != STATUS_OK ||
		    (st = breakglass_tag(to, &fresh, codes[i], fresh.tags[i])) != STATUS_OK)
			return st;
	if (person == NULL)
		person = &to->people[to->person_count++];
	*person = fresh;
	return STATUS_OK;
}

void
breakglass_remove(struct breakglass *from, struct breakglass_person *person)
{
	*person = from->people[--from->person_count];
}

/* Every code is looked at, whether the right one has been found or not. */
bool
breakglass_burn(struct breakglass_person *person, const uint8_t tag[static BREAKGLASS_TAG_BYTES])
{
	unsigned found = BREAKGLASS_CODES_MAX;

	for (unsigned i = 0; i < person->code_count; i++)
		if (secret_equal((struct bytes){ person->tags[i], BREAKGLASS_TAG_BYTES },
		    (struct bytes){ tag, BREAKGLASS_TAG_BYTES }))
			found = i;
	if (found == BREAKGLASS_CODES_MAX)
		return false;
	person->code_count--;
	memmove(person->tags[found], person->tags[person->code_count], BREAKGLASS_TAG_BYTES);
	secret_wipe(person->tags[person->code_count], BREAKGLASS_TAG_BYTES);
	return true;
}

/* --- reports ------------------------------------------------------------------------------------------------------ */

enum status
breakglass_report(struct breakglass *to, enum breakglass_event event, const struct breakglass_person *person, int64_t at_s)
{
	struct breakglass_report report = { .event = event, .at_s = at_s, .expires_at_s = person->expires_at_s,
	    .left = event == BREAKGLASS_REVOKED || event == BREAKGLASS_EXPIRED ? 0 : person->code_count };
	unsigned room = event == BREAKGLASS_TICKET_USED ? BREAKGLASS_REPORTS_TICKETS_MAX : BREAKGLASS_REPORTS_MAX;
	enum status st;

	if (to->report_count >= room)
		return STATUS_OVERLOADED;
	memcpy(report.login, person->login, sizeof report.login);
	if ((st = entropy_uuid(report.id)) == STATUS_OK)
		to->reports[to->report_count++] = report;
	return st;
}

void
breakglass_forget_report(struct breakglass *from, const char *id)
{
	for (unsigned i = 0; i < from->report_count; i++) {
		if (strcmp(from->reports[i].id, id) != 0)
			continue;
		from->report_count--;
		memmove(&from->reports[i], &from->reports[i + 1], (from->report_count - i) * sizeof from->reports[0]);
		return;
	}
}
