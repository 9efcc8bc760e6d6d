/* keys.c: counterfoil keys, and counterfoil pam ticket-key: the keyring of this host. */
#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>

#include "cli/output.h"
#include "cli/session.h"
#include "core/credential/offline_ticket.h"

static int
open_keyring(const struct core_settings *settings, struct keyring **out)
{
	char error[CONFIG_ERROR_BYTES] = "";
	enum status st = keyring_open(settings->keyring_path, out, error);

	if (st == STATUS_NOT_FOUND)
		return output_fail(EX_NOINPUT, "%s; \"counterfoil init\" makes one", error);
	return st == STATUS_OK ? EX_OK : output_fail(st == STATUS_INVALID ? EX_CONFIG : output_exit_code(st), "%s", error);
}

/* store, staff or service: keys have one realm more than accounts. */
static int
realm_operand(const struct invocation *in, enum realm *out)
{
	*out = realm_of(in->operands[0]);
	if (*out == REALM_NONE)
		return output_fail(EX_USAGE, "a realm is store, staff or service, not \"%s\"", in->operands[0]);
	return EX_OK;
}

static int
with_keyring(const struct invocation *in, int (*run)(const struct invocation *in, const struct keyring *keyring))
{
	struct core_settings settings;
	struct keyring *keyring = NULL;
	int rc;

	if ((rc = session_load_settings(in, &settings)) != EX_OK)
		return rc;
	if ((rc = open_keyring(&settings, &keyring)) == EX_OK)
		rc = run(in, keyring);
	keyring_free(&keyring);
	session_free_settings(&settings);
	return rc;
}

/* --- list ---------------------------------------------------------------------------------------------------------- */

static int
print_keys(const struct invocation *in, const struct keyring *keyring)
{
	json_t *body = json_object();

	for (enum realm realm = REALM_STORE; realm <= REALM_SERVICE; realm++) {
		int id = keyring_seal_id(keyring, realm);

		(void)json_object_set_new(body, realm_name(realm), id != 0 ? json_integer(id) : json_null());
		if (in->values[OPTION_JSON] == NULL && id != 0)
			output_text("%-8s seals with key %d\n", realm_name(realm), id);
		else if (in->values[OPTION_JSON] == NULL)
			output_text("%-8s no keys here\n", realm_name(realm));
	}
	if (in->values[OPTION_JSON] != NULL)
		return output_json(body);
	json_decref(body);
	return EX_OK;
}

int
keys_list_command(const struct invocation *in)
{
	return with_keyring(in, print_keys);
}

/* --- extract ------------------------------------------------------------------------------------------------------- */

static int
extract(const struct invocation *in, const struct keyring *keyring)
{
	const char *path = in->operands[1];
	char error[CONFIG_ERROR_BYTES] = "";
	enum realm realm;
	enum status st;
	int rc;

	if ((rc = realm_operand(in, &realm)) != EX_OK)
		return rc;
	if ((st = keyring_extract(keyring, realm, path, error)) != STATUS_OK)
		return output_fail(st == STATUS_NOT_FOUND ? EX_CONFIG : EX_CANTCREAT, "%s", error);
	output_text("%s holds the keys of realm %s.  Bring it to the host over a way that you trust, owned by root, "
	    "mode 0400, and delete it here.\n", path, realm_name(realm));
	return EX_OK;
}

int
keys_extract_command(const struct invocation *in)
{
	return with_keyring(in, extract);
}

/* --- add ----------------------------------------------------------------------------------------------------------- */

int
keys_add_command(const struct invocation *in)
{
	char error[CONFIG_ERROR_BYTES] = "";
	struct core_settings settings;
	enum realm realm;
	enum status st;
	int id = 0, rc;

	if ((rc = realm_operand(in, &realm)) != EX_OK || (rc = session_load_settings(in, &settings)) != EX_OK)
		return rc;
	if ((st = keyring_add_seal_key(settings.keyring_path, realm, &id, error)) != STATUS_OK)
		rc = output_fail(st == STATUS_CONFLICT ? EX_CANTCREAT : EX_CONFIG, "%s", error);
	else
		output_text("Key %d of realm %s is in %s.  Copy the file to every other host of this realm, and to its safe place, "
		    "before you restart any authd: what is sealed with the new key opens nowhere else.\n", id,
		    realm_name(realm), settings.keyring_path);
	session_free_settings(&settings);
	return rc;
}

/* --- the public key of offline tickets ------------------------------------------------------------------------------- */

static int
print_ticket_key(const struct invocation *in, const struct keyring *keyring)
{
	char line[OFFLINE_TICKET_KEY_LINE_BYTES];
	uint8_t seed[OFFLINE_TICKET_SEED_BYTES];
	enum status st = offline_ticket_seed(keyring, seed);

	(void)in;
	if (st != STATUS_OK)
		return output_fail(EX_CONFIG, "the keyring here has no keys of realm service: ask on a host that runs authd");
	offline_ticket_key_line(seed, line);
	secret_wipe(seed, sizeof seed);
	output_text("%s\n", line);
	return EX_OK;
}

int
ticket_key_command(const struct invocation *in)
{
	return with_keyring(in, print_ticket_key);
}
