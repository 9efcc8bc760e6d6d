#include "pam_module/breakglass_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/base/durable_file.h"
#include "core/base/secret.h"
#include "pam_module/conf.h"

#define MACHINE_ID_PATH "/etc/machine-id"
#define MACHINE_ID_MAX  64

_Static_assert(CONFIG_ERROR_BYTES >= CONF_ERROR_BYTES, "a fault of conf.h fits");

static enum status
fault(char *error, enum status status, const char *path, const char *what)
{
	(void)snprintf(error, CONFIG_ERROR_BYTES, "%.300s: %.180s", path, what);
	return status;
}

/* --- this host -------------------------------------------------------------------------------------------------------- */

/* A copy of the file on another machine, or on this one under another name, is of no use. */
static enum status
identify(struct breakglass_store *store, uint8_t out[static BREAKGLASS_HOST_BYTES], char *error)
{
	char text[MACHINE_ID_MAX + 1 + BREAKGLASS_HOST_NAME_BYTES] = "";
	size_t len = 0;

	if (!conf_read_file(MACHINE_ID_PATH, text, MACHINE_ID_MAX, &len, error))
		return STATUS_INVALID;
	if ((len = strcspn(text, "\n")) == 0)
		return fault(error, STATUS_INVALID, MACHINE_ID_PATH, "is empty: run systemd-machine-id-setup");
	if (gethostname(store->host_name, sizeof store->host_name) != 0 || store->host_name[0] == '\0')
		return fault(error, STATUS_INVALID, "host name", "cannot be told");
	store->host_name[sizeof store->host_name - 1] = '\0';
	(void)snprintf(text + len, sizeof text - len, "\n%s", store->host_name);
	(void)crypto_generichash(out, BREAKGLASS_HOST_BYTES, (const uint8_t *)text, strlen(text), NULL, 0);
	return STATUS_OK;
}

/* --- folder and lock -------------------------------------------------------------------------------------------------- */

static void
path_in(const char *directory, const char *name, char out[static 256])
{
	(void)snprintf(out, 256, "%.240s/%s", directory, name);
}

/* The folders above are looked at when the file is read (conf_read_file). */
static const char *
folder_fault(const char *directory)
{
	struct stat st;

	if (strlen(directory) > 240 || directory[0] != '/')
		return "must be an absolute path of at most 240 bytes";
	if (lstat(directory, &st) != 0)
		return strerror(errno);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return "must be a folder of root's alone: chown root, chmod 0700";
	return NULL;
}

/* The lock is a byte of a file of its own, since the file with the codes is replaced at every change; it belongs to the
 * open file, so it ends with the process however that ends. */
static int
lock(const char *directory, enum breakglass_hold what, int command)
{
	struct flock bytes = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = what, .l_len = 1 };
	char path[256];
	int fd;

	path_in(directory, "lock", path);
	if ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
		return -1;
	while (fcntl(fd, command, &bytes) != 0) {
		if (errno == EINTR)
			continue;
		(void)close(fd);
		return -1;
	}
	return fd;
}

bool
breakglass_store_try_delivery(const char *directory, int *out_fd)
{
	return folder_fault(directory) == NULL && (*out_fd = lock(directory, BREAKGLASS_DELIVERY, F_OFD_SETLK)) >= 0;
}

bool
breakglass_store_exists(const char *directory)
{
	char path[256];
	struct stat st;

	path_in(directory, "codes", path);
	return lstat(path, &st) == 0;
}

/* --- the file --------------------------------------------------------------------------------------------------------- */

static enum status
check_owner(const char *path, char *error)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return fault(error, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_INVALID, path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return fault(error, STATUS_INVALID, path, "must be a file of root's alone: chown root, chmod 0600");
	if (st.st_size > BREAKGLASS_TEXT_MAX)
		return fault(error, STATUS_INVALID, path, "is larger than 512 KiB");
	return STATUS_OK;
}

static enum status
read_codes(struct breakglass_store *store, const uint8_t host[static BREAKGLASS_HOST_BYTES], char *error)
{
	char *text = malloc(BREAKGLASS_TEXT_MAX + 1);
	const char *wrong = NULL;
	size_t len = 0;
	enum status st;

	if (text == NULL)
		return fault(error, STATUS_NO_MEMORY, store->path, "out of memory");
	if ((st = check_owner(store->path, error)) == STATUS_OK &&
	    !conf_read_file(store->path, text, BREAKGLASS_TEXT_MAX + 1, &len, error))
		st = STATUS_INVALID;
	if (st == STATUS_OK &&
	    (st = breakglass_parse((struct bytes){ (const uint8_t *)text, len }, store->codes, &wrong)) != STATUS_OK)
		st = fault(error, st, store->path, wrong);
	if (st == STATUS_OK && !secret_equal((struct bytes){ host, BREAKGLASS_HOST_BYTES },
	    (struct bytes){ store->codes->host, BREAKGLASS_HOST_BYTES }))
		st = fault(error, STATUS_INVALID, store->path, "belongs to another host: remove it, and issue codes here");
	free(text);
	return st;
}

static enum status
make_file(struct breakglass_store *store, const uint8_t host[static BREAKGLASS_HOST_BYTES], char *error)
{
	char *text = NULL;
	size_t len = 0;
	enum status st;

	memset(store->codes, 0, sizeof *store->codes);
	memcpy(store->codes->host, host, BREAKGLASS_HOST_BYTES);
	if ((st = breakglass_print(store->codes, &text, &len)) == STATUS_OK)
		st = durable_file_create(store->path, (struct bytes){ (const uint8_t *)text, len }, NULL, error);
	free(text);
	return st;
}

static enum status
read_or_make(struct breakglass_store *store, bool create, char *error)
{
	uint8_t host[BREAKGLASS_HOST_BYTES];
	enum status st;

	if ((st = identify(store, host, error)) != STATUS_OK)
		return st;
	if ((st = read_codes(store, host, error)) == STATUS_NOT_FOUND && create)
		st = make_file(store, host, error);
	return st;
}

enum status
breakglass_store_open(const char *directory, bool create, struct breakglass_store *out,
    char error[static CONFIG_ERROR_BYTES])
{
	const char *wrong;
	enum status st;

	*out = (struct breakglass_store){ .lock_fd = -1 };
	if (create && mkdir(directory, 0700) != 0 && errno != EEXIST)
		return fault(error, STATUS_INVALID, directory, strerror(errno));
	if ((wrong = folder_fault(directory)) != NULL)
		return fault(error, STATUS_INVALID, directory, wrong);
	path_in(directory, "codes", out->path);
	if ((out->lock_fd = lock(directory, BREAKGLASS_FILE, F_OFD_SETLKW)) < 0)
		return fault(error, STATUS_INVALID, directory, strerror(errno));
	st = STATUS_NO_MEMORY;
	(void)fault(error, st, directory, "out of memory");
	if ((out->codes = malloc(sizeof *out->codes)) != NULL && (st = read_or_make(out, create, error)) == STATUS_OK)
		return STATUS_OK;
	breakglass_store_close(out);
	return st;
}

enum status
breakglass_store_write(struct breakglass_store *store, char error[static CONFIG_ERROR_BYTES])
{
	char beside[256 + sizeof ".new"], *text = NULL;
	size_t len = 0;
	enum status st;

	/* what a crash left: the folder is root's alone, and its lock is ours */
	(void)snprintf(beside, sizeof beside, "%s.new", store->path);
	(void)unlink(beside);
	if ((st = breakglass_print(store->codes, &text, &len)) == STATUS_OK)
		st = durable_file_replace(store->path, (struct bytes){ (const uint8_t *)text, len }, error);
	else
		(void)fault(error, st, store->path, "out of memory");
	free(text);
	return st == STATUS_CONFLICT ? STATUS_INVALID : st;
}

void
breakglass_store_close(struct breakglass_store *store)
{
	free(store->codes);
	store->codes = NULL;
	if (store->lock_fd >= 0)
		(void)close(store->lock_fd);
	store->lock_fd = -1;
}
