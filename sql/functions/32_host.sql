-- What PAM hosts tell and ask beside signing in.
SET LOCAL search_path = counterfoil, pg_temp;

-- A session that a host opened or closed for somebody: an event.  P_TARGET: whose session it is, where it is not the
-- person's own.  What the person came with (an ssh key's fingerprint) is the caller's user agent.  A budget a host keeps
-- one in wrong hands from filling the trail.
CREATE FUNCTION host_session(p_caller caller, p_kind text, p_login_digest bytea, p_target text, p_tty text,
    p_policy throttle_policy, OUT throttled_s bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
	v_who admission := admit(p_caller, 'login');
	v_account_id uuid;
BEGIN
	IF p_caller.kind <> 'host' OR p_kind IS NULL OR p_kind NOT IN ('session_opened', 'session_closed') THEN
		PERFORM refuse('CF403');
	END IF;
	SELECT a.id INTO v_account_id FROM account a WHERE a.realm = v_who.realm AND a.login_digest = p_login_digest;
	throttled_s := code_claim(p_caller, v_who, v_account_id, p_kind, 'client', budget_key('session', v_who.realm, NULL,
		v_who.actor), p_policy.client_limit, p_policy);
	IF throttled_s = 0 THEN
		PERFORM record(p_caller, v_who, v_account_id, p_kind, 'ok', NULL, false, jsonb_strip_nulls(jsonb_build_object(
			'login', CASE WHEN v_account_id IS NULL THEN encode(p_login_digest, 'hex') END,
			'target', left(p_target, 64), 'tty', left(p_tty, 64))));
	END IF;
END $$;
