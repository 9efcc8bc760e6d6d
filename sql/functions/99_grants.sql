-- The run-time roles may EXECUTE what is named here and touch no table.  Everything else belongs to the owner alone.
DO $$
DECLARE
	v_function regprocedure;
BEGIN
	EXECUTE 'REVOKE ALL ON ALL FUNCTIONS IN SCHEMA counterfoil FROM PUBLIC';
	FOR v_function IN SELECT p.oid::regprocedure FROM pg_catalog.pg_proc p
	    WHERE p.pronamespace = 'counterfoil'::regnamespace AND p.prosecdef LOOP
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO counterfoil_authd, counterfoil_admin', v_function);
	END LOOP;
	-- a staff host signs in and enrols; admit() keeps it in the staff realm
	FOR v_function IN SELECT p.oid::regprocedure FROM pg_catalog.pg_proc p
	    WHERE p.pronamespace = 'counterfoil'::regnamespace AND p.prosecdef AND p.proname IN ('login_begin', 'login_finish',
	    'login_abandon', 'challenge_begin', 'challenge_finish', 'otp_begin', 'account_status', 'password_begin',
	    'password_finish', 'totp_start', 'totp_confirm_begin', 'totp_confirm_finish', 'readiness') LOOP
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO counterfoil_pam', v_function);
	END LOOP;
END
$$;
-- the composite types that callers build
GRANT USAGE ON TYPE counterfoil.caller, counterfoil.throttle_policy, counterfoil.login_policy
	TO counterfoil_authd, counterfoil_admin, counterfoil_pam;
