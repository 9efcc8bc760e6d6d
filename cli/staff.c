/* staff.c: counterfoil staff and training: people who leave, and people who learn. */
#include "core/operation/staff.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "cli/output.h"
#include "cli/people.h"
#include "core/base/clock.h"
#include "core/operation/breakglass_trail.h"

enum { DAY_S = 86400, YEAR_DAYS = 365 };

/* These commands are about staff, whatever the default realm is. */
static struct invocation
among_staff(const struct invocation *in)
{
	struct invocation staff = *in;

	staff.values[OPTION_REALM] = "staff";
	return staff;
}

/* --- off-boarding ---------------------------------------------------------------------------------------------------- */

/* What hosts hold goes when they next ask. */
struct leftovers { struct breakglass_outstanding *hosts; unsigned count; };

static json_t *
hosts_json(const struct leftovers *left)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < left->count; i++)
		(void)json_array_append_new(array, json_pack("{s:s, s:I, s:o}", "host", left->hosts[i].host, "codes_left",
		    (json_int_t)left->hosts[i].codes_left, "expires_at", output_json_time(left->hosts[i].expires_at_s)));
	return array;
}

static void
show_hosts(const struct leftovers *left)
{
	for (unsigned i = 0; i < left->count; i++) {
		char until[CLOCK_RFC3339_BYTES], host[BREAKGLASS_TRAIL_HOST_BYTES];

		clock_format_rfc3339(left->hosts[i].expires_at_s, until);
		text_sanitize(bytes_of(left->hosts[i].host), host, sizeof host);
		output_text("%-18s %s: %lld break-glass codes, gone within a minute where its timer runs, by %s at the latest\n",
		    i == 0 ? "left on hosts" : "", host, (long long)left->hosts[i].codes_left, until);
	}
	if (left->count > 0)
		output_text("Once these hosts have asked, the list is empty: run this again to see.\n");
}

static int
show_proof(const struct invocation *in, const struct account *account, const struct staff_offboarding *proof,
    const struct leftovers *left)
{
	if (in->values[OPTION_JSON] != NULL)
		return output_json(json_pack("{s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:o}", "account_id", account->id, "login",
		    account->login, "offboarded_at", output_json_time(proof->at_s), "factors", (json_int_t)proof->factors,
		    "sessions", (json_int_t)proof->sessions, "trusted_devices", (json_int_t)proof->devices, "recovery_codes",
		    (json_int_t)proof->recovery_codes, "breakglass", hosts_json(left)));
	output_field("login", account->login);
	output_field("account", account->id);
	output_time_field("off-boarded", proof->at_s);
	output_text("%-18s password, %lld factors, %lld recovery codes, %lld sessions, %lld trusted devices\n", "taken away",
	    (long long)proof->factors, (long long)proof->recovery_codes, (long long)proof->sessions, (long long)proof->devices);
	show_hosts(left);
	output_text("The account is disabled: no host that can ask lets it in.  In an outage one with offline tickets does, by ssh\n"
	    "key, up to 8 hours after the last sign-in there: take the key away.  Shells that are open stay open; end them on\n"
	    "the hosts.\n");
	return EX_OK;
}

static int
offboard(const struct invocation *in, struct session *session, const struct account *account)
{
	struct leftovers left = { .hosts = NULL };
	struct staff_offboarding proof;
	enum status st;
	int rc;

	st = staff_offboard(session->core, &session->caller, account->id, in->values[OPTION_REASON], &proof);
	if (st == STATUS_OK)
		st = breakglass_trail_list(session->core, &session->caller, account->id, &left.hosts, &left.count);
	rc = st == STATUS_OK ? show_proof(in, account, &proof, &left) : output_fail_status(st, "off-boarding");
	free(left.hosts);
	return rc;
}

int
staff_offboard_command(const struct invocation *in)
{
	const struct invocation staff = among_staff(in);
	const char *reason = in->values[OPTION_REASON];
	struct session session;
	struct account account;
	int rc;

	if (reason != NULL && !text_is_printable(bytes_of(reason)))
		return output_fail(EX_DATAERR, "--reason must be printable");
	if ((rc = people_open(&staff, &session, &account)) != EX_OK)
		return rc;
	rc = offboard(in, &session, &account);
	session_close(&session);
	return rc;
}

/* --- training -------------------------------------------------------------------------------------------------------- */

/* The last second of a day, UTC: who is due on a day has that day. */
static int
parse_day(const char *text, int64_t *out)
{
	struct tm day = { .tm_hour = 23, .tm_min = 59, .tm_sec = 59 };
	struct tm asked;
	const char *end = strptime(text, "%Y-%m-%d", &day);
	time_t at;

	if (strlen(text) == sizeof "2026-01-31" - 1 && end != NULL && *end == '\0') {
		asked = day;
		at = timegm(&day);
		/* timegm() would turn the 31st of February into a day of March */
		if (at > 0 && day.tm_mday == asked.tm_mday && day.tm_mon == asked.tm_mon) {
			*out = at;
			return EX_OK;
		}
	}
	return output_fail(EX_USAGE, "--due takes a day as YYYY-MM-DD, not \"%s\"", text);
}

static int
record(const struct invocation *in, bool completed)
{
	const struct invocation staff = among_staff(in);
	int64_t due_at_s = clock_now_s() + (int64_t)YEAR_DAYS * DAY_S;
	struct session session;
	struct account account;
	enum status st;
	int rc;

	if (in->values[OPTION_DUE] == NULL && !completed)
		return output_fail(EX_USAGE, "--due is missing: by which day?");
	if ((in->values[OPTION_DUE] != NULL && (rc = parse_day(in->values[OPTION_DUE], &due_at_s)) != EX_OK) ||
	    (rc = people_open(&staff, &session, &account)) != EX_OK)
		return rc;
	if ((st = staff_record_training(session.core, &session.caller, account.id, completed, due_at_s)) != STATUS_OK) {
		rc = output_fail_status(st, "recording the training");
	} else {
		output_field("login", account.login);
		if (completed)
			output_time_field("completed", clock_now_s());
		output_time_field("next due", due_at_s);
	}
	session_close(&session);
	return rc;
}

int
training_record_command(const struct invocation *in)
{
	return record(in, true);
}

int
training_require_command(const struct invocation *in)
{
	return record(in, false);
}

static bool
is_overdue(const struct staff_training *person)
{
	return person->due_at_s != 0 && person->due_at_s < clock_now_s();
}

static int
report_json(const struct staff_training *people, unsigned count)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < count; i++)
		(void)json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:o, s:o, s:b}", "account_id", people[i].account_id,
		    "login", people[i].login, "state", people[i].state, "completed_at",
		    output_json_time(people[i].completed_at_s), "due_at", output_json_time(people[i].due_at_s), "overdue",
		    is_overdue(&people[i])));
	return output_json(json_pack("{s:o}", "staff", array));
}

static void
report_text(const struct staff_training *people, unsigned count)
{
	if (count == 0)
		output_text("There is no staff yet.\n");
	for (unsigned i = 0; i < count; i++) {
		if (i > 0)
			output_text("\n");
		output_field("login", people[i].login);
		output_field("state", people[i].state);
		output_time_field("completed", people[i].completed_at_s);
		output_time_field(is_overdue(&people[i]) ? "OVERDUE since" : "due", people[i].due_at_s);
	}
}

int
training_report_command(const struct invocation *in)
{
	const struct invocation staff = among_staff(in);
	struct staff_training *people = NULL;
	struct session session;
	unsigned count = 0;
	enum status st;
	int rc;

	if ((rc = session_open(&staff, &session)) != EX_OK)
		return rc;
	st = staff_report_training(session.core, &session.caller, &people, &count);
	if (st != STATUS_OK)
		rc = output_fail_status(st, "the report");
	else if (in->values[OPTION_JSON] != NULL)
		rc = report_json(people, count);
	else
		report_text(people, count);
	free(people);
	session_close(&session);
	return rc;
}
