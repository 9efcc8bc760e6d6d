-- Functions are made anew as a whole, in the one transaction that runs all of these files: a changed result type is no
-- obstacle, and one that is gone from the files is gone from the database.  now_utc() belongs to the migrations.
DO $$
DECLARE
	v_function regprocedure;
BEGIN
	FOR v_function IN
		SELECT p.oid::regprocedure FROM pg_catalog.pg_proc p
		WHERE p.pronamespace = 'counterfoil'::regnamespace AND p.proname <> 'now_utc'
	LOOP
		EXECUTE 'DROP FUNCTION ' || v_function || ' CASCADE';
	END LOOP;
END
$$;
