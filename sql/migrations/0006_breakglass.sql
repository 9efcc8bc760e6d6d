-- Break-glass codes lie on the hosts that they open; here is what the hosts have told of them, so that who takes somebody's
-- codes away knows where they are and by when they are gone.
SET LOCAL search_path = counterfoil, pg_temp;

CREATE TABLE breakglass (
	account_id uuid NOT NULL REFERENCES account (id),
	host text NOT NULL CHECK (length(host) BETWEEN 1 AND 64),
	issued_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	codes_left integer NOT NULL CHECK (codes_left BETWEEN 0 AND 100),
	last_report uuid NOT NULL,                      -- a host whose reply was lost sends it again
	PRIMARY KEY (account_id, host)
);
CREATE INDEX breakglass_expires_at ON breakglass (expires_at);  -- for maintain()
