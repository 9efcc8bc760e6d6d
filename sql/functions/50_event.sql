-- Reading the audit trail, and the rights of the person it is about.
SET LOCAL search_path = counterfoil, pg_temp;

-- The highest event number below which nothing can appear any more: numbers are taken before the commit that shows them,
-- and a reader who went past one that is still under way would never see it.  In the block that is rolled back nobody is
-- between the two; whoever asks for a number meanwhile waits for that moment.  Under a load that leaves no such moment the
-- answer is two minutes old: longer than two statements may run (database.statement_timeout_ms is 60 s at most).
CREATE FUNCTION event_horizon() RETURNS bigint LANGUAGE plpgsql SET lock_timeout = '100ms' AS $$
DECLARE
	v_id bigint;
BEGIN
	BEGIN
		PERFORM pg_advisory_xact_lock(4713);
		SELECT last_value INTO v_id FROM event_id;
		RAISE EXCEPTION USING ERRCODE = 'CF000';        -- gives the lock back at once
	EXCEPTION
		WHEN SQLSTATE 'CF000' THEN
			RETURN v_id;
		WHEN lock_not_available THEN
			NULL;
	END;
	RETURN coalesce((SELECT min(id) - 1 FROM event WHERE at > now_utc() - interval '2 minutes'),
		(SELECT last_value FROM event_id));
END $$;

-- The events after a cursor, oldest first, at most P_MAX (1000).  NULL filters let everything through.
-- P_NOTIFY true: the outbox alone, what owners are to be told.  The text is put together so that what is not asked for
-- is no condition: each kind of question has its index.
CREATE FUNCTION event_list(p_caller caller, p_after bigint, p_max bigint, p_account_id uuid, p_kind text, p_notify boolean,
    p_since bigint, p_until bigint, OUT id bigint, OUT at bigint, OUT account_id uuid, OUT client_id text, OUT actor text,
    OUT kind text, OUT outcome text, OUT reason text, OUT notify boolean, OUT request_id uuid, OUT source text,
    OUT user_agent text, OUT service text, OUT detail text)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'events');
BEGIN
	RETURN QUERY EXECUTE 'SELECT e.id, epoch(e.at), e.account_id, e.client_id, e.actor, e.kind, e.outcome, e.reason,
		e.notify, e.request_id, host(e.source), e.user_agent, e.service, e.detail::text
		FROM event e WHERE e.realm = $1 AND e.id > $2 AND e.id <= $3'
		|| CASE WHEN p_account_id IS NOT NULL THEN ' AND e.account_id = $4' ELSE '' END
		|| CASE WHEN p_kind IS NOT NULL THEN ' AND e.kind = $5' ELSE '' END
		|| CASE WHEN p_notify THEN ' AND e.notify' ELSE '' END
		|| CASE WHEN p_since IS NOT NULL THEN ' AND e.at >= to_timestamp($6)' ELSE '' END
		|| CASE WHEN p_until IS NOT NULL THEN ' AND e.at < to_timestamp($7)' ELSE '' END
		|| ' ORDER BY e.id LIMIT $8'
		USING v_who.realm, coalesce(p_after, 0), event_horizon(), p_account_id, p_kind, p_since, p_until,
			least(greatest(p_max, 0), 1000);
END $$;

-- Recent sign-ins of one account, and all that its owner was told of, newest first: for its owner's page.
CREATE FUNCTION activity_rows(p_account_id uuid, p_max bigint, OUT at bigint, OUT kind text, OUT outcome text,
    OUT reason text, OUT source text, OUT user_agent text) RETURNS SETOF record LANGUAGE sql STABLE AS $$
	SELECT epoch(e.at), e.kind, e.outcome, e.reason, host(e.source), e.user_agent
	FROM event e WHERE e.account_id = p_account_id AND (e.notify OR e.kind IN ('login_password', 'login_code', 'login_otp',
		'password_changed', 'password_reset_started', 'factor_bound', 'device_ended'))
	ORDER BY e.id DESC LIMIT p_max
$$;

CREATE FUNCTION page_activity(p_caller caller, p_page_digest bytea, p_max bigint, OUT at bigint, OUT kind text,
    OUT outcome text, OUT reason text, OUT source text, OUT user_agent text)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_link link%ROWTYPE := page_hold(p_caller, p_page_digest, 'activity', false);
BEGIN
	RETURN QUERY SELECT * FROM activity_rows(v_link.account_id, p_max);
END $$;

CREATE FUNCTION page_sessions(p_caller caller, p_page_digest bytea, p_max bigint, OUT session_id uuid, OUT aal bigint,
    OUT amr text, OUT auth_time bigint, OUT last_used_at bigint, OUT expires_at bigint, OUT device boolean,
    OUT source text, OUT user_agent text)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_link link%ROWTYPE := page_hold(p_caller, p_page_digest, 'activity', false);
BEGIN
	RETURN QUERY SELECT * FROM session_rows(v_link.account_id, p_max);
END $$;

CREATE FUNCTION page_devices(p_caller caller, p_page_digest bytea, p_max bigint, OUT device_id uuid, OUT created_at bigint,
    OUT last_used_at bigint, OUT expires_at bigint, OUT user_agent text)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_link link%ROWTYPE := page_hold(p_caller, p_page_digest, 'activity', false);
BEGIN
	RETURN QUERY SELECT * FROM device_rows(v_link.account_id, p_max);
END $$;

-- One session of the page's owner.  CF404: it is none of theirs, or over already.
CREATE FUNCTION page_session_end(p_caller caller, p_page_digest bytea, p_session_id uuid, OUT done boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
	v_link link%ROWTYPE := page_hold(p_caller, p_page_digest, 'activity', true);
BEGIN
	UPDATE session SET ended_at = now_utc(), end_reason = 'owner' WHERE id = p_session_id
		AND account_id = v_link.account_id AND ended_at IS NULL;
	IF NOT FOUND THEN
		PERFORM refuse('CF404');
	END IF;
	PERFORM record(p_caller, page_admission(v_link.account_id), v_link.account_id, 'session_ended', 'ok', 'owner', false,
		jsonb_build_object('session', p_session_id));
	done := true;
END $$;

-- One trusted device of the page's owner, and the sessions that it opened.  CF404 as above.
CREATE FUNCTION page_device_end(p_caller caller, p_page_digest bytea, p_device_id uuid, OUT done boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
	v_link link%ROWTYPE := page_hold(p_caller, p_page_digest, 'activity', true);
BEGIN
	IF p_device_id IS NULL OR device_close(v_link.account_id, p_device_id) = 0 THEN
		PERFORM refuse('CF404');
	END IF;
	PERFORM record(p_caller, page_admission(v_link.account_id), v_link.account_id, 'device_ended', 'ok', 'owner', false,
		jsonb_build_object('device', p_device_id));
	done := true;
END $$;

-- Everything off: all sessions and trusted devices of the page's owner.
CREATE FUNCTION page_sign_out(p_caller caller, p_page_digest bytea, OUT ended bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
	v_link link%ROWTYPE := page_hold(p_caller, p_page_digest, 'activity', true);
BEGIN
	ended := account_disconnect(v_link.account_id, 'owner', true, p_page_digest);
	PERFORM record(p_caller, page_admission(v_link.account_id), v_link.account_id, 'sessions_ended', 'ok', 'owner', true,
		jsonb_build_object('count', ended));
END $$;

-- --- erasure and export (GDPR articles 15, 17, 20) -------------------------------------------------------------------

-- What is left of a person in an event once they are taken out of it: whoever kept a copy can prove that it was this.
CREATE FUNCTION event_person_digest(p_salt uuid, p_source inet, p_user_agent text) RETURNS bytea LANGUAGE sql STABLE AS $$
	SELECT sha256(uuid_send(p_salt) || convert_to(coalesce(host(p_source), '') || E'\n' || coalesce(p_user_agent, ''), 'UTF8'))
$$;

-- What names the person goes; the trail stays under the bare id: what happened, not to whom by name.
CREATE FUNCTION account_erase(p_caller caller, p_account_id uuid, OUT done boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'admin');
BEGIN
	PERFORM account_hold(v_who, p_account_id);
	PERFORM account_disconnect(p_account_id, 'erased', true);
	DELETE FROM link l WHERE l.account_id = p_account_id;
	DELETE FROM factor f WHERE f.account_id = p_account_id;
	DELETE FROM recovery_code r WHERE r.account_id = p_account_id;
	DELETE FROM session s WHERE s.account_id = p_account_id;
	DELETE FROM trusted_device d WHERE d.account_id = p_account_id;
	DELETE FROM known_source k WHERE k.account_id = p_account_id;
	DELETE FROM idempotency i WHERE i.account_id = p_account_id;
	DELETE FROM reset_request r WHERE r.account_id = p_account_id;
	DELETE FROM training t WHERE t.account_id = p_account_id;
	DELETE FROM breakglass b WHERE b.account_id = p_account_id;
	UPDATE account a SET state = 'erased', state_reason = NULL, login_digest = NULL, login_sealed = NULL,
		login_key_id = NULL, external_id = NULL, password_sealed = NULL, password_key_id = NULL, must_change = false,
		hold_until = NULL WHERE a.id = p_account_id;
	UPDATE event e SET person_digest = event_person_digest(e.salt, e.source, e.user_agent), salt = NULL, source = NULL,
		user_agent = NULL WHERE e.account_id = p_account_id AND e.salt IS NOT NULL;
	PERFORM record(p_caller, v_who, p_account_id, 'account_erased', 'ok');
	done := true;
END $$;

-- A time as the interface writes it (RFC 3339, UTC).
CREATE FUNCTION iso(p_at timestamptz) RETURNS text LANGUAGE sql STABLE AS
$$ SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') $$;

-- Everything kept about a person but secrets, as one JSON text; sealed values come beside it for C to open.
-- It reads much: P_LIMIT for one account, P_CLIENT_LIMIT for all that one API client asks for; beyond them THROTTLED_S.
CREATE FUNCTION account_export(p_caller caller, p_account_id uuid, p_limit bigint, p_client_limit bigint,
    p_policy throttle_policy, OUT login_sealed bytea, OUT login_key_id bigint, OUT document text, OUT throttled_s bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'accounts');
	v_account account%ROWTYPE := account_seen(v_who, p_account_id);
BEGIN
	throttled_s := use_claim(p_caller, v_who, p_account_id, 'account_exported', 'export', p_limit, p_client_limit, p_policy);
	IF throttled_s > 0 THEN
		RETURN;
	END IF;
	login_sealed := v_account.login_sealed;
	login_key_id := v_account.login_key_id;
	document := jsonb_build_object(
		'account', jsonb_build_object('id', v_account.id, 'external_id', v_account.external_id, 'state', v_account.state,
			'state_reason', v_account.state_reason, 'created_at', iso(v_account.created_at),
			'password_changed_at', iso(v_account.password_changed_at), 'hold_until', iso(v_account.hold_until)),
		'factors', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', f.id, 'kind', f.kind, 'state', f.state,
			'name_sealed', encode(f.name_sealed, 'hex'), 'name_key_id', f.name_key_id,
			'created_at', iso(f.created_at), 'bound_at', iso(f.bound_at), 'revoked_at', iso(f.revoked_at), 'last_used_at', iso(f.last_used_at))
			ORDER BY f.created_at), '[]') FROM factor f WHERE f.account_id = p_account_id),
		'recovery_codes_left', (SELECT count(*) FROM recovery_code r WHERE r.account_id = p_account_id AND r.used_at IS NULL),
		'sessions', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'auth_time', iso(s.auth_time), 'last_used_at',
			iso(s.last_used_at), 'expires_at', iso(s.expires_at), 'ended_at', iso(s.ended_at), 'source', host(s.source), 'user_agent',
			s.user_agent) ORDER BY s.auth_time), '[]') FROM session s WHERE s.account_id = p_account_id),
		'trusted_devices', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'created_at', iso(d.created_at),
			'last_used_at', iso(d.last_used_at), 'expires_at', iso(d.expires_at), 'ended_at', iso(d.ended_at), 'user_agent', d.user_agent)
			ORDER BY d.created_at), '[]') FROM trusted_device d WHERE d.account_id = p_account_id),
		'known_sources', (SELECT coalesce(jsonb_agg(jsonb_build_object('source', k.source, 'seen_at', iso(k.seen_at))
			ORDER BY k.seen_at), '[]') FROM known_source k WHERE k.account_id = p_account_id),
		'resets', (SELECT coalesce(jsonb_agg(jsonb_build_object('reason', r.reason, 'requested_at', iso(r.requested_at),
			'approved_at', iso(r.approved_at), 'ended_at', iso(r.ended_at), 'end_reason', r.end_reason)
			ORDER BY r.requested_at), '[]') FROM reset_request r WHERE r.account_id = p_account_id),
		'breakglass', (SELECT coalesce(jsonb_agg(jsonb_build_object('host', b.host, 'codes_left', b.codes_left, 'issued_at',
			iso(b.issued_at), 'expires_at', iso(b.expires_at)) ORDER BY b.host), '[]')
			FROM breakglass b WHERE b.account_id = p_account_id),
		'training', (SELECT jsonb_build_object('completed_at', iso(t.completed_at), 'due_at', iso(t.due_at))
			FROM training t WHERE t.account_id = p_account_id),
		'events', (SELECT coalesce(jsonb_agg(jsonb_build_object('at', iso(e.at), 'kind', e.kind, 'outcome', e.outcome, 'reason',
			e.reason, 'source', host(e.source), 'user_agent', e.user_agent) ORDER BY e.id), '[]') FROM (SELECT * FROM event
			WHERE account_id = p_account_id ORDER BY id DESC LIMIT 10000) e))::text;
	PERFORM record(p_caller, v_who, p_account_id, 'account_exported', 'ok');
END $$;
