"""More passwords than can be hashed in time: an honest no at once, a yes to the others, and nobody else waits."""

import itertools
import json
import statistics
import threading

import pytest
import raw_http
import world as worlds

PASSWORD = "seven lanterns by the harbour"


@pytest.fixture
def narrow(fresh_world):
    """A world with one slot, in which a login waits a second for it, and no longer.  Its hashes are so dear that a crowd
    comes faster than it can be served, on the fastest machine too."""
    fresh_world.changes.update({("hashing", "slots"): 1, ("hashing", "deadline_ms"): 1000, ("hashing", "queue_length"): 8,
                                ("realm store", "argon2_memory_kib"): 131072, ("realm store", "argon2_passes"): 8})
    return fresh_world.start()


def sign_in_together(world, account, count):
    """COUNT right passwords at once, each from a source of its own; the replies."""
    replies = []
    start = threading.Barrier(count)

    def one(number):
        api = world.api()
        start.wait()
        replies.append(api.login(account.login, account.password, ip=f"203.0.{number}.7"))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies


def test_R022_what_cannot_be_hashed_in_time_is_refused_honestly_and_the_rest_signs_in(narrow):
    account = narrow.create_account()
    replies = sign_in_together(narrow, account, 40)
    assert {reply.status_code for reply in replies} == {200, 503}
    for reply in replies:
        if reply.status_code == 503:
            assert reply.json()["type"].endswith("overloaded")
            assert int(reply.headers["Retry-After"]) >= 1
    metrics = narrow.authd.metrics()
    refused = sum(value for name, value in metrics.items() if name.startswith("counterfoil_hashes_refused_total"))
    assert refused == sum(reply.status_code == 503 for reply in replies)
    assert metrics["counterfoil_hash_slots"] == 1
    assert metrics["counterfoil_argon2_fast_path"] == 1
    assert metrics["counterfoil_hashes_waiting"] == 0


def test_whoever_was_refused_for_want_of_time_has_failed_nothing(narrow):
    account = narrow.create_account()
    for _ in range(2):
        sign_in_together(narrow, account, 30)
    # every one of those was a right password: the budgets are as they were
    assert narrow.api().login(account.login, account.password, ip="198.51.100.3").status_code == 200


def test_R022_health_and_sessions_do_not_wait_behind_hashes(narrow):
    account = narrow.create_account()
    token = narrow.api().login(account.login, account.password).json()["session_token"]
    done = threading.Event()
    crowd = threading.Thread(target=lambda: (sign_in_together(narrow, account, 40), done.set()))
    crowd.start()
    answered = 0
    try:
        while not done.is_set():
            assert narrow.authd.management("/healthz") == 200
            assert narrow.api().post("/v1/sessions/introspect", {"token": token}).status_code == 200
            assert narrow.api().code("A" * 43, "123456").status_code in (403, 429)
            answered += 1
    finally:
        crowd.join()
    assert answered > 0


# --- one network against everybody else ---------------------------------------------------------------------------------

@pytest.fixture
def patient(fresh_world):
    """A world with one slot and nobody in a hurry; its hashes take far longer than a caller here does."""
    fresh_world.changes.update({("hashing", "slots"): 1, ("hashing", "queue_length"): 64,
                                ("realm store", "argon2_memory_kib"): 65536, ("realm store", "argon2_passes"): 4})
    return fresh_world


class Flood:
    """CROWD guesses at a time from one IPv6 /48, each of a /64 and for a login of its own, so that no budget is in the way."""

    CROWD = 40

    def __init__(self, world):
        self.world, self.over = world, threading.Event()
        self.threads = [threading.Thread(target=self.guess, args=(number,)) for number in range(self.CROWD)]

    def guess(self, number):
        api = self.world.api()
        for again in itertools.count():
            if self.over.is_set():
                return
            api.login(f"nobody-{number}-{again}@example.com", PASSWORD, ip=f"2001:db8:0:{number * 1000 + again:x}::7")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def test_a_flood_of_guesses_from_one_network_does_not_come_before_other_customers(patient):
    """Counted in hashes, not in seconds: how many were done while one customer signed in, against how many were waiting."""
    patient.start()
    account = patient.create_account()
    meanwhile, waiting = [], []
    with Flood(patient):
        for number in range(9):
            worlds.wait_until(lambda: patient.authd.metric("counterfoil_hashes_waiting") >= 20, "the crowd to queue")
            before = patient.authd.metrics()
            assert patient.api().login(account.login, account.password, ip=f"192.0.{number}.7").status_code == 200
            waiting.append(before["counterfoil_hashes_waiting"])
            meanwhile.append(patient.authd.metric("counterfoil_password_hashes_total")
                             - before["counterfoil_password_hashes_total"])
    assert statistics.median(meanwhile) < statistics.median(waiting) / 2, (meanwhile, waiting)


def stuck(world):
    """How many of authd's connections wait for a lock."""
    return world.query("SELECT count(*) FROM pg_stat_activity WHERE usename = 'counterfoil_authd' AND wait_event_type = 'Lock'"
                       )[0][0]


def test_a_flood_that_sticks_in_the_database_leaves_connections_to_others(patient):
    """The guesses wait there for a lock, all of one login; a known customer needs none that they hold."""
    patient.changes[("database", "connections")] = 6
    patient.start()
    account, address = patient.create_account(), "192.0.2.7"
    assert patient.api().login(account.login, account.password, ip=address).status_code == 200
    over = threading.Event()

    def guess(number):
        api = patient.api()
        for again in itertools.count():
            if over.is_set():
                return
            api.login("nobody@example.com", PASSWORD, ip=f"2001:db8:0:{number * 1000 + again:x}::7")

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(40)]
    patient.api().login("nobody@example.com", PASSWORD, ip="2001:db8:1::7")
    with patient.connect() as holder, holder.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT FROM counterfoil.budget WHERE kind = 'account' FOR UPDATE")
        assert cursor.rowcount == 1
        for thread in threads:
            thread.start()
        worlds.wait_until(lambda: patient.authd.metric("counterfoil_hashes_waiting") >= 39, "the crowd to queue")
        worlds.wait_until(lambda: stuck(patient) >= 4, "guesses to stick")
        replies = [patient.api().login(account.login, account.password, ip=address).status_code for _ in range(4)]
        held = stuck(patient)
        over.set()
    for thread in threads:
        thread.join()
    assert replies == [200] * 4
    assert held <= 5        # the one in front, a slot's one, and half of the connections


def test_what_a_closed_connection_asked_for_is_not_hashed(patient):
    # dear hashes, and many of them: however slowly the connections open, most are still waiting when the last one has
    patient.changes.update({("realm store", "argon2_memory_kib"): 131072, ("realm store", "argon2_passes"): 8,
                            ("hashing", "deadline_ms"): 60000})
    patient.start()
    body = json.dumps({"login": "ann@example.com", "password": PASSWORD}).encode()
    request = raw_http.request(headers=["Content-Type: application/json"], key=patient.api_key, body=body)
    impatient = [raw_http.Raw(patient.authd.url, patient.ca) for _ in range(12)]
    for connection in impatient:
        connection.send(request)
    worlds.wait_until(lambda: patient.authd.metric("counterfoil_hashes_running") >= 1
                      and patient.authd.metric("counterfoil_hashes_waiting") >= 4, "four to wait behind one")
    for connection in impatient:
        connection.socket.close()
    worlds.wait_until(lambda: patient.authd.metric("counterfoil_hashes_waiting") == 0, "the queue to be empty", timeout_s=60)
    # whoever has left the queue is not counted yet
    worlds.wait_until(lambda: patient.authd.metric('counterfoil_hashes_refused_total{why="client_gone"}') >= 3,
                      "three to be dropped")
    assert patient.authd.metric("counterfoil_hash_turn_seconds_count") <= 9


def test_more_slots_than_memory_is_no_way_to_start(fresh_world):
    fresh_world.changes.update({("hashing", "slots"): 1024, ("realm staff", "argon2_memory_kib"): 1048576})
    authd = fresh_world.add_authd(wait=False)
    worlds.wait_until(lambda: authd.process.poll() is not None, "authd to give up")
    assert authd.process.returncode == 78
    assert "take fewer slots or less argon2_memory_kib" in authd.log_text()


# --- a change of the password that could not be hashed is no attempt

def change(world, account, **options):
    """A change whose new password is refused where the current one is right, so that nothing changes."""
    return world.api().put(f"/v1/accounts/{account.id}/password", {
        "current": account.password, "new": "short", "source": {"ip": "192.0.2.10"}, **options})


def failures(world):
    return world.query("SELECT coalesce(sum(failures), 0) FROM counterfoil.budget")[0][0]


def test_R012_a_change_that_could_not_be_hashed_is_no_failure_of_its_owner(narrow):
    account = narrow.create_account()
    stored = narrow.query("SELECT password_sealed FROM counterfoil.account WHERE id = %s", (account.id,))[0][0]
    narrow.query("UPDATE counterfoil.account SET password_sealed = %s WHERE id = %s", (b"nothing that opens", account.id))
    for _ in range(7):
        assert change(narrow, account).status_code == 500
    narrow.query("UPDATE counterfoil.account SET password_sealed = %s WHERE id = %s", (bytes(stored), account.id))
    assert failures(narrow) == 0
    threads = [threading.Thread(target=change, args=(narrow, account)) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures(narrow) == 0
    assert change(narrow, account).status_code == 422
