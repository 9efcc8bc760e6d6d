"""How long a refusal takes at a prompt of PAM tells nothing about the account (R075), nor which factor was wrong: real
libpam, module, helper and PostgreSQL.  What counts as told apart is in support/timing.py."""

import re

import pytest
import staff_host
import timing
import world as worlds

pytestmark = pytest.mark.alone

PEOPLE = 5
WIDE = {("realm staff", key): value for key, value in (
    ("throttle_account_limit", 1000), ("throttle_pair_limit", 100), ("throttle_source_limit", 1000000),
    ("throttle_code_limit", 100))}
REASONS = {"unknown": "unknown_login", "wrong": "wrong_password", "locked": "locked", "code": "wrong_code"}
TYPED = "six dim lanterns"      # of those alone whose code is wrong it is the password


@pytest.fixture
def desk(cluster):
    """Budgets so wide that each attempt is looked at; libpam's own delay is off."""
    host = staff_host.StaffHost(cluster, "pam_timing")
    try:
        host.write_helper_conf(WIDE)
        yield host
    finally:
        host.stop()


def population(desk, people=PEOPLE):
    """Logins of each kind: they are asked for as often as each other, so caches and rows are as warm."""
    wrong, locked, code = ([desk.hire(password=password).login for _ in range(people)] for password in (None, None, TYPED))
    for login in locked:
        desk.installation.counterfoil("account", "lock", "--realm", "staff", login)
    return {"unknown": [f"nobody-{number}" for number in range(people)], "wrong": wrong, "locked": locked, "code": code}


def measure(desk, names, samples=timing.SAMPLES, reasons=REASONS):
    """{kind: seconds of each pam_authenticate()}; each was refused for its reason, and nobody was told more than others."""
    desk.query("DELETE FROM counterfoil.budget")
    desk.query("UPDATE counterfoil.factor SET failures = 0, failing_told_at = now()")
    order = timing.interleaved(names, samples)
    asked = {kind: 0 for kind in names}
    operations = []
    for kind in order:
        operations.append((f"user:{names[kind][asked[kind] % len(names[kind])]}", "auth"))
        asked[kind] += 1
    took, log = [], []
    for at in range(0, len(operations), 300):       # a slow machine takes minutes for more
        some = [word for operation in operations[at:at + 300] for word in operation]
        done = desk.run(*some, user="nobody", answers=[TYPED, "123456"], options=["--timed"])
        assert done.prompts == ["prompt off Password: ", "prompt off Verification code: "] * (len(some) // 2)
        strange = [entry for entry in done.log if entry["reason"] not in reasons.values()]
        assert (strange, done.told) == ([], [])
        took += [int(line.split()[1]) / 1e9 for line in done.lines if line.startswith("took ")]
        log += done.log
    assert {kind: {entry["reason"] for entry, of in zip(log, order) if of == kind} for kind in names} == {
        kind: {reasons[kind]} for kind in names}
    assert len(took) == len(log) == len(order)
    return {kind: [seconds for seconds, of in zip(took, order) if of == kind] for kind in names}


def test_R075_unknown_wrong_locked_and_a_wrong_code_take_the_same_time_at_a_prompt_of_pam(desk):
    names = population(desk)
    assert not timing.told_apart_each_time(lambda names: measure(desk, names), names)


def replace(desk, function, old, new):
    """The same function, changed; what it was before."""
    [[text]] = desk.query("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s", (function,))
    changed, count = re.subn(old, new, text, count=1, flags=re.DOTALL)
    assert count == 1
    desk.query(changed)
    return text


def test_R075_a_back_end_that_skips_the_decoy_is_told_apart_at_a_prompt_of_pam(desk):
    """The judge itself: an unknown login is refused without a hash, and the same test is red, with fewer samples too."""
    names = population(desk)
    replace(desk, "login_begin", r"attempt := gen_random_uuid\(\);",
            "attempt := gen_random_uuid(); IF account_id IS NULL THEN throttled_s := 1; RETURN; END IF;")
    times = measure(desk, {kind: names[kind] for kind in ("unknown", "wrong")}, 60, {**REASONS, "unknown": "none"})
    assert ("wrong", "slower") in timing.told_apart(times)


# --- the same work, counted: no stop-watch, no noise -------------------------------------------------------------------

def rows(desk):
    """{table: rows inserted, updated, deleted}, undone ones as well, since the database was made."""
    worlds.wait_until(lambda: desk.query("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                                         "AND pid <> pg_backend_pid() AND backend_type = 'client backend'") == [(0,)],
                      "all other back ends to end: they tell their numbers then")
    return {table: numbers for table, *numbers in desk.query(
        "SELECT regexp_replace(relname, '^event_.*', 'event'), sum(n_tup_ins), sum(n_tup_upd), sum(n_tup_del) "
        "FROM pg_stat_user_tables WHERE schemaname = 'counterfoil' GROUP BY 1")}


def written(desk, kind, login):
    """{table: rows} of one refusal, from the same start."""
    desk.query("DELETE FROM counterfoil.budget")
    before = rows(desk)
    done = desk.run(f"user:{login}", "auth", user="nobody", answers=[TYPED, "123456"])
    assert [entry["reason"] for entry in done.log] == [REASONS[kind]]
    return {table: [now - then for now, then in zip(numbers, before.get(table, (0, 0, 0)))]
            for table, numbers in rows(desk).items() if numbers != before.get(table, [0, 0, 0])}


def test_R075_sshds_junk_writes_as_many_rows_as_a_wrong_password(desk):
    """What sshd answers for whom it lets in by no means, as long as what was typed."""
    [login] = population(desk, people=1)["wrong"]
    wrong = written(desk, "wrong", login)
    desk.query("DELETE FROM counterfoil.budget")
    before = rows(desk)
    junk = [["--answer-hex", (b"\b\n\r\x7fINCORRECT" * 2)[:length].hex()] for length in (len(TYPED), 6)]
    assert desk.run("user:sshd-knows-nobody", "auth", user="nobody", answers=junk).entry["reason"] == "sshd_junk"
    assert {table: [now - then for now, then in zip(numbers, before.get(table, (0, 0, 0)))]
            for table, numbers in rows(desk).items() if numbers != before.get(table, [0, 0, 0])} == wrong


def test_R075_a_wrong_password_writes_as_many_rows_as_a_wrong_code_and_nothing_of_them_stays(desk):
    names = population(desk, people=1)
    code = written(desk, "code", *names.pop("code"))
    assert (code["challenge"], code["factor"], code["event"]) == ([1, 1, 0], [0, 1, 0], [2, 0, 0])
    kept = "SELECT (SELECT count(*) FROM counterfoil.challenge), (SELECT sum(failures) FROM counterfoil.factor)"
    for kind, [login] in names.items():
        events, stays = desk.events(), desk.query(kept)
        assert (kind, written(desk, kind, login)) == (kind, code)
        assert [event[:3] for event in desk.events()[len(events):]] == [("login_password", "denied", REASONS[kind])]
        assert desk.query(kept) == stays
        assert sorted(desk.query("SELECT kind, failures FROM counterfoil.budget WHERE kind <> 'source'")) == [
            ("account", 1), ("pair", 1)]
    for function in ("login_finish", "challenge_begin", "challenge_finish"):        # each decoy is seen here
        whole = replace(desk, function, r"PERFORM \w+\([^;]*\);\s*RAISE EXCEPTION USING ERRCODE = 'CF000';",
                        "RAISE EXCEPTION USING ERRCODE = 'CF000';")
        assert (function, written(desk, "wrong", *names["wrong"])) != (function, code)
        desk.query(whole)
