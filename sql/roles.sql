-- roles.sql: the five roles of Counterfoil.  Run it as a superuser, once a cluster; running it again changes nothing.
-- No role can log in until the operator gives it a password or a certificate: ALTER ROLE ... LOGIN PASSWORD ...
--   counterfoil_owner    owns the schema; migrations run as this role, nothing else does
--   counterfoil_authd    the HTTP service; may EXECUTE functions, touches no table
--   counterfoil_pam      the PAM helper on a staff host; functions of the staff realm only
--   counterfoil_admin    the operator's command line
--   counterfoil_auditor  reads views, changes nothing
DO $$
DECLARE
	v_role text;
BEGIN
	FOREACH v_role IN ARRAY ARRAY['counterfoil_owner', 'counterfoil_authd', 'counterfoil_pam', 'counterfoil_admin',
	    'counterfoil_auditor'] LOOP
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = v_role) THEN
			EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', v_role);
		END IF;
	END LOOP;
END
$$;
