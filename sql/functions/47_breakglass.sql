-- Break-glass codes: what hosts report about those that they keep, and about their offline tickets.
SET LOCAL search_path = counterfoil, pg_temp;

-- P_CALLER.request_id names the report: one that comes again changes nothing.  Whoever codes are issued to is active staff;
-- what happened on a host during an outage is recorded whatever the account has become, also when there is none any more.
-- CF404: no such account to issue to.  CF400: no such event, host or number.
CREATE FUNCTION breakglass_report(p_caller caller, p_login_digest bytea, p_host text, p_event text, p_at bigint,
    p_left bigint, p_expires_at bigint, OUT done boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
	v_who admission := admit(p_caller, 'login');
	v_host text := coalesce(v_who.client_id, p_host);
	v_account uuid;
	v_state text;
	v_known breakglass%ROWTYPE;
	v_detail jsonb := jsonb_build_object('host', v_host, 'at', p_at, 'left', p_left, 'expires_at', p_expires_at);
BEGIN
	IF p_caller.kind <> 'host' THEN
		PERFORM refuse('CF403');
	END IF;
	IF coalesce(length(v_host), 0) NOT BETWEEN 1 AND 64 OR coalesce(p_left, -1) NOT BETWEEN 0 AND 100
	    OR p_caller.request_id IS NULL OR coalesce(p_event, '') NOT IN ('issued', 'used', 'revoked', 'expired',
	    'ticket_used') THEN
		PERFORM refuse('CF400');
	END IF;
	done := true;
	SELECT a.id, a.state INTO v_account, v_state FROM account a WHERE a.realm = v_who.realm
		AND a.login_digest = p_login_digest FOR SHARE;
	IF p_event = 'issued' AND v_state IS DISTINCT FROM 'active' THEN
		PERFORM refuse('CF404');
	END IF;
	IF p_event = 'ticket_used' THEN         -- of which there is no list
		IF NOT EXISTS (SELECT FROM event e WHERE e.account_id = v_account AND e.kind = 'offline_ticket_used'
		    AND e.request_id = p_caller.request_id) THEN
			PERFORM record(p_caller, v_who, v_account, 'offline_ticket_used', 'ok', NULL, true, v_detail - 'left');
		END IF;
		RETURN;
	END IF;
	SELECT * INTO v_known FROM breakglass b WHERE b.account_id = v_account AND b.host = v_host FOR UPDATE;
	IF v_known.last_report = p_caller.request_id
	    OR (v_known.account_id IS NULL AND v_account IS NOT NULL AND p_event IN ('revoked', 'expired')) THEN
		RETURN;
	END IF;
	IF p_event = 'issued' THEN
		-- a host that tells stories fills no table
		IF (SELECT count(*) FROM breakglass b WHERE b.account_id = v_account) >= 1000 THEN
			PERFORM refuse('CF409');
		END IF;
		INSERT INTO breakglass AS b (account_id, host, issued_at, expires_at, codes_left, last_report)
		VALUES (v_account, v_host, to_timestamp(p_at), to_timestamp(p_expires_at), p_left, p_caller.request_id)
		ON CONFLICT (account_id, host) DO UPDATE SET issued_at = excluded.issued_at, expires_at = excluded.expires_at,
			codes_left = excluded.codes_left, last_report = excluded.last_report;
		PERFORM record(p_caller, v_who, v_account, 'breakglass_issued', 'ok', NULL, true, v_detail);
	ELSIF p_event = 'used' THEN
		UPDATE breakglass b SET codes_left = p_left, last_report = p_caller.request_id
			WHERE b.account_id = v_account AND b.host = v_host;
		PERFORM record(p_caller, v_who, v_account, 'breakglass_used', 'ok', NULL, true, v_detail);
	ELSE
		DELETE FROM breakglass b WHERE b.account_id = v_account AND b.host = v_host;
		PERFORM record(p_caller, v_who, v_account, 'breakglass_revoked', 'ok', CASE WHEN p_event = 'expired' THEN p_event END,
			false, v_detail);
	END IF;
END $$;

-- The hosts that may still hold codes of an account, as they last reported.
CREATE FUNCTION breakglass_list(p_caller caller, p_account_id uuid, OUT host text, OUT codes_left bigint, OUT issued_at bigint,
    OUT expires_at bigint)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, NULL);
BEGIN
	PERFORM account_seen(v_who, p_account_id);
	RETURN QUERY SELECT b.host, b.codes_left::bigint, epoch(b.issued_at), epoch(b.expires_at) FROM breakglass b
		WHERE b.account_id = p_account_id AND b.codes_left > 0 AND b.expires_at > now_utc() ORDER BY b.host;
END $$;
