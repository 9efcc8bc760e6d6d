-- Losing everything: two different members of staff, a reason, a cooling-off delay.  The owner is told at once, and their
-- own sign-in cancels it (signed_in() in 30_login.sql).  Who the staff are was proven by their own sign-in before the call.
SET LOCAL search_path = counterfoil, pg_temp;

-- A member of staff may act on P_ACCOUNT_ID: active, and not that very person.
CREATE FUNCTION staff_hold(p_by uuid, p_account_id uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF p_by = p_account_id OR NOT EXISTS (SELECT FROM account WHERE id = p_by AND realm = 2 AND state = 'active') THEN
		PERFORM refuse('CF403');
	END IF;
END $$;

-- The first call asks, the second approves, by somebody else; a third after the delay is reset_complete()'s.
-- P_BY: the staff account of who does it.  CF409: the same person twice, or approved already.
CREATE FUNCTION reset_request(p_caller caller, p_account_id uuid, p_id uuid, p_reason text, p_by uuid, p_delay_s bigint,
    OUT state text, OUT due_at bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, NULL);
	v_now timestamptz := now_utc();
	v_reset reset_request%ROWTYPE;
BEGIN
	PERFORM account_hold(v_who, p_account_id);
	PERFORM staff_hold(p_by, p_account_id);
	UPDATE reset_request r SET ended_at = v_now, end_reason = 'expired' WHERE r.account_id = p_account_id
		AND r.ended_at IS NULL AND coalesce(r.due_at, r.requested_at) < v_now - interval '7 days';
	IF FOUND THEN
		PERFORM record(p_caller, v_who, p_account_id, 'reset_cancelled', 'ok', 'expired', true);
	END IF;
	SELECT * INTO v_reset FROM reset_request r WHERE r.account_id = p_account_id AND r.ended_at IS NULL;
	IF NOT FOUND THEN
		INSERT INTO reset_request (id, account_id, reason, requested_by, requested_at)
		VALUES (p_id, p_account_id, p_reason, p_by, v_now);
		state := 'requested';
		due_at := 0;
	ELSIF v_reset.approved_by IS NOT NULL OR v_reset.requested_by = p_by THEN
		PERFORM refuse('CF409');
	ELSE
		UPDATE reset_request r SET approved_by = p_by, approved_at = v_now, due_at = v_now + seconds(p_delay_s)
			WHERE r.id = v_reset.id;
		state := 'approved';
		due_at := epoch(v_now + seconds(p_delay_s));
	END IF;
	PERFORM record(p_caller, v_who, p_account_id, 'reset_' || state, 'ok', p_reason, true, jsonb_build_object('by', p_by));
END $$;

CREATE FUNCTION reset_cancel(p_caller caller, p_account_id uuid, p_by uuid, OUT done boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, NULL);
BEGIN
	PERFORM account_hold(v_who, p_account_id);
	PERFORM staff_hold(p_by, p_account_id);
	UPDATE reset_request r SET ended_at = now_utc(), end_reason = 'cancelled'
		WHERE r.account_id = p_account_id AND r.ended_at IS NULL;
	IF NOT FOUND THEN
		PERFORM refuse('CF404');
	END IF;
	PERFORM record(p_caller, v_who, p_account_id, 'reset_cancelled', 'ok', 'staff', true, jsonb_build_object('by', p_by));
	done := true;
END $$;

-- After the delay: every factor and code goes, a ticket for a new password is the way in, and for P_HOLD_S the shop is told
-- to hold what moves money.  CF404: nothing asked for.  CF409: not approved, or the delay is not over.
CREATE FUNCTION reset_complete(p_caller caller, p_account_id uuid, p_ticket_digest bytea, p_ticket_ttl_s bigint,
    p_hold_s bigint, p_by uuid, OUT expires_at bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, NULL);
	v_account account%ROWTYPE := account_hold(v_who, p_account_id);
	v_now timestamptz := now_utc();
	v_reset reset_request%ROWTYPE;
BEGIN
	PERFORM staff_hold(p_by, p_account_id);
	SELECT * INTO v_reset FROM reset_request r WHERE r.account_id = p_account_id AND r.ended_at IS NULL;
	IF NOT FOUND THEN
		PERFORM refuse('CF404');
	ELSIF v_reset.due_at IS NULL OR v_reset.due_at > v_now THEN
		PERFORM refuse('CF409');
	END IF;
	UPDATE reset_request r SET ended_at = v_now, end_reason = 'done' WHERE r.id = v_reset.id;
	UPDATE factor f SET state = 'revoked', seed_sealed = NULL, seed_key_id = NULL, revoked_at = v_now, pending_until = NULL
		WHERE f.account_id = p_account_id AND f.state <> 'revoked';
	DELETE FROM recovery_code r WHERE r.account_id = p_account_id;
	UPDATE account a SET password_sealed = NULL, password_key_id = NULL, password_no = password_no + 1, hold_until = v_now + seconds(p_hold_s)
		WHERE a.id = p_account_id;
	PERFORM account_disconnect(p_account_id, 'reset', true);
	DELETE FROM known_source k WHERE k.account_id = p_account_id;
	INSERT INTO ticket (digest, account_id, purpose, created_at, expires_at)
	VALUES (p_ticket_digest, p_account_id, 'reset', v_now, v_now + seconds(p_ticket_ttl_s));
	PERFORM record(p_caller, v_who, p_account_id, 'reset_done', 'ok', v_reset.reason, true, jsonb_build_object('by', p_by));
	expires_at := epoch(v_now + seconds(p_ticket_ttl_s));
END $$;

CREATE FUNCTION reset_show(p_caller caller, p_account_id uuid, OUT reset_id uuid, OUT reason text, OUT requested_by uuid,
    OUT requested_at bigint, OUT approved_by uuid, OUT approved_at bigint, OUT due_at bigint)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, NULL);
BEGIN
	PERFORM account_seen(v_who, p_account_id);
	RETURN QUERY SELECT r.id, r.reason, r.requested_by, epoch(r.requested_at), r.approved_by, epoch(r.approved_at),
		epoch(r.due_at) FROM reset_request r WHERE r.account_id = p_account_id AND r.ended_at IS NULL;
	IF NOT FOUND THEN
		PERFORM refuse('CF404');
	END IF;
END $$;

-- --- staff who leave, staff who learn --------------------------------------------------------------------------------

-- Everything that lets one person in goes at once, on every host; the counts are the proof.
CREATE FUNCTION offboard(p_caller caller, p_account_id uuid, p_reason text, OUT factors bigint, OUT sessions bigint,
    OUT devices bigint, OUT recovery_codes bigint, OUT at bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, NULL);
	v_now timestamptz := now_utc();
BEGIN
	PERFORM account_hold(v_who, p_account_id);
	UPDATE account a SET state = 'disabled', state_reason = 'offboarded', password_sealed = NULL, password_key_id = NULL,
		password_no = password_no + 1
		WHERE a.id = p_account_id;
	UPDATE factor f SET state = 'revoked', seed_sealed = NULL, seed_key_id = NULL, revoked_at = v_now, pending_until = NULL
		WHERE f.account_id = p_account_id AND f.state <> 'revoked';
	GET DIAGNOSTICS factors = ROW_COUNT;
	DELETE FROM recovery_code r WHERE r.account_id = p_account_id AND r.used_at IS NULL;
	GET DIAGNOSTICS recovery_codes = ROW_COUNT;
	UPDATE trusted_device d SET ended_at = v_now, end_reason = 'offboarded' WHERE d.account_id = p_account_id
		AND d.ended_at IS NULL;
	GET DIAGNOSTICS devices = ROW_COUNT;
	sessions := account_disconnect(p_account_id, 'offboarded', true);
	at := epoch(v_now);
	PERFORM record(p_caller, v_who, p_account_id, 'offboarded', 'ok', p_reason, true, jsonb_build_object('factors', factors,
		'sessions', sessions, 'devices', devices, 'recovery_codes', recovery_codes, 'breakglass_hosts', (SELECT
		coalesce(jsonb_object_agg(b.host, b.codes_left), '{}') FROM breakglass b WHERE b.account_id = p_account_id)));
END $$;

-- P_DUE_AT: when the next training is due; P_COMPLETED true: one was completed now.
CREATE FUNCTION training_record(p_caller caller, p_account_id uuid, p_completed boolean, p_due_at bigint, OUT done boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, NULL);
BEGIN
	PERFORM account_hold(v_who, p_account_id);
	INSERT INTO training AS t (account_id, completed_at, due_at)
	VALUES (p_account_id, CASE WHEN p_completed THEN now_utc() END, to_timestamp(p_due_at))
	ON CONFLICT (account_id) DO UPDATE SET completed_at = coalesce(excluded.completed_at, t.completed_at),
		due_at = excluded.due_at;
	PERFORM record(p_caller, v_who, p_account_id, CASE WHEN p_completed THEN 'training_completed' ELSE 'training_required'
		END, 'ok', NULL, false, jsonb_build_object('due_at', p_due_at));
	done := true;
END $$;

CREATE FUNCTION training_report(p_caller caller, OUT account_id uuid, OUT login_sealed bytea, OUT login_key_id bigint,
    OUT state text, OUT completed_at bigint, OUT due_at bigint)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, NULL);
BEGIN
	RETURN QUERY SELECT a.id, a.login_sealed, a.login_key_id::bigint, a.state, epoch(t.completed_at), epoch(t.due_at)
		FROM account a LEFT JOIN training t ON t.account_id = a.id
		WHERE a.realm = v_who.realm AND a.state IN ('active', 'locked') ORDER BY t.due_at NULLS FIRST, a.created_at;
END $$;
