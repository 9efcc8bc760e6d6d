/* fuzz_pam_application.c: libpam and the application in fuzz_pam_call: items, data, the conversation, the log. */
#include <stdarg.h>

#include <security/pam_ext.h>
#include <security/pam_modutil.h>

#include "pam_module/report.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_pam_world.h"

enum { KEPT = sizeof world->kept / sizeof world->kept[0], GIVEN = sizeof world->given / sizeof world->given[0] };

static char passwd_name[400], caller_name[] = "caller";
static struct passwd passwd_row = { .pw_name = passwd_name, .pw_uid = 1000 };
static struct passwd caller_row = { .pw_name = caller_name, .pw_uid = 1001 };

/* --- who and where ---------------------------------------------------------------------------------------------- */

static void
choose(char *out, size_t capacity, const char *const *texts, unsigned count)
{
	unsigned which = take_below(count + 1);

	if (which == count)
		(void)take_text(out, capacity);
	else
		(void)snprintf(out, capacity, "%s", texts[which]);
}

void
application_make(void)
{
	static const char *const users[] = { "alice", "root", "nobody-here", "", "a/b", "-x", "M\xc3\xbcller" };
	static const char *const services[] = { "desk", "sshd", "su", "su-l", "sudo", "cron", "login", "" };
	static const char *const rhosts[] = { "", "203.0.113.7", "::ffff:198.51.100.9", "fe80::1%eth0", "a name" };
	static const char *const ttys[] = { "", "ssh", "tty1", "pts/3", ":0" };
	static const char *const infos[] = { "", "publickey ssh-ed25519 AAAA\n", "password\npublickey ssh-rsa BB\n" };

	choose(world->user, sizeof world->user, users, 7);
	choose(world->service, sizeof world->service, services, 8);
	choose(world->rhost, sizeof world->rhost, rhosts, 5);
	choose(world->ssh_info, sizeof world->ssh_info, infos, 3);
	choose(world->tty, sizeof world->tty, ttys, 5);
	(void)snprintf(passwd_name, sizeof passwd_name, "%s", world->user);
	passwd_row.pw_uid = strcmp(world->user, "root") == 0 ? 0 : 1000;
	world->passwd = take_below(3) == 1 ? &passwd_row : NULL;
	world->caller = take_below(3) == 1 ? NULL : &caller_row;
}

/* What libpam does in pam_end(). */
void
application_end(void)
{
	for (size_t i = 0; i < KEPT; i++)
		if (world->kept[i].name != NULL)
			(void)pam_set_data(world_handle(), world->kept[i].name, NULL, NULL);
	(free)(world->authtok);
	(free)(world->old_authtok);
}

/* --- the conversation ------------------------------------------------------------------------------------------- */

static void
never_the_canary(const char *text)
{
	INSIST(world->canary_in_input || strstr(text, WORLD_CANARY) == NULL);
}

/* What the person types: by default what is asked for. */
static size_t
type(const char *prompt, char out[static 700])
{
	static const char recovery[] = "ABCD-EFGH-IJKL-MNOP-QRST-UVWX", junk[] = "\b\n\r\177INCORRECT";
	size_t lengths[] = { 511, 512, 513, 600 };
	unsigned which = take_below(8);

	switch (which) {
	case 1:
		return (size_t)snprintf(out, 700, "%s", recovery);
	case 2:
		return (size_t)snprintf(out, 700, WORLD_CANARY "%s", recovery);
	case 3:
		return (size_t)snprintf(out, 700, "%s", junk);
	case 4:
		which = (unsigned)lengths[take_below(4)];
		memset(out, 'x', which);
		out[which] = '\0';
		return which;
	case 5:
		return take_text(out, 700);
	case 6:
		return (size_t)snprintf(out, 700, WORLD_CANARY);
	case 7:
		out[0] = '\0';
		return 0;
	default:
		if (strstr(prompt, "Enrolment") != NULL)
			return (size_t)snprintf(out, 700, "%s", recovery);
		return (size_t)snprintf(out, 700, "%s", strchr(prompt, '&') != NULL ? WORLD_CANARY "123456" :
		    strstr(prompt, "code") != NULL ? "123456" : WORLD_CANARY);
	}
}

static char *
give(const char *text, size_t len)
{
	for (size_t i = 0; i < GIVEN; i++)
		if (world->given[i].text == NULL) {
			char *copy = (malloc)(len + 1);

			INSIST(copy != NULL);
			memcpy(copy, text, len + 1);
			world->given[i] = (struct given){ copy, strlen(copy) };
			return copy;
		}
	abort();
}

static int
converse(int count, const struct pam_message **messages, struct pam_response **out, void *cookie)
{
	static const int refusals[] = { PAM_CONV_ERR, PAM_CONV_AGAIN, PAM_BUF_ERR, PAM_ABORT };
	int style = messages[0]->msg_style;
	unsigned odd = take_below(16);
	char text[700];
	size_t len;

	(void)cookie;
	INSIST(count == 1);
	never_the_canary(messages[0]->msg);
	*out = NULL;
	if (odd >= 12)
		return refusals[odd - 12];
	if (odd == 11)
		return PAM_SUCCESS;
	*out = (calloc)(1, sizeof **out);
	world->held++;
	if (style != PAM_PROMPT_ECHO_OFF && style != PAM_PROMPT_ECHO_ON)
		return PAM_SUCCESS;
	world->prompts++;
	len = type(messages[0]->msg, text);
	if (odd != 10)
		(*out)->resp = give(text, len);
	return PAM_SUCCESS;
}

/* --- libpam ----------------------------------------------------------------------------------------------------- */

int
pam_get_item(const pam_handle_t *pamh, int type_of_item, const void **out)
{
	static const struct pam_conv conversation = { converse, NULL };

	(void)pamh;
	if (fails())
		return PAM_BAD_ITEM;
	switch (type_of_item) {
	case PAM_CONV:
		*out = &conversation;
		break;
	case PAM_USER:
		*out = world->user;
		break;
	case PAM_SERVICE:
		*out = world->service;
		break;
	case PAM_TTY:
		*out = world->tty[0] != '\0' ? world->tty : NULL;
		break;
	case PAM_RHOST:
		*out = world->rhost[0] != '\0' ? world->rhost : NULL;
		break;
	case PAM_AUTHTOK:
		*out = world->authtok;
		break;
	case PAM_OLDAUTHTOK:
		*out = world->old_authtok;
		break;
	default:
		return PAM_BAD_ITEM;
	}
	return PAM_SUCCESS;
}

int
pam_set_item(pam_handle_t *pamh, int type_of_item, const void *value)
{
	char **slot = type_of_item == PAM_AUTHTOK ? &world->authtok : &world->old_authtok;

	(void)pamh;
	INSIST(type_of_item == PAM_AUTHTOK || type_of_item == PAM_OLDAUTHTOK);
	if (fails())
		return PAM_BUF_ERR;
	(free)(*slot);
	*slot = value != NULL ? (strdup)(value) : NULL;
	return PAM_SUCCESS;
}

int
pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt)
{
	(void)pamh;
	(void)prompt;
	if (fails())
		return PAM_CONV_ERR;
	*user = world->user;
	return PAM_SUCCESS;
}

const char *
pam_getenv(pam_handle_t *pamh, const char *name)
{
	(void)pamh;
	if (strcmp(name, "SSH_CONNECTION") == 0)
		return world->rhost[0] != '\0' ? world->rhost : NULL;
	return world->ssh_info[0] != '\0' ? world->ssh_info : NULL;
}

int
pam_set_data(pam_handle_t *pamh, const char *name, void *data, void (*cleanup)(pam_handle_t *, void *, int))
{
	size_t at = 0;

	while (at < KEPT && (world->kept[at].name == NULL || strcmp(world->kept[at].name, name) != 0))
		at++;
	if (data != NULL && fails())
		return PAM_BUF_ERR;
	if (at < KEPT && world->kept[at].data != NULL && world->kept[at].cleanup != NULL)
		world->kept[at].cleanup(pamh, world->kept[at].data, 0);
	for (size_t i = 0; at == KEPT && i < KEPT; i++)
		at = world->kept[i].name == NULL ? i : at;
	if (data != NULL)
		INSIST(at < KEPT);
	if (at < KEPT) {
		world->kept[at].name = name;
		world->kept[at].data = data;
		world->kept[at].cleanup = cleanup;
	}
	return PAM_SUCCESS;
}

int
pam_get_data(const pam_handle_t *pamh, const char *name, const void **out)
{
	(void)pamh;
	for (size_t i = 0; i < KEPT; i++)
		if (world->kept[i].name != NULL && strcmp(world->kept[i].name, name) == 0 && world->kept[i].data != NULL) {
			*out = world->kept[i].data;
			return PAM_SUCCESS;
		}
	return PAM_NO_MODULE_DATA;
}

int
pam_fail_delay(pam_handle_t *pamh, unsigned usec)
{
	(void)pamh;
	(void)usec;
	return fails() ? PAM_SYSTEM_ERR : PAM_SUCCESS;
}

struct passwd *
pam_modutil_getpwnam(pam_handle_t *pamh, const char *user)
{
	(void)pamh;
	(void)user;
	return fails() ? NULL : world->passwd;
}

struct passwd *
pam_modutil_getpwuid(pam_handle_t *pamh, uid_t uid)
{
	(void)pamh;
	(void)uid;
	return fails() ? NULL : world->caller;
}

int
pam_modutil_user_in_group_nam_nam(pam_handle_t *pamh, const char *user, const char *group)
{
	(void)pamh;
	(void)user;
	(void)group;
	return fails() ? 1 : 0;
}

/* In a child only, and no child runs here. */
int
pam_modutil_sanitize_helper_fds(pam_handle_t *pamh, enum pam_modutil_redirect_fd in, enum pam_modutil_redirect_fd out,
    enum pam_modutil_redirect_fd err)
{
	(void)pamh;
	(void)in;
	(void)out;
	(void)err;
	abort();
}

void
pam_syslog(const pam_handle_t *pamh, int priority, const char *format, ...)
{
	char line[2 * REPORT_LINE_MAX_BYTES];
	va_list args;
	int len;

	(void)pamh;
	va_start(args, format);
	len = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	INSIST(priority >= 0 && priority <= 7 && len > 0 && len <= REPORT_LINE_MAX_BYTES);
	for (int i = 0; i < len; i++)
		INSIST(line[i] >= 0x20 && line[i] < 0x7f);
	never_the_canary(line);
	world->log_lines++;
}
