-- Links to the hosted page: single use, exchanged at once for the page's own token.
SET LOCAL search_path = counterfoil, pg_temp;

CREATE FUNCTION link_create(p_caller caller, p_account_id uuid, p_link_digest bytea, p_purpose text, p_return_to text,
    p_ttl_s bigint, OUT expires_at bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, CASE p_purpose WHEN 'activity' THEN 'sessions' ELSE 'enroll' END);
	v_account account%ROWTYPE := account_hold(v_who, p_account_id);
	v_now timestamptz := now_utc();
BEGIN
	IF v_account.state <> 'active' THEN
		PERFORM refuse('CF409');
	END IF;
	-- the newest link alone counts
	DELETE FROM link l WHERE l.account_id = p_account_id AND l.purpose = p_purpose AND l.state = 'issued';
	INSERT INTO link (digest, account_id, purpose, return_to, created_at, expires_at)
	VALUES (p_link_digest, p_account_id, p_purpose, p_return_to, v_now, v_now + seconds(p_ttl_s));
	PERFORM record(p_caller, v_who, p_account_id, 'link_created', 'ok', p_purpose);
	expires_at := epoch(v_now + seconds(p_ttl_s));
END $$;

-- The same for a host, for the authenticator that it has begun and as long as that is pending: who has seen that prompt could
-- bind it without a link too.
CREATE FUNCTION link_create_at_host(p_caller caller, p_account_id uuid, p_ticket_digest bytea, p_factor_id uuid,
    p_link_digest bytea, OUT expires_at bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit_enroll(p_caller, p_account_id, p_ticket_digest);
	v_until timestamptz;
BEGIN
	IF host_of(p_caller) = '' THEN
		PERFORM refuse('CF403');
	END IF;
	SELECT f.pending_until INTO v_until FROM confirm_factor(p_caller, p_factor_id, p_account_id, p_ticket_digest) f;
	DELETE FROM link l WHERE l.account_id = p_account_id AND l.purpose = 'enrollment' AND l.state = 'issued';
	INSERT INTO link (digest, account_id, purpose, factor_id, ticket_digest, created_at, expires_at)
	VALUES (p_link_digest, p_account_id, 'enrollment', p_factor_id, p_ticket_digest, now_utc(), v_until);
	PERFORM record(p_caller, v_who, p_account_id, 'link_created', 'ok', 'enrollment');
	expires_at := epoch(v_until);
END $$;

-- CF404: never issued, or a newer one took its place.  CF409: used.  CF410: never used, and too late.  The page has as
-- long as the link had; a host's has no longer than what is pending.
CREATE FUNCTION link_exchange(p_caller caller, p_link_digest bytea, p_purpose text, p_page_digest bytea, p_ttl_s bigint,
    OUT expires_at bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_now timestamptz := now_utc();
	v_link link%ROWTYPE;
BEGIN
	IF p_caller.kind IS DISTINCT FROM 'page' OR NOT pg_has_role(session_user, 'counterfoil_authd', 'MEMBER') THEN
		PERFORM refuse('CF403');
	END IF;
	UPDATE link l SET state = 'opened', page_digest = p_page_digest, expires_at = CASE WHEN l.ticket_digest IS NULL
			THEN v_now + seconds(p_ttl_s) ELSE l.expires_at END
		WHERE l.digest = p_link_digest AND l.purpose = p_purpose AND l.state = 'issued' AND l.expires_at > v_now
		RETURNING * INTO v_link;
	IF NOT FOUND THEN
		PERFORM refuse(coalesce((SELECT CASE l.state WHEN 'issued' THEN 'CF410' ELSE 'CF409' END FROM link l
			WHERE l.digest = p_link_digest AND l.purpose = p_purpose), 'CF404'));
	END IF;
	PERFORM record(p_caller, page_admission(v_link.account_id), v_link.account_id, 'link_opened', 'ok', p_purpose);
	expires_at := epoch(v_link.expires_at);
END $$;

CREATE FUNCTION page_get(p_caller caller, p_page_digest bytea, p_purpose text, OUT account_id uuid, OUT realm bigint,
    OUT login_sealed bytea, OUT login_key_id bigint, OUT return_to text, OUT state text, OUT expires_at bigint,
    OUT second_factor boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_link link%ROWTYPE := page_hold(p_caller, p_page_digest, p_purpose, false);
BEGIN
	SELECT a.id, a.realm, a.login_sealed, a.login_key_id INTO account_id, realm, login_sealed, login_key_id
		FROM account a WHERE a.id = v_link.account_id;
	return_to := v_link.return_to;
	state := v_link.state;
	expires_at := epoch(v_link.expires_at);
	second_factor := can_prove_factor(v_link.account_id);
END $$;
