"""Start, SIGHUP, SIGTERM: what is in flight is finished, and nothing is left behind."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading

import pytest
import requests
import world as worlds
from raw_http import Raw, expect, request

JSON = "Content-Type: application/json"
PASSWORD = "seven lanterns by the harbour"
BODY = b'{"login":"nobody@example.com","password":"seven lanterns by the harbour"}'


def half(world):
    """A request of which the last byte of the body is still to come."""
    return request("POST", headers=[JSON, f"Content-Length: {len(BODY)}"], key=world.api_key) + BODY[:-1]


def is_draining(authd):
    """Its own word on the management listener."""
    try:
        return requests.get(authd.management_url + "/readyz", timeout=5).json().get("draining") is True
    except requests.RequestException:
        return False


def accepts(url):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), 5):
        return True
    return False


def has_ended(authd):
    return authd.process.poll() is not None


@pytest.fixture
def patient(fresh_world):
    """A world that would wait ten minutes for what is in flight."""
    fresh_world.changes.update({("workers", "drain_s"): 600, ("workers", "request_deadline_s"): 600,
                                ("workers", "idle_timeout_s"): 600, ("database", "statement_timeout_ms"): 30000})
    return fresh_world.start()


def test_sigterm_finishes_what_is_in_flight_and_takes_nothing_new(patient):
    authd = patient.authd
    with Raw(authd.url, patient.ca) as arriving:
        arriving.send(half(patient))
        worlds.wait_until(lambda: authd.metric("counterfoil_requests_in_flight") >= 2, "the request to begin")
        authd.signal(signal.SIGTERM)
        worlds.wait_until(lambda: is_draining(authd), "authd to drain")
        assert authd.management("/healthz") == 200, "it lives and says so"
        assert authd.management("/readyz") == 503, "load balancers are told"
        assert not accepts(authd.url) and not accepts(authd.pages_url)
        assert not has_ended(authd)
        reply = arriving.send(BODY[-1:]).reply()
        expect(reply, 403, "denied")
        assert reply.headers["connection"].lower() == "close"
        assert arriving.is_closed()
    worlds.wait_until(lambda: has_ended(authd), "authd to end")
    assert authd.process.returncode == 0
    assert "event=stopped" in authd.log_text()


@contextlib.contextmanager
def held_logins(world):
    """Every password step waits in the database until the block ends."""
    with world.connect() as holder:
        cursor = holder.cursor()
        cursor.execute("BEGIN; LOCK TABLE counterfoil.account IN ACCESS EXCLUSIVE MODE")
        yield lambda: world.query("SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0]
        cursor.execute("ROLLBACK")


def test_a_request_that_a_worker_has_is_finished_before_the_end(patient):
    authd, account, replies = patient.authd, patient.create_account(), []
    caller = threading.Thread(target=lambda: replies.append(patient.api().login(account.login, account.password)))
    with held_logins(patient) as waiting:
        caller.start()
        worlds.wait_until(waiting, "the login to wait for the database")
        authd.signal(signal.SIGTERM)
        worlds.wait_until(lambda: is_draining(authd), "authd to drain")
        assert not has_ended(authd) and not replies
    caller.join(30)
    assert replies[0].status_code == 200
    worlds.wait_until(lambda: has_ended(authd), "authd to end")
    assert authd.process.returncode == 0


def test_an_idle_connection_does_not_hold_up_the_end(patient):
    with Raw(patient.authd.url, patient.ca) as idle:
        assert idle.send(request("GET", "/v1/openapi.yaml")).reply().status == 200
        assert patient.authd.stop() == 0
        assert idle.is_closed()


def test_a_second_signal_ends_the_patience(patient):
    authd = patient.authd
    with Raw(authd.url, patient.ca) as never_ending:
        never_ending.send(half(patient))
        worlds.wait_until(lambda: authd.metric("counterfoil_requests_in_flight") >= 2, "the request to begin")
        authd.signal(signal.SIGTERM)
        worlds.wait_until(lambda: is_draining(authd), "authd to drain")
        authd.signal(signal.SIGTERM)
        worlds.wait_until(lambda: has_ended(authd), "authd to end")
        assert authd.process.returncode == 0
        assert never_ending.is_closed()


def test_the_patience_has_an_end_of_its_own(fresh_world):
    fresh_world.changes[("workers", "drain_s")] = 1
    authd = fresh_world.start().authd
    with Raw(authd.url, fresh_world.ca) as never_ending:
        never_ending.send(half(fresh_world))
        worlds.wait_until(lambda: authd.metric("counterfoil_requests_in_flight") >= 2, "the request to begin")
        assert authd.stop() == 0


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]],
                         ids=["SIGTERM", "SIGINT", "twice"])
def test_an_end_in_the_middle_of_load_is_a_clean_one(fresh_world, signals):
    """Callers never stop asking; some are refused, none meets half a reply, and the process ends with 0."""
    world, done, strange = fresh_world.start(), [], []
    authd, stop = world.authd, threading.Event()

    def call():
        api = world.api()
        while not stop.is_set():
            try:
                done.append(api.login("nobody@example.com", PASSWORD).status_code)
            except requests.exceptions.ConnectionError:
                if has_ended(authd) or is_draining(authd) or not accepts(authd.url):
                    return                          # closed: as announced
                strange.append("closed in the middle of service")

    callers = [threading.Thread(target=call) for _ in range(6)]
    for caller in callers:
        caller.start()
    try:
        worlds.wait_until(lambda: len(done) > 30, "load")
        for number in signals:
            authd.signal(number)
        worlds.wait_until(lambda: has_ended(authd), "authd to end")
    finally:
        stop.set()
        for caller in callers:
            caller.join(30)
    assert authd.process.returncode == 0, authd.log_text()[-3000:]
    assert strange == []
    assert set(done) <= {403, 429, 503}


LATE = worlds.OBJ / "tests/support/.libs/late_quiesce.so"


@pytest.mark.skipif(not LATE.exists(), reason="nothing is preloaded under a sanitizer")
def test_an_end_while_connections_come_is_a_clean_one_whoever_takes_the_socket_away_first(fresh_world):
    """authd's own thread, or libmicrohttpd's that waits for connections and is awake just then."""
    authd = fresh_world.add_authd(environment={"LD_PRELOAD": str(LATE)})
    stop = threading.Event()

    def knock():
        while not stop.is_set():
            accepts(authd.url)
            accepts(authd.pages_url)
    knocking = threading.Thread(target=knock)
    knocking.start()
    try:
        assert authd.stop() == 0, authd.log_text()[-1000:]
    finally:
        stop.set()
        knocking.join(30)


def test_sighup_drops_no_connection(world):
    with Raw(world.authd.url, world.ca) as raw:
        raw.send(half(world))
        before = world.authd.log_text().count("event=certificate_reloaded")
        world.authd.reload()
        worlds.wait_until(lambda: world.authd.log_text().count("event=certificate_reloaded") >= before + 2, "the reload")
        assert raw.send(BODY[-1:]).reply().status in (403, 429)
        assert raw.send(request("GET", "/v1/openapi.yaml")).reply().status == 200


def test_a_killed_authd_starts_again_at_the_same_place(fresh_world):
    authd = fresh_world.start().authd
    account = fresh_world.customer()
    challenge = fresh_world.challenge(account)
    authd.kill()
    authd.start()
    assert fresh_world.api().code(challenge, fresh_world.code(account)).status_code == 200, "no state was its own"


def test_the_management_listener_may_be_a_unix_socket_for_its_owner_and_group(fresh_world):
    path = fresh_world.directory / "m.sock"
    authd = fresh_world.add_authd(changes={("management", "listen"): f"unix:{path}"}, wait=False)

    def get():
        done = subprocess.run(["curl", "-s", "-m", "5", "--unix-socket", path, "http://localhost/readyz"],
                              stdout=subprocess.PIPE, text=True, check=False)
        return '"status":"ready"' in done.stdout
    worlds.wait_until(get, "authd to be ready")
    assert os.stat(path).st_mode & 0o777 == 0o660
    second = fresh_world.directory / "second.conf"
    second.write_text(re.sub(r"(?m)^(listen\s*=\s*\S+:)\d+$", r"\g<1>0", authd.configuration.read_text()))
    second.chmod(0o600)
    done = subprocess.run([worlds.installed("authd"), "--config", second], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    assert done.returncode == 69 and "Address already in use" in done.stdout, "it took the place of the first"
    assert get()
    assert authd.stop() == 0
    assert not path.exists()


def test_two_authd_on_one_port_are_one_too_many(world):
    done = subprocess.run([worlds.installed("authd"), "--config", world.authd.configuration], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    assert done.returncode == 69, done.stdout
    assert "Address already in use" in done.stdout
    assert world.authd.management("/readyz") == 200
