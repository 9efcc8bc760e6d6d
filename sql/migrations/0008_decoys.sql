-- Nobody's accounts: what a wrong password at a PAM host does its code step on, and undoes (sql/functions/31_challenge.sql),
-- so that it takes as long as a wrong code behind a right password.  They are of a realm of their own, which no caller is
-- admitted to and no list shows; without a login nobody finds them, and there is nothing to open in them.
-- Several, so that wrong passwords that come at once do not wait for each other's row.
SET LOCAL search_path = counterfoil, pg_temp;

INSERT INTO realm VALUES (0, 'nobody');

INSERT INTO account (id, realm, login_digest, password_sealed, password_key_id, created_at)
SELECT ('00000000-0000-4000-8000-0000000000' || lpad(to_hex(n), 2, '0'))::uuid, 0,
	sha256(convert_to('decoy account ' || n, 'UTF8')), '\x00', 0, now_utc()
FROM generate_series(0, 15) n;

INSERT INTO factor (id, account_id, kind, state, seed_sealed, seed_key_id, created_at, bound_at)
SELECT id, id, 'totp', 'active', '\x00', 0, created_at, created_at FROM account WHERE realm = 0;

-- one that never ends, for any host
INSERT INTO challenge (digest, account_id, realm, kind, client_id, created_at, expires_at)
SELECT sha256(uuid_send(id)), id, 2, 'login', 'decoy', created_at, 'infinity' FROM account WHERE realm = 0;
