-- Signing in: the code step.  Begin burns one try of the challenge and hands out the seeds that a code could belong to;
-- finish consumes the time step or the recovery code, and no row consumed means denied.
SET LOCAL search_path = counterfoil, pg_temp;

-- Wrong codes are counted an account (strangers) or an account and source (those it knows), beside the tries of a challenge.
CREATE FUNCTION code_key(p_account_id uuid, p_caller caller, p_familiar text) RETURNS bytea LANGUAGE sql STABLE AS $$
	SELECT budget_key('code', 0::smallint, uuid_send(p_account_id), CASE p_familiar WHEN 'stranger' THEN 'stranger'
		ELSE coalesce(source_prefix(p_caller.source)::text, '') END || host_of(p_caller))
$$;

-- Claim a wrong code in advance.  0: claimed; else the seconds to wait.  A factor with too many wrong codes in a row
-- is disabled until it is bound anew; P_LASTING false: not by these, which a host could make up without a password.
CREATE FUNCTION code_claim(p_caller caller, p_who admission, p_account_id uuid, p_familiar text, p_policy throttle_policy,
    p_lasting boolean)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	v_wait bigint;
	v_disabled uuid[];
BEGIN
	v_wait := budget_claim('code', code_key(p_account_id, p_caller, p_familiar), p_policy.code_limit, p_policy.delay_s,
		p_policy, gen_random_uuid());
	IF v_wait > 0 OR NOT p_lasting THEN
		RETURN v_wait;
	END IF;
	WITH counted AS (
		UPDATE factor SET failures = failures + 1,
			state = CASE WHEN failures >= p_policy.factor_failures_max THEN 'disabled' ELSE state END
		WHERE account_id = p_account_id AND state = 'active' RETURNING id, state)
	SELECT array_agg(id) INTO v_disabled FROM counted WHERE state = 'disabled';
	IF v_disabled IS NOT NULL THEN
		PERFORM record(p_caller, p_who, p_account_id, 'factor_disabled', 'ok', 'too_many_wrong_codes', true,
			jsonb_build_object('factors', to_jsonb(v_disabled)));
	END IF;
	RETURN 0;
END $$;

-- Is this a host's request of a moment ago, coming again because its reply was lost?
CREATE FUNCTION comes_again(p_caller caller, p_request uuid, p_at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT coalesce(p_caller.kind = 'host' AND p_request = p_caller.request_id AND p_at > now_utc() - interval '60 seconds',
		false)
$$;

-- The seeds of an account, a row each; one empty row where there is none.  To a request that comes again its own step
-- is not used up.
CREATE FUNCTION code_factors(p_caller caller, p_account_id uuid, OUT factor_id uuid, OUT seed_sealed bytea, OUT seed_key_id bigint,
    OUT last_step bigint) RETURNS SETOF record LANGUAGE sql STABLE AS $$
	SELECT f.id, f.seed_sealed, f.seed_key_id::bigint, coalesce(f.last_step, -1)
		- CASE WHEN comes_again(p_caller, f.last_request, f.last_used_at) THEN 1 ELSE 0 END
	FROM (VALUES (1)) one LEFT JOIN factor f ON f.account_id = p_account_id AND f.state = 'active'
	ORDER BY f.bound_at, f.id
$$;

-- A row a factor, at least one.  REASON NULL: the challenge lives and a try of it was taken.
-- P_KIND login or step_up: a challenge of the other kind is not this one.
CREATE FUNCTION challenge_begin(p_caller caller, p_challenge_digest bytea, p_kind text, p_tries bigint,
    p_policy throttle_policy,
    OUT reason text, OUT throttled_s bigint, OUT account_id uuid, OUT familiar text, OUT kind text, OUT factor_id uuid,
    OUT seed_sealed bytea, OUT seed_key_id bigint, OUT last_step bigint)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'login');
	v_now timestamptz := now_utc();
	v_challenge challenge%ROWTYPE;
BEGIN
	UPDATE challenge c SET tries = c.tries + 1 WHERE c.digest = p_challenge_digest AND c.realm = v_who.realm
		AND c.kind = p_kind AND c.client_id IS NOT DISTINCT FROM v_who.client_id
		AND c.used_at IS NULL AND c.expires_at > v_now AND c.tries < p_tries RETURNING * INTO v_challenge;
	throttled_s := 0;
	IF v_challenge.digest IS NULL THEN
		reason := 'challenge_unknown';
	ELSE
		account_id := v_challenge.account_id;
		kind := v_challenge.kind;
		p_caller.source := coalesce(p_caller.source, v_challenge.source);       -- told with the password is told
		familiar := familiarity(account_id, p_caller.source, NULL, p_policy);
		IF NOT EXISTS (SELECT FROM account a WHERE a.id = v_challenge.account_id AND a.state = 'active') THEN
			reason := 'locked';
		ELSE
			throttled_s := code_claim(p_caller, v_who, v_challenge.account_id, familiar, p_policy, true);
			IF throttled_s > 0 THEN -- not looked at: the challenge keeps its try
				reason := 'throttled';
				UPDATE challenge c SET tries = c.tries - 1 WHERE c.digest = p_challenge_digest;
			END IF;
		END IF;
	END IF;
	IF reason IS NOT NULL THEN
		PERFORM record(p_caller, v_who, v_challenge.account_id, 'login_code', 'denied', reason) WHERE reason <> 'throttled';
		last_step := -1;
		RETURN NEXT;
		RETURN;
	END IF;
	FOR factor_id, seed_sealed, seed_key_id, last_step IN SELECT * FROM code_factors(p_caller, v_challenge.account_id) LOOP
		RETURN NEXT;
	END LOOP;
END $$;

-- A code without a password, for a host that checked another factor (an ssh key): a challenge of kind otp, and at once its
-- begin.  An unknown login gets the decoy row and the same counting.
CREATE FUNCTION otp_begin(p_caller caller, p_login_digest bytea, p_challenge_digest bytea, p_policy throttle_policy,
    OUT reason text, OUT throttled_s bigint, OUT account_id uuid, OUT familiar text, OUT kind text, OUT factor_id uuid,
    OUT seed_sealed bytea, OUT seed_key_id bigint, OUT last_step bigint)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'login');
	v_now timestamptz := now_utc();
	v_account account%ROWTYPE;
BEGIN
	IF p_caller.kind <> 'host' THEN
		PERFORM refuse('CF403');
	END IF;
	SELECT * INTO v_account FROM account a WHERE a.realm = v_who.realm AND a.login_digest = p_login_digest;
	throttled_s := 0;
	kind := 'otp';
	familiar := familiarity(v_account.id, p_caller.source, NULL, p_policy);
	reason := CASE WHEN v_account.id IS NULL THEN 'unknown_login'
		WHEN v_account.state <> 'active' THEN v_account.state
		WHEN NOT EXISTS (SELECT FROM factor f WHERE f.account_id = v_account.id AND f.state = 'active')
			THEN 'not_enrolled' END;
	IF reason IS NULL THEN
		account_id := v_account.id;
		throttled_s := code_claim(p_caller, v_who, v_account.id, familiar, p_policy, host_of(p_caller) = '');
		IF throttled_s > 0 THEN
			reason := 'throttled';
		END IF;
	ELSE    -- the shadow of that budget, under the digest
		throttled_s := budget_claim('code', budget_key('code', v_who.realm, p_login_digest, host_of(p_caller)),
			p_policy.code_limit,
			p_policy.delay_s, p_policy, gen_random_uuid());
	END IF;
	IF reason IS NOT NULL THEN
		PERFORM record(p_caller, v_who, v_account.id, 'login_otp', 'denied', reason) WHERE throttled_s = 0;
		last_step := -1;
		RETURN NEXT;
		RETURN;
	END IF;
	INSERT INTO challenge (digest, account_id, realm, kind, source, tries, created_at, expires_at)
	VALUES (p_challenge_digest, v_account.id, v_who.realm, 'otp', p_caller.source, 1, v_now, v_now + interval '1 minute');
	FOR factor_id, seed_sealed, seed_key_id, last_step IN SELECT * FROM code_factors(p_caller, v_account.id) LOOP
		RETURN NEXT;
	END LOOP;
END $$;

-- The statement on which single use rests: of fifty requests with one code, one finds a row.
CREATE FUNCTION totp_consume(p_caller caller, p_account_id uuid, p_factor_id uuid, p_step bigint) RETURNS boolean
LANGUAGE sql AS $$
	WITH consumed AS (
		UPDATE factor SET last_step = p_step, failures = 0, last_used_at = now_utc(),
			last_request = CASE WHEN p_caller.kind = 'host' THEN p_caller.request_id END
		WHERE id = p_factor_id AND account_id = p_account_id AND state = 'active' AND (last_step < p_step
			OR (last_step = p_step AND comes_again(p_caller, last_request, last_used_at))) RETURNING 1)
	SELECT EXISTS (SELECT FROM consumed)
$$;

CREATE FUNCTION recovery_consume(p_caller caller, p_account_id uuid, p_digest bytea) RETURNS boolean LANGUAGE sql AS $$
	WITH consumed AS (
		UPDATE recovery_code r SET used_at = now_utc(),
			used_request = CASE WHEN p_caller.kind = 'host' THEN p_caller.request_id END FROM account a
		WHERE r.account_id = p_account_id AND r.digest = p_digest
			AND (r.used_at IS NULL OR comes_again(p_caller, r.used_request, r.used_at))
			AND a.id = r.account_id AND a.recovery_set = r.set_no RETURNING 1)
	SELECT EXISTS (SELECT FROM consumed)
$$;

-- A code that a hosted page asks for before it binds a further authenticator: a challenge of kind step_up, and at once its
-- begin.  The page is the credential of whoever sits there, as the shop's key is on the other ways.
CREATE FUNCTION page_proof_begin(p_caller caller, p_page_digest bytea, p_challenge_digest bytea, p_ttl_s bigint,
    p_policy throttle_policy,
    OUT reason text, OUT throttled_s bigint, OUT account_id uuid, OUT familiar text, OUT kind text, OUT factor_id uuid,
    OUT seed_sealed bytea, OUT seed_key_id bigint, OUT last_step bigint)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_link link%ROWTYPE := page_hold(p_caller, p_page_digest, 'enrollment');
	v_who admission := page_admission(v_link.account_id);
	v_now timestamptz := now_utc();
BEGIN
	IF v_link.state <> 'opened' THEN
		PERFORM refuse('CF409');
	END IF;
	account_id := v_link.account_id;
	kind := 'step_up';
	familiar := familiarity(account_id, p_caller.source, NULL, p_policy);
	throttled_s := code_claim(p_caller, v_who, account_id, familiar, p_policy, true);
	IF throttled_s > 0 THEN
		reason := 'throttled';
		last_step := -1;
		RETURN NEXT;
		RETURN;
	END IF;
	INSERT INTO challenge (digest, account_id, realm, kind, source, purpose, tries, created_at, expires_at)
	VALUES (p_challenge_digest, account_id, v_who.realm, 'step_up', p_caller.source, 'add_factor', 1, v_now,
		v_now + seconds(p_ttl_s));
	FOR factor_id, seed_sealed, seed_key_id, last_step IN SELECT * FROM code_factors(p_caller, v_link.account_id) LOOP
		RETURN NEXT;
	END LOOP;
END $$;

-- Who may finish a code step: whoever may sign people in; a page only what page_proof_begin() began.
CREATE FUNCTION admit_code(p_caller caller, p_challenge_digest bytea) RETURNS admission LANGUAGE plpgsql AS $$
DECLARE
	v_account_id uuid;
BEGIN
	IF p_caller.kind IS DISTINCT FROM 'page' THEN
		RETURN admit(p_caller, 'login');
	END IF;
	SELECT account_id INTO v_account_id FROM challenge WHERE digest = p_challenge_digest AND kind = 'step_up'
		AND client_id IS NULL AND purpose = 'add_factor';
	IF v_account_id IS NULL OR NOT pg_has_role(session_user, 'counterfoil_authd', 'MEMBER') THEN
		PERFORM refuse('CF403');
	END IF;
	RETURN page_admission(v_account_id);
END $$;

-- P_STEP and P_FACTOR_ID: the time step whose code was given; P_RECOVERY_DIGEST: a recovery code.  All NULL: a wrong code.
-- P_DEVICE_ID and P_DEVICE_DIGEST: the owner wants this device to be trusted.
CREATE FUNCTION challenge_finish(p_caller caller, p_challenge_digest bytea, p_account_id uuid, p_familiar text,
    p_factor_id uuid, p_step bigint, p_recovery_digest bytea, p_session_id uuid, p_session_digest bytea,
    p_device_id uuid, p_device_digest bytea, p_policy login_policy,
    OUT verdict text, OUT reason text, OUT aal bigint, OUT amr text, OUT auth_time bigint, OUT expires_at bigint,
    OUT recovery_left bigint, OUT device boolean, OUT hold_until bigint, OUT purpose text, OUT transaction_digest bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit_code(p_caller, p_challenge_digest);
	v_now timestamptz := now_utc();
	v_account account%ROWTYPE;
	v_challenge challenge%ROWTYPE;
BEGIN
	verdict := 'denied'; reason := 'wrong_code'; aal := 0; amr := ''; auth_time := epoch(v_now); expires_at := 0;
	recovery_left := -1; device := false; hold_until := 0;
	p_caller.source := coalesce(p_caller.source, (SELECT c.source FROM challenge c WHERE c.digest = p_challenge_digest));
	SELECT * INTO v_account FROM account a WHERE a.id = p_account_id AND a.realm = v_who.realm FOR UPDATE;
	UPDATE challenge c SET used_at = v_now WHERE c.digest = p_challenge_digest AND c.account_id = p_account_id
		AND c.client_id IS NOT DISTINCT FROM v_who.client_id AND c.used_at IS NULL AND c.expires_at > v_now
		AND (p_step IS NOT NULL OR p_recovery_digest IS NOT NULL) AND v_account.state = 'active' RETURNING * INTO v_challenge;
	IF v_challenge.digest IS NULL THEN
		IF p_step IS NOT NULL OR p_recovery_digest IS NOT NULL THEN
			reason := CASE WHEN v_account.state = 'active' THEN 'challenge_used' ELSE 'locked' END;
		END IF;
	ELSIF p_step IS NOT NULL THEN
		verdict := CASE WHEN totp_consume(p_caller, p_account_id, p_factor_id, p_step) THEN 'granted' ELSE 'denied' END;
		reason := CASE verdict WHEN 'granted' THEN 'granted' ELSE 'code_replayed' END;
	ELSE
		verdict := CASE WHEN recovery_consume(p_caller, p_account_id, p_recovery_digest) THEN 'granted' ELSE 'denied' END;
		reason := CASE verdict WHEN 'granted' THEN 'recovery_code' ELSE 'wrong_code' END;
		recovery_left := (SELECT count(*) FROM recovery_code r WHERE r.account_id = p_account_id
			AND r.set_no = v_account.recovery_set AND r.used_at IS NULL);
	END IF;
	IF verdict = 'granted' THEN
		DELETE FROM budget b WHERE b.key = code_key(p_account_id, p_caller, p_familiar);
		UPDATE factor f SET failures = 0 WHERE f.account_id = p_account_id AND f.state = 'active' AND f.failures > 0;
		amr := CASE v_challenge.kind WHEN 'login' THEN 'pwd otp mfa' ELSE 'otp' END;
		aal := CASE v_challenge.kind WHEN 'login' THEN 2 ELSE 1 END;
		hold_until := epoch(v_account.hold_until);
		purpose := v_challenge.purpose;
		transaction_digest := v_challenge.transaction_digest;
		IF v_challenge.kind = 'login' THEN
			expires_at := epoch(session_open(p_caller, v_who, p_account_id, p_session_id, p_session_digest, aal::integer,
				amr, NULL, p_policy));
			IF p_device_digest IS NOT NULL AND p_policy.device_ttl_s > 0 AND p_step IS NOT NULL THEN
				INSERT INTO trusted_device (id, account_id, digest, rotated_at, user_agent, created_at, last_used_at,
					expires_at)
				VALUES (p_device_id, p_account_id, p_device_digest, v_now, left(p_caller.user_agent, 256), v_now, v_now,
					v_now + seconds(p_policy.device_ttl_s));
				device := true;
				PERFORM record(p_caller, v_who, p_account_id, 'device_trusted', 'ok', NULL, true,
					jsonb_build_object('device', p_device_id));
			END IF;
		END IF;
		PERFORM signed_in(p_caller, v_who, p_account_id);
	ELSIF v_challenge.digest IS NOT NULL THEN       -- a used code does not use up the challenge
		UPDATE challenge c SET used_at = NULL WHERE c.digest = p_challenge_digest;
	END IF;
	PERFORM record(p_caller, v_who, p_account_id, CASE v_challenge.kind WHEN 'otp' THEN 'login_otp'
		WHEN 'step_up' THEN 'step_up' ELSE 'login_code' END, verdict, reason, recovery_left >= 0 AND verdict = 'granted');
END $$;
