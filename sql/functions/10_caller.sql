-- Who may do what.  Helpers: they run inside a SECURITY DEFINER function, which has set the search_path.
SET LOCAL search_path = counterfoil, pg_temp;

CREATE FUNCTION epoch(p_at timestamptz) RETURNS bigint LANGUAGE sql STABLE AS
$$ SELECT coalesce(floor(date_part('epoch', nullif(p_at, '-infinity')))::bigint, 0) $$;

CREATE FUNCTION seconds(p_s bigint) RETURNS interval LANGUAGE sql IMMUTABLE AS
$$ SELECT p_s * interval '1 second' $$;

-- The bits of client.scopes, in this order; the names are those of the interface (core/operation/client.h has the same).
-- NULL: a scope that nobody knows.
CREATE FUNCTION scope_bit(p_scope text) RETURNS integer LANGUAGE sql IMMUTABLE AS
$$ SELECT 1 << array_position('{login,enroll,accounts,sessions,events,admin,pam}', p_scope) - 1 $$;

CREATE FUNCTION refuse(p_code text) RETURNS void LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION USING ERRCODE = p_code, MESSAGE = 'refused'; END $$;

-- Who needs no key: a host is the role that it connects as, and so is an operator.
CREATE FUNCTION admit_role(p_caller caller, p_scope text) RETURNS admission LANGUAGE plpgsql AS $$
BEGIN
	IF p_caller.kind = 'host' AND p_caller.key_id IS NULL AND p_scope IN ('login', 'password', 'first_factor')
	    AND pg_has_role(session_user, 'counterfoil_pam', 'MEMBER') THEN
		RETURN (2, NULL, 'host')::admission;
	ELSIF p_caller.kind = 'operator' AND p_caller.realm IN (1, 2)
	    AND pg_has_role(session_user, 'counterfoil_admin', 'MEMBER') THEN
		RETURN (p_caller.realm, NULL, 'operator')::admission;
	END IF;
	PERFORM refuse('CF403');
	RETURN NULL;
END $$;

-- Who may do what needs P_SCOPE.  NULL: no API client may do this.  'password': clients need accounts, a PAM host may too;
-- 'first_factor': likewise with enroll, and the function itself holds the host to an enrolment code and to an account's first
-- authenticator.
-- A host that asks authd shows a key there, as a client does: valid, of this realm, with this scope.  A revoked key is
-- refused by the next statement.
CREATE FUNCTION admit(p_caller caller, p_scope text) RETURNS admission LANGUAGE plpgsql AS $$
DECLARE
	v_who admission;
	v_scope text;
	v_allowed boolean;
	v_stale boolean;
BEGIN
	IF p_caller.kind = 'client' THEN
		v_scope := CASE p_scope WHEN 'password' THEN 'accounts' WHEN 'first_factor' THEN 'enroll' ELSE p_scope END;
	ELSIF p_caller.kind = 'host' AND p_caller.key_id IS NOT NULL AND p_scope IN ('login', 'password', 'first_factor') THEN
		v_scope := 'pam';
	ELSE
		RETURN admit_role(p_caller, p_scope);
	END IF;
	SELECT c.realm, c.id, p_caller.kind || ':' || c.id,
		c.scopes & scope_bit(v_scope) <> 0 AND (c.realm = 2 OR p_caller.kind = 'client'),
		coalesce(c.last_used_at < now_utc() - interval '1 minute', true)
		INTO v_who.realm, v_who.client_id, v_who.actor, v_allowed, v_stale
		FROM client c WHERE c.id = p_caller.key_id AND c.key_digest = p_caller.key_digest AND c.realm = p_caller.realm
		AND c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > now_utc())
		AND pg_has_role(session_user, 'counterfoil_authd', 'MEMBER');
	IF v_allowed IS NOT TRUE THEN   -- also for a scope that nobody knows: NULL is no permission
		PERFORM refuse(CASE WHEN v_who.realm IS NULL THEN 'CF401' ELSE 'CF403' END);
	END IF;
	IF v_stale THEN
		UPDATE client SET last_used_at = now_utc() WHERE id IN (SELECT id FROM client WHERE id = v_who.client_id
			AND coalesce(last_used_at < now_utc() - interval '1 minute', true) FOR UPDATE SKIP LOCKED);
	END IF;
	RETURN v_who;
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
	INSERT INTO event (at, realm, account_id, client_id, actor, kind, outcome, reason, notify, request_id, source,
		user_agent, service, detail)
	SELECT now_utc(), p_who.realm, p_account_id, p_who.client_id, p_who.actor, p_kind, p_outcome, p_reason, p_notify,
		p_caller.request_id, p_caller.source, left(p_caller.user_agent, 256), left(p_caller.service, 64), p_detail
	FROM pg_advisory_xact_lock_shared(4713);        -- is asked first: the row, and its number, are made behind it
END $$;

-- The network that one caller commands: an IPv4 address, or an IPv6 /64 (a home or a server has a whole /64).
CREATE FUNCTION source_prefix(p_source inet) RETURNS cidr LANGUAGE sql IMMUTABLE AS $$
	SELECT network(CASE WHEN p_source << '::ffff:0:0/96' THEN '0.0.0.0'::inet + (p_source - '::ffff:0:0'::inet)
		ELSE set_masklen(p_source, CASE family(p_source) WHEN 4 THEN 32 ELSE 64 END) END)
$$;
