"""The run-time roles execute what they were granted, touch no table, and find no way around.  Standards R130."""

import psycopg2
import pytest

import house as houses
import world as worlds

TABLES = """SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'counterfoil'::regnamespace
    AND c.relkind IN ('r', 'p') ORDER BY 1"""
INNER = """SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = 'counterfoil'::regnamespace
    AND NOT p.prosecdef"""


def state_of(connection, sql, parameters=None):
    """The SQLSTATE of a statement; None when it was let through."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(sql, parameters)
        except psycopg2.Error as error:
            return error.pgcode
    return None


@pytest.mark.parametrize("role", worlds.RUN_TIME_ROLES)
def test_a_run_time_role_touches_no_table(house, role):
    """R130: every table, every way."""
    tables = [row[0] for row in house.query(TABLES)]
    assert len(tables) >= 18 and {"account", "factor", "event", "budget"} <= set(tables)
    with house.connect(role) as connection:
        for table in tables:
            for sql in (f"SELECT 1 FROM counterfoil.{table}", f"INSERT INTO counterfoil.{table} DEFAULT VALUES",
                        f"DELETE FROM counterfoil.{table}", f"TRUNCATE counterfoil.{table}",
                        f"DROP TABLE counterfoil.{table}"):
                assert state_of(connection, sql) == "42501", sql


@pytest.mark.parametrize("role", worlds.RUN_TIME_ROLES)
def test_a_run_time_role_changes_nothing_of_the_schema(house, role):
    with house.connect(role) as connection:
        for sql in ("CREATE TABLE counterfoil.mine (a int)", "CREATE FUNCTION counterfoil.now() RETURNS int LANGUAGE sql AS "
                    "'SELECT 1'", "ALTER SCHEMA counterfoil RENAME TO mine", "CREATE TABLE public.mine (a int)",
                    "SET ROLE counterfoil_owner", "SET SESSION AUTHORIZATION counterfoil_owner"):
            assert state_of(connection, sql) == "42501", sql


def test_what_is_inside_is_granted_to_nobody(house):
    for role in worlds.RUN_TIME_ROLES:
        granted = house.query(f"SELECT f FROM ({INNER}) inner_functions(f) WHERE has_function_privilege(%s, f, 'EXECUTE')",
                              (role,))
        assert granted == [], role


def test_functions_of_the_public_are_none_and_each_outer_one_has_its_path_fixed(house):
    assert house.one("""SELECT count(*) FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        WHERE p.pronamespace = 'counterfoil'::regnamespace AND a.grantee = 0""") == 0
    assert house.query("""SELECT proname FROM pg_proc WHERE pronamespace = 'counterfoil'::regnamespace AND prosecdef
        AND NOT coalesce('search_path=counterfoil, pg_temp' = ANY (proconfig), false)""") == []


def test_a_pam_host_has_what_a_sign_in_needs_and_no_more(house):
    granted = {row[0] for row in house.query("""SELECT proname FROM pg_proc WHERE pronamespace = 'counterfoil'::regnamespace
        AND has_function_privilege('counterfoil_pam', oid, 'EXECUTE')""")}
    assert "login_begin" in granted and "challenge_finish" in granted
    assert not granted & {"account_create", "account_get", "client_create", "session_introspect", "event_list",
                          "account_export", "maintain", "password_set", "totp_reset", "link_create"}


def test_authd_has_nothing_of_what_operators_do(house):
    for name in ("client_create", "client_revoke", "password_set", "reset_request", "reset_complete", "offboard"):
        assert not house.one("SELECT has_function_privilege('counterfoil_authd', oid, 'EXECUTE') FROM pg_proc "
                             "WHERE proname = %s AND pronamespace = 'counterfoil'::regnamespace", (name,)), name


def test_a_pam_host_never_reaches_the_store_realm(house, authd, host):
    person = authd.person()
    for realm in (houses.STORE, houses.STAFF):
        begun = host.call("login_begin", person.digest, None, houses.THROTTLE, who=host.caller.but(realm=realm))
        assert begun["reason"] == "unknown_login" and begun["password_sealed"] is None
    assert host.refusal("password_begin", person.id, houses.THROTTLE) == "CF404"


@pytest.mark.parametrize("kind", ["operator", "client", "page", None, "owner"])
def test_a_pam_host_is_nobody_else(house, host, shop, kind):
    """Even with the API key of the shop in its hands."""
    pretender = shop.but(kind=kind)
    assert host.refusal("login_begin", houses.digest("a"), None, houses.THROTTLE, who=pretender) in ("CF401", "CF403")


def test_authd_is_no_operator_and_an_operator_no_client(house, authd, operator, shop):
    assert authd.refusal("account_get", houses.NOBODY, who=houses.caller(kind="operator")) == "CF403"
    assert operator.refusal("account_get", houses.NOBODY, who=shop) == "CF401"


@pytest.mark.parametrize("missing,scope", [("login_begin", 1), ("account_get", 4), ("session_list", 8), ("event_list", 16)])
def test_a_key_without_the_scope_is_refused(house, authd, missing, scope):
    """R097, R098: the scope is asked in the statement that does the work."""
    weak = house.make_client(scopes=houses.ALL_SCOPES & ~scope)
    arguments = {"login_begin": (houses.digest("a"), None, houses.THROTTLE), "account_get": (houses.NOBODY,),
                 "session_list": (houses.NOBODY, 10), "event_list": (0, 10, None, None, False, None, None)}[missing]
    assert authd.refusal(missing, *arguments, who=weak) == "CF403"


def test_a_key_of_another_realm_with_a_wrong_secret_or_revoked_is_none(house, authd, operator, shop):
    arguments = ("account_get", houses.NOBODY)
    assert authd.refusal(*arguments, who=shop.but(realm=houses.STAFF)) == "CF401"
    assert authd.refusal(*arguments, who=shop.but(key_digest=b"\0" * 32)) == "CF401"
    assert authd.refusal(*arguments, who=shop.but(key_digest=None)) == "CF401"
    gone = house.make_client()
    assert authd.refusal(*arguments, who=gone) == "CF404"
    operator.call("client_revoke", gone["key_id"])
    assert authd.refusal(*arguments, who=gone) == "CF401"


def test_objects_of_the_callers_own_take_nobodys_place(house, authd):
    """A path that leads to the caller's own objects changes nothing of what the functions see."""
    person = authd.person()
    with authd.connection.cursor() as cursor:
        cursor.execute("""CREATE TEMP TABLE account (LIKE pg_class); CREATE TEMP TABLE client (id text);
            CREATE FUNCTION pg_temp.now_utc() RETURNS timestamptz LANGUAGE sql AS $$ SELECT 'epoch'::timestamptz $$;
            CREATE FUNCTION pg_temp.familiarity(uuid, inet, bytea, int) RETURNS text LANGUAGE sql AS $$ SELECT 'device' $$;
            SET search_path = pg_temp, public, counterfoil""")
    begun = authd.begin(person.digest)
    assert begun["account_id"] == person.id or str(begun["account_id"]) == person.id
    assert begun["familiar"] == "stranger" and begun["reason"] is None
