"""PostgreSQL stops, is killed, comes back: honest answers, no half state, no restart of authd."""

import threading
import time

import pytest
import requests
import world as worlds


@pytest.fixture
def world(cluster):
    """A world of one test, whose database may be stopped."""
    made = worlds.World(cluster, "away")
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
        for _ in range(3):
            begin = time.monotonic()
            reply = world.api().login(account.login, account.password)
            took = time.monotonic() - begin
            assert reply.status_code == 503, reply.text
            assert int(reply.headers["Retry-After"]) > 0
            assert reply.headers["Content-Type"].startswith("application/problem+json")
            assert took < 2.0, f"{took:.2f} s"
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
