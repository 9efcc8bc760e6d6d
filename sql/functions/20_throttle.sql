-- Throttling: one mechanism.  An attempt claims its budgets before anything is verified, and the claim is committed
-- with login_begin() or challenge_begin(): what runs in parallel finds it.  A success gives back what it claimed.
SET LOCAL search_path = counterfoil, pg_temp;

-- What is counted, as sixteen bytes.  Logins that do not exist are counted under their digest like all others.
CREATE FUNCTION budget_key(p_kind text, p_realm smallint, p_digest bytea, p_text text) RETURNS bytea
LANGUAGE sql STABLE AS $$
	SELECT substring(sha256(convert_to(concat(p_kind, ':', p_realm, ':', p_text, ':'), 'UTF8')
		|| coalesce(p_digest, '')) FROM 1 FOR 16)
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

-- Claim all budgets for P_ATTEMPT, or none.  The arrays go together: key, kind, limit, first delay of each; one without a
-- key is none.  0: claimed; else the seconds until the last of them opens, and nothing was counted.
-- A budget whose delay refuses for the first time is an event, the refusals behind it are not, or whoever is refused could
-- fill the disk; P_ACCOUNT_ID and P_EVENT are for that alone.
CREATE FUNCTION budgets_claim(p_caller caller, p_who admission, p_account_id uuid, p_event text, p_keys bytea[],
    p_kinds text[], p_limits bigint[], p_firsts bigint[], p_policy throttle_policy, p_attempt uuid) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	v_now timestamptz := now_utc();
	v_fresh timestamptz := v_now - seconds(p_policy.forget_s);
	v_claimed bigint;
	v_row budget%ROWTYPE;
	v_news text;
BEGIN
	-- in the order of the arrays, which is the same for all who claim two of the same kinds, and so is the giving back: no two
	-- attempts wait for each other.  A refusal that is foreseen writes nothing.
	INSERT INTO budget AS b (key, kind, failures, blocked_until, updated_at, claimed_by)
	SELECT p_keys[i], p_kinds[i], 1, CASE WHEN p_limits[i] > 1 THEN '-infinity'
			ELSE delay_end(v_now, 1, p_limits[i], p_firsts[i], p_policy.delay_max_s) END, v_now, p_attempt
	FROM generate_subscripts(p_keys, 1) i
	WHERE p_keys[i] IS NOT NULL
		AND NOT EXISTS (SELECT FROM budget f WHERE f.key = ANY (p_keys) AND f.blocked_until > v_now)
	ON CONFLICT (key) DO UPDATE SET
		failures = CASE WHEN b.updated_at < v_fresh THEN 1 ELSE b.failures + 1 END,
		blocked_until = delay_end(v_now, CASE WHEN b.updated_at < v_fresh THEN 1 ELSE b.failures + 1 END,
			p_limits[array_position(p_keys, b.key)], p_firsts[array_position(p_keys, b.key)], p_policy.delay_max_s),
		-- many people are behind a source or a client, and a use is no failure: theirs is a day's count (forget_s), others
		-- wait for a calm as long
		updated_at = CASE WHEN b.kind = ANY ('{source,client,enrollment,export,export_client,reset}')
			AND b.updated_at >= v_fresh THEN b.updated_at ELSE v_now END,
		claimed_by = p_attempt, told = false
		WHERE b.blocked_until <= v_now;
	GET DIAGNOSTICS v_claimed = ROW_COUNT;
	IF v_claimed = cardinality(array_remove(p_keys, NULL)) THEN
		RETURN 0;
	END IF;
	IF v_claimed > 0 THEN   -- one was closed by somebody who ran beside us: what was claimed goes back
		UPDATE budget SET failures = failures - 1, blocked_until = '-infinity'
			WHERE key = ANY (p_keys) AND claimed_by = p_attempt;
	END IF;
	SELECT * INTO v_row FROM budget b WHERE b.key = ANY (p_keys) ORDER BY b.blocked_until DESC LIMIT 1;
	IF NOT v_row.told THEN
		UPDATE budget SET told = true WHERE key = v_row.key AND blocked_until = v_row.blocked_until AND NOT told
			RETURNING kind INTO v_news;
		IF v_news IS NOT NULL THEN
			PERFORM record(p_caller, p_who, p_account_id, p_event, 'throttled', v_news);
		END IF;
	END IF;
	IF v_row.blocked_until > v_now THEN
		RETURN ceil(extract(epoch FROM v_row.blocked_until - v_now));
	END IF;
	RETURN 1;               -- the delay that refused may have been lifted since
END $$;

-- One budget alone, for what is no attempt to be given back.
CREATE FUNCTION code_claim(p_caller caller, p_who admission, p_account_id uuid, p_event text, p_kind text, p_key bytea,
    p_limit bigint, p_policy throttle_policy) RETURNS bigint LANGUAGE sql AS $$
	SELECT budgets_claim(p_caller, p_who, p_account_id, p_event, ARRAY[p_key], ARRAY[p_kind], ARRAY[p_limit],
		ARRAY[p_policy.delay_s], p_policy, gen_random_uuid())
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
	RETURN budgets_claim(p_caller, p_who, p_account_id, p_event, v_keys, v_kinds, v_limits,
		ARRAY[p_policy.delay_s, p_policy.delay_s], p_policy, gen_random_uuid());
END $$;

-- The budgets that a password needs.  The first two, pair (or device) and account, count failures at this account, and a right
-- password clears them; those of the source and the client keep the failures of others.  NULL: there is no such budget.
CREATE FUNCTION login_keys(p_who admission, p_caller caller, p_login_digest bytea, p_familiar text) RETURNS bytea[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
	v_host text := host_of(p_caller);
	v_source text := source_prefix(p_caller.source) || v_host;
BEGIN
	IF p_familiar = 'device' THEN   -- the owner's trusted device has a budget of its own
		RETURN ARRAY[budget_key('device', p_who.realm, p_login_digest, NULL)];
	ELSIF p_familiar <> 'stranger' THEN     -- what strangers do elsewhere keeps no owner out
		RETURN ARRAY[budget_key('pair', p_who.realm, p_login_digest, coalesce(v_source, v_host))];
	END IF;
	RETURN ARRAY[budget_key('pair', p_who.realm, p_login_digest, coalesce(v_source, v_host)),
		budget_key('account', p_who.realm, p_login_digest, v_host),
		CASE WHEN v_source IS NOT NULL THEN budget_key('source', p_who.realm, NULL, v_source) END,
		-- sixteen parts of one budget: the sign-ins of a whole shop must not queue for one row
		CASE WHEN p_who.client_id IS NOT NULL THEN budget_key('client', p_who.realm, NULL,
			concat(p_who.client_id, ':', get_byte(p_login_digest, 0) % 16)) END];
END $$;

CREATE FUNCTION login_limits(p_policy throttle_policy) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$
	SELECT ARRAY[p_policy.pair_limit, p_policy.account_limit, p_policy.source_limit, greatest(p_policy.client_limit / 16, 1)]
$$;

-- Claim what a password needs.
CREATE FUNCTION login_claim(p_caller caller, p_who admission, p_account_id uuid, p_kind text, p_login_digest bytea,
    p_familiar text, p_policy throttle_policy, p_attempt uuid) RETURNS bigint LANGUAGE sql AS $$
	SELECT budgets_claim(p_caller, p_who, p_account_id, p_kind, login_keys(p_who, p_caller, p_login_digest, p_familiar),
		CASE p_familiar WHEN 'device' THEN '{device}' ELSE '{pair,account,source,client}' END::text[], login_limits(p_policy),
		ARRAY[p_policy.delay_s, p_policy.account_delay_s, p_policy.delay_s, p_policy.delay_s], p_policy, p_attempt)
$$;

-- The password was right, or was never looked at (P_CLEAR false): what P_ATTEMPT claimed is given back.
CREATE FUNCTION login_release(p_caller caller, p_who admission, p_login_digest bytea, p_familiar text,
    p_policy throttle_policy, p_attempt uuid, p_clear boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_keys bytea[] := login_keys(p_who, p_caller, p_login_digest, p_familiar);
	v_limits bigint[];
BEGIN
	FOR i IN 1 .. cardinality(v_keys) LOOP  -- one after the other, as they were claimed
		IF p_clear AND i <= 2 THEN
			DELETE FROM budget b WHERE b.key = v_keys[i];
		ELSE    -- a delay that this very attempt began was for a failure, and it was none
			v_limits := login_limits(p_policy);
			UPDATE budget b SET failures = greatest(b.failures - 1, 0),
				blocked_until = CASE WHEN b.claimed_by = p_attempt OR b.failures - 1 < v_limits[i]
					THEN '-infinity' ELSE b.blocked_until END
				WHERE b.key = v_keys[i];
		END IF;
	END LOOP;
END $$;

-- Is the one who signs in the owner's device, a source that the account knows, or a stranger?  Of an account that is not
-- there (NULL) it asks the same questions, so that it takes the same time.
CREATE FUNCTION familiarity(p_account_id uuid, p_source inet, p_device_digest bytea, p_policy throttle_policy)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
	v_account uuid := coalesce(p_account_id, '00000000-0000-0000-0000-000000000000');
	v_source cidr := source_prefix(p_source);       -- in a condition PostgreSQL would set it up twice
BEGIN
	IF p_device_digest IS NOT NULL THEN
		IF EXISTS (SELECT FROM trusted_device WHERE account_id = v_account
		    AND p_device_digest IN (digest, previous_digest) AND ended_at IS NULL AND expires_at > now_utc()) THEN
			RETURN 'device';
		END IF;
	END IF;
	RETURN CASE WHEN EXISTS (SELECT FROM known_source WHERE account_id = v_account
		AND source = v_source AND seen_at > now_utc() - seconds(p_policy.known_source_s))
		THEN 'known' ELSE 'stranger' END;
END $$;

-- The account signed in from here.  At most 20 sources an account: the oldest make room.
CREATE FUNCTION remember_source(p_account_id uuid, p_source cidr) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_full boolean;
BEGIN
	IF p_source IS NULL THEN
		RETURN;
	END IF;
	INSERT INTO known_source AS k (account_id, source, seen_at) VALUES (p_account_id, p_source, now_utc())
	ON CONFLICT (account_id, source) DO UPDATE SET seen_at = excluded.seen_at
		WHERE k.seen_at < excluded.seen_at - interval '1 hour'
	RETURNING EXISTS (SELECT FROM known_source o WHERE o.account_id = p_account_id OFFSET 19) INTO v_full;  -- before
	IF v_full THEN
		DELETE FROM known_source WHERE account_id = p_account_id AND source IN (SELECT source FROM known_source
			WHERE account_id = p_account_id ORDER BY seen_at DESC OFFSET 20);
	END IF;
END $$;
