#include "pam_module/ticket_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/base/durable_file.h"
#include "pam_module/conf.h"

#define FOLDER      "tickets"
#define NAME_BYTES  16                  /* of a digest: nobody finds two users that share a file */
#define PATH_BYTES  1200
#define TEXT_MAX    (OFFLINE_TICKET_TEXT_BYTES + sizeof " 9223372036854775807\n")

enum { SECONDS_DIGITS_MAX = 12 };       /* thirty thousand years of one boot */

_Static_assert(CONFIG_ERROR_BYTES >= CONF_ERROR_BYTES, "a fault of conf.h fits");

static void
folder_path(const char *run_directory, char out[static PATH_BYTES])
{
	(void)snprintf(out, PATH_BYTES, "%.1100s/" FOLDER, run_directory);
}

/* Whatever bytes the name of a user has, the file's are hex digits. */
static void
file_path(const char *run_directory, const char *user, char out[static PATH_BYTES])
{
	char hex[ENCODING_HEX_BYTES(NAME_BYTES)];
	uint8_t digest[NAME_BYTES];

	(void)crypto_generichash(digest, sizeof digest, (const uint8_t *)user, strlen(user), NULL, 0);
	encoding_hex((struct bytes){ digest, sizeof digest }, hex);
	(void)snprintf(out, PATH_BYTES, "%.1100s/" FOLDER "/%s", run_directory, hex);
}

/* The folders above are looked at when a file is read (conf_read_file). */
static const char *
folder_fault(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return strerror(errno);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return "must be a folder of root's alone: chown root, chmod 0700";
	return NULL;
}

static enum status
make_folder(const char *run_directory, char *error)
{
	char path[PATH_BYTES];
	const char *wrong;

	folder_path(run_directory, path);
	if (mkdir(run_directory, 0750) != 0 && errno != EEXIST)
		return config_fault(error, STATUS_INVALID, "%s: %s", run_directory, strerror(errno));
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return config_fault(error, STATUS_INVALID, "%s: %s", path, strerror(errno));
	if ((wrong = folder_fault(path)) != NULL)
		return config_fault(error, STATUS_INVALID, "%s: %s", path, wrong);
	return STATUS_OK;
}

/* --- one file --------------------------------------------------------------------------------------------------------- */

/* Two sign-ins of one user at once are two processes, so neither writes into the other's. */
static enum status
put(const char *path, struct bytes text, char *error)
{
	char beside[PATH_BYTES + 24];
	enum status st;

	(void)snprintf(beside, sizeof beside, "%s.%ld", path, (long)getpid());
	(void)unlink(beside);           /* what one that was killed has left */
	if ((st = durable_file_create(beside, text, NULL, error)) != STATUS_OK)
		return st;
	if (rename(beside, path) == 0)
		return STATUS_OK;
	st = config_fault(error, STATUS_INVALID, "%s: %s", path, strerror(errno));
	(void)unlink(beside);
	return st;
}

enum status
ticket_store_write(const char *run_directory, const char *user, const struct ticket_kept *kept, int64_t now_s,
    char error[static CONFIG_ERROR_BYTES])
{
	char path[PATH_BYTES], text[TEXT_MAX];
	struct stat present;
	enum status st;

	if ((st = make_folder(run_directory, error)) != STATUS_OK)
		return st;
	file_path(run_directory, user, path);
	if (lstat(path, &present) != 0 && ticket_store_sweep(run_directory, now_s) >= TICKET_STORE_MAX)
		return config_fault(error, STATUS_OVERLOADED, "%s/" FOLDER ": %d users have a ticket here", run_directory,
		    TICKET_STORE_MAX);
	(void)snprintf(text, sizeof text, "%s %lld\n", kept->text, (long long)kept->kept_at_s);
	return put(path, bytes_of(text), error);
}

static bool
parse(const char *text, size_t len, struct ticket_kept *out)
{
	const char *space = memchr(text, ' ', len), *at, *end = text + len - 1;

	if (space == NULL || (size_t)(space - text) >= sizeof out->text)
		return false;
	at = space + 1;
	if (end - at < 1 || end - at > SECONDS_DIGITS_MAX || *end != '\n')
		return false;
	memcpy(out->text, text, (size_t)(space - text));
	out->text[space - text] = '\0';
	out->kept_at_s = 0;
	for (; at < end; at++) {
		if (*at < '0' || *at > '9')
			return false;
		out->kept_at_s = out->kept_at_s * 10 + (*at - '0');
	}
	return true;
}

enum status
ticket_store_read(const char *run_directory, const char *user, struct ticket_kept *out,
    char error[static CONFIG_ERROR_BYTES])
{
	char path[PATH_BYTES], text[TEXT_MAX];
	const char *wrong;
	struct stat present;
	size_t len = 0;

	file_path(run_directory, user, path);
	if (lstat(path, &present) != 0 && errno == ENOENT)
		return config_fault(error, STATUS_NOT_FOUND, "%s: there is none", path);
	folder_path(run_directory, path);
	if ((wrong = folder_fault(path)) != NULL)
		return config_fault(error, STATUS_INVALID, "%s: %s", path, wrong);
	file_path(run_directory, user, path);
	if (!conf_read_file(path, text, sizeof text, &len, error))
		return STATUS_INVALID;
	return parse(text, len, out) ? STATUS_OK : config_fault(error, STATUS_INVALID, "%s: is no ticket", path);
}

void
ticket_store_remove(const char *run_directory, const char *user)
{
	char path[PATH_BYTES];

	file_path(run_directory, user, path);
	(void)unlink(path);
}

/* --- all of them ------------------------------------------------------------------------------------------------------ */

static bool
is_over(int folder, const char *name, int64_t now_s)
{
	struct stat st;

	return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && now_s - st.st_mtime > OFFLINE_TICKET_LIFE_MAX_S;
}

unsigned
ticket_store_sweep(const char *run_directory, int64_t now_s)
{
	char path[PATH_BYTES];
	const struct dirent *entry;
	unsigned left = 0;
	DIR *folder;

	folder_path(run_directory, path);
	if ((folder = opendir(path)) == NULL)
		return 0;
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (!is_over(dirfd(folder), entry->d_name, now_s) || unlinkat(dirfd(folder), entry->d_name, 0) != 0)
			left++;
	}
	(void)closedir(folder);
	return left;
}
