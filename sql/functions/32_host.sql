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

-- --- a reply that was lost is asked for again -------------------------------------------------------------------------

-- A host with a key begins a question.  KNOWN: it asked the very same within the last minute, and this is what it was told.
-- CF409: it used this id for another question.  Neither: the work is to be done, also where the first time never came to
-- an end; a code that was used up for this request still counts for it (comes_again).
CREATE FUNCTION host_request_begin(p_caller caller, p_body_digest bytea, OUT known boolean, OUT decision text,
    OUT reason text, OUT password_right boolean, OUT must_change boolean, OUT retry_after_s bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'login');
	v_now timestamptz := now_utc();
	v_row host_request%ROWTYPE;
BEGIN
	IF host_of(p_caller) = '' THEN
		PERFORM refuse('CF403');
	END IF;
	DELETE FROM host_request h WHERE h.client_id = v_who.client_id AND h.request_id = p_caller.request_id
		AND h.asked_at <= v_now - interval '60 seconds';
	INSERT INTO host_request AS h (client_id, request_id, body_digest, asked_at)
	VALUES (v_who.client_id, p_caller.request_id, p_body_digest, v_now) ON CONFLICT DO NOTHING;
	SELECT * INTO v_row FROM host_request h WHERE h.client_id = v_who.client_id AND h.request_id = p_caller.request_id;
	IF v_row.body_digest <> p_body_digest THEN
		PERFORM refuse('CF409');
	END IF;
	known := v_row.decision IS NOT NULL;
	decision := v_row.decision;
	reason := v_row.reason;
	password_right := v_row.password_right;
	must_change := v_row.must_change;
	retry_after_s := v_row.retry_after_s;
END $$;

-- What this request came to.  The first word stands.  A request that nobody began is let pass.
CREATE FUNCTION host_request_decide(p_caller caller, p_decision text, p_reason text, p_password_right boolean,
    p_must_change boolean, p_retry_after_s bigint) RETURNS void LANGUAGE sql AS $$
	UPDATE host_request SET decision = p_decision, reason = p_reason, password_right = p_password_right,
		must_change = p_must_change, retry_after_s = p_retry_after_s
	WHERE host_of(p_caller) <> '' AND client_id = p_caller.key_id AND request_id = p_caller.request_id
		AND decision IS NULL
$$;

-- The end of a question, and what is to be told: where the same request came twice at once, both are told the same.
CREATE FUNCTION host_request_finish(p_caller caller, p_decision text, p_reason text, p_password_right boolean,
    p_must_change boolean, p_retry_after_s bigint, OUT known boolean, OUT decision text, OUT reason text,
    OUT password_right boolean, OUT must_change boolean, OUT retry_after_s bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'login');
BEGIN
	PERFORM host_request_decide(p_caller, p_decision, p_reason, p_password_right, p_must_change, p_retry_after_s);
	SELECT true, h.decision, h.reason, h.password_right, h.must_change, h.retry_after_s
		INTO known, decision, reason, password_right, must_change, retry_after_s
		FROM host_request h WHERE h.client_id = v_who.client_id AND h.request_id = p_caller.request_id;
	IF known IS NULL THEN   -- it took so long that it is forgotten, and nobody waits for it any more
		PERFORM refuse('CF409');
	END IF;
END $$;
