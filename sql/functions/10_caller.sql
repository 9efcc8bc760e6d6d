-- Who may do what.  Helpers: they run inside a SECURITY DEFINER function, which has set the search_path.
SET LOCAL search_path = counterfoil, pg_temp;

CREATE FUNCTION epoch(p_at timestamptz) RETURNS bigint LANGUAGE sql STABLE AS
$$ SELECT CASE WHEN p_at IS NULL OR p_at = '-infinity' THEN 0 ELSE floor(extract(epoch FROM p_at))::bigint END $$;

CREATE FUNCTION seconds(p_s bigint) RETURNS interval LANGUAGE sql IMMUTABLE AS
$$ SELECT p_s * interval '1 second' $$;

-- The bits of client.scopes; the names are those of the interface (core/operation/client.h has the same).
CREATE FUNCTION scope_bit(p_scope text) RETURNS integer LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE p_scope WHEN 'login' THEN 1 WHEN 'enroll' THEN 2 WHEN 'accounts' THEN 4 WHEN 'sessions' THEN 8
	WHEN 'events' THEN 16 WHEN 'admin' THEN 32 WHEN 'pam' THEN 64 END $$;

CREATE FUNCTION refuse(p_code text) RETURNS void LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION USING ERRCODE = p_code, MESSAGE = 'refused'; END $$;

-- A program with an API key: valid, of this realm, with this scope.  A revoked key is refused by the next statement.
CREATE FUNCTION admit_client(p_caller caller, p_scope text) RETURNS admission LANGUAGE plpgsql AS $$
DECLARE
	v_client client%ROWTYPE;
	v_now timestamptz := now_utc();
BEGIN
	IF NOT pg_has_role(session_user, 'counterfoil_authd', 'MEMBER') THEN
		PERFORM refuse('CF401');
	END IF;
	SELECT * INTO v_client FROM client WHERE id = p_caller.key_id AND key_digest = p_caller.key_digest
		AND realm = p_caller.realm AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > v_now);
	IF NOT FOUND THEN
		PERFORM refuse('CF401');
	END IF;
	IF v_client.scopes & scope_bit(p_scope) = scope_bit(p_scope) THEN
		NULL;
	ELSE    -- also for a scope that nobody knows: NULL is no permission
		PERFORM refuse('CF403');
	END IF;
	IF v_client.last_used_at IS NULL OR v_client.last_used_at < v_now - interval '1 minute' THEN
		UPDATE client SET last_used_at = v_now WHERE id IN (SELECT id FROM client WHERE id = v_client.id
			AND (last_used_at IS NULL OR last_used_at < v_now - interval '1 minute') FOR UPDATE SKIP LOCKED);
	END IF;
	RETURN (v_client.realm, v_client.id, 'client:' || v_client.id)::admission;
END $$;

-- P_SCOPE NULL: no API client may do this.  'password': clients need accounts, a PAM host may too; 'first_factor': likewise
-- with enroll, and the function itself holds the host to an enrolment code and to an account's first authenticator.
-- A host is the role that it connects as, or, where it asks authd, the key that it shows there.
CREATE FUNCTION admit(p_caller caller, p_scope text) RETURNS admission LANGUAGE plpgsql AS $$
DECLARE
	v_host admission;
BEGIN
	IF p_caller.kind = 'host' AND p_caller.key_id IS NOT NULL AND p_scope IN ('login', 'password', 'first_factor') THEN
		v_host := admit_client(p_caller, 'pam');
		IF v_host.realm = 2 THEN
			v_host.actor := 'host:' || v_host.client_id;
			RETURN v_host;
		END IF;
	ELSIF p_caller.kind = 'client' AND p_scope IS NOT NULL THEN
		RETURN admit_client(p_caller, CASE p_scope WHEN 'password' THEN 'accounts' WHEN 'first_factor' THEN 'enroll'
			ELSE p_scope END);
	ELSIF p_caller.kind = 'host' AND p_caller.key_id IS NULL AND p_scope IN ('login', 'password', 'first_factor')
	    AND pg_has_role(session_user, 'counterfoil_pam', 'MEMBER') THEN
		RETURN (2, NULL, 'host')::admission;
	ELSIF p_caller.kind = 'operator' AND p_caller.realm IN (1, 2)
	    AND pg_has_role(session_user, 'counterfoil_admin', 'MEMBER') THEN
		RETURN (p_caller.realm, NULL, 'operator')::admission;
	ELSIF p_caller.kind = 'client' THEN
		PERFORM admit_client(p_caller, 'admin');
	END IF;
	PERFORM refuse('CF403');
	RETURN NULL;
END $$;

-- Hosts with keys do not share budgets: one that has fallen into wrong hands locks nobody out of the others.
CREATE FUNCTION host_of(p_caller caller) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN p_caller.kind = 'host' AND p_caller.key_id IS NOT NULL THEN ':host:' || p_caller.key_id ELSE '' END
$$;

-- One event of the audit trail.  From the number of an event to the commit that shows it, its writer holds a lock that
-- all writers share: event_horizon() asks for it to know which numbers are final.
CREATE FUNCTION record(p_caller caller, p_who admission, p_account_id uuid, p_kind text, p_outcome text,
    p_reason text DEFAULT NULL, p_notify boolean DEFAULT false, p_detail jsonb DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock_shared(4713);
	INSERT INTO event (at, realm, account_id, client_id, actor, kind, outcome, reason, notify, request_id, source,
		user_agent, service, detail)
	VALUES (now_utc(), p_who.realm, p_account_id, p_who.client_id, p_who.actor, p_kind, p_outcome, p_reason, p_notify,
		p_caller.request_id, p_caller.source, left(p_caller.user_agent, 256), left(p_caller.service, 64), p_detail);
END $$;

-- The network that one caller commands: an IPv4 address, or an IPv6 /64 (a home or a server has a whole /64).
CREATE FUNCTION source_prefix(p_source inet) RETURNS cidr LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN p_source IS NULL THEN NULL
		WHEN family(p_source) = 4 THEN network(set_masklen(p_source, 32))
		WHEN p_source << '::ffff:0:0/96' THEN network(set_masklen(('0.0.0.0'::inet + (p_source - '::ffff:0:0'::inet)), 32))
		ELSE network(set_masklen(p_source, 64))
	END::cidr
$$;
