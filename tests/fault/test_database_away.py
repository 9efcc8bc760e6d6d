"""PostgreSQL stops, is killed, comes back: honest answers, no half state, no restart of authd."""

import contextlib
import os
import signal
import threading
import time

import pytest
import requests
import world as worlds


@pytest.fixture
def world(cluster):
    """A world of one test, whose database may be stopped.  How long authd waits for it is the product's own choice."""
    made = worlds.World(cluster, "away", {("database", "statement_timeout_ms"): 3000, ("database", "connect_timeout_s"): 1})
    try:
        yield made.start()
    finally:
        cluster.postgres.start()
        made.stop()


def test_while_the_database_is_stopped_callers_get_503_within_two_seconds_and_service_returns_by_itself(world):
    account = world.customer()
    assert world.authd.management("/readyz") == 200
    world.postgres.stop()
    try:
        took = []
        for _ in range(3):
            begin = time.monotonic()
            reply = world.api().login(account.login, account.password)
            took.append(time.monotonic() - begin)
            assert reply.status_code == 503, reply.text
            assert int(reply.headers["Retry-After"]) > 0
            assert reply.headers["Content-Type"].startswith("application/problem+json")
        assert min(took) < 2.0, took            # the quickest: a busy machine takes its time
        assert world.authd.management("/healthz") == 200
        assert world.authd.management("/readyz") == 503
    finally:
        world.postgres.start()
    worlds.wait_until(lambda: world.authd.management("/readyz") == 200, "authd to be ready again")
    assert world.sign_in(account).status_code == 200
    assert world.authd.process.poll() is None


def test_a_killed_database_is_service_again_after_its_restart(world):
    account = world.customer()
    world.postgres.kill()
    world.postgres.start()
    worlds.wait_until(lambda: world.authd.management("/readyz") == 200, "authd to be ready again")
    # in a list: a response with 403 counts as false
    reply = worlds.wait_until(lambda: [r for r in [world.api().login(account.login, account.password)]
                                       if r.status_code != 503], "a login without 503")[0]
    assert reply.status_code == 403 and "challenge" in reply.json()


def hold_before_commit(world, table):
    """Whoever changes TABLE waits, changes made and not committed, as long as the test holds the lock."""
    world.query(f"""
        CREATE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END $$;
        CREATE TRIGGER hold AFTER INSERT OR UPDATE ON counterfoil.{table}
            FOR EACH STATEMENT EXECUTE FUNCTION public.hold();
        ALTER FUNCTION public.hold() OWNER TO counterfoil_owner;""")


def waiting(world):
    return world.query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")[0][0]


def confirm_killed_in_the_middle(world, account, factor, table):
    """Confirm, and kill the database while the confirmation has written and not yet committed."""
    hold_before_commit(world, table)
    replies = []

    def confirm():
        try:
            replies.append(world.api().post(f"/v1/accounts/{account.id}/totp/{factor['factor_id']}/confirm",
                                            {"code": world.code(account)}).status_code)
        except requests.RequestException:
            replies.append(None)

    with world.connect() as holder:
        holder.cursor().execute("SELECT pg_advisory_lock(4711)")
        caller = threading.Thread(target=confirm)
        caller.start()
        worlds.wait_until(lambda: waiting(world), "the confirmation to reach the lock")
        world.postgres.kill()
        caller.join(30)
    world.postgres.start()
    world.query(f"DROP TRIGGER hold ON counterfoil.{table}; DROP FUNCTION public.hold()")
    return replies


@pytest.mark.parametrize("table", ["factor", "recovery_code"])
def test_a_database_killed_in_the_middle_of_a_confirm_leaves_no_half_state(world, table):
    account = world.create_account()
    factor = world.api().post(f"/v1/accounts/{account.id}/totp").json()
    account.seed = factor["secret"]
    replies = confirm_killed_in_the_middle(world, account, factor, table)
    assert replies and (replies[0] is None or replies[0] >= 500), replies

    worlds.wait_until(lambda: world.authd.management("/readyz") == 200, "authd to be ready again")
    listed = world.api().get(f"/v1/accounts/{account.id}/factors").json()
    assert [found["state"] for found in listed["factors"]] == ["pending"]
    assert listed["recovery_codes_left"] == 0
    # Neither half bound nor used up: the very same confirmation works now.
    confirmed = world.api().post(f"/v1/accounts/{account.id}/totp/{factor['factor_id']}/confirm",
                                 {"code": world.code(account)})
    assert confirmed.status_code == 200, confirmed.text
    assert len(confirmed.json()["recovery_codes"]) == 10


def stop_back_ends(world, number):
    """Send NUMBER to every server process of the private cluster."""
    pid = world.postgres.pid()
    children = open(f"/proc/{pid}/task/{pid}/children", encoding="ascii").read().split()
    for process in [pid] + [int(child) for child in children]:
        with contextlib.suppress(ProcessLookupError):   # one that has ended by itself
            os.kill(process, number)


def test_a_database_that_hangs_costs_a_caller_the_deadline_and_never_more(world):
    """Stopped processes keep their sockets: nothing is refused, nothing is answered."""
    account = world.customer()
    stop_back_ends(world, signal.SIGSTOP)
    try:
        for _ in range(2):
            begin = time.monotonic()
            reply = world.api().login(account.login, account.password)
            assert reply.status_code == 503, reply.text
            # the statement's own limit, half a second of grace, or the limit of a new connection; and a busy machine's time
            assert time.monotonic() - begin < 3 + 0.5 + 1 + 10
        assert world.authd.management("/healthz") == 200
    finally:
        stop_back_ends(world, signal.SIGCONT)
    worlds.wait_until(lambda: world.authd.management("/readyz") == 200, "authd to be ready again")
    world.advance(worlds.PERIOD_S)
    assert world.sign_in(account).status_code == 200


def test_no_variable_of_the_environment_decides_where_authd_connects(cluster):
    made = worlds.World(cluster, "hostile")
    try:
        authd = made.add_authd(environment={
            "PGHOST": "192.0.2.1", "PGHOSTADDR": "192.0.2.1", "PGPORT": "1", "PGUSER": "postgres", "PGDATABASE": "postgres",
            "PGPASSWORD": "wrong", "PGPASSFILE": "/nonexistent", "PGSERVICE": "nowhere", "PGSERVICEFILE": "/nonexistent",
            "PGOPTIONS": "-c search_path=public", "PGSSLMODE": "verify-full", "PGAPPNAME": "hostile",
            "PGTARGETSESSIONATTRS": "standby", "PGCONNECT_TIMEOUT": "1", "PGCLIENTENCODING": "LATIN1",
            "PGREQUIREAUTH": "none", "PGCHANNELBINDING": "require", "PGREQUIREPEER": "nobody"})
        assert made.sign_in(made.customer()).status_code == 200
        names = made.query("SELECT DISTINCT application_name, usename FROM pg_stat_activity WHERE datname = current_database() "
                           "AND usename <> 'postgres'")
        assert names == [("counterfoil", "counterfoil_authd")]
        assert authd.process.poll() is None
    finally:
        made.stop()


@pytest.mark.parametrize("url, word", [
    ("host=db.example dbname=counterfoil", "sslmode=verify-full"),
    ("host=db.example dbname=counterfoil sslmode=require", "sslmode=verify-full"),
    ("host=127.0.0.1,db.example dbname=counterfoil", "sslmode=verify-full"),
    ("postgresql://db.example/counterfoil?sslmode=prefer", "sslmode=verify-full"),
    ("host=127.0.0.1", "dbname"),
    ("host=127.0.0.1 dbname=counterfoil nonsense=1", "neither"),
])
def test_R128_an_unfit_address_of_the_database_is_refused_at_the_start(cluster, url, word):
    made = worlds.World(cluster, "unfit", {("database", "url"): url})
    try:
        with pytest.raises(worlds.WorldError, match=word):
            made.start()
        assert made.authd.process.wait(10) == 78
    finally:
        made.stop()
