"""What hashes, and what is told of it: a kernel of our own while libargon2 agrees with it, else libargon2 alone."""

import pytest
import world as worlds
from raw_http import expect
from test_race import together

LIAR = worlds.OBJ / "tests/support/.libs/lying_argon2.so"


def engine_lines(authd):
    return [line for line in authd.log_text().splitlines() if "event=argon2_engine" in line]


@pytest.mark.skipif(not LIAR.exists(), reason="nothing is preloaded under a sanitizer")
def test_a_libargon2_that_differs_switches_the_fast_path_off_and_the_service_goes_on(fresh_world):
    fresh_world.start()
    account = fresh_world.create_account()
    authd = fresh_world.add_authd(environment={"LD_PRELOAD": str(LIAR)})
    line, = engine_lines(authd)
    assert "level=warning" in line and 'kernel="library"' in line
    assert "the self-test found a difference from libargon2, which now hashes alone" in line
    assert fresh_world.authd.metric("counterfoil_argon2_fast_path") == 1
    # what our kernel hashed, libargon2 verifies, and the reverse
    assert fresh_world.api(1).login(account.login, account.password).status_code == 200
    assert fresh_world.api(1).create_account("ann@example.com", account.password).status_code == 201
    assert fresh_world.api(0).login("ann@example.com", account.password).status_code == 200
    assert fresh_world.api(1).login(account.login, "not the password").status_code == 403
    metrics = authd.metrics()
    assert metrics["counterfoil_argon2_fast_path"] == 0
    assert metrics['counterfoil_argon2_engine{kernel="library"}'] == 1
    assert sum(value for name, value in metrics.items() if name.startswith('counterfoil_hashes_total{kernel="library"')) >= 3


def test_what_the_environment_forces_is_what_hashes(fresh_world):
    fresh_world.start()
    account = fresh_world.create_account()
    for number, wanted in enumerate(("portable", "library"), 1):
        authd = fresh_world.add_authd(environment={"COUNTERFOIL_CPU": wanted})
        assert fresh_world.api(number).login(account.login, account.password).status_code == 200
        assert f'kernel="{wanted}"' in engine_lines(authd)[0]
        assert authd.metric(f'counterfoil_argon2_engine{{kernel="{wanted}"}}') == 1
        assert authd.metric("counterfoil_argon2_fast_path") == (wanted != "library")


def lacking():
    """What COUNTERFOIL_CPU may not say here."""
    with open("/proc/cpuinfo", encoding="ascii") as cpus:
        flags = cpus.read().split()
    return ["pentium", ""] + [name for name, flag in (("avx2", "avx2"), ("avx512", "avx512f")) if flag not in flags]


@pytest.mark.parametrize("wanted", lacking())
def test_a_kernel_that_this_cpu_does_not_run_is_no_way_to_start(fresh_world, wanted):
    authd = fresh_world.add_authd(environment={"COUNTERFOIL_CPU": wanted}, wait=False)
    worlds.wait_until(lambda: authd.process.poll() is not None, "authd to give up")
    assert authd.process.returncode == 78
    assert f"COUNTERFOIL_CPU={wanted} in the environment: this CPU runs " in authd.log_text()
    assert "portable, and library" in authd.log_text()


def test_metrics_tell_of_the_queue_the_wait_the_hashes_and_the_refusals(fresh_world):
    fresh_world.start()
    account = fresh_world.create_account()
    before = fresh_world.authd.metrics()
    for _ in range(3):
        assert fresh_world.api().login(account.login, account.password).status_code == 200
    after = fresh_world.authd.metrics()
    grown = {name: after[name] - before.get(name, 0) for name in after}
    assert grown["counterfoil_hash_wait_seconds_count"] == grown["counterfoil_hash_turn_seconds_count"] == 3
    assert 0 <= grown["counterfoil_hash_wait_seconds_sum"] < grown["counterfoil_hash_turn_seconds_sum"]
    kernel, = [name.split('"')[1] for name in after if name.startswith("counterfoil_argon2_engine{")]
    cost = f'{{kernel="{kernel}",memory_kib="19456",passes="2",way="single"}}'
    assert grown["counterfoil_hashes_total" + cost] == 3
    assert grown["counterfoil_hashes_total" + cost.replace("single", "pair")] == 0
    assert 0 < after["counterfoil_hash_average_seconds" + cost] < grown["counterfoil_hash_turn_seconds_sum"]
    assert after["counterfoil_hashes_waiting"] == after["counterfoil_hashes_running"] == 0
    assert {name for name in after if name.startswith("counterfoil_hashes_refused_total")} == {
        f'counterfoil_hashes_refused_total{{why="{why}"}}' for why in ("too_long_a_wait", "deadline", "client_gone")}


# --- hashes that are weaker than the policy

def form_of(world, account):
    return world.query("SELECT password_form FROM counterfoil.account WHERE id = %s", (account.id,))[0][0]


def dearer(world):
    """The number of one more authd, whose policy asks for more; it counts what is weaker once a second."""
    world.add_authd(changes={("realm store", "argon2_passes"): 3, ("maintenance", "interval_s"): 1})
    return len(world.authds) - 1


def test_R020_a_weaker_hash_is_made_anew_at_the_next_sign_in_also_at_eight_at_once(fresh_world):
    world = fresh_world.start()
    account = world.create_account()
    assert form_of(world, account) == "argon2id m=19456,t=2"
    other = dearer(world)
    expect(world.api(other).login(account.login, "not the password"), 403, "denied")
    assert form_of(world, account) == "argon2id m=19456,t=2", "a wrong password makes nothing anew"
    callers = [world.api(other) for _ in range(8)]
    replies = together([lambda caller=caller, number=number: caller.login(
        account.login, account.password, ip=f"10.1.{number}.1").status_code for number, caller in enumerate(callers)])
    assert replies == [200] * 8
    assert form_of(world, account) == "argon2id m=19456,t=3"
    assert world.api(0).login(account.login, account.password).status_code == 200
    assert form_of(world, account) == "argon2id m=19456,t=3", "a policy that asks for less weakens nothing"


def test_R025_a_metric_tells_how_many_hashes_are_weaker_than_the_policy_or_not_known(fresh_world):
    world = fresh_world.start()
    accounts = [world.create_account() for _ in range(4)]
    world.query("UPDATE counterfoil.account SET password_form = '' WHERE id = %s", (accounts[0].id,))
    world.query("UPDATE counterfoil.account SET password_form = 'other' WHERE id = %s", (accounts[1].id,))
    world.api().delete(f"/v1/accounts/{accounts[3].id}")
    authd = world.authds[dearer(world)]

    def weak(realm):
        return authd.metrics().get(f'counterfoil_weak_password_hashes{{realm="{realm}"}}')
    worlds.wait_until(lambda: weak("store") == 3, "the first count")
    assert weak("staff") == 0
    for left, account in enumerate(reversed(accounts[:3])):
        assert world.api(1).login(account.login, account.password).status_code == 200
        worlds.wait_until(lambda left=left: weak("store") == 2 - left, "the count after a sign-in")
    assert world.query("SELECT count(*) FROM counterfoil.account WHERE realm = 1 AND password_sealed IS NOT NULL "
                       "AND password_form <> 'argon2id m=19456,t=3'")[0][0] == 0
