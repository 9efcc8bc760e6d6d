-- The programs that call the API.  Operators make and revoke them.
SET LOCAL search_path = counterfoil, pg_temp;

CREATE FUNCTION client_create(p_caller caller, p_id text, p_name text, p_realm smallint, p_scopes bigint,
    p_key_digest bytea, p_expires_at bigint, OUT created_at bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
	v_who admission := admit(p_caller, NULL);
	v_now timestamptz := now_utc();
BEGIN
	IF p_expires_at <> 0 AND to_timestamp(p_expires_at) <= v_now THEN
		PERFORM refuse('CF400');
	END IF;
	INSERT INTO client (id, name, realm, scopes, key_digest, created_at, expires_at)
	VALUES (p_id, p_name, p_realm, p_scopes, p_key_digest, v_now,
		CASE WHEN p_expires_at <> 0 THEN to_timestamp(p_expires_at) END);
	v_who.realm := p_realm; -- it is that realm's event, whoever made it
	PERFORM record(p_caller, v_who, NULL, 'client_created', 'ok', NULL, false, jsonb_build_object('client', p_id));
	created_at := epoch(v_now);
END $$;

CREATE FUNCTION client_list(p_caller caller, OUT id text, OUT name text, OUT realm bigint, OUT scopes bigint,
    OUT created_at bigint, OUT expires_at bigint, OUT revoked_at bigint, OUT last_used_at bigint)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
BEGIN
	PERFORM admit(p_caller, NULL);
	RETURN QUERY SELECT c.id, c.name, c.realm::bigint, c.scopes::bigint, epoch(c.created_at), epoch(c.expires_at),
		epoch(c.revoked_at), epoch(c.last_used_at) FROM client c ORDER BY c.created_at, c.id;
END $$;

CREATE FUNCTION client_revoke(p_caller caller, p_id text, OUT done boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
	v_who admission := admit(p_caller, NULL);
BEGIN
	UPDATE client SET revoked_at = coalesce(revoked_at, now_utc()) WHERE id = p_id RETURNING realm INTO v_who.realm;
	IF NOT FOUND THEN
		PERFORM refuse('CF404');
	END IF;
	PERFORM record(p_caller, v_who, NULL, 'client_revoked', 'ok', NULL, false, jsonb_build_object('client', p_id));
	done := true;
END $$;

CREATE FUNCTION client_check(p_caller caller, p_scope text, OUT done boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
BEGIN
	PERFORM admit(p_caller, p_scope);
	done := true;
END $$;
