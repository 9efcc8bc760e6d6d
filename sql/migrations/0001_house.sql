-- 0001_house: the schema, its types and tables.  Runs as counterfoil_owner, in one transaction.
-- Every secret is sealed or a keyed digest (docs/architecture.md, "Data"); times are timestamptz from now_utc().

CREATE SCHEMA IF NOT EXISTS counterfoil;
REVOKE ALL ON SCHEMA counterfoil FROM PUBLIC;
GRANT USAGE ON SCHEMA counterfoil TO counterfoil_authd, counterfoil_pam, counterfoil_admin, counterfoil_auditor;
-- what the owner makes later belongs to nobody else either, not even for the moment before its grants
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC;
SET LOCAL search_path = counterfoil, pg_temp;

-- SQL's only clock: a test replaces it and moves time by hand.
CREATE FUNCTION now_utc() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT now() $$;

-- --- types that travel ---------------------------------------------------------------------------------------------

-- Who asks, from where.  KIND decides which of the rest counts: core/operation/caller.h.
CREATE TYPE caller AS (
	kind text,              -- client | host | operator | page
	key_id text,            -- client: public part of the API key
	key_digest bytea,       -- client: keyed digest of the secret part
	realm smallint,
	request_id uuid,
	source inet,            -- of the person who signs in; NULL: not told
	user_agent text,
	service text            -- PAM service or program
);

-- What admit() found: who may go on, and where.
CREATE TYPE admission AS (realm smallint, client_id text, actor text);

-- Numbers of the configuration ([throttle] of a realm), in seconds and counts.
CREATE TYPE throttle_policy AS (
	pair_limit bigint,      -- failures of one source at one account before the delay begins
	account_limit bigint,   -- failures at one account from strange sources
	account_delay_s bigint, -- first delay of that budget: 1800 for staff (PCI DSS 8.3.4)
	source_limit bigint,    -- failures of one source at all accounts
	client_limit bigint,    -- failures of one API client
	code_limit bigint,      -- wrong codes at one account
	delay_s bigint,         -- first delay; it doubles with each further failure
	delay_max_s bigint,
	forget_s bigint,        -- a budget without failures for so long begins anew
	known_source_s bigint,  -- a source that signed in within so long is not a stranger
	factor_failures_max bigint      -- consecutive wrong codes that disable a factor (NIST SP 800-63B-4 3.2.2)
);

CREATE TYPE login_policy AS (
	second_factor_required boolean,
	challenge_ttl_s bigint,
	ticket_ttl_s bigint,
	session_idle_s bigint,
	session_absolute_s bigint,
	sessions_max bigint,
	device_ttl_s bigint,    -- 0: no trusted devices in this realm
	device_grace_s bigint   -- how long a rotated device token still counts, for one lost reply
);

-- --- who calls -----------------------------------------------------------------------------------------------------

CREATE TABLE realm (
	id smallint PRIMARY KEY,
	name text NOT NULL UNIQUE
);
INSERT INTO realm VALUES (1, 'store'), (2, 'staff');

CREATE TABLE client (
	id text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{16}$'),
	name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
	realm smallint NOT NULL REFERENCES realm,
	scopes integer NOT NULL CHECK (scopes > 0),     -- bits: see scope_bit()
	key_digest bytea NOT NULL CHECK (length(key_digest) = 32),
	created_at timestamptz NOT NULL,
	expires_at timestamptz,
	revoked_at timestamptz,
	last_used_at timestamptz
);

-- --- accounts ------------------------------------------------------------------------------------------------------

CREATE TABLE account (
	id uuid PRIMARY KEY,
	realm smallint NOT NULL REFERENCES realm,
	login_digest bytea CHECK (length(login_digest) = 32),   -- NULL once erased
	login_sealed bytea,
	login_key_id integer,
	external_id text CHECK (octet_length(external_id) BETWEEN 1 AND 128),
	state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'locked', 'disabled', 'erased')),
	state_reason text,
	password_sealed bytea,
	password_key_id integer,
	password_no integer NOT NULL DEFAULT 0, -- of the password, not of its hash: a stronger hash, or a new seal, is the same one
	password_changed_at timestamptz,
	must_change boolean NOT NULL DEFAULT false,
	recovery_set integer NOT NULL DEFAULT 0,        -- number of the recovery codes that count
	hold_until timestamptz,                         -- after a recovery: the shop may delay what moves money
	created_at timestamptz NOT NULL,
	CHECK ((password_sealed IS NULL) = (password_key_id IS NULL)),
	CHECK ((state = 'erased') = (login_digest IS NULL)),
	CHECK (state <> 'erased' OR (login_sealed IS NULL AND password_sealed IS NULL AND external_id IS NULL)),
	UNIQUE (realm, login_digest)
) WITH (fillfactor = 80);

-- An answered creation, so that a repeated request finds it (one day).
CREATE TABLE idempotency (
	client_id text NOT NULL,
	key_digest bytea NOT NULL,
	request_digest bytea NOT NULL,
	account_id uuid NOT NULL REFERENCES account,
	created_at timestamptz NOT NULL,
	PRIMARY KEY (client_id, key_digest)
);
CREATE INDEX ON idempotency (created_at);

CREATE TABLE factor (
	id uuid PRIMARY KEY,
	account_id uuid NOT NULL REFERENCES account,
	kind text NOT NULL CHECK (kind IN ('totp')),
	state text NOT NULL CHECK (state IN ('pending', 'active', 'disabled', 'revoked')),
	name_sealed bytea,
	name_key_id integer,
	seed_sealed bytea,
	seed_key_id integer,
	last_step bigint NOT NULL DEFAULT -1,   -- the newest time step used up: RFC 6238 section 5.2
	failures integer NOT NULL DEFAULT 0,    -- consecutive wrong codes
	warned boolean NOT NULL DEFAULT false,  -- the owner was told of them
	created_at timestamptz NOT NULL,
	pending_until timestamptz,
	bound_at timestamptz,
	revoked_at timestamptz,
	last_used_at timestamptz,
	CHECK ((state IN ('pending', 'active', 'disabled')) = (seed_sealed IS NOT NULL))
) WITH (fillfactor = 70);
CREATE INDEX ON factor (account_id);
CREATE INDEX ON factor (pending_until) WHERE state = 'pending';

CREATE TABLE recovery_code (
	account_id uuid NOT NULL REFERENCES account,
	set_no integer NOT NULL,
	digest bytea NOT NULL CHECK (length(digest) = 32),
	used_at timestamptz,
	PRIMARY KEY (account_id, digest)
);

-- --- signing in ----------------------------------------------------------------------------------------------------

-- A challenge is its own kind of row, never a flag on a session.
CREATE TABLE challenge (
	digest bytea PRIMARY KEY CHECK (length(digest) = 32),
	account_id uuid NOT NULL,       -- no foreign key: accounts are never deleted, and sign-ins are many
	realm smallint NOT NULL,
	kind text NOT NULL CHECK (kind IN ('login', 'otp', 'step_up')),
	client_id text,
	source inet,
	purpose text,                   -- step_up: what the fresh factor is for
	transaction_digest bytea,       -- step_up: the one transaction that it approves
	tries integer NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	used_at timestamptz
) WITH (fillfactor = 70);
CREATE INDEX ON challenge (account_id);
CREATE INDEX ON challenge (expires_at);

CREATE TABLE session (
	id uuid PRIMARY KEY,
	digest bytea NOT NULL UNIQUE CHECK (length(digest) = 32),
	account_id uuid NOT NULL,       -- as above
	realm smallint NOT NULL,
	client_id text,
	aal smallint NOT NULL CHECK (aal IN (1, 2)),
	amr text NOT NULL,              -- RFC 8176 names, separated by spaces
	device_id uuid,                 -- the trusted device that spared the code
	source inet,
	user_agent text,
	auth_time timestamptz NOT NULL,
	last_used_at timestamptz NOT NULL,
	idle_s bigint NOT NULL,
	expires_at timestamptz NOT NULL,        -- absolute
	ended_at timestamptz,
	end_reason text
) WITH (fillfactor = 80);
CREATE INDEX ON session (account_id, (ended_at IS NULL), auth_time);
CREATE INDEX ON session (expires_at);

-- A single-use way to a new password: after must_change, or a reset that somebody started.
CREATE TABLE ticket (
	digest bytea PRIMARY KEY CHECK (length(digest) = 32),
	account_id uuid NOT NULL REFERENCES account,
	purpose text NOT NULL CHECK (purpose IN ('change', 'reset')),
	created_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	used_at timestamptz
);
CREATE INDEX ON ticket (account_id);
CREATE INDEX ON ticket (expires_at);

CREATE TABLE trusted_device (
	id uuid PRIMARY KEY,
	account_id uuid NOT NULL REFERENCES account,
	digest bytea NOT NULL CHECK (length(digest) = 32),
	previous_digest bytea,                  -- what it took the place of
	graced boolean NOT NULL DEFAULT false,  -- the one before was let through once more
	spent bytea[] NOT NULL DEFAULT '{}',    -- what was given out before, newest last
	rotated_at timestamptz NOT NULL,
	user_agent text,
	created_at timestamptz NOT NULL,
	last_used_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	ended_at timestamptz,
	end_reason text
) WITH (fillfactor = 50);
CREATE INDEX ON trusted_device (account_id);
CREATE INDEX ON trusted_device (expires_at);

-- Where an account signed in from lately: a /32 or a /64.
CREATE TABLE known_source (
	account_id uuid NOT NULL REFERENCES account,
	source cidr NOT NULL,
	seen_at timestamptz NOT NULL,
	PRIMARY KEY (account_id, source)
) WITH (fillfactor = 80);
CREATE INDEX ON known_source (seen_at);

-- Failures and the delay that they earned.  KEY is a hash of what is counted; it has no other index, so that an attempt
-- updates its rows in place.
CREATE TABLE budget (
	key bytea PRIMARY KEY CHECK (length(key) = 16),
	kind text NOT NULL,
	failures bigint NOT NULL,
	blocked_until timestamptz NOT NULL,
	updated_at timestamptz NOT NULL,
	claimed_by uuid NOT NULL,       -- the attempt that was let through last
	told boolean NOT NULL DEFAULT false     -- a refusal of the present delay is an event already
) WITH (fillfactor = 60);

-- --- the hosted page -----------------------------------------------------------------------------------------------

CREATE TABLE link (
	digest bytea PRIMARY KEY CHECK (length(digest) = 32),
	account_id uuid NOT NULL REFERENCES account,
	purpose text NOT NULL CHECK (purpose IN ('enrollment', 'activity')),
	return_to text CHECK (octet_length(return_to) <= 512),
	state text NOT NULL DEFAULT 'issued' CHECK (state IN ('issued', 'opened', 'started', 'done')),
	page_digest bytea UNIQUE,       -- of the cookie that the link was exchanged for
	factor_id uuid,                 -- that it started; gone when a newer one took its place
	created_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL
);
CREATE INDEX ON link (account_id);
CREATE INDEX ON link (expires_at);

-- --- losing everything: two members of staff, a reason, a delay -------------------------------------------------------

CREATE TABLE reset_request (
	id uuid PRIMARY KEY,
	account_id uuid NOT NULL REFERENCES account,
	reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 256),
	requested_by uuid NOT NULL REFERENCES account,  -- members of staff
	requested_at timestamptz NOT NULL,
	approved_by uuid REFERENCES account CHECK (approved_by <> requested_by),
	approved_at timestamptz,
	due_at timestamptz,             -- end of the cooling-off delay
	ended_at timestamptz,
	end_reason text CHECK (end_reason IN ('done', 'cancelled', 'owner_signed_in', 'expired'))
);
CREATE UNIQUE INDEX ON reset_request (account_id) WHERE ended_at IS NULL;
CREATE INDEX ON reset_request (account_id);

-- --- the audit trail -------------------------------------------------------------------------------------------------

-- What names a person can be taken out of an event and still be proven later: PERSON_DIGEST is then the hash of those
-- columns with SALT, which goes with them, so that nobody can try addresses.
CREATE SEQUENCE event_id;
CREATE TABLE event (
	id bigint NOT NULL DEFAULT nextval('counterfoil.event_id'),
	at timestamptz NOT NULL,
	realm smallint,
	account_id uuid,
	client_id text,
	actor text,                     -- client:<id>, host, operator, page
	kind text NOT NULL,
	outcome text NOT NULL,
	reason text,
	notify boolean NOT NULL DEFAULT false,  -- the outbox: what the owner is to be told
	request_id uuid,
	service text,
	detail jsonb,
	source inet,
	user_agent text,
	salt uuid DEFAULT gen_random_uuid(),
	person_digest bytea,
	CHECK ((salt IS NULL) = (person_digest IS NOT NULL)),
	CHECK (salt IS NOT NULL OR (source IS NULL AND user_agent IS NULL))
) PARTITION BY RANGE (at);
CREATE INDEX ON event (id);
CREATE INDEX ON event (account_id, id) WHERE account_id IS NOT NULL;
CREATE INDEX ON event (id) WHERE notify;
CREATE INDEX ON event USING brin (at);
CREATE TABLE event_other PARTITION OF event DEFAULT;    -- a month that nobody prepared: late, never lost

-- What a member of staff owes to procedure.
CREATE TABLE training (
	account_id uuid PRIMARY KEY REFERENCES account,
	completed_at timestamptz,
	due_at timestamptz NOT NULL
);
