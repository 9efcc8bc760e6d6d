-- A reply to a PAM host can be lost on its way.  What such a host asked within the last minute is remembered with what it
-- was told, so that the same question again gets the same decision and uses nothing up a second time.
SET LOCAL search_path = counterfoil, pg_temp;

CREATE TABLE host_request (
	client_id text NOT NULL,                -- the host's key
	request_id uuid NOT NULL,
	body_digest bytea NOT NULL CHECK (length(body_digest) = 32),    -- keyed: a password is in what it digests
	asked_at timestamptz NOT NULL,
	decision text,                          -- NULL: not decided yet
	reason text,
	password_right boolean NOT NULL DEFAULT false,
	must_change boolean NOT NULL DEFAULT false,
	retry_after_s bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (client_id, request_id)
);
CREATE INDEX ON host_request (asked_at);
