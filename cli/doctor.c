/* doctor.c: counterfoil doctor: what is wrong with this installation, and how to mend it. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/session.h"
#include "core/base/text.h"
#include "core/credential/blocklist.h"

enum { TEXT_BYTES = 1024, FINDINGS_MAX = 16 };

enum state { STATE_OK, STATE_DOUBT, STATE_FAULT };

static const char *const state_names[] = { "ok", "warning", "wrong" };

struct finding {
	const char *name;
	enum state state;
	char what[TEXT_BYTES];
	const char *mend;               /* what to do; empty where the text says it */
};

struct examination {
	const struct invocation *in;
	struct session session;
	bool settings, keyring, core, readiness;        /* what later checks may build on */
	struct core_readiness ready;
	struct finding findings[FINDINGS_MAX];
	unsigned count;
};

__attribute__((format(printf, 5, 6))) static void
find(struct examination *all, const char *name, enum state state, const char *mend, const char *format, ...)
{
	struct finding *finding = &all->findings[all->count];
	va_list args;

	if (all->count == FINDINGS_MAX)
		return;
	all->count++;
	finding->name = name;
	finding->state = state;
	finding->mend = mend;
	va_start(args, format);
	(void)vsnprintf(finding->what, sizeof finding->what, format, args);
	va_end(args);
}

/* --- this host ----------------------------------------------------------------------------------------------------- */

static void
check_configuration(struct examination *all)
{
	char error[CONFIG_ERROR_BYTES] = "";

	all->settings = session_read_settings(all->in, &all->session.settings, error) == STATUS_OK;
	if (all->settings)
		find(all, "configuration", STATE_OK, "", "%s", session_config_path(all->in));
	else
		find(all, "configuration", STATE_FAULT, "mend the line, or begin with \"counterfoil init\"", "%s", error);
}

static void
check_keyring(struct examination *all)
{
	struct keyring *keyring = NULL;
	char error[CONFIG_ERROR_BYTES] = "";
	const char *path = all->session.settings.keyring_path;
	bool customers;

	if (!all->settings)
		return;
	all->keyring = keyring_open(path, &keyring, error) == STATUS_OK;
	customers = all->keyring && keyring_has_realm(keyring, REALM_STORE) && keyring_has_realm(keyring, REALM_SERVICE);
	if (!all->keyring)
		find(all, "keyring", STATE_FAULT, "bring back the copy that you keep apart from the database's backups", "%s",
		    error);
	else if (!keyring_has_realm(keyring, REALM_STAFF))
		find(all, "keyring", STATE_FAULT, "bring back the whole file", "%s holds no keys of realm staff", path);
	else
		find(all, "keyring", STATE_OK, "", "%s, %s", path, customers ? "all realms" : "realm staff only: a PAM host");
	keyring_free(&keyring);
}

/* Look-ups find a damaged block when they come to it; here all are looked at. */
static void
check_blocklist(struct examination *all)
{
	static const char mend[] = "\"counterfoil blocklist build\" makes one";
	const char *path = all->session.settings.blocklist_path;
	struct blocklist *list = NULL;
	char error[CONFIG_ERROR_BYTES] = "";
	enum status st;

	if (!all->settings)
		return;
	if (path[0] == '\0') {
		find(all, "blocklist", STATE_DOUBT, mend, "turned off: common passwords are taken");
		return;
	}
	if ((st = blocklist_open(path, &list, error)) == STATUS_OK && (st = blocklist_check(list)) != STATUS_OK)
		(void)snprintf(error, sizeof error, "%s: damaged", path);
	if (st == STATUS_OK)
		find(all, "blocklist", STATE_OK, "", "%llu common passwords", (unsigned long long)blocklist_count(list));
	else
		find(all, "blocklist", st == STATUS_NOT_FOUND ? STATE_DOUBT : STATE_FAULT, mend, "%s", error);
	blocklist_close(&list);
}

/* The last line that the program printed, without what it begins every line with. */
static void
take_reason(int from, char out[static TEXT_BYTES])
{
	static const char mark[] = "error=\"";
	char text[TEXT_BYTES * 2], *reason;
	size_t len = 0;
	ssize_t got;

	while (len < sizeof text - 1 && (got = read(from, text + len, sizeof text - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	reason = strstr(text, mark);
	reason = reason != NULL ? reason + sizeof mark - 1 : text;
	reason[strcspn(reason, "\n")] = '\0';
	text_sanitize(bytes_of(reason), out, TEXT_BYTES);
	if (out[0] != '\0' && out[strlen(out) - 1] == '"')
		out[strlen(out) - 1] = '\0';
}

/* Run authd --check; 0 when it is content.  -1: it could not be run. */
static int
run_check(const char *config, char reason[static TEXT_BYTES])
{
	static const char program[] = COUNTERFOIL_SBINDIR "/authd";
	char path[TEXT_BYTES];
	char *const arguments[] = { (char[]){ "authd" }, (char[]){ "--check" }, (char[]){ "--config" }, path, NULL };
	char *const environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	int ends[2], status = -1, cause;
	pid_t pid;

	(void)snprintf(path, sizeof path, "%s", config);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	if ((cause = posix_spawn_file_actions_init(&actions)) == 0) {
		(void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
		(void)posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
		cause = posix_spawn(&pid, program, &actions, NULL, arguments, environment);
		(void)posix_spawn_file_actions_destroy(&actions);
	}
	(void)close(ends[1]);
	if (cause == 0) {
		take_reason(ends[0], reason);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			continue;
	}
	(void)close(ends[0]);
	return cause == 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* authd alone knows what is in its sections and certificates; it is asked. */
static void
check_authd(struct examination *all)
{
	char reason[TEXT_BYTES] = "";
	int rc;

	if (!all->keyring || access(COUNTERFOIL_SBINDIR "/authd", X_OK) != 0)
		return;
	rc = run_check(session_config_path(all->in), reason);
	if (rc == EX_OK)
		find(all, "authd", STATE_OK, "", "listeners and certificates are in order");
	else
		find(all, "authd", STATE_FAULT, "mend it; \"authd --check\" looks again", "%s",
		    reason[0] != '\0' ? reason : "authd --check cannot be run");
}

/* The kernel knows whether something keeps its clock right. */
static void
check_clock_kept(struct examination *all)
{
	struct timex now = { .modes = 0 };
	int state = adjtimex(&now);

	if (state >= 0 && state != TIME_ERROR && (now.status & STA_UNSYNC) == 0)
		find(all, "time service", STATE_OK, "", "the clock is synchronised");
	else
		find(all, "time service", STATE_DOUBT, "run a time service, such as chrony or systemd-timesyncd (timedatectl)",
		    "nothing seems to keep this host's clock right; codes are good for a minute at most");
}

/* --- the database -------------------------------------------------------------------------------------------------- */

static void
check_database(struct examination *all)
{
	static const char mend[] = "is PostgreSQL running, [database] url right, and may the role log in (ALTER ROLE ... LOGIN; "
	    "passfile or pg_hba.conf)?";
	char error[CONFIG_ERROR_BYTES] = "no memory or no entropy";
	const char *role = NULL;
	enum status st;

	if (!all->keyring || session_role(all->in, &role) != EX_OK)
		return;
	st = session_connect(role, REALM_STAFF, &all->session, error);
	all->core = st == STATUS_OK;
	if (!all->core) {
		find(all, "policy", STATE_FAULT, "mend the setting", "%s", error);
		return;
	}
	st = core_readiness(all->session.core, &all->ready);
	all->readiness = st == STATUS_OK && all->ready.database;
	if (all->readiness)
		find(all, "database", STATE_OK, "", "%s", role);
	else
		find(all, "database", STATE_FAULT, mend, "no answer to role %s (%s)", role, status_name(st));
}

static void
check_inside(struct examination *all)
{
	if (!all->readiness)
		return;
	find(all, "schema", all->ready.schema ? STATE_OK : STATE_FAULT,
	    all->ready.schema ? "" : "counterfoil db migrate",
	    all->ready.schema ? "has what this program needs" : "the database's schema is older than this program");
	find(all, "keys", all->ready.keys ? STATE_OK : STATE_FAULT,
	    all->ready.keys ? "" : "bring the keyring that sealed it: every host needs the same",
	    all->ready.keys ? "the keyring fits the database" : "the keyring lacks keys that the database was sealed with");
	find(all, "clock", all->ready.clock ? STATE_OK : STATE_FAULT, all->ready.clock ? "" : "timedatectl, on both",
	    all->ready.clock ? "agrees with the database's" : "this host's clock and the database's are far apart");
}

/* --- the report ---------------------------------------------------------------------------------------------------- */

static bool
is_healthy(const struct examination *all)
{
	for (unsigned i = 0; i < all->count; i++)
		if (all->findings[i].state == STATE_FAULT)
			return false;
	return true;
}

static int
report_json(const struct examination *all)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < all->count; i++) {
		const struct finding *finding = &all->findings[i];
		char clean[TEXT_BYTES];

		text_sanitize(bytes_of(finding->what), clean, sizeof clean);
		(void)json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:o}", "name", finding->name, "state",
		    state_names[finding->state], "what", clean, "mend", output_json_optional(finding->mend)));
	}
	return output_json(json_pack("{s:b, s:o}", "healthy", is_healthy(all), "checks", array));
}

static void
report_text(const struct examination *all)
{
	for (unsigned i = 0; i < all->count; i++) {
		const struct finding *finding = &all->findings[i];
		char clean[TEXT_BYTES];

		text_sanitize(bytes_of(finding->what), clean, sizeof clean);
		output_text("%-8s %-14s %s\n", state_names[finding->state], finding->name, clean);
		if (finding->mend[0] != '\0')
			output_text("%-8s %-14s -> %s\n", "", "", finding->mend);
	}
}

int
doctor_command(const struct invocation *in)
{
	struct examination all = { .in = in };
	int rc = EX_OK;

	check_configuration(&all);
	check_keyring(&all);
	check_blocklist(&all);
	check_authd(&all);
	check_database(&all);
	check_inside(&all);
	check_clock_kept(&all);
	if (in->values[OPTION_JSON] != NULL)
		rc = report_json(&all);
	else
		report_text(&all);
	session_close(&all.session);
	if (rc == EX_OK && !is_healthy(&all))
		return EX_CONFIG;
	return rc;
}
