-- A code with which somebody of the staff binds the first authenticator at a login: a ticket of its own purpose.
SET LOCAL search_path = counterfoil, pg_temp;

ALTER TABLE ticket DROP CONSTRAINT ticket_purpose_check;
ALTER TABLE ticket ADD CONSTRAINT ticket_purpose_check CHECK (purpose IN ('change', 'reset', 'enroll'));
