#include "core/operation/breakglass_trail.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/encoding.h"
#include "core/operation/vault.h"
#include "core/store/breakglass_sql.h"

enum status
breakglass_trail_record(struct core *core, const struct caller *caller, struct bytes login,
    const struct breakglass_fact *fact)
{
	char canonical[TEXT_LOGIN_MAX_BYTES + 1];
	uint8_t digest[DIGEST_BYTES];
	struct breakglass_sql_report report = { .host = fact->host, .event = fact->event, .at_s = fact->at_s,
	    .left = fact->left, .expires_at_s = fact->expires_at_s };
	struct caller_bound bound;
	enum status st;

	if ((st = caller_bind(core, caller, &bound)) != STATUS_OK ||
	    (st = vault_login(core, caller_realm(caller), login, canonical, digest)) != STATUS_OK)
		return st;
	report.login_digest = vault_digest_view(digest);
	return breakglass_sql_report(core->db, &bound.db, &report);
}

_Static_assert(sizeof ((struct breakglass_row *)0)->host == BREAKGLASS_TRAIL_HOST_BYTES, "a host's name fits");

enum status
breakglass_trail_list(struct core *core, const struct caller *caller, const char *account_id,
    struct breakglass_outstanding **out, unsigned *out_count)
{
	struct breakglass_row *rows = NULL;
	struct caller_bound bound;
	unsigned count = 0;
	enum status st;

	if (!encoding_is_uuid(account_id))
		return STATUS_NOT_FOUND;
	if ((st = caller_bind(core, caller, &bound)) != STATUS_OK ||
	    (st = breakglass_sql_list(core->db, &bound.db, account_id, &rows, &count)) != STATUS_OK)
		return st;
	if ((*out = calloc(count + 1, sizeof **out)) == NULL)
		st = STATUS_NO_MEMORY;
	for (unsigned i = 0; i < count && st == STATUS_OK; i++) {
		memcpy((*out)[i].host, rows[i].host, sizeof rows[i].host);
		(*out)[i].codes_left = rows[i].codes_left;
		(*out)[i].issued_at_s = rows[i].issued_at_s;
		(*out)[i].expires_at_s = rows[i].expires_at_s;
	}
	*out_count = count;
	free(rows);
	return st;
}
