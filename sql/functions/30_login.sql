-- Signing in: the password step.  Two calls: begin claims the attempt and hands out what is to be verified,
-- finish records what came of it.  Begin gives one row always: a decoy where there is nothing to verify.
SET LOCAL search_path = counterfoil, pg_temp;

-- Of an account that is not there, or not to be signed in to, the same is asked and the same is written.
CREATE FUNCTION login_begin(p_caller caller, p_login_digest bytea, p_device_digest bytea, p_policy throttle_policy,
    OUT throttled_s bigint, OUT attempt uuid, OUT account_id uuid, OUT familiar text, OUT reason text,
    OUT password_sealed bytea, OUT password_key_id bigint, OUT password_no bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'login');
	v_state text;
BEGIN
	SELECT a.id, a.state, a.password_sealed, a.password_key_id, a.password_no
		INTO account_id, v_state, password_sealed, password_key_id, password_no
		FROM account a WHERE a.realm = v_who.realm AND a.login_digest = p_login_digest;
	attempt := gen_random_uuid();
	familiar := familiarity(account_id, p_caller.source, p_device_digest, p_policy);
	throttled_s := login_claim(p_caller, v_who, account_id, 'login_password', p_login_digest, familiar, p_policy, attempt);
	reason := CASE
		WHEN throttled_s > 0 THEN 'throttled'
		WHEN account_id IS NULL THEN 'unknown_login'
		WHEN v_state <> 'active' THEN v_state
		WHEN password_sealed IS NULL THEN 'no_password' END;
	IF reason IS NOT NULL THEN      -- there is nothing to verify
		password_sealed := NULL;
		password_key_id := NULL;
		password_no := NULL;
	END IF;
END $$;

-- The attempt was claimed and never verified (no slot, no memory): it does not count.
CREATE FUNCTION login_abandon(p_caller caller, p_login_digest bytea, p_attempt uuid, p_familiar text,
    p_policy throttle_policy, OUT done boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
BEGIN
	PERFORM login_release(p_caller, admit(p_caller, 'login'), p_login_digest, p_familiar, p_policy, p_attempt,
		false);
	done := true;
END $$;

-- Open a session; the oldest make room for it.  Hosts and operators keep sessions of their own kind.
CREATE FUNCTION session_open(p_caller caller, p_who admission, p_account_id uuid, p_session_id uuid, p_digest bytea,
    p_aal integer, p_amr text, p_device_id uuid, p_policy login_policy)
RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
	v_now timestamptz := now_utc();
	v_end timestamptz := v_now + seconds(p_policy.session_absolute_s);
	v_evicted uuid;
	v_full boolean;
BEGIN
	IF p_caller.kind <> 'client' THEN
		RETURN v_now;
	END IF;
	INSERT INTO session (id, digest, account_id, realm, client_id, aal, amr, device_id, source, user_agent, auth_time,
		last_used_at, idle_s, expires_at)
	VALUES (p_session_id, p_digest, p_account_id, p_who.realm, p_who.client_id, p_aal, p_amr, p_device_id,
		p_caller.source, left(p_caller.user_agent, 256), v_now, v_now, p_policy.session_idle_s, v_end)
	RETURNING EXISTS (SELECT FROM session o WHERE o.account_id = p_account_id AND o.ended_at IS NULL
		OFFSET greatest(p_policy.sessions_max, 1) - 1) INTO v_full;     -- before
	IF NOT v_full THEN
		RETURN v_end;
	END IF;
	FOR v_evicted IN SELECT id FROM session WHERE account_id = p_account_id AND ended_at IS NULL AND id <> p_session_id
	    ORDER BY auth_time DESC OFFSET greatest(p_policy.sessions_max, 1) - 1 LOOP
		UPDATE session SET ended_at = v_now, end_reason = 'evicted' WHERE id = v_evicted;
		PERFORM record(p_caller, p_who, p_account_id, 'session_ended', 'ok', 'evicted', false,
			jsonb_build_object('session', v_evicted));
	END LOOP;
	RETURN v_end;
END $$;

-- The owner is here: what was started without them ends, and where they came from is remembered.
CREATE FUNCTION signed_in(p_caller caller, p_who admission, p_account_id uuid, p_familiar text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	v_source cidr := source_prefix(p_caller.source);
BEGIN
	IF p_familiar = 'stranger' THEN
		PERFORM remember_source(p_account_id, v_source);
	ELSIF NOT EXISTS (SELECT FROM known_source k WHERE k.account_id = p_account_id AND k.source = v_source
	    AND k.seen_at >= now_utc() - interval '1 hour') THEN        -- most were: a look writes nothing
		PERFORM remember_source(p_account_id, v_source);
	END IF;
	IF EXISTS (SELECT FROM reset_request WHERE account_id = p_account_id AND ended_at IS NULL) THEN
		UPDATE reset_request SET ended_at = now_utc(), end_reason = 'owner_signed_in'
			WHERE account_id = p_account_id AND ended_at IS NULL;
		PERFORM record(p_caller, p_who, p_account_id, 'reset_cancelled', 'ok', 'owner_signed_in', true);
	END IF;
END $$;

-- A trusted device ends, and what it opened.
CREATE FUNCTION device_end(p_caller caller, p_who admission, p_device trusted_device, p_reason text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	v_now timestamptz := now_utc();
BEGIN
	UPDATE trusted_device SET ended_at = v_now, end_reason = p_reason WHERE id = p_device.id;
	UPDATE session SET ended_at = v_now, end_reason = 'device_' || p_reason WHERE account_id = p_device.account_id
		AND device_id = p_device.id AND ended_at IS NULL;
	PERFORM record(p_caller, p_who, p_device.account_id, 'device_ended', 'ok', p_reason, true,
		jsonb_build_object('device', p_device.id));
END $$;

-- A new trusted device; at most 20 an account: the one unused for longest makes room.
CREATE FUNCTION device_trust(p_caller caller, p_who admission, p_account_id uuid, p_id uuid, p_digest bytea,
    p_policy login_policy) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_now timestamptz := now_utc();
	v_device trusted_device%ROWTYPE;
BEGIN
	INSERT INTO trusted_device (id, account_id, digest, rotated_at, user_agent, created_at, last_used_at, expires_at)
	VALUES (p_id, p_account_id, p_digest, v_now, left(p_caller.user_agent, 256), v_now, v_now,
		v_now + seconds(p_policy.device_ttl_s));
	PERFORM record(p_caller, p_who, p_account_id, 'device_trusted', 'ok', NULL, true, jsonb_build_object('device', p_id));
	FOR v_device IN SELECT * FROM trusted_device WHERE account_id = p_account_id AND ended_at IS NULL
	    ORDER BY last_used_at DESC, id <> p_id OFFSET 20 LOOP
		PERFORM device_end(p_caller, p_who, v_device, 'evicted');
	END LOOP;
END $$;

-- Does the token belong to a trusted device of this account?  It rotates at every use.  The token before counts for a
-- grace, once, for a reply that was lost.  Any other that was given out before, shown again, was copied: the device ends
-- and the owner is told (RFC 9700 section 4.14.2).  Which those are is remembered over 32 uses.
CREATE FUNCTION device_use(p_caller caller, p_who admission, p_account_id uuid, p_digest bytea, p_next_digest bytea,
    p_policy login_policy) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
	v_now timestamptz := now_utc();
	v_device trusted_device%ROWTYPE;
BEGIN
	IF p_digest IS NULL OR p_policy.device_ttl_s = 0 THEN
		RETURN NULL;
	END IF;
	SELECT * INTO v_device FROM trusted_device WHERE account_id = p_account_id AND ended_at IS NULL AND expires_at > v_now
		AND (digest = p_digest OR p_digest = ANY (spent));
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	IF v_device.digest = p_digest THEN
		UPDATE trusted_device SET previous_digest = digest, rotated_at = v_now, graced = false WHERE id = v_device.id;
	ELSIF v_device.previous_digest = p_digest AND NOT v_device.graced
	    AND v_device.rotated_at + seconds(p_policy.device_grace_s) >= v_now THEN
		UPDATE trusted_device SET graced = true WHERE id = v_device.id;
	ELSE
		PERFORM device_end(p_caller, p_who, v_device, 'token_reused');
		RETURN NULL;
	END IF;
	UPDATE trusted_device SET digest = p_next_digest, last_used_at = v_now, spent = (spent || digest)[greatest(
		cardinality(spent) - 30, 1):] WHERE id = v_device.id;
	RETURN v_device.id;
END $$;

-- What the password step comes to.  P_MATCHED is believed of an account that is still active and still has the very
-- password that was verified (P_PASSWORD_NO), so a change or a lock in between denies; a stronger hash of it, or a new
-- seal around it, does not.  P_PASSWORD_FORM: of the stronger hash or, without one, of the hash that was verified.
-- An authenticator that wrong codes have disabled is still asked for: wrong codes spare nobody the second factor.
-- P_PASSWORD_ONLY is honoured for hosts: the PAM service asks for no second factor.
-- A host has the code already, and sees how long the answer takes: there a wrong password does the work of a right one, on
-- an account that is nobody's, in a block that is rolled back (decoy_id).
CREATE FUNCTION login_finish(p_caller caller, p_account_id uuid, p_login_digest bytea, p_attempt uuid, p_familiar text,
    p_matched boolean, p_reason text, p_password_no bigint, p_new_sealed bytea, p_new_key_id bigint, p_password_form text,
    p_challenge_digest bytea, p_session_id uuid, p_session_digest bytea, p_ticket_digest bytea,
    p_device_digest bytea, p_next_device_digest bytea, p_password_only boolean,
    p_throttle throttle_policy, p_policy login_policy,
    OUT verdict text, OUT reason text, OUT aal bigint, OUT amr text, OUT auth_time bigint, OUT expires_at bigint,
    OUT has_totp boolean, OUT has_recovery boolean, OUT device boolean, OUT hold_until bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'login');
	v_now timestamptz := now_utc();
	v_same boolean;
	v_nobody boolean := false;
	v_form text;
	v_must_change boolean;
	v_recovery_set integer;
	v_enrolled boolean;
	v_device uuid;
	v_end timestamptz;
BEGIN
	verdict := 'denied';
	reason := coalesce(p_reason, 'wrong_password');
	aal := 0; amr := ''; auth_time := epoch(v_now); expires_at := 0; has_totp := false; has_recovery := false;
	device := false; hold_until := 0;
	IF p_matched AND p_reason IS NULL THEN
		SELECT a.realm IN (v_who.realm, 0) AND a.state = 'active' AND a.password_sealed IS NOT NULL
			AND a.password_no = p_password_no, a.realm = 0, a.password_form, a.must_change, a.recovery_set,
			epoch(a.hold_until)
			INTO v_same, v_nobody, v_form, v_must_change, v_recovery_set, hold_until
			FROM account a WHERE a.id = p_account_id FOR NO KEY UPDATE;
		IF v_same THEN
			PERFORM login_release(p_caller, v_who, p_login_digest, p_familiar, p_throttle, p_attempt, true);
			IF p_new_sealed IS NOT NULL THEN
				UPDATE account a SET password_sealed = p_new_sealed, password_key_id = p_new_key_id,
					password_form = p_password_form WHERE a.id = p_account_id;
			ELSIF v_form <> p_password_form THEN    -- not known yet
				UPDATE account a SET password_form = p_password_form WHERE a.id = p_account_id;
			END IF;
			-- behind the lock, so that what others have changed meanwhile is seen
			SELECT coalesce(bool_or(f.state = 'active'), false), count(*) > 0,
				count(*) > 0 AND EXISTS (SELECT FROM recovery_code r WHERE r.account_id = p_account_id
					AND r.set_no = v_recovery_set AND r.used_at IS NULL)
				INTO has_totp, v_enrolled, has_recovery
				FROM factor f WHERE f.account_id = p_account_id AND f.state IN ('active', 'disabled');
			reason := 'granted';
			IF v_must_change THEN
				verdict := 'change_required';
			ELSIF p_password_only AND p_caller.kind = 'host' THEN
				verdict := 'granted';
			ELSIF v_enrolled THEN
				IF p_device_digest IS NOT NULL THEN
					v_device := device_use(p_caller, v_who, p_account_id, p_device_digest, p_next_device_digest, p_policy);
					device := v_device IS NOT NULL;
				END IF;
				IF device THEN
					verdict := 'granted';
				ELSIF has_totp OR has_recovery THEN
					verdict := 'challenge';
				ELSE
					reason := 'factor_disabled';
				END IF;
			ELSIF p_policy.second_factor_required THEN
				reason := 'not_enrolled';
			ELSE
				verdict := 'granted';
			END IF;
		ELSE
			reason := 'changed_meanwhile';
			hold_until := 0;
		END IF;
	ELSIF p_caller.kind = 'host' AND NOT p_password_only THEN
		BEGIN   -- what a right password does, for nobody
			PERFORM login_finish(p_caller, decoy_id(p_login_digest), p_login_digest, p_attempt, p_familiar, true, NULL, 0,
				NULL, NULL, '', p_challenge_digest, NULL, NULL, p_ticket_digest, NULL, NULL, false, p_throttle, p_policy);
			RAISE EXCEPTION USING ERRCODE = 'CF000';
		EXCEPTION WHEN SQLSTATE 'CF000' THEN    -- undone: the budgets keep what the password claimed
			NULL;
		END;
	END IF;
	IF verdict = 'challenge' THEN
		v_end := v_now + seconds(p_policy.challenge_ttl_s);
		INSERT INTO challenge (digest, account_id, realm, kind, client_id, source, created_at, expires_at)
		VALUES (p_challenge_digest, p_account_id, v_who.realm, 'login', v_who.client_id, p_caller.source, v_now, v_end);
		expires_at := auth_time + p_policy.challenge_ttl_s;
		reason := 'password_right';
	ELSIF verdict = 'change_required' THEN
		v_end := v_now + seconds(p_policy.ticket_ttl_s);
		DELETE FROM ticket t WHERE t.account_id = p_account_id AND t.purpose = 'change';
		INSERT INTO ticket (digest, account_id, purpose, created_at, expires_at)
		VALUES (p_ticket_digest, p_account_id, 'change', v_now, v_end);
		expires_at := epoch(v_end);
		reason := 'must_change';
	ELSIF verdict = 'granted' THEN
		aal := 1; amr := 'pwd';
		v_end := session_open(p_caller, v_who, p_account_id, p_session_id, p_session_digest, 1, 'pwd', v_device,
			p_policy);
		expires_at := epoch(v_end);
		PERFORM signed_in(p_caller, v_who, p_account_id, p_familiar);
	END IF;
	IF v_nobody THEN        -- the password was wrong: whoever called this for nobody records that
		RETURN;
	END IF;
	PERFORM record(p_caller, v_who, p_account_id, 'login_password', verdict, reason, false, CASE reason
		WHEN 'unknown_login' THEN jsonb_build_object('login', encode(p_login_digest, 'hex')) END);
END $$;
