"""PostgreSQL goes over to its replica in the middle of a sign-in, or holds a row for somebody else: an outage within the time
that there is, and service again without a restart; for both back ends."""

import concurrent.futures
import contextlib

import psycopg2
import pytest

import service_host
import standby
import world as worlds

WAITING = "SELECT usename FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' ORDER BY 1"


@contextlib.contextmanager
def holding(staff, statement, parameters=None):
    """Somebody else's transaction, open."""
    holder = psycopg2.connect(staff.postgres.url(staff.installation.database))
    try:
        holder.cursor().execute(statement, parameters)
        yield
    finally:
        holder.close()


def sign_in(host, person, number=0):
    """With a recovery code, which is good however slow the machine is."""
    return host.run("auth", user=person.login, answers=[person.password, person.recovery_codes[number]])


def is_outage(done):
    """As the helper itself said in time, and not because it was ended."""
    assert (done["auth"], done.entry.priority, done.entry["reason"]) == ("AUTHINFO_UNAVAIL", "ERR", "unavailable"), done.log


@pytest.fixture
def replica(staff):
    made = standby.Standby(staff.postgres)
    try:
        yield made
    finally:
        made.remove()
        staff.postgres.start()


@pytest.fixture
def hosts(staff, replica, tmp_path):
    """One host for each back end, with primary and replica to choose from."""
    url = (f"host=127.0.0.1,127.0.0.1 port={staff.postgres.port},{replica.port} dbname={staff.installation.database} "
           f"passfile={staff.installation.passfile}")
    staff.configure(timeout_total=30, timeout_connect=10)
    staff.write_helper_conf({("database", "url"): url, ("database", "statement_timeout_ms"): 25000})
    service = service_host.StaffService(staff, {("database", "url"): url, ("database", "statement_timeout_ms"): 25000})
    yield [staff, service.host(tmp_path / "far").configure(timeout_total=30, timeout_connect=10)], service
    service.stop()
    staff.configure()
    staff.write_helper_conf()


def test_a_failover_in_the_middle_of_a_sign_in_accepts_no_code_twice_and_needs_no_restart(staff, replica, hosts):
    (near, far), service = hosts
    alice, bob = staff.hire(), staff.hire()
    with concurrent.futures.ThreadPoolExecutor(2) as pool, holding(staff, "LOCK TABLE counterfoil.challenge"):
        logins = [pool.submit(sign_in, near, alice), pool.submit(sign_in, far, bob)]
        worlds.wait_until(lambda: staff.query(WAITING) == [("counterfoil_authd",), ("counterfoil_pam",)],
                          "both sign-ins to stand still")
        worlds.wait_until(replica.has_everything, "the replica to have everything")
        staff.postgres.kill()
        for login in logins:
            is_outage(login.result())
    # a replica alone can use no code up
    is_outage(sign_in(near, alice))
    is_outage(sign_in(far, bob))
    replica.promote()
    worlds.wait_until(lambda: service.authd.management("/readyz") == 200, "authd to have found the new primary", timeout_s=60)
    for host, person in ((near, alice), (far, bob)):
        assert sign_in(host, person)["auth"] == "SUCCESS"
        assert sign_in(host, person)["auth"] == "AUTH_ERR"


def test_an_account_whose_row_is_held_is_an_outage_for_its_owner_alone_and_until_it_is_free(staff, tmp_path):
    alice, bob = staff.hire(), staff.hire()
    # authd's statement has to end before its host's patience: else it would use the code up behind the host's back
    service = service_host.StaffService(staff, {("database", "statement_timeout_ms"): 3000})
    hosts = [staff, service.host(tmp_path / "far").configure(timeout_total=20, timeout_connect=10)]
    try:
        with holding(staff, "SELECT 1 FROM counterfoil.account WHERE id = %s FOR UPDATE", (staff.account_id(alice),)), \
                concurrent.futures.ThreadPoolExecutor(2) as pool:
            held = [pool.submit(sign_in, host, alice) for host in hosts]
            for login in held:
                is_outage(login.result())
            assert [sign_in(host, bob, number)["auth"] for number, host in enumerate(hosts)] == ["SUCCESS"] * 2
        assert [sign_in(host, alice, number)["auth"] for number, host in enumerate(hosts)] == ["SUCCESS"] * 2
    finally:
        service.stop()
