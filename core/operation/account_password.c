/* account_password.c: changing the password: with the current one, with a ticket, by the operator. */
#include <string.h>

#include "core/operation/account.h"
#include "core/operation/hashing.h"
#include "core/operation/password_policy.h"
#include "core/store/account_sql.h"

/* One change on its way; wiped as a whole. */
struct change {
	struct core *core;
	enum realm realm;
	struct caller_bound bound;
	const char *account_id;
	struct seal_place place;
	struct db_bytes sealed;         /* the new hash */
	int64_t key_id;
	struct slots_turn turn;
};

static enum status
start(struct change *change, struct core *core, const struct caller *caller, const char *account_id)
{
	memset(change, 0, sizeof *change);
	change->core = core;
	change->realm = caller_realm(caller);
	change->account_id = account_id;
	change->place = (struct seal_place){ change->realm, "account.password", account_id, account_id };
	return caller_bind(core, caller, &change->bound);
}

/* The same, for what is going to hash; end() gives the place in the queue back, too. */
static enum status
start_hashing(struct change *change, struct core *core, const struct caller *caller, const char *account_id)
{
	enum status st = start(change, core, caller, account_id);

	return st == STATUS_OK ? hashing_enter(core, caller, change->realm, &change->turn) : st;
}

static void
end(struct change *change)
{
	hashing_leave(change->core, &change->turn, false);
	secret_wipe(change, sizeof *change);
}

/* The new password through the policy, hashed and sealed.  The account's login counts as a word that it must not be. */
static enum status
prepare(struct change *change, const struct db_bytes *login_sealed, int64_t login_key_id, struct bytes typed,
    struct password_refusal *refusal)
{
	char login[TEXT_LOGIN_MAX_BYTES + 1];
	struct secret *password = NULL;
	enum status st;

	st = vault_open_login(change->core, change->realm, change->account_id, login_sealed, login_key_id, login);
	if (st == STATUS_OK)
		st = password_policy_take(change->core, change->realm, login, typed, &password, refusal);
	if (st == STATUS_OK)
		st = hashing_seal(change->core, &change->turn, &change->place, secret_view(password), &change->sealed, &change->key_id);
	secret_free(&password);
	return st;
}

/* --- with the current password --------------------------------------------------------------------------------------- */

/* The current one against the account's hash or, where there is nothing to verify, the realm's decoy. */
static enum status
verify(struct change *change, const struct password_begin_row *begun, struct bytes typed, bool *out_matched)
{
	struct hashing_check check = { .place = change->place, .sealed = &begun->password_sealed,
	    .key_id = begun->password_key_id };
	struct secret *current = NULL;
	size_t points;
	enum status st;

	if ((st = text_password(typed, &current, &points)) == STATUS_OK &&
	    (st = hashing_run(change->core, &change->turn, &check, secret_view(current))) == STATUS_OK)
		*out_matched = check.matched;
	secret_free(&current);
	secret_wipe(&check, sizeof check);
	return st;
}

static enum status
finish(const struct change *change, const struct password_begin_row *begun, bool matched, enum verdict *out)
{
	const struct password_finish in = {
		.account_id = change->account_id,
		.attempt = begun->attempt,
		.familiar = begun->familiar,
		.matched = matched,
		.password_no = begun->password_no,
		.new_sealed = vault_view(&change->sealed),
		.new_key_id = change->key_id,
		.new_form = hashing_form(change->core, change->realm),
	};
	bool granted = false;
	enum status st;

	st = account_sql_password_finish(change->core->db, &change->bound.db, &in, &change->core->throttles[change->realm],
	    &granted);
	*out = st == STATUS_OK && matched && granted ? VERDICT_GRANTED : VERDICT_DENIED;
	return st;
}

/* The attempt was claimed: now it is verified, and counted. */
static enum status
attempt(struct change *change, const struct password_begin_row *begun, struct bytes current, struct bytes new_password,
    struct password_change_result *out)
{
	enum verdict ignored;
	bool matched = false;
	enum status st, counted;

	if ((st = verify(change, begun, current, &matched)) != STATUS_OK) {
		/* never looked at: it is no failure of its owner; should this fail too, it counts as one */
		(void)!account_sql_password_abandon(change->core->db, &change->bound.db, change->account_id, begun->attempt,
		    begun->familiar, &change->core->throttles[change->realm]);
		return st;
	}
	if (matched)
		st = prepare(change, &begun->login_sealed, begun->login_key_id, new_password, &out->refusal);
	if (st == STATUS_OK)
		return finish(change, begun, matched, &out->verdict);
	if (matched) {                  /* right, but nothing came of it: no failure of its owner */
		change->sealed.len = 0;
		if ((counted = finish(change, begun, true, &ignored)) != STATUS_OK)
			return counted;
	}
	return st;
}

enum status
account_change_password(struct core *core, const struct caller *caller, const char *account_id, struct bytes current,
    struct bytes new_password, struct password_change_result *out)
{
	struct password_begin_row begun;
	struct change change;
	enum status st;

	memset(out, 0, sizeof *out);
	memset(&begun, 0, sizeof begun);
	if ((st = start_hashing(&change, core, caller, account_id)) != STATUS_OK || (st = account_sql_password_begin(core->db,
	    &change.bound.db, account_id, &core->throttles[change.realm], &begun)) != STATUS_OK)
		goto out;
	if (begun.throttled_s > 0) {
		out->verdict = VERDICT_THROTTLED;
		out->retry_after_s = begun.throttled_s;
		goto out;
	}
	st = attempt(&change, &begun, current, new_password, out);
out:
	end(&change);
	secret_wipe(&begun, sizeof begun);
	return st;
}

/* --- with a ticket --------------------------------------------------------------------------------------------------- */

enum status
account_start_reset(struct core *core, const struct caller *caller, const char *account_id,
    struct reset_ticket *out)
{
	struct password_reset_row row;
	struct vault_token ticket;
	struct change change;
	enum status st;

	memset(out, 0, sizeof *out);
	if ((st = start(&change, core, caller, account_id)) != STATUS_OK ||
	    (st = vault_token_new(core, change.realm, "ticket", &ticket)) != STATUS_OK)
		return st;
	st = account_sql_password_reset(core->db, &change.bound.db, account_id, vault_digest_view(ticket.digest),
	    core_policy(core, change.realm)->ticket_ttl_s, core_policy(core, change.realm)->throttle_reset_limit,
	    &core->throttles[change.realm], &row);
	if (st == STATUS_OK && (out->retry_after_s = row.throttled_s) == 0) {
		memcpy(out->text, ticket.text, TOKEN_TEXT_BYTES);
		out->expires_at_s = row.expires_at_s;
	}
	vault_token_wipe(&ticket);
	return st;
}

enum status
account_use_ticket(struct core *core, const struct caller *caller, const char *account_id, const char *ticket,
    struct bytes new_password, struct password_change_result *out)
{
	uint8_t digest[DIGEST_BYTES];
	struct ticket_look_row look;
	struct change change;
	bool granted = false;
	enum status st;

	memset(out, 0, sizeof *out);
	if ((st = start_hashing(&change, core, caller, account_id)) != STATUS_OK ||
	    (st = vault_token_digest(core, change.realm, "ticket", ticket, digest)) != STATUS_OK ||
	    (st = account_sql_ticket_look(core->db, &change.bound.db, account_id, vault_digest_view(digest), &look)) !=
	    STATUS_OK)
		goto out;
	/* looked at before the hash, and once more in the statement that uses it up */
	if (look.live && (st = prepare(&change, &look.login_sealed, look.login_key_id, new_password, &out->refusal)) !=
	    STATUS_OK)
		goto out;
	st = account_sql_ticket_use(core->db, &change.bound.db, account_id, vault_digest_view(digest),
	    vault_view(&change.sealed), change.key_id, hashing_form(core, change.realm), &granted);
	out->verdict = st == STATUS_OK && look.live && granted ? VERDICT_GRANTED : VERDICT_DENIED;
out:
	end(&change);
	return st;
}

/* --- by the operator ------------------------------------------------------------------------------------------------- */

enum status
account_set_password(struct core *core, const struct caller *caller, const char *account_id, struct bytes new_password,
    bool must_change, struct password_refusal *refusal)
{
	struct change change;
	struct account_row row;
	enum status st;

	refusal->reason = NULL;
	if (caller->kind != CALLER_OPERATOR)
		return STATUS_FORBIDDEN;
	if ((st = start_hashing(&change, core, caller, account_id)) == STATUS_OK &&
	    (st = account_sql_get(core->db, &change.bound.db, account_id, &row)) == STATUS_OK &&
	    (st = prepare(&change, &row.login_sealed, row.login_key_id, new_password, refusal)) == STATUS_OK)
		st = account_sql_password_set(core->db, &change.bound.db, account_id, vault_view(&change.sealed),
		    change.key_id, hashing_form(core, change.realm), must_change);
	end(&change);
	return st;
}
