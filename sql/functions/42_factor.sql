-- Binding authenticators to an account (NIST SP 800-63B-4 section 4.1).
-- The API names the account and needs scope enroll; the hosted page has a token that stands for one account; a PAM host has
-- the enrolment code that an operator issued for it.  P_TOKEN_DIGEST is that of the token or code; NULL: there is none.
SET LOCAL search_path = counterfoil, pg_temp;

-- The page session behind a cookie; CF404: none such, CF409: it is over.  P_LOCK: its account is locked, for a change.
CREATE FUNCTION page_hold(p_caller caller, p_page_digest bytea, p_purpose text, p_lock boolean) RETURNS link
LANGUAGE plpgsql AS $$
DECLARE
	v_link link%ROWTYPE;
BEGIN
	IF p_caller.kind IS DISTINCT FROM 'page' OR NOT pg_has_role(session_user, 'counterfoil_authd', 'MEMBER') THEN
		PERFORM refuse('CF403');
	END IF;
	IF p_lock THEN  -- before the link is read: it is then as whoever held the account before us left it
		PERFORM FROM account WHERE id = (SELECT account_id FROM link WHERE page_digest = p_page_digest) FOR NO KEY UPDATE;
	END IF;
	SELECT * INTO v_link FROM link WHERE page_digest = p_page_digest AND purpose = p_purpose;
	IF NOT FOUND THEN
		PERFORM refuse('CF404');
	ELSIF v_link.expires_at <= now_utc()
	    OR NOT EXISTS (SELECT FROM account WHERE id = v_link.account_id AND state = 'active') THEN
		PERFORM refuse('CF409');
	END IF;
	RETURN v_link;
END $$;

-- Who acts for the owner of a page.
CREATE FUNCTION page_admission(p_account_id uuid) RETURNS admission LANGUAGE sql STABLE AS
$$ SELECT ((SELECT realm FROM account WHERE id = p_account_id), NULL, 'page')::admission $$;

-- Who may bind something to this account.  A host, with a code, a first authenticator and no further one: many people are
-- root on some host.  A page whose link a host has shown may what that code may.
CREATE FUNCTION admit_enroll(p_caller caller, p_account_id uuid, p_token_digest bytea) RETURNS admission
LANGUAGE plpgsql AS $$
DECLARE
	v_who admission;
	v_link link%ROWTYPE;
BEGIN
	IF p_caller.kind = 'page' AND p_token_digest IS NOT NULL THEN
		v_link := page_hold(p_caller, p_token_digest, 'enrollment', true);
		IF v_link.account_id IS DISTINCT FROM p_account_id THEN
			PERFORM refuse('CF404');
		ELSIF v_link.ticket_digest IS NOT NULL AND (is_enrolled(p_account_id)
		    OR NOT enroll_code_is_live(p_account_id, v_link.ticket_digest)) THEN
			PERFORM refuse('CF409');
		END IF;
		RETURN page_admission(p_account_id);
	END IF;
	v_who := admit(p_caller, 'first_factor');
	IF p_caller.kind = 'host' THEN
		PERFORM account_hold(v_who, p_account_id);      -- first, so that code and authenticators stay as we find them
		IF is_enrolled(p_account_id) OR NOT enroll_code_is_live(p_account_id, p_token_digest) THEN
			PERFORM refuse('CF409');
		END IF;
	END IF;
	RETURN v_who;
END $$;

-- A pending factor, which satisfies no login.  The account's first factor needs no proof but the caller's word;
-- a further one needs a fresh current factor: P_PROOF_DIGEST is a step-up for the purpose add_factor that was granted.
-- Wrong codes, which anybody may type, do not spare it: then a recovery code is that factor, as long as one is left.
-- Without it PROOF_MISSING is true, and nothing was started.  Starts have a budget of P_LIMIT: beyond it THROTTLED_S.
-- FACTOR_ID, with its seed, in place of the one that was offered: a host began it, and the page shows the same, so that page
-- and prompt end in one authenticator.
CREATE FUNCTION totp_start(p_caller caller, p_account_id uuid, p_token_digest bytea, p_factor_id uuid, p_seed_sealed bytea,
    p_seed_key_id bigint, p_name_sealed bytea, p_name_key_id bigint, p_ttl_s bigint, p_factors_max bigint,
    p_proof_digest bytea, p_proof_required boolean, p_limit bigint, p_policy throttle_policy, OUT login_sealed bytea,
    OUT login_key_id bigint, OUT expires_at bigint, OUT proof_missing boolean, OUT throttled_s bigint, OUT factor_id uuid,
    OUT seed_sealed bytea, OUT seed_key_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit_enroll(p_caller, p_account_id, p_token_digest);
	v_account account%ROWTYPE := account_hold(v_who, p_account_id);
	v_now timestamptz := now_utc();
	v_active bigint := (SELECT count(*) FROM factor f WHERE f.account_id = p_account_id AND f.state = 'active');
BEGIN
	proof_missing := false;
	IF v_account.state <> 'active' OR v_active >= p_factors_max THEN
		PERFORM refuse('CF409');
	END IF;
	throttled_s := use_claim(p_caller, v_who, p_account_id, 'factor_started', 'enrollment', p_limit, NULL, p_policy);
	IF throttled_s > 0 THEN
		RETURN;
	END IF;
	IF p_proof_required AND p_caller.kind <> 'operator' AND can_prove_factor(p_account_id) THEN
		DELETE FROM challenge c WHERE c.digest = p_proof_digest AND c.account_id = p_account_id AND c.kind = 'step_up'
			AND c.purpose = 'add_factor' AND c.used_at > v_now - interval '10 minutes';
		proof_missing := NOT FOUND;
		IF proof_missing THEN
			PERFORM record(p_caller, v_who, p_account_id, 'factor_started', 'denied', 'proof_missing');
			RETURN;
		END IF;
	END IF;
	login_sealed := v_account.login_sealed;
	login_key_id := v_account.login_key_id;
	IF p_caller.kind = 'page' THEN          -- once: going back shows no secret
		UPDATE link l SET state = 'started', factor_id = CASE WHEN l.ticket_digest IS NULL THEN p_factor_id
			ELSE l.factor_id END WHERE l.page_digest = p_token_digest AND l.state = 'opened' RETURNING l.factor_id INTO factor_id;
		IF NOT FOUND THEN
			PERFORM refuse('CF409');
		ELSIF factor_id <> p_factor_id THEN
			SELECT f.seed_sealed, f.seed_key_id, epoch(f.pending_until) INTO seed_sealed, seed_key_id, expires_at
				FROM confirm_factor(p_caller, NULL, p_account_id, p_token_digest) f;
			PERFORM record(p_caller, v_who, p_account_id, 'factor_started', 'ok', 'begun_at_host', false,
				jsonb_build_object('factor', factor_id));
			RETURN;
		END IF;
		factor_id := NULL;
	END IF;
	-- a pending factor that a newer one takes the place of
	DELETE FROM factor f WHERE f.account_id = p_account_id AND f.state = 'pending';
	INSERT INTO factor (id, account_id, kind, state, name_sealed, name_key_id, seed_sealed, seed_key_id, created_at,
		pending_until)
	VALUES (p_factor_id, p_account_id, 'totp', 'pending', p_name_sealed, p_name_key_id, p_seed_sealed, p_seed_key_id,
		v_now, v_now + seconds(p_ttl_s));
	PERFORM record(p_caller, v_who, p_account_id, 'factor_started', 'ok', NULL, false,
		jsonb_build_object('factor', p_factor_id));
	expires_at := epoch(v_now + seconds(p_ttl_s));
END $$;

-- The page names no factor: it is the one that it started.
CREATE FUNCTION confirm_factor(p_caller caller, p_factor_id uuid, p_account_id uuid, p_token_digest bytea) RETURNS factor
LANGUAGE plpgsql AS $$
DECLARE
	v_factor factor%ROWTYPE;
BEGIN
	SELECT * INTO v_factor FROM factor WHERE account_id = p_account_id AND id = CASE WHEN p_caller.kind <> 'page'
		THEN p_factor_id ELSE (SELECT factor_id FROM link WHERE page_digest = p_token_digest) END FOR UPDATE;
	IF NOT FOUND THEN
		PERFORM refuse(CASE WHEN p_caller.kind <> 'page' THEN 'CF404' ELSE 'CF409' END);
	ELSIF v_factor.state <> 'pending' OR v_factor.pending_until <= now_utc() THEN
		PERFORM refuse('CF409');
	END IF;
	RETURN v_factor;
END $$;

-- Confirming counts like a code step: the claim is committed before the code is looked at.
CREATE FUNCTION totp_confirm_begin(p_caller caller, p_account_id uuid, p_token_digest bytea, p_factor_id uuid,
    p_policy throttle_policy, OUT throttled_s bigint, OUT factor_id uuid, OUT seed_sealed bytea, OUT seed_key_id bigint,
    OUT needs_recovery boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit_enroll(p_caller, p_account_id, p_token_digest);
	v_account account%ROWTYPE := account_hold(v_who, p_account_id);
	v_factor factor%ROWTYPE := confirm_factor(p_caller, p_factor_id, p_account_id, p_token_digest);
BEGIN
	IF v_account.state <> 'active' THEN
		PERFORM refuse('CF409');
	END IF;
	throttled_s := code_claim(p_caller, v_who, p_account_id, 'factor_bound', 'confirm', budget_key('confirm', v_who.realm,
		uuid_send(v_factor.id), NULL), p_policy.code_limit, p_policy);
	IF throttled_s > 0 THEN
		RETURN;
	END IF;
	factor_id := v_factor.id;
	seed_sealed := v_factor.seed_sealed;
	seed_key_id := v_factor.seed_key_id;
	needs_recovery := NOT EXISTS (SELECT FROM recovery_code r WHERE r.account_id = p_account_id
		AND r.set_no = v_account.recovery_set AND r.used_at IS NULL);
END $$;

-- A whole new set of recovery codes, 32 bytes each in one value; the set before is dead.
CREATE FUNCTION recovery_store(p_account_id uuid, p_digests bytea) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_set integer;
BEGIN
	DELETE FROM recovery_code WHERE account_id = p_account_id;
	UPDATE account SET recovery_set = recovery_set + 1 WHERE id = p_account_id RETURNING recovery_set INTO v_set;
	INSERT INTO recovery_code (account_id, set_no, digest)
	SELECT p_account_id, v_set, substring(p_digests FROM n * 32 + 1 FOR 32)
	FROM generate_series(0, length(p_digests) / 32 - 1) n;
END $$;

-- P_STEP NULL: the code was wrong.  The factor becomes active and its step is used up, in the statement that also stores
-- recovery codes where the account has none left.
CREATE FUNCTION totp_confirm_finish(p_caller caller, p_account_id uuid, p_token_digest bytea, p_factor_id uuid,
    p_step bigint, p_recovery_digests bytea, OUT verdict text, OUT recovery_issued boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit_enroll(p_caller, p_account_id, p_token_digest);
	v_account account%ROWTYPE := account_hold(v_who, p_account_id);
	v_factor factor%ROWTYPE := confirm_factor(p_caller, p_factor_id, p_account_id, p_token_digest);
	v_others boolean := EXISTS (SELECT FROM factor f WHERE f.account_id = p_account_id AND f.state = 'active');
BEGIN
	verdict := 'denied';
	recovery_issued := false;
	IF p_step IS NULL OR v_account.state <> 'active' THEN
		PERFORM record(p_caller, v_who, p_account_id, 'factor_bound', 'denied', 'wrong_code');
		RETURN;
	END IF;
	UPDATE factor f SET state = 'active', bound_at = now_utc(), pending_until = NULL, last_step = p_step,
		last_request = request_mark(p_caller) WHERE f.id = v_factor.id;
	DELETE FROM budget b WHERE b.key IN (budget_key('confirm', v_who.realm, uuid_send(v_factor.id), NULL),
		budget_key('enrollment', v_who.realm, uuid_send(p_account_id), NULL));
	IF p_recovery_digests IS NOT NULL AND NOT EXISTS (SELECT FROM recovery_code r WHERE r.account_id = p_account_id
	    AND r.set_no = v_account.recovery_set AND r.used_at IS NULL) THEN
		PERFORM recovery_store(p_account_id, p_recovery_digests);
		recovery_issued := true;
	END IF;
	UPDATE link l SET state = 'done' WHERE l.account_id = p_account_id AND l.factor_id = v_factor.id;
	PERFORM account_disconnect(p_account_id, 'factor_changed', true);
	PERFORM record(p_caller, v_who, p_account_id, 'factor_bound', 'ok', CASE WHEN v_others THEN 'further' ELSE 'first' END,
		true, jsonb_build_object('factor', v_factor.id));
	IF p_caller.kind = 'host' THEN          -- behind the password, these codes were the sign-in
		PERFORM signed_in(p_caller, v_who, p_account_id, 'known');
		PERFORM record(p_caller, v_who, p_account_id, 'login_code', 'granted', 'enrolled');
	END IF;
	verdict := 'granted';
END $$;

-- At least one row: FACTOR_ID NULL where the account has no factor.
CREATE FUNCTION factor_list(p_caller caller, p_account_id uuid, OUT factor_id uuid, OUT kind text, OUT state text,
    OUT name_sealed bytea, OUT name_key_id bigint, OUT created_at bigint, OUT bound_at bigint, OUT revoked_at bigint,
    OUT last_used_at bigint, OUT recovery_left bigint)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'enroll');
	v_account account%ROWTYPE := account_seen(v_who, p_account_id);
BEGIN
	RETURN QUERY SELECT f.id, f.kind, CASE WHEN f.state = 'pending' AND f.pending_until <= now_utc() THEN 'expired'
			ELSE f.state END, f.name_sealed, f.name_key_id::bigint, epoch(f.created_at), epoch(f.bound_at),
			epoch(f.revoked_at), epoch(f.last_used_at), (SELECT count(*) FROM recovery_code r
			WHERE r.account_id = p_account_id AND r.set_no = v_account.recovery_set AND r.used_at IS NULL)
		FROM (VALUES (1)) one LEFT JOIN factor f ON f.account_id = p_account_id
		ORDER BY f.created_at, f.id;
END $$;

-- The seed goes, the record of what was bound when stays.  Without a factor left the recovery codes open nothing: they go.
-- One that wrong codes disabled is still a factor: the codes are then the way in.
CREATE FUNCTION factor_revoke(p_caller caller, p_account_id uuid, p_factor_id uuid, OUT done boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'enroll');
	v_account account%ROWTYPE := account_hold(v_who, p_account_id);
	v_state text;
BEGIN
	SELECT f.state INTO v_state FROM factor f WHERE f.id = p_factor_id AND f.account_id = p_account_id FOR UPDATE;
	IF v_state IS NULL THEN
		PERFORM refuse('CF404');
	ELSIF v_state = 'revoked' THEN
		PERFORM refuse('CF409');
	END IF;
	UPDATE factor f SET state = 'revoked', seed_sealed = NULL, seed_key_id = NULL, revoked_at = now_utc(),
		pending_until = NULL WHERE f.id = p_factor_id;
	IF NOT EXISTS (SELECT FROM factor f WHERE f.account_id = p_account_id AND f.state IN ('active', 'disabled')) THEN
		DELETE FROM recovery_code r WHERE r.account_id = p_account_id;
	END IF;
	PERFORM account_disconnect(p_account_id, 'factor_changed', true);
	PERFORM record(p_caller, v_who, p_account_id, 'factor_revoked', 'ok', v_state, true,
		jsonb_build_object('factor', p_factor_id));
	done := true;
END $$;

CREATE FUNCTION recovery_replace(p_caller caller, p_account_id uuid, p_recovery_digests bytea, OUT done boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'enroll');
	v_account account%ROWTYPE := account_hold(v_who, p_account_id);
BEGIN
	IF v_account.state <> 'active'
	    OR NOT EXISTS (SELECT FROM factor f WHERE f.account_id = p_account_id AND f.state = 'active') THEN
		PERFORM refuse('CF409');
	END IF;
	PERFORM recovery_store(p_account_id, p_recovery_digests);
	PERFORM record(p_caller, v_who, p_account_id, 'recovery_codes_replaced', 'ok', NULL, true);
	done := true;
END $$;
