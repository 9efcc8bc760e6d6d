-- Readiness, and what keeps the tables from growing.
SET LOCAL search_path = counterfoil, pg_temp;

CREATE FUNCTION readiness(OUT schema_number bigint, OUT now_s bigint, OUT writable boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
BEGIN
	schema_number := (SELECT coalesce(max(number), 0) FROM migration);
	now_s := epoch(now_utc());
	writable := NOT pg_is_in_recovery();
END $$;

-- The partitions of this month and the next three.  A new one needs the trail to itself for a moment: whoever reads it for
-- long (a dump) is not waited for, and sign-ins do not queue up behind us; there are three months to try again.
CREATE FUNCTION event_partitions() RETURNS void LANGUAGE plpgsql SET lock_timeout = '100ms' AS $$
DECLARE
	v_month timestamptz;
	v_name text;
BEGIN
	FOR v_month IN SELECT date_trunc('month', now_utc(), 'UTC') + n * interval '1 month' FROM generate_series(0, 3) n LOOP
		v_name := 'event_' || to_char(v_month AT TIME ZONE 'UTC', 'YYYYMM');
		IF to_regclass('counterfoil.' || v_name) IS NULL AND NOT EXISTS (SELECT FROM event_other
		    WHERE at >= v_month AND at < v_month + interval '1 month') THEN
			EXECUTE format('CREATE TABLE %I PARTITION OF event FOR VALUES FROM (%L) TO (%L)', v_name, v_month,
				v_month + interval '1 month');
		END IF;
	END LOOP;
EXCEPTION WHEN lock_not_available THEN
	NULL;
END $$;

-- What is over goes, at most P_BATCH rows of a kind; one process at a time does it, and waits for nobody: a row that is
-- locked is still of use to somebody.  Returns how many rows went; who gets P_BATCH or more calls again.
-- P_BUDGETS_MAX is the cap that no attacker can push: above it the budgets without a failure for longest make room, but
-- for those of clients, which are few and count what a flood does.  At least 10000: no caller wipes all counters.
CREATE FUNCTION maintain(p_budgets_max bigint, p_forget_s bigint, p_keep_s bigint, p_batch bigint, OUT removed bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_now timestamptz := now_utc();
	v_gone timestamptz := v_now - seconds(p_keep_s);
	v_day timestamptz := v_now - interval '1 day';
	v_max bigint := greatest(p_budgets_max, 10000);
	v_count bigint;
BEGIN
	removed := 0;
	IF NOT pg_try_advisory_xact_lock(4712) THEN
		RETURN;
	END IF;
	DELETE FROM challenge WHERE ctid = ANY (ARRAY(SELECT ctid FROM challenge
		WHERE expires_at < v_now - interval '10 minutes' LIMIT p_batch FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS v_count = ROW_COUNT; removed := removed + v_count;
	DELETE FROM session WHERE ctid = ANY (ARRAY(SELECT ctid FROM session WHERE expires_at < v_gone LIMIT p_batch
		FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS v_count = ROW_COUNT; removed := removed + v_count;
	DELETE FROM ticket WHERE ctid = ANY (ARRAY(SELECT ctid FROM ticket WHERE expires_at < v_day LIMIT p_batch
		FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS v_count = ROW_COUNT; removed := removed + v_count;
	DELETE FROM link WHERE ctid = ANY (ARRAY(SELECT ctid FROM link WHERE expires_at < v_day LIMIT p_batch
		FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS v_count = ROW_COUNT; removed := removed + v_count;
	DELETE FROM factor WHERE ctid = ANY (ARRAY(SELECT ctid FROM factor WHERE state = 'pending' AND pending_until < v_day
		LIMIT p_batch FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS v_count = ROW_COUNT; removed := removed + v_count;
	DELETE FROM idempotency WHERE ctid = ANY (ARRAY(SELECT ctid FROM idempotency WHERE created_at < v_day LIMIT p_batch
		FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS v_count = ROW_COUNT; removed := removed + v_count;
	DELETE FROM host_request WHERE ctid = ANY (ARRAY(SELECT ctid FROM host_request
		WHERE asked_at < v_now - interval '2 minutes' LIMIT p_batch FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS v_count = ROW_COUNT; removed := removed + v_count;
	DELETE FROM trusted_device WHERE ctid = ANY (ARRAY(SELECT ctid FROM trusted_device WHERE expires_at < v_gone
		LIMIT p_batch FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS v_count = ROW_COUNT; removed := removed + v_count;
	DELETE FROM known_source WHERE ctid = ANY (ARRAY(SELECT ctid FROM known_source
		WHERE seen_at < v_now - interval '90 days' LIMIT p_batch FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS v_count = ROW_COUNT; removed := removed + v_count;
	DELETE FROM breakglass WHERE ctid = ANY (ARRAY(SELECT ctid FROM breakglass WHERE expires_at < v_day LIMIT p_batch
		FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS v_count = ROW_COUNT; removed := removed + v_count;
	removed := removed + budgets_trim(v_max, v_now - seconds(p_forget_s), p_batch);
	PERFORM event_partitions();
END $$;

-- How many passwords of each realm are kept in which form; at most P_MAX of a form are counted, from the index alone, so
-- that this costs the same however many accounts there are.  Realm 0, which is nobody's, has none.  C knows which forms are weaker than the policy.
CREATE FUNCTION password_forms(p_max bigint, OUT realm bigint, OUT form text, OUT accounts bigint)
RETURNS SETOF record LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = counterfoil, pg_temp
SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
	v_realm smallint := 0;
	v_form text := '';
BEGIN
	LOOP    -- from form to form, not from row to row
		SELECT a.realm, a.password_form INTO v_realm, v_form FROM account a WHERE a.password_sealed IS NOT NULL
			AND (a.realm, a.password_form) > (v_realm, v_form) ORDER BY a.realm, a.password_form LIMIT 1;
		EXIT WHEN NOT FOUND;
		realm := v_realm;
		form := v_form;
		accounts := (SELECT count(*) FROM (SELECT FROM account a WHERE a.password_sealed IS NOT NULL
			AND a.realm = v_realm AND a.password_form = v_form LIMIT p_max) few);
		RETURN NEXT;
	END LOOP;
END $$;

-- The budgets that count nothing any more, and those above the cap.  One read of the table: no index serves it, because
-- every attempt would have to keep that index.
CREATE FUNCTION budgets_trim(p_max bigint, p_forgotten timestamptz, p_batch bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	v_count bigint;
	v_over bigint;
BEGIN
	DELETE FROM budget WHERE ctid = ANY (ARRAY(SELECT ctid FROM budget WHERE (updated_at < p_forgotten OR failures = 0)
		AND blocked_until < now_utc() LIMIT p_batch FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS v_count = ROW_COUNT;
	IF v_count = p_batch THEN
		RETURN v_count; -- there are more: the next call counts what is left
	END IF;
	v_over := least(p_batch, (SELECT count(*) FROM budget) - p_max);
	IF v_over > 0 THEN
		DELETE FROM budget WHERE ctid = ANY (ARRAY(SELECT ctid FROM budget WHERE kind NOT IN ('client', 'export_client')
			ORDER BY updated_at LIMIT v_over FOR UPDATE SKIP LOCKED));
		GET DIAGNOSTICS v_over = ROW_COUNT;
		v_count := v_count + v_over;
	END IF;
	RETURN v_count;
END $$;

SELECT event_partitions();
