/* fuzz_pam_call.c: the whole PAM module as one input: arguments, configuration, what people type, the helper's bytes and
 * its end, and which system call fails.  Whatever it is:
 *
 *   - nobody is let in unless the helper said so: whole, about this request and user, with every factor it names, and
 *     ended in order; nobody is left to other modules unless the configuration says so;
 *   - the host is as it was: descriptors, child, signals, memory;
 *   - one line is logged a call, and neither it nor anything shown holds what was typed; what was typed is wiped.
 *
 * The system is fuzz_pam_system.c, the application fuzz_pam_application.c, the helper fuzz_pam_helper.c. */
#include <stdio.h>

#include "pam_module/conf.h"
#include "pam_module/paths.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_pam_world.h"

enum { OPTIONS_MAX = 6, CALLS_MAX = 6, LINES_MAX = 24 };

struct arguments {
	int count;
	const char *list[OPTIONS_MAX];
	char texts[OPTIONS_MAX][300];
	bool has_profile;
};

/* What an earlier call of the same handle has proven. */
struct proof { bool signed_in, changes; char user[sizeof world->user]; };

const char paths_conf[] = "/etc/counterfoil/pam.conf";
const char paths_helper[] = "/usr/libexec/counterfoil/pam-helper";

const char *
paths_repeats(void)
{
	return NULL;
}
struct world *world;

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv);
int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv);
int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv);
int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv);
int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv);
int pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv);

pam_handle_t *
world_handle(void)
{
	return (void *)world;
}

/* --- the tape --------------------------------------------------------------------------------------------------- */

uint8_t
take(void)
{
	return world->tape.at < world->tape.end ? world->tape.data[world->tape.at++] : 0;
}

unsigned
take_below(unsigned bound)
{
	unsigned number = take();

	if (bound > 256)
		number = number << 8 | take();
	return number % bound;
}

size_t
take_text(char *out, size_t capacity)
{
	size_t len = take() + (capacity > 512 ? 256U * take_below(8) : 0), left = world->tape.end - world->tape.at;

	len = len < capacity - 1 ? len : capacity - 1;
	len = len < left ? len : left;
	memcpy(out, world->tape.data + world->tape.at, len);
	out[len] = '\0';
	world->tape.at += len;
	return len;
}

/* --- arguments and configuration -------------------------------------------------------------------------------- */

static void
make_arguments(struct arguments *arguments)
{
	static const char *const known[] = { "use_first_pass", "try_first_pass", "forward_pass", "debug", "factors=otp",
		"factors=combined", "factors=password", "profile=desk", "conf=/etc/other/pam.conf", "conf=pam.conf" };
	enum { KNOWN = sizeof known / sizeof known[0] };

	*arguments = (struct arguments){ .count = (int)take_below(OPTIONS_MAX) };
	for (int i = 0; i < arguments->count; i++) {
		unsigned which = take_below(KNOWN + 1);

		if (which == KNOWN)
			(void)take_text(arguments->texts[i], sizeof arguments->texts[i]);
		else
			(void)snprintf(arguments->texts[i], sizeof arguments->texts[i], "%s", known[which]);
		arguments->list[i] = arguments->texts[i];
		arguments->has_profile = arguments->has_profile || strncmp(arguments->texts[i], "profile=", 8) == 0;
	}
}

static void
put(const char *text)
{
	size_t len = strlen(text);

	if (world->conf_len + len < sizeof world->conf) {
		memcpy(world->conf + world->conf_len, text, len);
		world->conf_len += len;
	}
}

static void
put_value(const struct conf_key *key)
{
	static const char *const dates[] = { "2999-01-01", "2001-01-01", "2000-02-30" };
	static const char *const names[] = { "alice", "root staff", "!alice", "caller" };
	static const char *const networks[] = { "0.0.0.0/0", "::/0 127.0.0.1/32", "203.0.113.0/24", "203.0.113.1/24" };
	static const char *const yes_no[] = { "yes", "no", "Yes" };
	char text[400];
	unsigned which = take_below(8);

	if (which == 7)
		(void)take_text(text, sizeof text);
	else if (key->type == CONF_WORD) {
		const char *at = key->words;

		for (; which > 0 && strchr(at, ' ') != NULL; which--)
			at = strchr(at, ' ') + 1;
		(void)snprintf(text, sizeof text, "%.*s", (int)strcspn(at, " "), at);
	} else if (key->type == CONF_COUNT)
		(void)snprintf(text, sizeof text, "%d", which == 6 ? key->max + 1 : key->min + (int)which);
	else
		(void)snprintf(text, sizeof text, "%s", key->type == CONF_YES_NO ? yes_no[which % 3] :
		    key->type == CONF_DATE ? dates[which % 3] : key->type == CONF_CIDRS ? networks[which % 4] : names[which % 4]);
	put(text);
}

static void
make_configuration(void)
{
	static const char *const sections[] = { "[default]\n", "[service \"sshd\"]\n", "[service \"cron\"]\n", "# x\n" };
	unsigned lines = take_below(LINES_MAX);
	size_t count;
	const struct conf_key *keys = conf_keys(&count);
	char text[400];

	put("[default]\n");
	for (unsigned i = 0; i < lines; i++) {
		unsigned which = take_below((unsigned)count + 6);

		if (which < count) {
			put(keys[which].name);
			put(" = ");
			put_value(&keys[which]);
		} else if (which < count + 4)
			put(sections[which - count]);
		else if (take_text(text, sizeof text) > 0)
			put(text);
		put("\n");
	}
}

/* --- the judge -------------------------------------------------------------------------------------------------- */

/* May this configuration leave the decision to other modules? */
static bool
may_ignore(const struct conf *conf)
{
	return conf->exempt_groups[0] != '\0' || conf->exempt_users[0] != '\0' || conf->unknown_user == UNKNOWN_IGNORE ||
	    conf->unenrolled == UNENROLLED_IGNORE || conf->fail == FAIL_IGNORE_UNAVAILABLE;
}

static bool
account_is_off(const struct conf *conf)
{
	return conf->account == ACCOUNT_OFF || (strcmp(world->service, "cron") == 0 && !conf->has_own_section);
}

static void
judge_auth(const struct conf *conf, int code, struct proof *proof)
{
	INSIST(code != PAM_SUCCESS || world->allowed[WIRE_VERIFY] || (conf->unenrolled == UNENROLLED_ENROLL &&
	    world->enroll_started && world->allowed[WIRE_ENROLL_CONFIRM]));
	INSIST(code != PAM_IGNORE || may_ignore(conf));
	proof->signed_in = code == PAM_SUCCESS;
	(void)snprintf(proof->user, sizeof proof->user, "%s", world->user);
}

static void
judge_account(const struct conf *conf, int code, const struct proof *proof)
{
	bool proven = proof->signed_in && strcmp(proof->user, world->user) == 0;

	INSIST(world->prompts == 0);
	INSIST(code != PAM_SUCCESS || account_is_off(conf) || proven || world->allowed[WIRE_LOOK]);
	INSIST(code != PAM_SUCCESS || account_is_off(conf) || proven || conf->account != ACCOUNT_REQUIRE_MFA);
	INSIST(code != PAM_IGNORE || may_ignore(conf));
}

static void
judge_password(const struct conf *conf, int flags, int code, struct proof *proof)
{
	bool prelim = ((unsigned)flags & PAM_PRELIM_CHECK) != 0;

	INSIST(code != PAM_SUCCESS || world->allowed[prelim ? WIRE_VERIFY : WIRE_CHANGE]);
	INSIST(code != PAM_SUCCESS || prelim || proof->changes);
	INSIST(code != PAM_IGNORE || may_ignore(conf) || ((unsigned)flags & PAM_CHANGE_EXPIRED_AUTHTOK) != 0);
	if (prelim)
		proof->changes = code == PAM_SUCCESS;
}

/* The host is as it was. */
static void
judge_host(const sigset_t *mask)
{
	for (int i = 0; i < WORLD_FDS; i++)
		INSIST(world->fds[i] == FD_NONE);
	INSIST(world->maps == 0);
	INSIST(memcmp(&world->mask, mask, sizeof *mask) == 0);
	INSIST(!world->child_lives || world->child_reaped || world->end_is_hidden || world->wait_failed);
	for (size_t i = 0; i < sizeof world->given / sizeof world->given[0]; i++)
		INSIST(world->given[i].text == NULL);
}

/* --- calls ------------------------------------------------------------------------------------------------------ */

static void
call(const struct arguments *arguments, struct proof *proof)
{
	static const int password_flags[] = { PAM_PRELIM_CHECK, PAM_UPDATE_AUTHTOK, 0 };
	const char **argv = (const char **)(uintptr_t)arguments->list;
	unsigned which = take_below(6), other = take();
	int flags = (other & 1) != 0 ? PAM_SILENT : 0, argc = arguments->count, code;
	char error[CONF_ERROR_BYTES];
	const sigset_t mask = world->mask;
	struct conf conf = { .fail = 0 };

	if (!arguments->has_profile)
		(void)conf_parse("fuzz", world->conf, world->conf_len, world->service, &conf, error);
	else
		(void)conf_parse("fuzz", world->conf, world->conf_len, "desk", &conf, error);
	if ((other & 2) != 0)
		(void)snprintf(world->user, sizeof world->user, "%s", "bob");
	world->log_lines = world->prompts = 0;
	memset(world->allowed, 0, sizeof world->allowed);
	world->enroll_started = world->password_right = false;
	switch (which) {
	case 0:
		judge_auth(&conf, pam_sm_authenticate(world_handle(), flags, argc, argv), proof);
		break;
	case 1:
		judge_account(&conf, pam_sm_acct_mgmt(world_handle(), flags, argc, argv), proof);
		break;
	case 2:
		flags |= password_flags[take_below(3)] | ((other & 4) != 0 ? (int)PAM_CHANGE_EXPIRED_AUTHTOK : 0);
		code = pam_sm_chauthtok(world_handle(), flags, argc, argv);
		judge_password(&conf, flags, code, proof);
		break;
	case 3:
		INSIST(pam_sm_open_session(world_handle(), flags, argc, argv) == PAM_SUCCESS);
		break;
	case 4:
		INSIST(pam_sm_close_session(world_handle(), flags, argc, argv) == PAM_SUCCESS);
		break;
	default:
		INSIST(pam_sm_setcred(world_handle(), flags, argc, argv) == PAM_SUCCESS);
		break;
	}
	INSIST(world->log_lines == (which < 5));
	judge_host(&mask);
}

static bool
has_canary(const uint8_t *data, size_t size)
{
	return size > 0 && memmem(data, size, "c4n4ry", 6) != NULL;
}

static bool
run(const uint8_t *data, size_t size)
{
	struct world here = { .tape = { .data = data, .end = size }, .canary_in_input = has_canary(data, size) };
	struct arguments arguments;
	struct proof proof = { .signed_in = false };
	unsigned calls;
	bool let_in = false;

	world = &here;
	(void)sigemptyset(&here.mask);
	application_make();
	make_arguments(&arguments);
	make_configuration();
	calls = 1 + take_below(CALLS_MAX);
	for (unsigned i = 0; i < calls; i++) {
		call(&arguments, &proof);
		let_in = let_in || proof.signed_in;
	}
	application_end();
	INSIST(here.held == 0);
	return let_in;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool looked;
	uint8_t *exact;

	/* the judge sees a sign-in where there is one */
	if (!looked) {
		INSIST(run((const uint8_t[]){ 0 }, 0));
		looked = true;
	}
	/* memory of exactly this size, so that a byte too far is seen */
	if (size == 0 || (exact = (malloc)(size)) == NULL)
		return 0;
	memcpy(exact, data, size);
	(void)run(exact, size);
	(free)(exact);
	return 0;
}
