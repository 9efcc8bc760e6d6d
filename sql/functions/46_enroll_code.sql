-- Enrolment codes: with its password and such a code, which an operator issued, somebody of the staff binds a first
-- authenticator at a PAM host (the host's side of 42_factor.sql).  A code is a ticket: binding ends all tickets of the
-- account, and so do a new password, a lock and offboarding.
SET LOCAL search_path = counterfoil, pg_temp;

-- A second factor that wrong codes have disabled is one: those that are there are the way to a further one.
CREATE FUNCTION is_enrolled(p_account_id uuid) RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT EXISTS (SELECT FROM factor WHERE account_id = p_account_id AND state IN ('active', 'disabled')) $$;

-- Can its owner prove a second factor: with an authenticator or, where wrong codes have disabled them all, a recovery code?
CREATE FUNCTION can_prove_factor(p_account_id uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT coalesce(bool_or(f.state = 'active'), false) OR count(*) > 0 AND EXISTS (SELECT FROM recovery_code r
		JOIN account a ON a.id = r.account_id AND a.recovery_set = r.set_no
		WHERE r.account_id = p_account_id AND r.used_at IS NULL)
	FROM factor f WHERE f.account_id = p_account_id AND f.state IN ('active', 'disabled')
$$;

-- May this code still bind something?  The account is locked by then.
CREATE FUNCTION enroll_code_is_live(p_account_id uuid, p_code_digest bytea) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT EXISTS (SELECT FROM ticket WHERE digest = p_code_digest AND account_id = p_account_id AND purpose = 'enroll'
		AND used_at IS NULL AND expires_at > now_utc())
$$;

-- The newest code alone counts.  CF409: the account is no active one of the staff, or has an authenticator.
CREATE FUNCTION enroll_code_issue(p_caller caller, p_account_id uuid, p_code_digest bytea, p_ttl_s bigint,
    OUT expires_at bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, NULL);
	v_account account%ROWTYPE := account_hold(v_who, p_account_id);
	v_now timestamptz := now_utc();
BEGIN
	IF v_account.state <> 'active' OR v_account.realm <> 2 OR is_enrolled(p_account_id) THEN
		PERFORM refuse('CF409');
	END IF;
	DELETE FROM ticket t WHERE t.account_id = p_account_id AND t.purpose = 'enroll';
	INSERT INTO ticket (digest, account_id, purpose, created_at, expires_at)
	VALUES (p_code_digest, p_account_id, 'enroll', v_now, v_now + seconds(p_ttl_s));
	PERFORM record(p_caller, v_who, p_account_id, 'enroll_code_issued', 'ok');
	expires_at := epoch(v_now + seconds(p_ttl_s));
END $$;

-- A host asks before it starts anything: a wrong code counts like any wrong code of a sign-in, and a right one clears the
-- count.  REASON 'granted', or why not.  P_CODE_DIGEST NULL: what was typed has no form of a code.
CREATE FUNCTION enroll_code_check(p_caller caller, p_account_id uuid, p_code_digest bytea, p_policy throttle_policy,
    OUT throttled_s bigint, OUT reason text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'first_factor');
	v_account account%ROWTYPE := account_hold(v_who, p_account_id);
	v_familiar text := familiarity(p_account_id, p_caller.source, NULL, p_policy);
	v_key bytea := code_key(p_account_id, p_caller, v_familiar);
BEGIN
	throttled_s := code_claim(p_caller, v_who, p_account_id, 'factor_started', 'code', v_key, p_policy.code_limit, p_policy);
	reason := CASE
		WHEN throttled_s > 0 THEN 'throttled'
		WHEN v_account.state <> 'active' THEN v_account.state
		WHEN is_enrolled(p_account_id) THEN 'enrolled_meanwhile'
		WHEN enroll_code_is_live(p_account_id, p_code_digest) THEN 'granted'
		ELSE 'wrong_enroll_code' END;
	IF reason = 'granted' THEN
		DELETE FROM budget b WHERE b.key = v_key;
	ELSIF throttled_s = 0 THEN
		PERFORM record(p_caller, v_who, p_account_id, 'factor_started', 'denied', reason);
	END IF;
END $$;

-- The confirmation that bound this authenticator a moment ago comes again, because its reply was lost: nobody has seen the
-- recovery codes that were in it, and others take their place.  CF409: it did not.
CREATE FUNCTION enroll_confirm_again(p_caller caller, p_account_id uuid, p_factor_id uuid, p_recovery_digests bytea,
    OUT done boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'first_factor');
	v_account account%ROWTYPE := account_hold(v_who, p_account_id);
BEGIN
	IF host_of(p_caller) = '' OR v_account.state <> 'active' OR NOT EXISTS (SELECT FROM factor f WHERE f.id = p_factor_id
	    AND f.account_id = p_account_id AND f.state = 'active' AND comes_again(p_caller, f.last_request, f.bound_at)) THEN
		PERFORM refuse('CF409');
	END IF;
	PERFORM recovery_store(p_account_id, p_recovery_digests);
	PERFORM record(p_caller, v_who, p_account_id, 'recovery_codes_replaced', 'ok', 'reply_lost');
	done := true;
END $$;
