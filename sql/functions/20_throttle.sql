-- Throttling: one mechanism.  An attempt claims its budgets before anything is verified, and the claim is committed
-- with login_begin() or challenge_begin(): what runs in parallel finds it.  A success gives back what it claimed.
SET LOCAL search_path = counterfoil, pg_temp;

-- What is counted, as sixteen bytes.  Logins that do not exist are counted under their digest like all others.
CREATE FUNCTION budget_key(p_kind text, p_realm smallint, p_digest bytea, p_text text) RETURNS bytea
LANGUAGE sql STABLE AS $$
	SELECT substring(sha256(convert_to(p_kind || ':' || p_realm || ':' || coalesce(p_text, '') || ':', 'UTF8')
		|| coalesce(p_digest, ''::bytea)) FROM 1 FOR 16)
$$;

-- The end of the delay that the FAILURES-th failure earns: P_FIRST_S at the limit, doubling from there.
CREATE FUNCTION delay_end(p_now timestamptz, p_failures bigint, p_limit bigint, p_first_s bigint, p_max_s bigint)
RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF p_failures < p_limit THEN
		RETURN '-infinity';
	END IF;
	RETURN p_now + seconds(least(p_first_s << least(p_failures - p_limit, 32)::integer, greatest(p_max_s, p_first_s)));
END $$;

-- Claim all budgets for P_ATTEMPT, or none.  The arrays go together: key, kind, limit, first delay of each.
-- WAIT_S 0: claimed; else the seconds until the last of them opens, and nothing was counted.
-- NEWS: the kind of a budget whose delay refuses for the first time: that is an event, the refusals behind it are not,
-- or whoever is refused could fill the disk.
CREATE FUNCTION budget_claim(p_keys bytea[], p_kinds text[], p_limits bigint[], p_firsts bigint[],
    p_policy throttle_policy, p_attempt uuid, OUT wait_s bigint, OUT news text) LANGUAGE plpgsql AS $$
DECLARE
	v_now timestamptz := now_utc();
	v_fresh timestamptz := v_now - seconds(p_policy.forget_s);
	v_max bigint := p_policy.delay_max_s;
	v_claimed bigint;
	v_row budget%ROWTYPE;
BEGIN
	-- in the order of the keys: no two attempts wait for each other; a refusal that is foreseen writes nothing
	INSERT INTO budget AS b (key, kind, failures, blocked_until, updated_at, claimed_by)
	SELECT w.key, w.kind, 1, delay_end(v_now, 1, w.lim, w.first_s, v_max), v_now, p_attempt
	FROM unnest(p_keys, p_kinds, p_limits, p_firsts) AS w(key, kind, lim, first_s)
	WHERE NOT EXISTS (SELECT FROM budget f WHERE f.key = ANY (p_keys) AND f.blocked_until > v_now)
	ORDER BY w.key
	ON CONFLICT (key) DO UPDATE SET
		failures = CASE WHEN b.updated_at < v_fresh THEN 1 ELSE b.failures + 1 END,
		blocked_until = delay_end(v_now, CASE WHEN b.updated_at < v_fresh THEN 1 ELSE b.failures + 1 END,
			p_limits[array_position(p_keys, b.key)], p_firsts[array_position(p_keys, b.key)], v_max),
		-- many people are behind a source or a client, and a use is no failure: theirs is a day's count (forget_s), others
		-- wait for a calm as long
		updated_at = CASE WHEN b.kind = ANY ('{source,client,enrollment,export,export_client,reset}')
			AND b.updated_at >= v_fresh THEN b.updated_at ELSE v_now END,
		claimed_by = p_attempt, told = false
		WHERE b.blocked_until <= v_now;
	GET DIAGNOSTICS v_claimed = ROW_COUNT;
	wait_s := 0;
	IF v_claimed = cardinality(p_keys) THEN
		RETURN;
	END IF;
	IF v_claimed > 0 THEN   -- one was closed by somebody who ran beside us: what was claimed goes back
		UPDATE budget SET failures = failures - 1, blocked_until = '-infinity'
			WHERE key = ANY (p_keys) AND claimed_by = p_attempt;
	END IF;
	SELECT * INTO v_row FROM budget b WHERE b.key = ANY (p_keys) ORDER BY b.blocked_until DESC LIMIT 1;
	wait_s := 1;            -- the delay that refused may have been lifted since
	IF v_row.blocked_until > v_now THEN
		wait_s := ceil(extract(epoch FROM v_row.blocked_until - v_now));
	END IF;
	IF NOT v_row.told THEN
		UPDATE budget SET told = true WHERE key = v_row.key AND blocked_until = v_row.blocked_until AND NOT told
			RETURNING kind INTO news;
	END IF;
END $$;

-- These budgets are claimed together, or none; the first refusal of a delay is told.
CREATE FUNCTION budgets_use(p_caller caller, p_who admission, p_account_id uuid, p_event text, p_keys bytea[], p_kinds text[],
    p_limits bigint[], p_policy throttle_policy) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	v_claim record;
BEGIN
	v_claim := budget_claim(p_keys, p_kinds, p_limits, array_fill(p_policy.delay_s, ARRAY[cardinality(p_keys)]), p_policy,
		gen_random_uuid());
	IF v_claim.news IS NOT NULL THEN
		PERFORM record(p_caller, p_who, p_account_id, p_event, 'throttled', v_claim.news);
	END IF;
	RETURN v_claim.wait_s;
END $$;

-- The same of one budget alone.
CREATE FUNCTION code_claim(p_caller caller, p_who admission, p_account_id uuid, p_event text, p_kind text, p_key bytea,
    p_limit bigint, p_policy throttle_policy) RETURNS bigint LANGUAGE sql AS $$
	SELECT budgets_use(p_caller, p_who, p_account_id, p_event, ARRAY[p_key], ARRAY[p_kind], ARRAY[p_limit], p_policy)
$$;

-- What costs much, or writes to somebody, has budgets of its own (P_KIND: enrollment, export, reset), in which every use
-- counts and none is given back: a flood of one leaves the others, and signing in, as they are (ASVS 5.0, 2.4.1).
-- The operator, whom nobody floods, is not held up.
-- P_CLIENT_LIMIT: what one API client may use for all accounts together; NULL: that is not counted.
CREATE FUNCTION use_claim(p_caller caller, p_who admission, p_account_id uuid, p_event text, p_kind text, p_limit bigint,
    p_client_limit bigint, p_policy throttle_policy) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	v_keys bytea[] := ARRAY[budget_key(p_kind, p_who.realm, uuid_send(p_account_id), NULL)];
	v_kinds text[] := ARRAY[p_kind];
	v_limits bigint[] := ARRAY[p_limit];
BEGIN
	IF p_caller.kind = 'operator' THEN
		RETURN 0;
	END IF;
	IF p_client_limit IS NOT NULL AND p_who.client_id IS NOT NULL THEN
		v_keys := v_keys || budget_key(p_kind, p_who.realm, NULL, p_who.client_id);
		v_kinds := v_kinds || (p_kind || '_client');
		v_limits := v_limits || p_client_limit;
	END IF;
	RETURN budgets_use(p_caller, p_who, p_account_id, p_event, v_keys, v_kinds, v_limits, p_policy);
END $$;

-- The budgets that a password needs.  The first CLEARED of them count failures at this account, and a right password
-- clears them; those of the source and the client keep the failures of others.
CREATE FUNCTION login_budgets(p_who admission, p_caller caller, p_login_digest bytea, p_familiar text,
    p_policy throttle_policy, OUT keys bytea[], OUT kinds text[], OUT limits bigint[], OUT firsts bigint[],
    OUT cleared integer) LANGUAGE plpgsql STABLE AS $$
DECLARE
	v_source text := source_prefix(p_caller.source)::text;
	v_host text := host_of(p_caller);
BEGIN
	cleared := 1;
	IF p_familiar = 'device' THEN   -- the owner's trusted device has a budget of its own
		keys := ARRAY[budget_key('device', p_who.realm, p_login_digest, NULL)];
		kinds := '{device}';
	ELSE
		keys := ARRAY[budget_key('pair', p_who.realm, p_login_digest, coalesce(v_source, '') || v_host)];
		kinds := '{pair}';
	END IF;
	limits := ARRAY[p_policy.pair_limit];
	firsts := ARRAY[p_policy.delay_s];
	IF p_familiar <> 'stranger' THEN        -- what strangers do elsewhere keeps no owner out
		RETURN;
	END IF;
	cleared := 2;
	keys := keys || budget_key('account', p_who.realm, p_login_digest, v_host);
	kinds := kinds || 'account'::text;
	limits := limits || p_policy.account_limit;
	firsts := firsts || p_policy.account_delay_s;
	IF v_source IS NOT NULL THEN
		keys := keys || budget_key('source', p_who.realm, NULL, v_source || v_host);
		kinds := kinds || 'source'::text;
		limits := limits || p_policy.source_limit;
		firsts := firsts || p_policy.delay_s;
	END IF;
	IF p_who.client_id IS NOT NULL THEN
		-- sixteen parts of one budget: the sign-ins of a whole shop must not queue for one row
		keys := keys || budget_key('client', p_who.realm, NULL,
			p_who.client_id || ':' || (get_byte(p_login_digest, 0) % 16));
		kinds := kinds || 'client'::text;
		limits := limits || greatest(p_policy.client_limit / 16, 1);
		firsts := firsts || p_policy.delay_s;
	END IF;
END $$;

-- Claim what a password needs; the first refusal of a delay is told.  P_ACCOUNT_ID and P_KIND are for its event alone.
CREATE FUNCTION login_claim(p_caller caller, p_who admission, p_account_id uuid, p_kind text, p_login_digest bytea,
    p_familiar text, p_policy throttle_policy, p_attempt uuid) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	v_set record;
	v_claim record;
BEGIN
	v_set := login_budgets(p_who, p_caller, p_login_digest, p_familiar, p_policy);
	v_claim := budget_claim(v_set.keys, v_set.kinds, v_set.limits, v_set.firsts, p_policy, p_attempt);
	IF v_claim.news IS NOT NULL THEN
		PERFORM record(p_caller, p_who, p_account_id, p_kind, 'throttled', v_claim.news);
	END IF;
	RETURN v_claim.wait_s;
END $$;

-- The password was right, or was never looked at (P_CLEAR false): what P_ATTEMPT claimed is given back.
CREATE FUNCTION login_release(p_caller caller, p_who admission, p_login_digest bytea, p_familiar text,
    p_policy throttle_policy, p_attempt uuid, p_clear boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_set record;
	v_cleared bytea[];
BEGIN
	v_set := login_budgets(p_who, p_caller, p_login_digest, p_familiar, p_policy);
	IF cardinality(v_set.keys) > 1 THEN     -- in the order in which all claim
		PERFORM FROM budget WHERE key = ANY (v_set.keys) ORDER BY key FOR UPDATE;
	END IF;
	IF p_clear THEN
		v_cleared := v_set.keys[1:v_set.cleared];
		DELETE FROM budget WHERE key = ANY (v_cleared);
		IF cardinality(v_set.keys) = v_set.cleared THEN
			RETURN;
		END IF;
	END IF;
	-- a delay that this very attempt began was for a failure, and it was none
	UPDATE budget b SET failures = greatest(b.failures - 1, 0),
		blocked_until = CASE WHEN b.claimed_by = p_attempt OR b.failures - 1 < w.lim THEN '-infinity'
			ELSE b.blocked_until END
		FROM unnest(v_set.keys, v_set.limits) AS w(key, lim) WHERE b.key = w.key;
END $$;

-- Is the one who signs in the owner's device, a source that the account knows, or a stranger?  Of an account that is not
-- there (NULL) it asks the same questions, so that it takes the same time.
CREATE FUNCTION familiarity(p_account_id uuid, p_source inet, p_device_digest bytea, p_policy throttle_policy)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
	v_account uuid := coalesce(p_account_id, '00000000-0000-0000-0000-000000000000');
	v_now timestamptz := now_utc();
BEGIN
	IF p_device_digest IS NOT NULL AND EXISTS (SELECT FROM trusted_device WHERE account_id = v_account
	    AND p_device_digest IN (digest, previous_digest) AND ended_at IS NULL AND expires_at > v_now) THEN
		RETURN 'device';
	END IF;
	RETURN CASE WHEN EXISTS (SELECT FROM known_source WHERE account_id = v_account
		AND source = source_prefix(p_source) AND seen_at > v_now - seconds(p_policy.known_source_s))
		THEN 'known' ELSE 'stranger' END;
END $$;

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
	IF FOUND AND (SELECT count(*) FROM known_source WHERE account_id = p_account_id) > 20 THEN
		DELETE FROM known_source WHERE account_id = p_account_id AND source IN (SELECT source FROM known_source
			WHERE account_id = p_account_id ORDER BY seen_at DESC OFFSET 20);
	END IF;
END $$;
