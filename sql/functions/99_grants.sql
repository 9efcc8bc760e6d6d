-- The run-time roles may EXECUTE what is named here and touch no table.  Everything else belongs to the owner alone.
-- admit() decides once more, with the caller: a grant is the outer of two doors.
DO $$
DECLARE
	v_function record;
	v_operator text[] := ARRAY['client_create', 'client_list', 'client_revoke', 'password_set', 'reset_request',
		'reset_cancel', 'reset_complete', 'reset_show', 'offboard', 'training_record', 'training_report',
		'enroll_code_issue', 'breakglass_list'];
	-- a staff host signs in and enrols; admit() keeps it in the staff realm
	v_host text[] := ARRAY['login_begin', 'login_finish', 'login_abandon', 'challenge_begin', 'challenge_finish',
		'otp_begin', 'account_status', 'password_begin', 'password_finish', 'password_abandon', 'enroll_code_check',
		'totp_start', 'totp_confirm_begin', 'totp_confirm_finish', 'host_session', 'breakglass_report', 'readiness'];
BEGIN
	EXECUTE 'REVOKE ALL ON ALL FUNCTIONS IN SCHEMA counterfoil FROM PUBLIC';
	FOR v_function IN SELECT p.oid::regprocedure AS name, p.proname FROM pg_catalog.pg_proc p
	    WHERE p.pronamespace = 'counterfoil'::regnamespace AND p.prosecdef LOOP
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO counterfoil_admin', v_function.name);
		IF NOT v_function.proname = ANY (v_operator) THEN
			EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO counterfoil_authd', v_function.name);
		END IF;
		IF v_function.proname = ANY (v_host) THEN
			EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO counterfoil_pam', v_function.name);
		END IF;
	END LOOP;
END
$$;
-- the composite types that callers build
GRANT USAGE ON TYPE counterfoil.caller, counterfoil.throttle_policy, counterfoil.login_policy
	TO counterfoil_authd, counterfoil_admin, counterfoil_pam;
