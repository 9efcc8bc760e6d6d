-- What an owner was told of, and when: the same once more is told after a day.  And which hashes are due for a better one: the
-- hash itself is sealed, so the form that it has stands beside it (password_form() in core/credential/password.h).
SET LOCAL search_path = counterfoil, pg_temp;

ALTER TABLE factor
	DROP COLUMN warned,
	ADD COLUMN failing_told_at timestamptz,         -- wrong codes in a row; NULL: not since the last right one
	ADD COLUMN replay_told_at timestamptz;          -- a used code, shown again; likewise

ALTER TABLE account ADD COLUMN password_form text NOT NULL DEFAULT '';  -- empty: of a hash from before, until its next use
CREATE INDEX ON account (realm, password_form) WHERE password_sealed IS NOT NULL;
