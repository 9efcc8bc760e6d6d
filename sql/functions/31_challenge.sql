-- Signing in: the code step.  Begin burns one try of the challenge and hands out the seeds that a code could belong to;
-- finish consumes the time step or the recovery code, and no row consumed means denied.
SET LOCAL search_path = counterfoil, pg_temp;

-- Wrong codes are counted an account (strangers) or an account and source (those it knows), beside the tries of a challenge.
CREATE FUNCTION code_key(p_account_id uuid, p_caller caller, p_familiar text) RETURNS bytea LANGUAGE sql STABLE AS $$
	SELECT budget_key('code', 0::smallint, uuid_send(p_account_id), CASE p_familiar WHEN 'stranger' THEN 'stranger'
		ELSE coalesce(source_prefix(p_caller.source)::text, '') END || host_of(p_caller))
$$;

-- Codes without a password have a budget apart, under the login: what is behind a password tells nobody whether one exists.
CREATE FUNCTION otp_key(p_who admission, p_login_digest bytea, p_caller caller, p_familiar text) RETURNS bytea
LANGUAGE sql STABLE AS $$
	SELECT budget_key('otp', p_who.realm, p_login_digest, CASE p_familiar WHEN 'stranger' THEN 'stranger'
		ELSE coalesce(source_prefix(p_caller.source)::text, '') END || host_of(p_caller))
$$;

-- What the use of a code remembers of the request that it was for.  NULL: it was no host's.  The id is the host's own
-- choice, so the same one from another host is another request.
CREATE FUNCTION request_mark(p_caller caller) RETURNS uuid LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF p_caller.kind = 'host' THEN
		RETURN encode(substring(sha256(convert_to(p_caller.request_id::text || host_of(p_caller), 'UTF8')) FROM 1 FOR 16),
			'hex');
	END IF;
	RETURN NULL;
END $$;

-- Is this a host's request of a moment ago, coming again because its reply was lost?
CREATE FUNCTION comes_again(p_caller caller, p_mark uuid, p_at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT coalesce(p_mark IS NOT NULL AND p_at > now_utc() - interval '60 seconds' AND p_mark = request_mark(p_caller),
		false)
$$;

-- A wrong code counts against every authenticator of the account; one with too many in a row is disabled until it is bound
-- anew (NIST SP 800-63B-4 section 3.2.2).  A host with a key brings it half way at most: whoever stole one, and saw the
-- passwords of those who signed in there, could shut them out everywhere; what he guesses at is slowed down by his budgets.
CREATE FUNCTION factors_claim(p_caller caller, p_who admission, p_account_id uuid, p_policy throttle_policy)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_keyed boolean := host_of(p_caller) <> '';
	v_id uuid;
	v_state text;
	v_disabled uuid[];
BEGIN
	FOR v_id, v_state IN UPDATE factor SET failures = CASE WHEN v_keyed THEN greatest(failures, least(failures + 1,
				p_policy.factor_failures_max / 2)) ELSE failures + 1 END,
			state = CASE WHEN failures >= p_policy.factor_failures_max AND NOT v_keyed THEN 'disabled' ELSE state END
		WHERE account_id = p_account_id AND state = 'active' RETURNING id, state LOOP
		IF v_state = 'disabled' THEN
			v_disabled := array_append(v_disabled, v_id);
		END IF;
	END LOOP;
	IF v_disabled IS NOT NULL THEN
		PERFORM record(p_caller, p_who, p_account_id, 'factor_disabled', 'ok', 'too_many_wrong_codes', true,
			jsonb_build_object('factors', to_jsonb(v_disabled)));
	END IF;
END $$;

-- The seeds of an account, a row each; one empty row where there is none.  To a request that comes again its own step
-- is not used up.
CREATE FUNCTION code_factors(p_caller caller, p_account_id uuid, OUT factor_id uuid, OUT seed_sealed bytea,
    OUT seed_key_id bigint, OUT last_step bigint) RETURNS SETOF record LANGUAGE sql STABLE AS $$
	SELECT f.id, f.seed_sealed, f.seed_key_id::bigint, coalesce(f.last_step, -1)
		- CASE WHEN comes_again(p_caller, f.last_request, f.last_used_at) THEN 1 ELSE 0 END
	FROM (VALUES (1)) one LEFT JOIN factor f ON f.account_id = p_account_id AND f.state = 'active'
	ORDER BY f.bound_at, f.id
$$;

-- Why a challenge is none (any more).  Whoever tries such has a budget by source, and all behind one client have another, as
-- sources are many: so nobody can fill the trail.
CREATE FUNCTION challenge_denied(p_caller caller, p_who admission, p_account_id uuid, p_event text, p_reason text,
    p_policy throttle_policy, OUT reason text, OUT throttled_s bigint) LANGUAGE plpgsql AS $$
BEGIN
	throttled_s := budgets_claim(p_caller, p_who, p_account_id, p_event, ARRAY[budget_key('challenge', p_who.realm, NULL,
		coalesce(source_prefix(p_caller.source)::text, p_who.actor) || host_of(p_caller)),
		CASE WHEN p_caller.kind = 'client' THEN budget_key('challenge_client', p_who.realm, NULL, p_who.client_id) END],
		'{challenge,client}', ARRAY[p_policy.source_limit, p_policy.client_limit], ARRAY[p_policy.delay_s, p_policy.delay_s],
		p_policy, gen_random_uuid());
	reason := CASE WHEN throttled_s > 0 THEN 'throttled' ELSE p_reason END;
	IF throttled_s = 0 THEN
		PERFORM record(p_caller, p_who, p_account_id, p_event, 'denied', p_reason);
	END IF;
END $$;

-- Behind a wrong password, or a begin that refused, a host does the work of a wrong code: the very same functions, on an
-- account of realm 0, which is nobody's (0008_decoys.sql), in a block that is rolled back.  It commits, so it waits for the
-- disk as long; nothing is counted, nothing is written to the trail, and what the functions say is thrown away.  One of
-- several accounts, by P_DIGEST.
CREATE FUNCTION decoy_id(p_digest bytea) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
	SELECT ('00000000-0000-4000-8000-0000000000' || lpad(to_hex(get_byte(p_digest, 0) % 16), 2, '0'))::uuid
$$;

-- The challenge of that account.
CREATE FUNCTION decoy_challenge(p_digest bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT sha256(uuid_send(decoy_id(p_digest)))
$$;

-- A row a factor, at least one.  REASON NULL: the challenge lives and a try of it was taken.
-- P_KIND login or step_up: a challenge of the other kind is not this one.  decoy: see decoy_id; FAMILIAR says so to
-- challenge_finish().
CREATE FUNCTION challenge_begin(p_caller caller, p_challenge_digest bytea, p_kind text, p_tries bigint,
    p_policy throttle_policy,
    OUT reason text, OUT throttled_s bigint, OUT account_id uuid, OUT familiar text, OUT kind text, OUT factor_id uuid,
    OUT seed_sealed bytea, OUT seed_key_id bigint, OUT last_step bigint)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
	v_who admission;
	v_now timestamptz := now_utc();
	v_event text := CASE p_kind WHEN 'login' THEN 'login_code' ELSE 'step_up' END;
	v_source inet;
	v_live boolean;
	v_state text;
BEGIN
	throttled_s := 0;
	last_step := -1;
	kind := p_kind;
	IF p_kind = 'decoy' THEN
		BEGIN
			PERFORM challenge_begin(p_caller, decoy_challenge(p_challenge_digest), 'login', p_tries, p_policy);
			RAISE EXCEPTION USING ERRCODE = 'CF000';
		EXCEPTION WHEN SQLSTATE 'CF000' THEN
			familiar := 'decoy';
		END;
		RETURN NEXT;
		RETURN;
	END IF;
	v_who := admit(p_caller, 'login');
	-- the account is locked first, as everywhere: so nobody waits in a circle
	SELECT a.id, a.state, c.source, c.used_at IS NULL AND c.expires_at > v_now AND c.tries < p_tries
		INTO account_id, v_state, v_source, v_live
		FROM challenge c JOIN account a ON a.id = c.account_id
		WHERE c.digest = p_challenge_digest AND c.realm = v_who.realm AND c.kind = p_kind
		AND (c.client_id IS NOT DISTINCT FROM v_who.client_id OR c.client_id = 'decoy') FOR NO KEY UPDATE OF a;
	p_caller.source := coalesce(p_caller.source, v_source); -- told with the password is told
	IF v_live AND v_state = 'active' THEN
		familiar := familiarity(account_id, p_caller.source, NULL, p_policy);
		throttled_s := code_claim(p_caller, v_who, account_id, v_event, 'code', code_key(account_id, p_caller, familiar),
			p_policy.code_limit, p_policy);
		IF throttled_s > 0 THEN -- not looked at: the challenge keeps its try
			reason := 'throttled';
			RETURN NEXT;
			RETURN;
		END IF;
		UPDATE challenge c SET tries = c.tries + 1 WHERE c.digest = p_challenge_digest AND c.used_at IS NULL
			AND c.tries < p_tries;
		v_live := FOUND;        -- false: others took the last try while we waited for the account
	END IF;
	IF v_live AND v_state = 'active' THEN
		PERFORM factors_claim(p_caller, v_who, account_id, p_policy);
		FOR factor_id, seed_sealed, seed_key_id, last_step IN SELECT * FROM code_factors(p_caller, account_id) LOOP
			RETURN NEXT;
		END LOOP;
		RETURN;
	END IF;
	SELECT d.reason, d.throttled_s INTO reason, throttled_s FROM challenge_denied(p_caller, v_who, account_id, v_event,
		CASE WHEN v_live IS NULL THEN 'challenge_unknown' WHEN v_state <> 'active' THEN v_state ELSE 'challenge_over' END,
		p_policy) d;
	account_id := NULL;
	RETURN NEXT;
END $$;

-- A code without a password, for a host that checked another factor (an ssh key): a challenge of kind otp, and at once its
-- begin.  An unknown login gets the decoy row and the same counting.
CREATE FUNCTION otp_begin(p_caller caller, p_login_digest bytea, p_challenge_digest bytea, p_policy throttle_policy,
    OUT reason text, OUT throttled_s bigint, OUT account_id uuid, OUT familiar text, OUT kind text, OUT factor_id uuid,
    OUT seed_sealed bytea, OUT seed_key_id bigint, OUT last_step bigint)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'login');
	v_now timestamptz := now_utc();
	v_account account%ROWTYPE;
BEGIN
	IF p_caller.kind <> 'host' THEN
		PERFORM refuse('CF403');
	END IF;
	SELECT * INTO v_account FROM account a WHERE a.realm = v_who.realm AND a.login_digest = p_login_digest
		FOR NO KEY UPDATE;
	kind := 'otp';
	last_step := -1;
	familiar := familiarity(v_account.id, p_caller.source, NULL, p_policy);
	throttled_s := code_claim(p_caller, v_who, v_account.id, 'login_otp', 'otp', otp_key(v_who, p_login_digest, p_caller,
		familiar), p_policy.code_limit, p_policy);
	reason := CASE WHEN throttled_s > 0 THEN 'throttled'
		WHEN v_account.id IS NULL THEN 'unknown_login'
		WHEN v_account.state <> 'active' THEN v_account.state
		WHEN NOT EXISTS (SELECT FROM factor f WHERE f.account_id = v_account.id AND f.state IN ('active', 'disabled'))
			THEN 'not_enrolled' END;
	IF reason IS NOT NULL THEN
		IF throttled_s = 0 THEN
			PERFORM record(p_caller, v_who, v_account.id, 'login_otp', 'denied', reason, false, CASE reason
				WHEN 'unknown_login' THEN jsonb_build_object('login', encode(p_login_digest, 'hex')) END);
		END IF;
		RETURN NEXT;
		RETURN;
	END IF;
	account_id := v_account.id;
	INSERT INTO challenge (digest, account_id, realm, kind, client_id, source, tries, created_at, expires_at)
	VALUES (p_challenge_digest, v_account.id, v_who.realm, 'otp', v_who.client_id, p_caller.source, 1, v_now,
		v_now + interval '1 minute');
	IF host_of(p_caller) = '' THEN  -- a host with a key could make these up, without a password: they disable nothing
		PERFORM factors_claim(p_caller, v_who, account_id, p_policy);
	END IF;
	FOR factor_id, seed_sealed, seed_key_id, last_step IN SELECT * FROM code_factors(p_caller, account_id) LOOP
		RETURN NEXT;
	END LOOP;
END $$;

-- The statement on which single use rests: of fifty requests with one code, one finds a row.
CREATE FUNCTION totp_consume(p_caller caller, p_account_id uuid, p_factor_id uuid, p_step bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
	UPDATE factor SET last_step = p_step, failures = 0, failing_told_at = NULL, replay_told_at = NULL,
		last_used_at = now_utc(), last_request = request_mark(p_caller)
		WHERE id = p_factor_id AND account_id = p_account_id AND state = 'active' AND (last_step < p_step
			OR (last_step = p_step AND comes_again(p_caller, last_request, last_used_at)));
	RETURN FOUND;
END $$;

CREATE FUNCTION recovery_consume(p_caller caller, p_account_id uuid, p_digest bytea) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	UPDATE recovery_code r SET used_at = now_utc(), used_request = request_mark(p_caller) FROM account a
		WHERE r.account_id = p_account_id AND r.digest = p_digest
			AND (r.used_at IS NULL OR comes_again(p_caller, r.used_request, r.used_at))
			AND a.id = r.account_id AND a.recovery_set = r.set_no;
	RETURN FOUND;
END $$;

-- A code that a hosted page asks for before it binds a further authenticator: a challenge of kind step_up, and at once its
-- begin.  The page is the credential of whoever sits there, as the shop's key is on the other ways.
CREATE FUNCTION page_proof_begin(p_caller caller, p_page_digest bytea, p_challenge_digest bytea, p_ttl_s bigint,
    p_policy throttle_policy,
    OUT reason text, OUT throttled_s bigint, OUT account_id uuid, OUT familiar text, OUT kind text, OUT factor_id uuid,
    OUT seed_sealed bytea, OUT seed_key_id bigint, OUT last_step bigint)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_link link%ROWTYPE := page_hold(p_caller, p_page_digest, 'enrollment', true);
	v_who admission := page_admission(v_link.account_id);
	v_now timestamptz := now_utc();
BEGIN
	IF v_link.state <> 'opened' THEN
		PERFORM refuse('CF409');
	END IF;
	account_id := v_link.account_id;
	kind := 'step_up';
	familiar := familiarity(account_id, p_caller.source, NULL, p_policy);
	throttled_s := code_claim(p_caller, v_who, account_id, 'step_up', 'code', code_key(account_id, p_caller, familiar),
		p_policy.code_limit, p_policy);
	IF throttled_s > 0 THEN
		reason := 'throttled';
		last_step := -1;
		RETURN NEXT;
		RETURN;
	END IF;
	INSERT INTO challenge (digest, account_id, realm, kind, source, purpose, tries, created_at, expires_at)
	VALUES (p_challenge_digest, account_id, v_who.realm, 'step_up', p_caller.source, 'add_factor', 1, v_now,
		v_now + seconds(p_ttl_s));
	PERFORM factors_claim(p_caller, v_who, account_id, p_policy);
	FOR factor_id, seed_sealed, seed_key_id, last_step IN SELECT * FROM code_factors(p_caller, account_id) LOOP
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

-- The third wrong code in a row: behind a right password it says that somebody else may know it.  The owner is told: once
-- until a right code, or a day.
CREATE FUNCTION codes_failing(p_caller caller, p_who admission, p_account_id uuid, p_kind text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	v_now timestamptz := now_utc();
BEGIN
	UPDATE factor SET failing_told_at = v_now WHERE account_id = p_account_id AND state = 'active' AND failures >= 3
		AND coalesce(failing_told_at, '-infinity') <= v_now - interval '1 day';
	IF FOUND THEN
		PERFORM record(p_caller, p_who, p_account_id, 'codes_failing', 'ok', CASE p_kind WHEN 'login' THEN 'password_right'
			ELSE p_kind END, true);
	END IF;
END $$;

-- A code that was right, and used before, shown again from where the account never signed in: somebody saw it.  Is its owner
-- to be told?  As often as above.  From a known source it is most often a form that was sent twice.
CREATE FUNCTION replay_is_news(p_account_id uuid, p_familiar text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	v_now timestamptz := now_utc();
BEGIN
	UPDATE factor SET replay_told_at = v_now WHERE account_id = p_account_id AND state IN ('active', 'disabled')
		AND p_familiar = 'stranger' AND coalesce(replay_told_at, '-infinity') <= v_now - interval '1 day';
	RETURN FOUND;
END $$;

-- The right code of a living challenge: what it clears.  The key in a variable: in a condition PostgreSQL sets it up twice.
CREATE FUNCTION challenge_used(p_caller caller, p_who admission, p_challenge_digest bytea, p_kind text, p_account_id uuid,
    p_login_digest bytea, p_familiar text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_key bytea;
BEGIN
	UPDATE challenge SET used_at = now_utc() WHERE digest = p_challenge_digest AND used_at IS NULL;
	IF NOT FOUND THEN
		RAISE 'a challenge was used under the lock of its account';
	END IF;
	IF p_kind = 'otp' THEN
		v_key := otp_key(p_who, p_login_digest, p_caller, p_familiar);
	ELSE
		v_key := code_key(p_account_id, p_caller, p_familiar);
	END IF;
	DELETE FROM budget WHERE key = v_key;
	UPDATE factor SET failures = 0, failing_told_at = NULL, replay_told_at = NULL
		WHERE account_id = p_account_id AND state = 'active' AND failures > 0;
END $$;

-- P_STEP and P_FACTOR_ID: the time step whose code was given; P_RECOVERY_DIGEST: a recovery code.  All NULL: a wrong code.
-- P_DEVICE_ID and P_DEVICE_DIGEST: the owner wants this device to be trusted; a recovery code is no reason to.
CREATE FUNCTION challenge_finish(p_caller caller, p_challenge_digest bytea, p_account_id uuid, p_familiar text,
    p_factor_id uuid, p_step bigint, p_recovery_digest bytea, p_session_id uuid, p_session_digest bytea,
    p_device_id uuid, p_device_digest bytea, p_policy login_policy,
    OUT verdict text, OUT reason text, OUT aal bigint, OUT amr text, OUT auth_time bigint, OUT expires_at bigint,
    OUT recovery_left bigint, OUT device boolean, OUT hold_until bigint, OUT purpose text, OUT transaction_digest bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
	v_who admission;
	v_now timestamptz := now_utc();
	v_state text;
	v_login_digest bytea;
	v_recovery_set integer;
	v_hold timestamptz;
	v_kind text;
	v_source inet;
	v_over boolean;
	v_purpose text;
	v_transaction bytea;
	v_event text;
BEGIN
	verdict := 'denied'; reason := 'wrong_code'; aal := 0; amr := ''; auth_time := epoch(v_now); expires_at := 0;
	recovery_left := -1; device := false; hold_until := 0;
	IF p_familiar = 'decoy' THEN
		BEGIN
			PERFORM challenge_finish(p_caller, decoy_challenge(p_challenge_digest), decoy_id(p_challenge_digest), 'stranger',
				NULL, NULL, p_recovery_digest, NULL, NULL, NULL, NULL, p_policy);
			RAISE EXCEPTION USING ERRCODE = 'CF000';
		EXCEPTION WHEN SQLSTATE 'CF000' THEN
			RETURN;
		END;
	END IF;
	v_who := admit_code(p_caller, p_challenge_digest);
	SELECT a.state, a.login_digest, a.recovery_set, a.hold_until INTO v_state, v_login_digest, v_recovery_set, v_hold
		FROM account a WHERE a.id = p_account_id AND a.realm IN (v_who.realm, 0) FOR NO KEY UPDATE;
	SELECT c.kind, c.source, c.used_at IS NOT NULL OR c.expires_at <= v_now, c.purpose, c.transaction_digest
		INTO v_kind, v_source, v_over, v_purpose, v_transaction
		FROM challenge c WHERE c.digest = p_challenge_digest AND c.account_id = p_account_id AND v_state IS NOT NULL
		AND (c.client_id IS NOT DISTINCT FROM v_who.client_id OR c.client_id = 'decoy');
	p_caller.source := coalesce(p_caller.source, v_source);
	v_event := CASE v_kind WHEN 'otp' THEN 'login_otp' WHEN 'step_up' THEN 'step_up' ELSE 'login_code' END;
	IF v_kind IS NULL THEN
		reason := 'challenge_unknown';
	ELSIF v_state <> 'active' THEN
		reason := v_state;
	ELSIF p_step IS NULL AND p_recovery_digest IS NULL THEN
		PERFORM codes_failing(p_caller, v_who, p_account_id, v_kind);
	ELSIF v_over THEN
		reason := 'challenge_over';
	ELSIF p_step IS NOT NULL THEN
		IF totp_consume(p_caller, p_account_id, p_factor_id, p_step) THEN
			verdict := 'granted';
			reason := 'granted';
		ELSE
			reason := 'code_replayed';
		END IF;
	ELSIF recovery_consume(p_caller, p_account_id, p_recovery_digest) THEN
		verdict := 'granted';
		reason := 'recovery_code';
		recovery_left := (SELECT count(*) FROM recovery_code r WHERE r.account_id = p_account_id
			AND r.set_no = v_recovery_set AND r.used_at IS NULL);
	ELSIF EXISTS (SELECT FROM recovery_code r WHERE r.account_id = p_account_id AND r.digest = p_recovery_digest) THEN
		reason := 'code_replayed';
	ELSE
		PERFORM codes_failing(p_caller, v_who, p_account_id, v_kind);
	END IF;
	IF verdict = 'granted' THEN
		PERFORM challenge_used(p_caller, v_who, p_challenge_digest, v_kind, p_account_id, v_login_digest, p_familiar);
		aal := 1;
		amr := 'otp';
		IF v_kind = 'login' THEN
			aal := 2;
			amr := 'pwd otp mfa';
			expires_at := epoch(session_open(p_caller, v_who, p_account_id, p_session_id, p_session_digest, 2, amr, NULL,
				p_policy));
			device := p_step IS NOT NULL AND p_device_digest IS NOT NULL AND p_policy.device_ttl_s > 0;
			IF device THEN
				PERFORM device_trust(p_caller, v_who, p_account_id, p_device_id, p_device_digest, p_policy);
			END IF;
		END IF;
		PERFORM signed_in(p_caller, v_who, p_account_id, p_familiar);
		hold_until := epoch(v_hold);
		purpose := v_purpose;
		transaction_digest := v_transaction;
	END IF;
	-- a recovery code was used up, or a used code was shown again: its owner is told
	PERFORM record(p_caller, v_who, p_account_id, v_event, verdict, reason, recovery_left >= 0
		OR (reason = 'code_replayed' AND replay_is_news(p_account_id, p_familiar)));
END $$;
