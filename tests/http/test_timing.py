"""Flat to the outside: how long a refusal takes tells nothing about the account.  Standards R075.

The samples of two kinds of refusal, interleaved in random order, are compared with the test of Mann and Whitney: the
chance that times of one kind tell themselves apart from those of the other, were they alike.  At least 300 samples a
side.  ALIKE is set so that even noise fails a look once in ten thousand; the noise of a busy machine comes in bursts and
does worse, so a kind counts as told apart when three looks in a row say so, each in the same direction."""

import math
import random
import statistics
import time

import pytest
import world as worlds

SAMPLES = 300
ALIKE = 0.0001
PASSWORD = "not the password at all"


def mann_whitney(one, other):
    """The two-sided p value, by the normal approximation with the correction for ties."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks, ties, at = [0.0, 0.0], 0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        for _, side in ranked[at:end]:
            ranks[side] += (at + 1 + end) / 2
        ties += (end - at) ** 3 - (end - at)
        at = end
    n, m = len(one), len(other)
    u = ranks[0] - n * (n + 1) / 2
    spread = math.sqrt(n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1))))
    return math.erfc(abs(u - n * m / 2) / spread / math.sqrt(2))


def measure(world, names):
    """{kind: seconds of each refusal} of NAMES {kind: logins}, in random order over one connection."""
    api, times = world.api(), {kind: [] for kind in names}
    api.call = lambda *call: api.session.request(call[0], api.url + call[1], json=call[2], timeout=30)
    for number in range(SAMPLES):
        for kind in random.sample(list(names), len(names)):
            name = names[kind][number % len(names[kind])]
            body = {"login": name, "password": PASSWORD, "source": {"ip": f"10.{number % 250}.1.{number // 250 + 1}"}}
            begin = time.perf_counter()
            status = api.call("POST", "/v1/logins", body).status_code
            times[kind].append(time.perf_counter() - begin)
            assert status in (403, 200), status
    return times


def differ(world, names):
    """The kinds that tell themselves apart from the first one: {(kind, "slower" or "faster")}."""
    times = measure(world, names)
    first, *others = names
    found = {kind: mann_whitney(times[first], times[kind]) for kind in others}
    print({kind: f"median {statistics.median(values) * 1000:.2f} ms" for kind, values in times.items()}, found)
    middle = statistics.median(times[first])
    return {(kind, "slower" if statistics.median(times[kind]) > middle else "faster")
            for kind, p in found.items() if p < ALIKE}


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


def test_unknown_wrong_and_locked_take_the_same_time(world):
    names = population(world)
    found = differ(world, names)
    for _ in range(2):
        if found:
            found &= differ(world, {"unknown": names["unknown"], **{kind: names[kind] for kind, _ in found}})
    assert not found, "told apart three times"


def test_a_service_that_skips_the_decoy_is_told_apart(world):
    """The judge itself: an unknown login is refused without a hash, and the same test is red."""
    names = population(world)
    [[begin]] = world.query("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'login_begin'")
    skipping = begin.replace("attempt := gen_random_uuid();", "attempt := gen_random_uuid(); IF v_account.id IS NULL THEN "
                             "PERFORM refuse('CF403'); END IF;", 1)
    assert skipping != begin
    world.query(skipping)
    assert ("wrong", "slower") in differ(world, {"unknown": names["unknown"], "wrong": names["wrong"]})


def test_the_statistic_tells_apart_what_differs_by_a_third_of_its_noise_and_nothing_else():
    """A hash that is 2 % longer, in noise of 6 %; and noise alone."""
    source = random.Random(4711)
    plain, same, longer = ([source.gauss(mean, 1.2) for _ in range(SAMPLES)] for mean in (20, 20, 20.4))
    assert mann_whitney(plain, longer) < 0.001
    assert mann_whitney(plain, same) > 0.01
    assert mann_whitney([1, 2, 3, 4], [5, 6, 7, 8]) == pytest.approx(0.0209, abs=0.001)
    assert mann_whitney([1, 1, 2, 2], [1, 1, 2, 2]) == pytest.approx(1)
