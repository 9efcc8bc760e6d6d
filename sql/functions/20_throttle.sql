-- Throttling: one mechanism.  An attempt claims its budgets before anything is verified, and the claim is committed
-- with login_begin() or challenge_begin(): what runs in parallel finds it.  A success gives back what it claimed.
SET LOCAL search_path = counterfoil, pg_temp;

-- What is counted, as sixteen bytes.  Logins that do not exist are counted under their digest like all others.
CREATE FUNCTION budget_key(p_kind text, p_realm smallint, p_digest bytea, p_text text) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$
	SELECT substring(sha256(convert_to(p_kind || ':' || p_realm || ':' || coalesce(p_text, '') || ':', 'UTF8')
		|| coalesce(p_digest, ''::bytea)) FROM 1 FOR 16)
$$;

-- The delay after the FAILURES-th failure: P_FIRST seconds at the limit, doubling from there.
CREATE FUNCTION backoff(p_failures bigint, p_limit bigint, p_first_s bigint, p_max_s bigint) RETURNS interval
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN p_failures < p_limit THEN NULL
		ELSE seconds(least(p_max_s::numeric, p_first_s * 2::numeric ^ least(p_failures - p_limit, 32))::bigint) END
$$;

-- Claim one budget for P_ATTEMPT.  0: claimed; else the seconds until it opens again, and nothing was counted.
CREATE FUNCTION budget_claim(p_kind text, p_key bytea, p_limit bigint, p_first_s bigint, p_policy throttle_policy,
    p_attempt uuid) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	v_now timestamptz := now_utc();
	v_fresh timestamptz := v_now - seconds(p_policy.forget_s);
	v_max bigint := greatest(p_policy.delay_max_s, p_first_s);
	v_row budget%ROWTYPE;
BEGIN
	INSERT INTO budget AS b (key, kind, failures, blocked_until, updated_at, claimed_by)
	VALUES (p_key, p_kind, 1, coalesce(v_now + backoff(1, p_limit, p_first_s, v_max), '-infinity'), v_now, p_attempt)
	ON CONFLICT (key) DO UPDATE SET
		failures = CASE WHEN b.blocked_until > v_now THEN b.failures
			WHEN b.updated_at < v_fresh THEN 1 ELSE b.failures + 1 END,
		blocked_until = CASE WHEN b.blocked_until > v_now THEN b.blocked_until
			ELSE coalesce(v_now + backoff(CASE WHEN b.updated_at < v_fresh THEN 1 ELSE b.failures + 1 END,
				p_limit, p_first_s, v_max), '-infinity') END,
		updated_at = CASE WHEN b.blocked_until > v_now THEN b.updated_at ELSE v_now END,
		claimed_by = CASE WHEN b.blocked_until > v_now THEN b.claimed_by ELSE p_attempt END
	RETURNING * INTO v_row;
	IF v_row.claimed_by = p_attempt THEN
		RETURN 0;
	END IF;
	RETURN greatest(1, ceil(extract(epoch FROM v_row.blocked_until - v_now))::bigint);
END $$;

-- One of several budgets that an attempt needs.
CREATE FUNCTION login_budgets(p_who admission, p_caller caller, p_login_digest bytea, p_familiar text,
    p_policy throttle_policy, OUT key bytea, OUT kind text, OUT lim bigint, OUT first_s bigint)
RETURNS SETOF record LANGUAGE sql STABLE AS $$
	-- the owner's trusted device has a budget of its own; a known source escapes what strangers have done elsewhere
	SELECT budget_key('device', p_who.realm, p_login_digest, NULL), 'device', p_policy.pair_limit, p_policy.delay_s
		WHERE p_familiar = 'device'
	UNION ALL
	SELECT budget_key('pair', p_who.realm, p_login_digest,
		coalesce(source_prefix(p_caller.source)::text, '') || host_of(p_caller)), 'pair',
		p_policy.pair_limit, p_policy.delay_s WHERE p_familiar <> 'device'
	UNION ALL
	SELECT budget_key('account', p_who.realm, p_login_digest, host_of(p_caller)), 'account', p_policy.account_limit,
		p_policy.account_delay_s WHERE p_familiar = 'stranger'
	UNION ALL
	SELECT budget_key('source', p_who.realm, NULL, source_prefix(p_caller.source)::text || host_of(p_caller)), 'source',
		p_policy.source_limit, p_policy.delay_s WHERE p_familiar = 'stranger' AND p_caller.source IS NOT NULL
	UNION ALL
	-- sixteen parts of one budget: the sign-ins of a whole shop must not queue for one row
	SELECT budget_key('client', p_who.realm, substring(p_login_digest FROM 1 FOR 0),
			coalesce(p_who.client_id, p_who.actor) || ':' || (get_byte(p_login_digest, 0) % 16)), 'client',
		greatest(p_policy.client_limit / 16, 1), p_policy.delay_s
		WHERE p_familiar = 'stranger' AND p_who.client_id IS NOT NULL
	ORDER BY 1      -- one order for all: no two attempts wait for each other
$$;

-- Claim them all, or none.  0: claimed; else the seconds to wait.
CREATE FUNCTION login_claim(p_who admission, p_caller caller, p_login_digest bytea, p_familiar text,
    p_policy throttle_policy, p_attempt uuid) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	v_budget record;
	v_wait bigint := 0;
BEGIN
	BEGIN
		FOR v_budget IN SELECT * FROM login_budgets(p_who, p_caller, p_login_digest, p_familiar, p_policy) LOOP
			v_wait := budget_claim(v_budget.kind, v_budget.key, v_budget.lim, v_budget.first_s, p_policy, p_attempt);
			IF v_wait > 0 THEN
				RAISE EXCEPTION USING ERRCODE = 'CF429';        -- gives back what was claimed so far
			END IF;
		END LOOP;
	EXCEPTION WHEN SQLSTATE 'CF429' THEN
		RETURN v_wait;
	END;
	RETURN 0;
END $$;

-- The password was right, or was never looked at (P_CLEAR false): what was claimed is given back.  A right password
-- clears what counted failures at this account; those of the source and the client keep the failures of others.
CREATE FUNCTION login_release(p_who admission, p_caller caller, p_login_digest bytea, p_familiar text,
    p_policy throttle_policy, p_clear boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_budget record;
BEGIN
	FOR v_budget IN SELECT * FROM login_budgets(p_who, p_caller, p_login_digest, p_familiar, p_policy) LOOP
		IF p_clear AND v_budget.kind IN ('pair', 'account', 'device') THEN
			DELETE FROM budget WHERE key = v_budget.key;
		ELSE
			UPDATE budget SET failures = greatest(failures - 1, 0),
				blocked_until = CASE WHEN failures - 1 < v_budget.lim THEN '-infinity' ELSE blocked_until END
			WHERE key = v_budget.key;
		END IF;
	END LOOP;
END $$;

-- Is the one who signs in the owner's device, a source that the account knows, or a stranger?
CREATE FUNCTION familiarity(p_account_id uuid, p_source inet, p_device_digest bytea, p_policy throttle_policy)
RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE
		WHEN p_account_id IS NULL THEN 'stranger'
		WHEN p_device_digest IS NOT NULL AND EXISTS (SELECT FROM trusted_device WHERE account_id = p_account_id
			AND digest = p_device_digest AND ended_at IS NULL AND expires_at > now_utc()) THEN 'device'
		WHEN EXISTS (SELECT FROM known_source WHERE account_id = p_account_id AND source = source_prefix(p_source)
			AND seen_at > now_utc() - seconds(p_policy.known_source_s)) THEN 'known'
		ELSE 'stranger' END
$$;

-- The account signed in from here.  At most 20 sources an account: the oldest make room.
CREATE FUNCTION remember_source(p_account_id uuid, p_source inet) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF p_source IS NULL THEN
		RETURN;
	END IF;
	INSERT INTO known_source AS k (account_id, source, seen_at)
	VALUES (p_account_id, source_prefix(p_source), now_utc())
	ON CONFLICT (account_id, source) DO UPDATE SET seen_at = excluded.seen_at
		WHERE k.seen_at < excluded.seen_at - interval '1 hour';
	IF FOUND THEN
		DELETE FROM known_source WHERE account_id = p_account_id AND source IN (SELECT source FROM known_source
			WHERE account_id = p_account_id ORDER BY seen_at DESC OFFSET 20);
	END IF;
END $$;
