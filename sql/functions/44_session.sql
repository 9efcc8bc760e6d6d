-- Sessions: opaque tokens, found by their digest.  One that is over is over on every node with the next statement.
SET LOCAL search_path = counterfoil, pg_temp;

-- When a session ends by itself if it is not used.
CREATE FUNCTION idle_until(p_session session) RETURNS timestamptz LANGUAGE sql STABLE AS
$$ SELECT least(p_session.expires_at, p_session.last_used_at + seconds(p_session.idle_s)) $$;

-- Indexed reads alone; the time of use is written at most once in a sixtieth of the idle limit, and nobody waits for it.
CREATE FUNCTION session_introspect(p_caller caller, p_digest bytea, OUT active boolean, OUT session_id uuid,
    OUT account_id uuid, OUT aal bigint, OUT amr text, OUT auth_time bigint, OUT expires_at bigint, OUT idle_at bigint,
    OUT device boolean, OUT hold_until bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'sessions');
	v_idle_s bigint;
	v_touch boolean;
BEGIN
	SELECT s.id, s.account_id, s.aal, s.amr, epoch(s.auth_time), epoch(s.expires_at), epoch(idle_until(s)),
		s.device_id IS NOT NULL, epoch(a.hold_until), s.idle_s, s.last_used_at < now_utc() - seconds(s.idle_s) / 60
		INTO session_id, account_id, aal, amr, auth_time, expires_at, idle_at, device, hold_until, v_idle_s, v_touch
		FROM session s JOIN account a ON a.id = s.account_id
		WHERE s.digest = p_digest AND s.realm = v_who.realm AND s.ended_at IS NULL AND idle_until(s) > now_utc()
		AND a.state = 'active';
	active := FOUND;
	IF v_touch THEN
		UPDATE session s SET last_used_at = now_utc() WHERE s.id IN
			(SELECT u.id FROM session u WHERE u.id = session_id AND u.ended_at IS NULL FOR UPDATE SKIP LOCKED);
		idle_at := least(expires_at, epoch(now_utc()) + v_idle_s);
	END IF;
END $$;

-- The living sessions of an account, newest first; at most P_MAX.
CREATE FUNCTION session_rows(p_account_id uuid, p_max bigint, OUT session_id uuid, OUT aal bigint, OUT amr text,
    OUT auth_time bigint, OUT last_used_at bigint, OUT expires_at bigint, OUT device boolean, OUT source text,
    OUT user_agent text) RETURNS SETOF record LANGUAGE sql STABLE AS $$
	SELECT s.id, s.aal::bigint, s.amr, epoch(s.auth_time), epoch(s.last_used_at), epoch(s.expires_at),
		s.device_id IS NOT NULL, host(s.source), s.user_agent
	FROM session s WHERE s.account_id = p_account_id AND s.ended_at IS NULL AND idle_until(s) > now_utc()
	ORDER BY s.auth_time DESC, s.id LIMIT p_max
$$;

CREATE FUNCTION session_list(p_caller caller, p_account_id uuid, p_max bigint, OUT session_id uuid, OUT aal bigint,
    OUT amr text, OUT auth_time bigint, OUT last_used_at bigint, OUT expires_at bigint, OUT device boolean,
    OUT source text, OUT user_agent text)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'sessions');
BEGIN
	PERFORM account_seen(v_who, p_account_id);
	RETURN QUERY SELECT * FROM session_rows(p_account_id, p_max);
END $$;

-- CF404: no such session in this realm.  One that is over already is no fault.
CREATE FUNCTION session_end(p_caller caller, p_session_id uuid, OUT done boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'sessions');
	v_session session%ROWTYPE;
BEGIN
	SELECT * INTO v_session FROM session s WHERE s.id = p_session_id AND s.realm = v_who.realm FOR UPDATE;
	IF NOT FOUND THEN
		PERFORM refuse('CF404');
	END IF;
	done := v_session.ended_at IS NULL;
	IF done THEN
		UPDATE session s SET ended_at = now_utc(), end_reason = 'ended' WHERE s.id = p_session_id;
		PERFORM record(p_caller, v_who, v_session.account_id, 'session_ended', 'ok', NULL, false,
			jsonb_build_object('session', p_session_id));
	END IF;
END $$;

-- All of an account's, but for the one whose token is P_BUT_DIGEST (NULL: none is spared); and its links and pages.
CREATE FUNCTION session_end_all(p_caller caller, p_account_id uuid, p_but_digest bytea, OUT ended bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'sessions');
BEGIN
	PERFORM account_hold(v_who, p_account_id);
	UPDATE session s SET ended_at = now_utc(), end_reason = 'ended' WHERE s.account_id = p_account_id
		AND s.ended_at IS NULL AND s.digest IS DISTINCT FROM p_but_digest;
	GET DIAGNOSTICS ended = ROW_COUNT;
	PERFORM links_end(p_account_id, NULL);
	PERFORM record(p_caller, v_who, p_account_id, 'sessions_ended', 'ok', NULL, false,
		jsonb_build_object('count', ended));
END $$;

-- --- trusted devices -----------------------------------------------------------------------------------------------

CREATE FUNCTION device_list(p_caller caller, p_account_id uuid, p_max bigint, OUT device_id uuid, OUT created_at bigint,
    OUT last_used_at bigint, OUT expires_at bigint, OUT user_agent text)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'sessions');
BEGIN
	PERFORM account_seen(v_who, p_account_id);
	RETURN QUERY SELECT * FROM device_rows(p_account_id, p_max);
END $$;

CREATE FUNCTION device_rows(p_account_id uuid, p_max bigint, OUT device_id uuid, OUT created_at bigint,
    OUT last_used_at bigint, OUT expires_at bigint, OUT user_agent text) RETURNS SETOF record LANGUAGE sql STABLE AS $$
	SELECT d.id, epoch(d.created_at), epoch(d.last_used_at), epoch(d.expires_at), d.user_agent
	FROM trusted_device d WHERE d.account_id = p_account_id AND d.ended_at IS NULL AND d.expires_at > now_utc()
	ORDER BY d.created_at DESC, d.id LIMIT p_max
$$;

-- P_DEVICE_ID NULL: all of them.  The sessions that a device opened end with it.  Returns how many devices.
CREATE FUNCTION device_close(p_account_id uuid, p_device_id uuid) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	v_ids uuid[];
BEGIN
	WITH gone AS (
		UPDATE trusted_device d SET ended_at = now_utc(), end_reason = 'revoked' WHERE d.account_id = p_account_id
			AND d.ended_at IS NULL AND (p_device_id IS NULL OR d.id = p_device_id) RETURNING d.id)
	SELECT coalesce(array_agg(g.id), '{}') INTO v_ids FROM gone g;
	UPDATE session s SET ended_at = now_utc(), end_reason = 'device_revoked' WHERE s.account_id = p_account_id
		AND s.device_id = ANY (v_ids) AND s.ended_at IS NULL;
	RETURN cardinality(v_ids);
END $$;

CREATE FUNCTION device_revoke(p_caller caller, p_account_id uuid, p_device_id uuid, OUT ended bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'sessions');
BEGIN
	PERFORM account_hold(v_who, p_account_id);
	ended := device_close(p_account_id, p_device_id);
	IF ended = 0 AND p_device_id IS NOT NULL THEN
		PERFORM refuse('CF404');
	END IF;
	PERFORM record(p_caller, v_who, p_account_id, 'device_ended', 'ok', 'revoked', true, jsonb_build_object('count', ended));
END $$;

-- --- a fresh factor for one purpose ----------------------------------------------------------------------------------

-- A challenge of kind step_up: its code goes through challenge_begin() and challenge_finish(), and opens no session.
-- Whose authenticators wrong codes have disabled can prove a recovery code to bind another, and for nothing else.
CREATE FUNCTION step_up_begin(p_caller caller, p_account_id uuid, p_challenge_digest bytea, p_purpose text,
    p_transaction_digest bytea, p_ttl_s bigint, OUT expires_at bigint, OUT has_totp boolean, OUT has_recovery boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'login');
	v_account account%ROWTYPE := account_hold(v_who, p_account_id);
	v_now timestamptz := now_utc();
BEGIN
	has_totp := EXISTS (SELECT FROM factor f WHERE f.account_id = p_account_id AND f.state = 'active');
	IF v_account.state <> 'active'
	    OR NOT (has_totp OR (p_purpose = 'add_factor' AND can_prove_factor(p_account_id))) THEN
		PERFORM refuse('CF409');
	END IF;
	INSERT INTO challenge (digest, account_id, realm, kind, client_id, source, purpose, transaction_digest, created_at,
		expires_at)
	VALUES (p_challenge_digest, p_account_id, v_who.realm, 'step_up', v_who.client_id, p_caller.source, p_purpose,
		p_transaction_digest, v_now, v_now + seconds(p_ttl_s));
	expires_at := epoch(v_now + seconds(p_ttl_s));
	has_recovery := EXISTS (SELECT FROM recovery_code r WHERE r.account_id = p_account_id
		AND r.set_no = v_account.recovery_set AND r.used_at IS NULL);
END $$;
