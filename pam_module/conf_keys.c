/* conf_keys.c: the table of all keys, and how a value is taken. */
#include "pam_module/conf.h"

#include <string.h>

#include "pam_module/cidr.h"
#include "pam_module/text_rules.h"

#define AT(member) offsetof(struct conf, member)
#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static const struct conf_key keys[] = {
	{ "factors", CONF_WORD, AT(factors), "password+otp", "password+otp otp combined password", 0, 0,
	    "What is asked for: password and code, the code alone, both in one answer, or the password alone." },
	{ "prompt_password", CONF_PROMPT, AT(prompt_password), "Password: ", NULL, 0, 0,
	    "The prompt for the password; %u is the user, %h this host." },
	{ "prompt_otp", CONF_PROMPT, AT(prompt_otp), "Verification code: ", NULL, 0, 0,
	    "The prompt for the code." },
	{ "prompt_combined", CONF_PROMPT, AT(prompt_combined), "Password & verification code: ", NULL, 0, 0,
	    "The prompt for both in one answer." },
	{ "echo_otp", CONF_WORD, AT(echo_otp), "auto", "auto on off", 0, 0,
	    "Show the code while it is typed; auto shows it under sshd, which tells a blind conversation apart." },
	{ "blind_conversation", CONF_WORD, AT(blind_conversation), "deny", "deny combined", 0, 0,
	    "When sshd answers every prompt with the password: refuse, or take the answer as password and code in one." },
	{ "accept_recovery", CONF_YES_NO, AT(accept_recovery), "yes", NULL, 0, 0,
	    "Take a recovery code where a code is asked for." },
	{ "attempts", CONF_COUNT, AT(attempts), "1", NULL, 1, 3,
	    "How often one call asks before it gives up." },
	{ "unknown_user", CONF_WORD, AT(unknown_user), "deny", "deny ignore", 0, 0,
	    "Somebody without an account: ask and refuse, or leave the decision to the other modules." },
	{ "unenrolled", CONF_WORD, AT(unenrolled), "deny", "deny ignore enroll", 0, 0,
	    "An account without a second factor: refuse, leave the decision to the other modules until unenrolled_until, "
	    "or let its owner enrol." },
	{ "unenrolled_until", CONF_DATE, AT(unenrolled_until), "", NULL, 0, 0,
	    "The last day, YYYY-MM-DD in UTC, on which unenrolled = ignore holds; it must be given with it." },
	{ "exempt_groups", CONF_NAMES, AT(exempt_groups), "", NULL, 0, 0,
	    "Groups whose members are left to the other modules." },
	{ "exempt_users", CONF_NAMES, AT(exempt_users), "", NULL, 0, 0,
	    "Users who are left to the other modules." },
	{ "identity", CONF_WORD, AT(identity), "auto", "auto target caller", 0, 0,
	    "Whose factors are asked for; auto is the caller's where su goes to root, and the target's elsewhere." },
	{ "require_ssh_publickey", CONF_YES_NO, AT(require_ssh_publickey), "no", NULL, 0, 0,
	    "Refuse unless sshd has accepted a key in the same connection." },
	{ "fail", CONF_WORD, AT(fail), "closed", "closed ignore_unavailable", 0, 0,
	    "When the back end is out of reach: refuse, or leave the decision to the other modules." },
	{ "timeout_total", CONF_COUNT, AT(timeout_total_s), "10", NULL, 1, 30,
	    "Seconds for one verification." },
	{ "timeout_connect", CONF_COUNT, AT(timeout_connect_s), "2", NULL, 1, 30,
	    "Seconds of these for a connection." },
	{ "backend", CONF_WORD, AT(backend), "postgresql", "postgresql authd", 0, 0,
	    "Who verifies: the core on this host, over the database; or the service, over HTTPS." },
	{ "fail_delay_ms", CONF_COUNT, AT(fail_delay_ms), "1500", NULL, 0, 10000,
	    "Milliseconds that libpam waits after a refusal, more or less." },
	{ "reveal", CONF_WORD, AT(reveal), "minimal", "minimal helpful", 0, 0,
	    "helpful says why, where the password was right." },
	{ "log_rhost", CONF_WORD, AT(log_rhost), "ip", "ip none", 0, 0,
	    "The remote address in the log." },
	{ "account", CONF_WORD, AT(account), "off", "off require_mfa status", 0, 0,
	    "The account phase: nothing, insist that the auth phase of this module ran, or ask for the account's state." },
	{ "offline", CONF_WORD, AT(offline), "off", "off recovery ticket", 0, 0,
	    "While the back end is out of reach: nobody; who types a break-glass code of this host; or, by sshd, who has signed in "
	    "with the same ssh key some hours before. Both take factors = otp." },
	{ "training", CONF_WORD, AT(training), "off", "off remind require", 0, 0,
	    "Security training that is due, in the account phase: nothing, a reminder from 14 days before, or no entry after." },
	{ "enroll_cidrs", CONF_CIDRS, AT(enroll_cidrs), "", NULL, 0, 0,
	    "Networks, as 192.0.2.0/24 2001:db8::/32, from which unenrolled = enroll holds without an ssh key." },
};

const struct conf_key *
conf_keys(size_t *out_count)
{
	*out_count = COUNT_OF(keys);
	return keys;
}

bool
conf_list_has(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; len > 0 && *at != '\0';) {
		size_t word = strcspn(at, " ");

		if (word == len && memcmp(at, name, len) == 0)
			return true;
		at += word;
		at += strspn(at, " ");
	}
	return false;
}

static const char *
set_word(const struct conf_key *key, const char *value, int *slot)
{
	const char *at = key->words;

	for (int i = 0; *at != '\0'; i++) {
		size_t len = strcspn(at, " ");

		if (strlen(value) == len && memcmp(at, value, len) == 0) {
			*slot = i;
			return NULL;
		}
		at += len;
		at += strspn(at, " ");
	}
	return "is none of the words that it may be";
}

static const char *
set_yes_no(const char *value, bool *slot)
{
	*slot = strcmp(value, "yes") == 0;
	return *slot || strcmp(value, "no") == 0 ? NULL : "is neither yes nor no";
}

/* Exactly COUNT decimal digits, at most four. */
static bool
take_digits(const char **at, int count, int *out)
{
	*out = 0;
	for (int i = 0; i < count; i++) {
		if ((*at)[i] < '0' || (*at)[i] > '9')
			return false;
		*out = *out * 10 + ((*at)[i] - '0');
	}
	*at += count;
	return true;
}

static const char *
set_count(const struct conf_key *key, const char *value, int *slot)
{
	size_t len = strlen(value);
	int number = 0;

	for (size_t i = 0; i < len; i++) {
		if (value[i] < '0' || value[i] > '9')
			return "is not a whole number";
		if (i < 6)
			number = number * 10 + (value[i] - '0');
	}
	if (len == 0 || (len > 1 && value[0] == '0'))
		return "is not a whole number";
	if (len > 6 || number < key->min || number > key->max)
		return "is out of range";
	*slot = number;
	return NULL;
}

/* Every % is %u or %h. */
static bool
expansions_are_known(const char *text)
{
	for (const char *at = strchr(text, '%'); at != NULL; at = strchr(at + 1, '%'))
		if (at[1] != 'u' && at[1] != 'h')
			return false;
	return true;
}

static const char *
set_prompt(const char *value, char slot[static CONF_PROMPT_MAX + 1])
{
	size_t len = strlen(value);

	if (len == 0 || len > CONF_PROMPT_MAX)
		return "is empty or longer than 128 bytes";
	if (!text_rules_hold(value, len))
		return "is not printable UTF-8";
	if (!expansions_are_known(value))
		return "holds a % that is neither %u nor %h";
	memcpy(slot, value, len + 1);
	return NULL;
}

/* Names only: a pattern or a negation would be taken for a name that nobody has, and so must not pass.  Behind a '#' the words
 * of a comment would be names that somebody does have. */
static bool
is_name(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (strchr("!*?[]{}()|,;:^~%\"'`\\/", at[i]) != NULL)
			return false;
	return len > 0 && len <= 64 && at[0] != '-' && at[0] != '+' && at[0] != '@' &&
	    at[0] != '#';
}

static const char *
set_names(const char *value, char slot[static CONF_NAMES_MAX + 1])
{
	size_t len = strlen(value);

	if (len > CONF_NAMES_MAX)
		return "is longer than 1024 bytes";
	if (!text_rules_hold(value, len))
		return "is not printable UTF-8";
	for (const char *at = value; *at != '\0';) {
		size_t word = strcspn(at, " ");

		if (!is_name(at, word))
			return "takes names with a space between, without patterns";
		at += word;
		at += strspn(at, " ");
	}
	memcpy(slot, value, len + 1);
	return NULL;
}

/* Days since 1970-01-01 in the Gregorian calendar; the year is counted from March, so that the leap day is last. */
static int
days_of(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

static const char *
set_date(const char *value, int *slot)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const char *at = value;
	int year, month, day, leap;

	*slot = 0;
	if (*at == '\0')
		return NULL;
	if (!take_digits(&at, 4, &year) || *at++ != '-' || !take_digits(&at, 2, &month) || *at++ != '-' ||
	    !take_digits(&at, 2, &day) || *at != '\0')
		return "is not written YYYY-MM-DD";
	leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (year < 2000 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1] + leap)
		return "is not a day of the calendar";
	*slot = days_of(year, month, day);
	return NULL;
}

static const char *
set_cidrs(const char *value, char slot[static CONF_NAMES_MAX + 1])
{
	size_t len = strlen(value);
	struct cidr network;

	if (len > CONF_NAMES_MAX)
		return "is longer than 1024 bytes";
	for (const char *at = value; *at != '\0';) {
		size_t word = strcspn(at, " ");

		if (!cidr_parse(at, word, &network))
			return "takes networks with a space between: the first address of each, a slash, the bits that are fixed";
		at += word;
		at += strspn(at, " ");
	}
	memcpy(slot, value, len + 1);
	return NULL;
}

const char *
conf_set(const struct conf_key *key, const char *value, struct conf *conf)
{
	void *slot = (char *)conf + key->offset;

	switch (key->type) {
	case CONF_WORD:
		return set_word(key, value, slot);
	case CONF_YES_NO:
		return set_yes_no(value, slot);
	case CONF_COUNT:
		return set_count(key, value, slot);
	case CONF_PROMPT:
		return set_prompt(value, slot);
	case CONF_NAMES:
		return set_names(value, slot);
	case CONF_DATE:
		return set_date(value, slot);
	case CONF_CIDRS:
		return set_cidrs(value, slot);
	default:
		return "has no type";
	}
}
