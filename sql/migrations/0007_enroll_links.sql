-- A link that a staff host shows beside the key of an enrolment at the login: it leads to the authenticator that is pending
-- there, and ends with the enrolment code that is behind it.
SET LOCAL search_path = counterfoil, pg_temp;

ALTER TABLE link ADD COLUMN ticket_digest bytea;        -- of that code; NULL: the link stands for itself
