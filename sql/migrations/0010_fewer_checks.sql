-- PostgreSQL reads the text of a CHECK anew for every statement that writes a row: an eighth of what a code step cost.  Rows of
-- challenges and sessions are written by functions alone, with words and numbers of their own, and with digests whose length
-- is part of their type in C; a digest of another length would be found by nobody.  Factors keep what kinds there are, and that
-- one has a seed until it is revoked.  In the order in which a sign-in takes the tables.
SET LOCAL search_path = counterfoil, pg_temp;

ALTER TABLE challenge DROP CONSTRAINT challenge_check;
ALTER TABLE factor
	DROP CONSTRAINT factor_check,
	ADD CONSTRAINT factor_check CHECK (kind = 'totp' AND (seed_sealed IS NULL) = (state = 'revoked')) NOT VALID;
ALTER TABLE session DROP CONSTRAINT session_check;
