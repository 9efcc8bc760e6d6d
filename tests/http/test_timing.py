"""Flat to the outside: how long a refusal takes tells nothing about the account.  Standards R075.  What counts as told
apart is in support/timing.py."""

import random
import time

import pytest
import timing
import world as worlds

pytestmark = pytest.mark.alone

PASSWORD = "not the password at all"


def measure(world, names):
    """{kind: seconds of each refusal} of NAMES {kind: logins}, in random order over one connection."""
    api, times = world.api(), {kind: [] for kind in names}
    for number, kind in enumerate(timing.interleaved(names)):
        name = names[kind][len(times[kind]) % len(names[kind])]
        body = {"login": name, "password": PASSWORD, "source": {"ip": f"10.{number % 250}.1.{number // 250 + 1}"}}
        begin = time.perf_counter()
        status = api.session.request("POST", api.url + "/v1/logins", json=body, timeout=30).status_code
        times[kind].append(time.perf_counter() - begin)
        assert status in (403, 200), status
    return times


@pytest.fixture
def world(cluster):
    """Budgets so wide that each attempt is looked at, and the cheapest hash that the policy lets pass."""
    made = worlds.World(cluster, "timing", {("realm store", key): value for key, value in (
        ("throttle_account_limit", 1000), ("throttle_pair_limit", 100), ("throttle_source_limit", 1000000),
        ("argon2_memory_kib", 12288), ("argon2_passes", 3))})
    try:
        yield made.start()
    finally:
        made.stop()


def population(world):
    """Ten logins of each kind: they are asked for as often as each other, so caches and rows are as warm."""
    wrong, locked, enrolled = ([world.create_account() for _ in range(10)] for _ in range(3))
    for account in locked:
        world.api().post(f"/v1/accounts/{account.id}/lock")
    for account in enrolled:
        world.enroll(account)
    logins = {"wrong": wrong, "locked": locked, "wrong, with a second factor": enrolled}
    return {"unknown": [f"nobody-{number}@example.com" for number in range(10)],
            **{kind: [account.login for account in accounts] for kind, accounts in logins.items()}}


def test_R075_unknown_wrong_and_locked_take_the_same_time(world):
    names = population(world)
    assert not timing.told_apart_each_time(lambda names: measure(world, names), names)


def test_R075_a_service_that_skips_the_decoy_is_told_apart(world):
    """The judge itself: an unknown login is refused without a hash, and the same test is red."""
    names = population(world)
    [[begin]] = world.query("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'login_begin'")
    skipping = begin.replace("attempt := gen_random_uuid();", "attempt := gen_random_uuid(); IF account_id IS NULL THEN "
                             "PERFORM refuse('CF403'); END IF;", 1)
    assert skipping != begin
    world.query(skipping)
    assert ("wrong", "slower") in timing.told_apart(measure(world, {"unknown": names["unknown"], "wrong": names["wrong"]}))


def test_the_statistic_tells_apart_what_differs_by_a_third_of_its_noise_and_nothing_else():
    """A hash that is 2 % longer, in noise of 6 %; and noise alone."""
    source = random.Random(4711)
    plain, same, longer = ([source.gauss(mean, 1.2) for _ in range(timing.SAMPLES)] for mean in (20, 20, 20.4))
    assert timing.mann_whitney(plain, longer) < 0.001
    assert timing.mann_whitney(plain, same) > 0.01
    assert timing.mann_whitney([1, 2, 3, 4], [5, 6, 7, 8]) == pytest.approx(0.0209, abs=0.001)
    assert timing.mann_whitney([1, 1, 2, 2], [1, 1, 2, 2]) == pytest.approx(1)
