-- The life of an account.
SET LOCAL search_path = counterfoil, pg_temp;

-- What callers may know of an account.
CREATE FUNCTION account_view(p_account_id uuid, OUT account_id uuid, OUT realm bigint, OUT login_sealed bytea,
    OUT login_key_id bigint, OUT external_id text, OUT state text, OUT has_password boolean, OUT must_change boolean,
    OUT second_factor boolean, OUT created_at bigint, OUT password_changed_at bigint, OUT hold_until bigint)
RETURNS SETOF record LANGUAGE sql STABLE AS $$
	SELECT a.id, a.realm::bigint, a.login_sealed, a.login_key_id::bigint, a.external_id, a.state,
		a.password_sealed IS NOT NULL, a.must_change,
		EXISTS (SELECT FROM factor f WHERE f.account_id = a.id AND f.state = 'active'),
		epoch(a.created_at), epoch(a.password_changed_at), epoch(a.hold_until)
	FROM account a WHERE a.id = p_account_id
$$;

-- The account of this realm, locked for the statement's transaction; CF404 when there is none.
CREATE FUNCTION account_hold(p_who admission, p_account_id uuid) RETURNS account LANGUAGE plpgsql AS $$
DECLARE
	v_account account%ROWTYPE;
BEGIN
	SELECT * INTO v_account FROM account WHERE id = p_account_id AND realm = p_who.realm AND state <> 'erased'
		FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		PERFORM refuse('CF404');
	END IF;
	RETURN v_account;
END $$;

-- The same for who only looks.
CREATE FUNCTION account_seen(p_who admission, p_account_id uuid) RETURNS account LANGUAGE plpgsql STABLE AS $$
DECLARE
	v_account account%ROWTYPE;
BEGIN
	SELECT * INTO v_account FROM account WHERE id = p_account_id AND realm = p_who.realm AND state <> 'erased';
	IF NOT FOUND THEN
		PERFORM refuse('CF404');
	END IF;
	RETURN v_account;
END $$;

-- Links and pages of an account end.  A link was handed to a session that may have been somebody else's: what ends that
-- session ends what it could still bind or see.  P_BUT_PAGE: the page on which its owner asks for this, or NULL.
CREATE FUNCTION links_end(p_account_id uuid, p_but_page bytea) RETURNS void LANGUAGE sql AS $$
	-- an hour ago: over also for whoever waits for us with the time at which they began
	UPDATE link SET expires_at = now_utc() - interval '1 hour' WHERE account_id = p_account_id AND expires_at > now_utc()
		AND state <> 'done' AND page_digest IS DISTINCT FROM coalesce(p_but_page, '')
$$;

-- Sessions, challenges, tickets and pages of an account end, on every node, with the transaction that says so.
CREATE FUNCTION account_disconnect(p_account_id uuid, p_reason text, p_devices boolean, p_but_page bytea DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	v_count bigint;
BEGIN
	UPDATE session SET ended_at = now_utc(), end_reason = p_reason WHERE account_id = p_account_id AND ended_at IS NULL;
	GET DIAGNOSTICS v_count = ROW_COUNT;
	DELETE FROM challenge WHERE account_id = p_account_id;
	DELETE FROM ticket WHERE account_id = p_account_id;
	PERFORM links_end(p_account_id, p_but_page);
	IF p_devices THEN
		UPDATE trusted_device SET ended_at = now_utc(), end_reason = p_reason
			WHERE account_id = p_account_id AND ended_at IS NULL;
	END IF;
	RETURN v_count;
END $$;

-- With an idempotency key of a client, the same request again finds what the first one made; another one is CF409.
CREATE FUNCTION account_create(p_caller caller, p_account_id uuid, p_login_digest bytea, p_login_sealed bytea,
    p_login_key_id bigint, p_external_id text, p_password_sealed bytea, p_password_key_id bigint, p_password_form text,
    p_idempotency_digest bytea, p_request_digest bytea,
    OUT account_id uuid, OUT realm bigint, OUT login_sealed bytea, OUT login_key_id bigint, OUT external_id text,
    OUT state text, OUT has_password boolean, OUT must_change boolean, OUT second_factor boolean, OUT created_at bigint,
    OUT password_changed_at bigint, OUT hold_until bigint)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'accounts');
	v_now timestamptz := now_utc();
	v_before idempotency%ROWTYPE;
BEGIN
	IF p_idempotency_digest IS NOT NULL THEN
		-- two of the same at once: the second waits here, and finds
		PERFORM pg_advisory_xact_lock(hashtextextended(encode(p_idempotency_digest, 'hex'), 4711));
		SELECT * INTO v_before FROM idempotency i WHERE i.client_id = coalesce(v_who.client_id, v_who.actor)
			AND i.key_digest = p_idempotency_digest AND i.created_at > v_now - interval '1 day';
		IF FOUND AND v_before.request_digest <> p_request_digest THEN
			PERFORM refuse('CF409');
		ELSIF FOUND THEN
			RETURN QUERY SELECT * FROM account_view(v_before.account_id);
			RETURN;
		END IF;
	END IF;
	INSERT INTO account (id, realm, login_digest, login_sealed, login_key_id, external_id, password_sealed,
		password_key_id, password_form, password_changed_at, created_at)
	VALUES (p_account_id, v_who.realm, p_login_digest, p_login_sealed, p_login_key_id, p_external_id, p_password_sealed,
		p_password_key_id, coalesce(p_password_form, ''), CASE WHEN p_password_sealed IS NOT NULL THEN v_now END, v_now)
	ON CONFLICT (realm, login_digest) DO NOTHING;
	IF NOT FOUND THEN
		PERFORM refuse('CF409');
	END IF;
	IF p_idempotency_digest IS NOT NULL THEN
		INSERT INTO idempotency AS i (client_id, key_digest, request_digest, account_id, created_at)
		VALUES (coalesce(v_who.client_id, v_who.actor), p_idempotency_digest, p_request_digest, p_account_id, v_now)
		ON CONFLICT (client_id, key_digest) DO UPDATE SET request_digest = excluded.request_digest,
			account_id = excluded.account_id, created_at = excluded.created_at;
	END IF;
	PERFORM record(p_caller, v_who, p_account_id, 'account_created', 'ok');
	RETURN QUERY SELECT * FROM account_view(p_account_id);
END $$;

CREATE FUNCTION account_get(p_caller caller, p_account_id uuid, OUT account_id uuid, OUT realm bigint,
    OUT login_sealed bytea, OUT login_key_id bigint, OUT external_id text, OUT state text, OUT has_password boolean,
    OUT must_change boolean, OUT second_factor boolean, OUT created_at bigint, OUT password_changed_at bigint,
    OUT hold_until bigint)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'accounts');
BEGIN
	RETURN QUERY SELECT * FROM account_view(p_account_id) v WHERE v.realm = v_who.realm AND v.state <> 'erased';
	IF NOT FOUND THEN
		PERFORM refuse('CF404');
	END IF;
END $$;

CREATE FUNCTION account_find(p_caller caller, p_login_digest bytea, OUT account_id uuid, OUT realm bigint,
    OUT login_sealed bytea, OUT login_key_id bigint, OUT external_id text, OUT state text, OUT has_password boolean,
    OUT must_change boolean, OUT second_factor boolean, OUT created_at bigint, OUT password_changed_at bigint,
    OUT hold_until bigint)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'accounts');
BEGIN
	RETURN QUERY SELECT v.* FROM account a, account_view(a.id) v
		WHERE a.realm = v_who.realm AND a.login_digest = p_login_digest;
	IF NOT FOUND THEN
		PERFORM refuse('CF404');
	END IF;
END $$;

-- For the account phase of PAM, without any proof: state and duties, nothing of a credential.
CREATE FUNCTION account_status(p_caller caller, p_login_digest bytea, OUT account_id uuid, OUT state text,
    OUT must_change boolean, OUT second_factor boolean, OUT training_due_at bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'login');
	v_account account%ROWTYPE;
BEGIN
	IF p_caller.kind = 'client' THEN
		PERFORM refuse('CF403');
	END IF;
	SELECT * INTO v_account FROM account a WHERE a.realm = v_who.realm AND a.login_digest = p_login_digest;
	account_id := v_account.id;
	state := v_account.state;
	must_change := coalesce(v_account.must_change, false);
	second_factor := EXISTS (SELECT FROM factor f WHERE f.account_id = v_account.id AND f.state = 'active');
	training_due_at := epoch((SELECT t.due_at FROM training t WHERE t.account_id = v_account.id));
END $$;

CREATE FUNCTION account_set_state(p_caller caller, p_account_id uuid, p_state text, p_reason text,
    OUT account_id uuid, OUT realm bigint, OUT login_sealed bytea, OUT login_key_id bigint, OUT external_id text,
    OUT state text, OUT has_password boolean, OUT must_change boolean, OUT second_factor boolean, OUT created_at bigint,
    OUT password_changed_at bigint, OUT hold_until bigint)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'accounts');
	v_account account%ROWTYPE := account_hold(v_who, p_account_id);
	v_lifted boolean := false;
BEGIN
	IF p_state NOT IN ('active', 'locked', 'disabled') THEN
		PERFORM refuse('CF400');
	END IF;
	IF v_account.state = 'disabled' AND p_caller.kind <> 'operator' THEN    -- an operator did that (offboard), and undoes it
		RETURN QUERY SELECT * FROM account_view(p_account_id);
		RETURN;
	END IF;
	IF p_state = 'active' THEN      -- whoever unlocks has made sure of the person: what strangers did waits no longer
		DELETE FROM budget b WHERE b.key IN (budget_key('account', v_who.realm, v_account.login_digest, NULL),
			code_key(p_account_id, p_caller, 'stranger')) AND b.blocked_until > now_utc();
		v_lifted := FOUND;
	END IF;
	IF v_account.state <> p_state OR v_lifted THEN
		UPDATE account a SET state = p_state, state_reason = left(p_reason, 256) WHERE a.id = p_account_id;
		IF p_state <> 'active' THEN
			PERFORM account_disconnect(p_account_id, p_state, false);
		END IF;
		PERFORM record(p_caller, v_who, p_account_id, 'account_' || CASE p_state WHEN 'active' THEN 'unlocked'
			ELSE p_state END, 'ok', left(p_reason, 256));
	END IF;
	RETURN QUERY SELECT * FROM account_view(p_account_id);
END $$;

-- --- passwords -----------------------------------------------------------------------------------------------------

-- A change with the current password is an attempt like a login: the same budgets, the same decoy.
CREATE FUNCTION password_begin(p_caller caller, p_account_id uuid, p_policy throttle_policy,
    OUT throttled_s bigint, OUT attempt uuid, OUT familiar text, OUT login_digest bytea, OUT login_sealed bytea,
    OUT login_key_id bigint, OUT password_sealed bytea, OUT password_key_id bigint, OUT password_no bigint,
    OUT second_factor boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'password');
	v_account account%ROWTYPE := account_hold(v_who, p_account_id);
BEGIN
	attempt := gen_random_uuid();
	familiar := familiarity(p_account_id, p_caller.source, NULL, p_policy);
	login_digest := v_account.login_digest;
	login_sealed := v_account.login_sealed;
	login_key_id := v_account.login_key_id;
	second_factor := EXISTS (SELECT FROM factor f WHERE f.account_id = p_account_id AND f.state = 'active');
	throttled_s := login_claim(p_caller, v_who, p_account_id, 'password_changed', v_account.login_digest, familiar,
		p_policy, attempt);
	IF throttled_s = 0 AND v_account.state = 'active' THEN
		password_sealed := v_account.password_sealed;
		password_key_id := v_account.password_key_id;
		password_no := v_account.password_no;
	END IF;
END $$;

-- The attempt was claimed and never verified (no slot, no memory): it does not count.
CREATE FUNCTION password_abandon(p_caller caller, p_account_id uuid, p_attempt uuid, p_familiar text,
    p_policy throttle_policy, OUT done boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
	v_who admission := admit(p_caller, 'password');
	v_account account%ROWTYPE := account_hold(v_who, p_account_id);
BEGIN
	PERFORM login_release(p_caller, v_who, v_account.login_digest, p_familiar, p_policy, p_attempt, false);
	done := true;
END $$;

-- A new password is set: everything that the old one opened ends.  The second factor stays.
CREATE FUNCTION password_store(p_caller caller, p_who admission, p_account_id uuid, p_sealed bytea, p_key_id bigint,
    p_form text, p_must_change boolean, p_how text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE account SET password_sealed = p_sealed, password_key_id = p_key_id, password_form = p_form,
		password_no = password_no + 1, password_changed_at = now_utc(), must_change = p_must_change WHERE id = p_account_id;
	PERFORM account_disconnect(p_account_id, 'password_changed', true);
	PERFORM record(p_caller, p_who, p_account_id, 'password_changed', 'ok', p_how, true);
END $$;

CREATE FUNCTION password_finish(p_caller caller, p_account_id uuid, p_attempt uuid, p_familiar text, p_matched boolean,
    p_password_no bigint, p_new_sealed bytea, p_new_key_id bigint, p_new_form text, p_policy throttle_policy,
    OUT verdict text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
	v_who admission := admit(p_caller, 'password');
	v_account account%ROWTYPE := account_hold(v_who, p_account_id);
BEGIN
	verdict := 'denied';
	IF p_matched AND v_account.state = 'active' AND v_account.password_sealed IS NOT NULL
	    AND v_account.password_no = p_password_no THEN
		PERFORM login_release(p_caller, v_who, v_account.login_digest, p_familiar, p_policy, p_attempt,
			true);
		IF p_new_sealed IS NOT NULL THEN        -- NULL: the new one was refused, the attempt was none
			PERFORM password_store(p_caller, v_who, p_account_id, p_new_sealed, p_new_key_id, p_new_form, false,
				'current_password');
			-- in this transaction: whoever asks again proves the old password no more
			PERFORM host_request_decide(p_caller, 'allow', 'changed', false, false, 0);
		END IF;
		verdict := 'granted';
		RETURN;
	END IF;
	PERFORM record(p_caller, v_who, p_account_id, 'password_changed', 'denied', 'wrong_password');
END $$;

-- A reset: whoever runs it learns a ticket, never a password.  The newest ticket alone counts.
-- Resets have a budget of P_LIMIT, whose delay is no longer than a ticket lives: whoever floods an account with them leaves
-- its owner the newest ticket until there may be another.
CREATE FUNCTION password_reset(p_caller caller, p_account_id uuid, p_ticket_digest bytea, p_ttl_s bigint, p_limit bigint,
    p_policy throttle_policy, OUT expires_at bigint, OUT throttled_s bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'accounts');
	v_account account%ROWTYPE := account_hold(v_who, p_account_id);
	v_now timestamptz := now_utc();
	v_told boolean := EXISTS (SELECT FROM ticket t WHERE t.account_id = p_account_id AND t.purpose = 'reset'
		AND t.created_at > v_now - interval '1 minute');
BEGIN
	IF v_account.state <> 'active' THEN
		PERFORM refuse('CF409');
	END IF;
	p_policy.delay_max_s := least(p_policy.delay_max_s, p_ttl_s);
	throttled_s := use_claim(p_caller, v_who, p_account_id, 'password_reset_started', 'reset', p_limit, NULL, p_policy);
	IF throttled_s > 0 THEN
		RETURN;
	END IF;
	DELETE FROM ticket t WHERE t.account_id = p_account_id;
	INSERT INTO ticket (digest, account_id, purpose, created_at, expires_at)
	VALUES (p_ticket_digest, p_account_id, 'reset', v_now, v_now + seconds(p_ttl_s));
	-- a flood of resets does not become a flood of letters
	PERFORM record(p_caller, v_who, p_account_id, 'password_reset_started', 'ok', NULL, NOT v_told);
	expires_at := epoch(v_now + seconds(p_ttl_s));
END $$;

-- What the policy needs to judge a new password by, before the ticket is used up.  An unknown ticket is a denial.
CREATE FUNCTION ticket_look(p_caller caller, p_account_id uuid, p_ticket_digest bytea, OUT live boolean,
    OUT login_sealed bytea, OUT login_key_id bigint, OUT second_factor boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'accounts');
	v_account account%ROWTYPE := account_seen(v_who, p_account_id);
BEGIN
	live := v_account.state = 'active' AND EXISTS (SELECT FROM ticket t WHERE t.digest = p_ticket_digest
		AND t.account_id = p_account_id AND t.purpose <> 'enroll' AND t.used_at IS NULL AND t.expires_at > now_utc());
	login_sealed := v_account.login_sealed;
	login_key_id := v_account.login_key_id;
	second_factor := EXISTS (SELECT FROM factor f WHERE f.account_id = p_account_id AND f.state = 'active');
END $$;

CREATE FUNCTION ticket_use(p_caller caller, p_account_id uuid, p_ticket_digest bytea, p_new_sealed bytea,
    p_new_key_id bigint, p_new_form text, OUT verdict text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_who admission := admit(p_caller, 'accounts');
	v_account account%ROWTYPE := account_hold(v_who, p_account_id);
	v_purpose text;
BEGIN
	verdict := 'denied';
	UPDATE ticket t SET used_at = now_utc() WHERE t.digest = p_ticket_digest AND t.account_id = p_account_id
		AND t.purpose <> 'enroll' AND t.used_at IS NULL AND t.expires_at > now_utc() AND v_account.state = 'active'
		RETURNING t.purpose INTO v_purpose;
	IF v_purpose IS NULL THEN
		-- 256 bits are not guessed, so this keeps nobody out; but who tries shall not fill the disk
		IF code_claim(p_caller, v_who, p_account_id, 'password_changed', 'ticket', budget_key('ticket', v_who.realm,
		    uuid_send(p_account_id), NULL), 5, (5, 5, 60, 5, 5, 5, 60, 3600, 86400, 0, 100)::throttle_policy) = 0 THEN
			PERFORM record(p_caller, v_who, p_account_id, 'password_changed', 'denied', 'ticket');
		END IF;
		RETURN;
	END IF;
	PERFORM password_store(p_caller, v_who, p_account_id, p_new_sealed, p_new_key_id, p_new_form, false,
		v_purpose || '_ticket');
	DELETE FROM budget WHERE key = budget_key('reset', v_who.realm, uuid_send(p_account_id), NULL);
	verdict := 'granted';
END $$;

-- Operators only: the first password of an account, or one that its owner must change at once.
CREATE FUNCTION password_set(p_caller caller, p_account_id uuid, p_new_sealed bytea, p_new_key_id bigint,
    p_new_form text, p_must_change boolean, OUT done boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
	v_who admission := admit(p_caller, NULL);
BEGIN
	PERFORM account_hold(v_who, p_account_id);
	PERFORM password_store(p_caller, v_who, p_account_id, p_new_sealed, p_new_key_id, p_new_form, p_must_change,
		'operator');
	done := true;
END $$;
