-- What every sign-in pays for and none needs.  PostgreSQL reads the text of each CHECK anew whenever a statement writes to its
-- table, so a table that sign-ins write has one, of all its conditions.  Rows that are there were held to the same conditions,
-- so none is looked at again (NOT VALID), which would keep everybody waiting.  In the order in which a sign-in takes them.
SET LOCAL search_path = counterfoil, pg_temp;

ALTER TABLE budget DROP CONSTRAINT budget_key_check;    -- budget_key() alone makes them
ALTER TABLE challenge
	DROP CONSTRAINT challenge_digest_check,
	DROP CONSTRAINT challenge_kind_check,
	ADD CONSTRAINT challenge_check CHECK (length(digest) = 32 AND kind IN ('login', 'otp', 'step_up')) NOT VALID;
ALTER TABLE factor
	DROP CONSTRAINT factor_kind_check,
	DROP CONSTRAINT factor_state_check,
	DROP CONSTRAINT factor_check,
	ADD CONSTRAINT factor_check CHECK (kind = 'totp' AND CASE WHEN seed_sealed IS NULL THEN state = 'revoked'
		ELSE state IN ('pending', 'active', 'disabled') END) NOT VALID;
ALTER TABLE session
	DROP CONSTRAINT session_digest_check,
	DROP CONSTRAINT session_aal_check,
	ADD CONSTRAINT session_check CHECK (length(digest) = 32 AND aal IN (1, 2)) NOT VALID;

-- As with sessions and challenges: accounts are never deleted, and erasing one takes its sources away.
ALTER TABLE known_source DROP CONSTRAINT known_source_account_id_fkey;

ALTER TABLE event
	DROP CONSTRAINT event_check,
	DROP CONSTRAINT event_check1,
	ADD CONSTRAINT event_check CHECK (CASE WHEN salt IS NULL THEN person_digest IS NOT NULL AND source IS NULL
		AND user_agent IS NULL ELSE person_digest IS NULL END) NOT VALID;
