#include "pam_module/who.h"

#include <arpa/inet.h>
#include <pwd.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <security/pam_ext.h>
#include <security/pam_modutil.h>

#include "pam_module/text_rules.h"

static bool
copy(char *out, size_t capacity, const char *text)
{
	size_t len = strnlen(text, capacity);

	if (len == 0 || len == capacity || !text_rules_hold(text, len))
		return false;
	memcpy(out, text, len + 1);
	return true;
}

static const char *
item(pam_handle_t *pamh, int type)
{
	const void *value = NULL;

	return pam_get_item(pamh, type, &value) == PAM_SUCCESS ? value : NULL;
}

bool
who_service(pam_handle_t *pamh, struct who *out)
{
	const char *service = item(pamh, PAM_SERVICE);

	return service != NULL && copy(out->service, sizeof out->service, service);
}

/* --- from where ------------------------------------------------------------------------------------------------- */

/* Only a literal address counts: a name is what somebody's DNS says.  An IPv4 address in IPv6 clothes is undressed. */
static bool
take_address(const char *text, size_t len, char out[static WHO_ADDRESS_BYTES])
{
	struct in6_addr six;
	struct in_addr four;
	char literal[WHO_ADDRESS_BYTES];

	if (len == 0 || len >= sizeof literal)
		return false;
	memcpy(literal, text, len);
	literal[len] = '\0';
	literal[strcspn(literal, "%")] = '\0';          /* the interface of a link-local address */
	if (inet_pton(AF_INET, literal, &four) == 1)
		return inet_ntop(AF_INET, &four, out, WHO_ADDRESS_BYTES) != NULL;
	if (inet_pton(AF_INET6, literal, &six) != 1)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&six))
		return inet_ntop(AF_INET, &six.s6_addr[12], out, WHO_ADDRESS_BYTES) != NULL;
	return inet_ntop(AF_INET6, &six, out, WHO_ADDRESS_BYTES) != NULL;
}

/* sshd's own word first: with UseDNS its PAM_RHOST is a name. */
static void
find_address(pam_handle_t *pamh, struct who *out)
{
	const char *connection = pam_getenv(pamh, "SSH_CONNECTION"), *rhost = item(pamh, PAM_RHOST);

	if (connection != NULL && take_address(connection, strcspn(connection, " "), out->rhost))
		return;
	if (rhost != NULL)
		(void)take_address(rhost, strnlen(rhost, WHO_ADDRESS_BYTES), out->rhost);
}

/* SSH_AUTH_INFO_0: a line for each method that succeeded before. */
static void
find_ssh(pam_handle_t *pamh, struct who *out)
{
	static const char method[] = "publickey ";
	const char *line = pam_getenv(pamh, "SSH_AUTH_INFO_0");

	out->is_ssh = strcmp(out->service, "sshd") == 0 || pam_getenv(pamh, "SSH_CONNECTION") != NULL;
	while (line != NULL && *line != '\0' && !out->has_publickey) {
		size_t len = strcspn(line, "\n"), skip = sizeof method - 1;

		if (len > skip && memcmp(line, method, skip) == 0) {
			out->has_publickey = true;
			if (len - skip < sizeof out->ssh_key && text_rules_hold(line + skip, len - skip))
				memcpy(out->ssh_key, line + skip, len - skip);  /* zeroed before: NUL-terminated */
		}
		line += len;
		line += *line == '\n';
	}
}

/* --- who -------------------------------------------------------------------------------------------------------- */

static enum answer
find_pam_user(pam_handle_t *pamh, bool may_ask, struct who *out)
{
	const char *user = NULL;

	if (may_ask && pam_get_user(pamh, &user, NULL) != PAM_SUCCESS)
		return ANSWER_CONVERSATION;
	if (!may_ask)
		user = item(pamh, PAM_USER);
	if (user == NULL)
		return ANSWER_INTERNAL;
	out->odd = !copy(out->pam_user, sizeof out->pam_user, user);
	return ANSWER_NONE;
}

static bool
is_su(const struct who *who)
{
	return strcmp(who->service, "su") == 0 || strcmp(who->service, "su-l") == 0;
}

/* The caller is who started the process, by its real user id: PAM_RUSER is only what the application says. */
static void
find_identity(pam_handle_t *pamh, const struct conf *conf, struct who *out)
{
	const struct passwd *target = out->odd ? NULL : pam_modutil_getpwnam(pamh, out->pam_user);
	const struct passwd *chosen = target;

	out->is_caller = conf->identity == IDENTITY_CALLER ||
	    (conf->identity == IDENTITY_AUTO && is_su(out) && target != NULL && target->pw_uid == 0);
	if (out->is_caller)
		chosen = pam_modutil_getpwuid(pamh, getuid());
	out->in_nss = chosen != NULL;
	if (chosen != NULL)
		out->odd = !copy(out->user, sizeof out->user, chosen->pw_name);
	else if (out->is_caller)
		out->odd = true;
	else if (!out->odd)
		memcpy(out->user, out->pam_user, sizeof out->user);
}

enum answer
who_find(pam_handle_t *pamh, const struct conf *conf, bool may_ask, struct who *out)
{
	const char *tty = item(pamh, PAM_TTY);
	enum answer answer;

	if ((answer = find_pam_user(pamh, may_ask, out)) != ANSWER_NONE)
		return answer;
	find_identity(pamh, conf, out);
	find_address(pamh, out);
	find_ssh(pamh, out);
	if (tty != NULL)
		(void)copy(out->tty, sizeof out->tty, tty);
	if (gethostname(out->host, sizeof out->host - 1) != 0 || !text_rules_hold(out->host, strlen(out->host)))
		out->host[0] = '\0';
	return ANSWER_NONE;
}

bool
who_is_exempt(pam_handle_t *pamh, const struct conf *conf, const struct who *who)
{
	char group[65];

	if (!who->in_nss || who->odd)
		return false;
	if (conf_list_has(conf->exempt_users, who->user))
		return true;
	for (const char *at = conf->exempt_groups; *at != '\0';) {
		size_t len = strcspn(at, " ");

		/* A directory that does not answer makes no member: an outage exempts nobody. */
		if (len < sizeof group) {
			memcpy(group, at, len);
			group[len] = '\0';
			if (pam_modutil_user_in_group_nam_nam(pamh, who->user, group) == 1)
				return true;
		}
		at += len;
		at += strspn(at, " ");
	}
	return false;
}

/* sshd's "ssh" and a display's ":0" are no terminals; a daemon's standard input is none either. */
bool
who_is_at_terminal(pam_handle_t *pamh, const struct who *who)
{
	static const char folder[] = "/dev/";
	const char *rhost = item(pamh, PAM_RHOST), *tty = who->tty;
	char own[sizeof who->tty + sizeof folder];

	if (who->is_ssh || who->tty[0] == '\0' || (rhost != NULL && rhost[0] != '\0') ||
	    ttyname_r(STDIN_FILENO, own, sizeof own) != 0 || strncmp(own, folder, sizeof folder - 1) != 0)
		return false;
	if (strncmp(tty, folder, sizeof folder - 1) == 0)
		tty += sizeof folder - 1;
	return strcmp(tty, own + sizeof folder - 1) == 0;
}

bool
who_is_owner(pam_handle_t *pamh, const struct who *who)
{
	const struct passwd *own;

	if (who->is_caller || who->odd || strcmp(who->user, who->pam_user) != 0)
		return false;
	if (getauxval(AT_SECURE) == 0 || getuid() == 0)
		return true;
	own = pam_modutil_getpwnam(pamh, who->user);
	return own != NULL && own->pw_uid == getuid();
}
