#include "core/credential/keyring_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/durable_file.h"
#include "core/base/encoding.h"
#include "core/base/entropy.h"
#include "core/base/secret_file.h"

#define FILE_MAX_BYTES 16384
#define LINE_MAX_BYTES 128
#define KEY_ID_MAX 1000000
#define KEY_LINE_BYTES (LINE_MAX_BYTES + 1)

static const char file_head[] =
    "# Counterfoil keyring: keep it secret, keep a copy apart from the database's backups.\n"
    "# <realm> <purpose> <id> <64 hex digits>; made by \"counterfoil init\" and \"counterfoil keys\".\n";

static const char *
purpose_name(enum keyring_purpose purpose)
{
	return purpose == KEYRING_SEAL ? "seal" : "digest";
}

/* --- reading ------------------------------------------------------------------------------------------------- */

/* The next word of a line, at most CAPACITY - 1 bytes; words are apart by one space. */
static bool
take_word(const char **at, const char *end, char *out, size_t capacity)
{
	size_t len = 0;

	while (*at + len < end && (*at)[len] != ' ')
		len++;
	if (len == 0 || len >= capacity)
		return false;
	memcpy(out, *at, len);
	out[len] = '\0';
	*at += len;
	if (*at < end)
		(*at)++;
	return true;
}

static bool
id_of(const char *word, int *out)
{
	long id = 0;

	if (*word < '1' || *word > '9')
		return false;
	for (; *word >= '0' && *word <= '9' && id <= KEY_ID_MAX; word++)
		id = id * 10 + (*word - '0');
	if (*word != '\0' || id > KEY_ID_MAX)
		return false;
	*out = (int)id;
	return true;
}

static const char no_memory[] = "out of memory";

/* NULL, or what is wrong with the line.  The key's value is allocated last, so a fault leaves nothing. */
static const char *
parse_line(const char *at, const char *end, struct keyring_key *key)
{
	char realm[16], purpose[16], id[16];
	size_t len = 0;

	if (!take_word(&at, end, realm, sizeof realm) || (key->realm = realm_of(realm)) == REALM_NONE)
		return "the realm is none of store, staff, service";
	if (!take_word(&at, end, purpose, sizeof purpose))
		return "the purpose is missing";
	if (strcmp(purpose, "seal") != 0 && strcmp(purpose, "digest") != 0)
		return "the purpose is neither seal nor digest";
	key->purpose = strcmp(purpose, "seal") == 0 ? KEYRING_SEAL : KEYRING_DIGEST;
	if (!take_word(&at, end, id, sizeof id) || !id_of(id, &key->id))
		return "the id is not a number from 1 to 1000000";
	if (end - at != 2 * KEYRING_KEY_BYTES)
		return "the key is not 64 hex digits";
	if (secret_new(KEYRING_KEY_BYTES, &key->value) != STATUS_OK)
		return no_memory;
	if (encoding_hex_decode(at, 2 * KEYRING_KEY_BYTES, secret_data(key->value), KEYRING_KEY_BYTES, &len) !=
	    STATUS_OK || len != KEYRING_KEY_BYTES) {
		secret_free(&key->value);
		return "the key is not 64 hex digits";
	}
	return NULL;
}

static const char *
add_key(struct keyring *keyring, struct keyring_key *key)
{
	int id = key->purpose == KEYRING_DIGEST ? KEYRING_ANY_ID : key->id;

	if (keyring_find(keyring, key->realm, key->purpose, id) != NULL)
		return key->purpose == KEYRING_DIGEST ? "a second digest key of this realm" :
		    "a second seal key with this id";
	if (keyring->count == KEYRING_KEYS_MAX)
		return "too many keys";
	keyring->keys[keyring->count++] = *key;
	key->value = NULL;
	return NULL;
}

static enum status
parse_keys(const char *path, struct bytes text, struct keyring *keyring, char *error)
{
	const char *at = (const char *)text.data, *file_end;
	unsigned line = 0;

	if (text.len == 0)      /* and no address to count from */
		return STATUS_OK;
	file_end = at + text.len;
	while (at < file_end) {
		const char *newline = memchr(at, '\n', (size_t)(file_end - at));
		const char *end = newline != NULL ? newline : file_end, *wrong;
		struct keyring_key key = { .value = NULL };

		line++;
		if (end != at && *at != '#') {
			if ((wrong = parse_line(at, end, &key)) == NULL)
				wrong = add_key(keyring, &key);
			secret_free(&key.value);
			if (wrong != NULL)
				return config_fault(error, wrong == no_memory ? STATUS_NO_MEMORY : STATUS_INVALID, "%s:%u: %s", path,
				    line, wrong);
		}
		at = end + 1;
	}
	return STATUS_OK;
}

/* A realm is whole or absent: half a realm would fail in the middle of a login. */
static enum status
check_realms(const char *path, const struct keyring *keyring, char *error)
{
	if (keyring->count == 0)
		return config_fault(error, STATUS_INVALID, "%s: holds no key", path);
	for (enum realm realm = REALM_STORE; realm <= REALM_SERVICE; realm++) {
		bool seals = keyring_seal_id(keyring, realm) != 0, digests = keyring_has_realm(keyring, realm);

		if (seals != digests)
			return config_fault(error, STATUS_INVALID, "%s: realm %s lacks its %s key", path, realm_name(realm),
			    purpose_name(seals ? KEYRING_DIGEST : KEYRING_SEAL));
	}
	return STATUS_OK;
}

enum status
keyring_open(const char *path, struct keyring **out, char error[static CONFIG_ERROR_BYTES])
{
	struct keyring *keyring = calloc(1, sizeof *keyring);
	struct secret *text = NULL;
	enum status st;

	if (keyring == NULL)
		return config_fault(error, STATUS_NO_MEMORY, "%s: out of memory", path);
	if ((st = secret_file_read(path, FILE_MAX_BYTES, &text, error)) == STATUS_OK &&
	    (st = parse_keys(path, secret_view(text), keyring, error)) == STATUS_OK &&
	    (st = check_realms(path, keyring, error)) == STATUS_OK) {
		*out = keyring;
		keyring = NULL;
	}
	secret_free(&text);
	keyring_free(&keyring);
	return st;
}

/* --- writing ------------------------------------------------------------------------------------------------- */

/* Append a line to TEXT, whose length so far is *LEN; its capacity has room for KEYRING_KEYS_MAX lines. */
static void
append_line(struct secret *text, size_t *len, const struct keyring_key *key)
{
	char *at = (char *)secret_data(text) + *len;
	int n = snprintf(at, KEY_LINE_BYTES, "%s %s %d ", realm_name(key->realm), purpose_name(key->purpose), key->id);

	encoding_hex(secret_view(key->value), at + n);
	*len += (size_t)n + 2 * KEYRING_KEY_BYTES;
	secret_data(text)[(*len)++] = '\n';
}

static enum status
render(const struct keyring *keyring, enum realm only, struct secret **out)
{
	struct secret *text = NULL;
	size_t len = sizeof file_head - 1;
	enum status st;

	if ((st = secret_new(len + KEYRING_KEYS_MAX * KEY_LINE_BYTES, &text)) != STATUS_OK)
		return st;
	memcpy(secret_data(text), file_head, len);
	for (unsigned i = 0; i < keyring->count; i++) {
		if (only == REALM_NONE || keyring->keys[i].realm == only)
			append_line(text, &len, &keyring->keys[i]);
	}
	secret_truncate(text, len);
	*out = text;
	return STATUS_OK;
}

static enum status
add_fresh_key(struct keyring *keyring, enum realm realm, enum keyring_purpose purpose, int id)
{
	struct keyring_key *key = &keyring->keys[keyring->count];
	enum status st;

	if (keyring->count == KEYRING_KEYS_MAX || id > KEY_ID_MAX)
		return STATUS_CONFLICT;
	*key = (struct keyring_key){ .realm = realm, .purpose = purpose, .id = id };
	if ((st = secret_new(KEYRING_KEY_BYTES, &key->value)) != STATUS_OK)
		return st;
	keyring->count++;
	return entropy_fill(secret_data(key->value), KEYRING_KEY_BYTES);
}

enum status
keyring_create(const char *path, const enum realm *realms, char error[static CONFIG_ERROR_BYTES])
{
	struct keyring *keyring = calloc(1, sizeof *keyring);
	struct secret *text = NULL;
	enum status st = keyring != NULL ? STATUS_OK : STATUS_NO_MEMORY;

	for (; st == STATUS_OK && *realms != REALM_NONE; realms++) {
		if ((st = add_fresh_key(keyring, *realms, KEYRING_DIGEST, 1)) == STATUS_OK)
			st = add_fresh_key(keyring, *realms, KEYRING_SEAL, 1);
	}
	if (st == STATUS_OK)
		st = render(keyring, REALM_NONE, &text);
	if (st != STATUS_OK)
		(void)config_fault(error, st, "%s: no memory or no entropy for new keys", path);
	else
		st = durable_file_create(path, secret_view(text), NULL, error);
	secret_free(&text);
	keyring_free(&keyring);
	return st;
}

enum status
keyring_extract(const struct keyring *keyring, enum realm realm, const char *path,
    char error[static CONFIG_ERROR_BYTES])
{
	struct secret *text = NULL;
	enum status st;

	if (!keyring_has_realm(keyring, realm))
		return config_fault(error, STATUS_NOT_FOUND, "the keyring holds no keys of realm %s", realm_name(realm));
	if ((st = render(keyring, realm, &text)) != STATUS_OK)
		return config_fault(error, st, "%s: out of memory", path);
	st = durable_file_create(path, secret_view(text), NULL, error);
	secret_free(&text);
	return st;
}

/* Nobody else adds a key from here until *out_fd is closed.  Who waited may hold the lock of a file that was replaced
 * meanwhile: reading that one would lose the key that the other has added. */
static enum status
lock(const char *path, int *out_fd, char *error)
{
	struct stat locked, present;

	for (;;) {
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

		if (fd < 0)
			return errno == ENOENT ? config_fault(error, STATUS_NOT_FOUND, "%s: there is no such file", path) :
			    config_fault(error, STATUS_INVALID, "%s: %s", path, strerror(errno));
		if (flock(fd, LOCK_EX) != 0 || fstat(fd, &locked) != 0 || stat(path, &present) != 0) {
			int cause = errno;

			(void)close(fd);
			return config_fault(error, STATUS_INVALID, "%s: %s", path, strerror(cause));
		}
		if (locked.st_ino == present.st_ino && locked.st_dev == present.st_dev) {
			*out_fd = fd;
			return STATUS_OK;
		}
		(void)close(fd);
	}
}

enum status
keyring_add_seal_key(const char *path, enum realm realm, int *out_id, char error[static CONFIG_ERROR_BYTES])
{
	struct keyring *keyring = NULL;
	struct secret *text = NULL;
	int id = 0, fd = -1;
	enum status st;

	if ((st = lock(path, &fd, error)) != STATUS_OK)
		return st;
	if ((st = keyring_open(path, &keyring, error)) != STATUS_OK)
		goto out;
	if (!keyring_has_realm(keyring, realm)) {
		st = config_fault(error, STATUS_NOT_FOUND, "%s: holds no keys of realm %s", path, realm_name(realm));
		goto out;
	}
	id = keyring_seal_id(keyring, realm) + 1;
	if ((st = add_fresh_key(keyring, realm, KEYRING_SEAL, id)) != STATUS_OK ||
	    (st = render(keyring, REALM_NONE, &text)) != STATUS_OK) {
		(void)config_fault(error, st, "%s: no room, id, memory or entropy for another key", path);
		goto out;
	}
	if ((st = durable_file_replace(path, secret_view(text), error)) == STATUS_OK)
		*out_id = id;
out:
	secret_free(&text);
	keyring_free(&keyring);
	(void)close(fd);
	return st;
}
