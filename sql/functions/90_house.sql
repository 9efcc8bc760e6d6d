-- Readiness, and what keeps the tables from growing.
SET LOCAL search_path = counterfoil, pg_temp;

CREATE FUNCTION readiness(OUT schema_number bigint, OUT now_s bigint, OUT writable boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
BEGIN
	schema_number := (SELECT coalesce(max(number), 0) FROM migration);
	now_s := epoch(now_utc());
	writable := NOT pg_is_in_recovery();
END $$;

-- The partitions of this month and the next three.
CREATE FUNCTION event_partitions() RETURNS void LANGUAGE plpgsql AS $$
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
END $$;

-- What is over goes, in batches; one process at a time does it.  P_BUDGETS_MAX is the cap that no attacker can push:
-- above it the budgets without a failure for longest make room.  Returns how many rows went.
CREATE FUNCTION maintain(p_budgets_max bigint, p_forget_s bigint, p_keep_s bigint, p_batch bigint, OUT removed bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
#variable_conflict use_column
DECLARE
	v_now timestamptz := now_utc();
	v_gone timestamptz := v_now - seconds(p_keep_s);
	v_count bigint;
BEGIN
	removed := 0;
	IF NOT pg_try_advisory_xact_lock(4712) THEN
		RETURN;
	END IF;
	PERFORM event_partitions();
	DELETE FROM challenge WHERE digest IN (SELECT digest FROM challenge WHERE expires_at < v_now - interval '10 minutes'
		LIMIT p_batch);
	GET DIAGNOSTICS v_count = ROW_COUNT; removed := removed + v_count;
	DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires_at < v_gone LIMIT p_batch);
	GET DIAGNOSTICS v_count = ROW_COUNT; removed := removed + v_count;
	DELETE FROM ticket WHERE digest IN (SELECT digest FROM ticket WHERE expires_at < v_now - interval '1 day' LIMIT p_batch);
	GET DIAGNOSTICS v_count = ROW_COUNT; removed := removed + v_count;
	DELETE FROM link WHERE digest IN (SELECT digest FROM link WHERE expires_at < v_now - interval '1 day' LIMIT p_batch);
	GET DIAGNOSTICS v_count = ROW_COUNT; removed := removed + v_count;
	DELETE FROM idempotency WHERE (client_id, key_digest) IN (SELECT client_id, key_digest FROM idempotency
		WHERE created_at < v_now - interval '1 day' LIMIT p_batch);
	GET DIAGNOSTICS v_count = ROW_COUNT; removed := removed + v_count;
	DELETE FROM trusted_device WHERE id IN (SELECT id FROM trusted_device WHERE expires_at < v_gone LIMIT p_batch);
	GET DIAGNOSTICS v_count = ROW_COUNT; removed := removed + v_count;
	DELETE FROM known_source WHERE (account_id, source) IN (SELECT account_id, source FROM known_source
		WHERE seen_at < v_now - interval '90 days' LIMIT p_batch);
	GET DIAGNOSTICS v_count = ROW_COUNT; removed := removed + v_count;
	DELETE FROM budget WHERE key IN (SELECT key FROM budget WHERE updated_at < v_now - seconds(p_forget_s)
		AND blocked_until < v_now LIMIT p_batch);
	GET DIAGNOSTICS v_count = ROW_COUNT; removed := removed + v_count;
	v_count := (SELECT count(*) FROM budget) - p_budgets_max;
	IF v_count > 0 THEN
		DELETE FROM budget WHERE key IN (SELECT key FROM budget ORDER BY updated_at LIMIT v_count);
		removed := removed + v_count;
	END IF;
END $$;
