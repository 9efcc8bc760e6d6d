"""How long a refusal takes at a prompt of PAM tells nothing about the account (R075): real libpam, module, helper and
PostgreSQL.  What counts as told apart is in support/timing.py."""

import pytest
import staff_host
import timing

pytestmark = pytest.mark.alone

PEOPLE = 5
WIDE = {("realm staff", key): value for key, value in (
    ("throttle_account_limit", 1000), ("throttle_pair_limit", 100), ("throttle_source_limit", 1000000))}
REASONS = {"unknown": "unknown_login", "wrong": "wrong_password", "locked": "locked"}


@pytest.fixture
def desk(cluster):
    """Budgets so wide that each attempt is looked at; libpam's own delay is off."""
    host = staff_host.StaffHost(cluster, "pam_timing")
    try:
        host.write_helper_conf(WIDE)
        yield host
    finally:
        host.stop()


def population(desk):
    """Logins of each kind: they are asked for as often as each other, so caches and rows are as warm."""
    wrong, locked = ([desk.hire().login for _ in range(PEOPLE)] for _ in range(2))
    for login in locked:
        desk.installation.counterfoil("account", "lock", "--realm", "staff", login)
    return {"unknown": [f"nobody-{number}" for number in range(PEOPLE)], "wrong": wrong, "locked": locked}


def measure(desk, names, samples=timing.SAMPLES, reasons=REASONS):
    """{kind: seconds of each pam_authenticate()}; each was refused for its reason, and nobody was told more than others."""
    desk.query("DELETE FROM counterfoil.budget")
    order = timing.interleaved(names, samples)
    asked = {kind: 0 for kind in names}
    operations = []
    for kind in order:
        operations += [f"user:{names[kind][asked[kind] % len(names[kind])]}", "auth"]
        asked[kind] += 1
    done = desk.run(*operations, user="nobody", answers=["not the password", "123456"], options=["--timed"])
    took = [int(line.split()[1]) / 1e9 for line in done.lines if line.startswith("took ")]
    assert done.prompts == ["prompt off Password: ", "prompt off Verification code: "] * len(order) and done.told == []
    assert {kind: {entry["reason"] for entry, of in zip(done.log, order) if of == kind} for kind in names} == {
        kind: {reasons[kind]} for kind in names}
    assert len(took) == len(done.log) == len(order)
    return {kind: [seconds for seconds, of in zip(took, order) if of == kind] for kind in names}


def test_R075_unknown_wrong_and_locked_take_the_same_time_at_a_prompt_of_pam(desk):
    names = population(desk)
    assert not timing.told_apart_each_time(lambda names: measure(desk, names), names)


def test_R075_a_back_end_that_skips_the_decoy_is_told_apart_at_a_prompt_of_pam(desk):
    """The judge itself: an unknown login is refused without a hash, and the same test is red, with fewer samples too."""
    names = population(desk)
    [[begin]] = desk.query("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'login_begin'")
    skipping = begin.replace("attempt := gen_random_uuid();",
                             "attempt := gen_random_uuid(); IF v_account.id IS NULL THEN throttled_s := 1; RETURN; END IF;", 1)
    assert skipping != begin
    desk.query(skipping)
    times = measure(desk, {kind: names[kind] for kind in ("unknown", "wrong")}, 60, {**REASONS, "unknown": "none"})
    assert ("wrong", "slower") in timing.told_apart(times)
