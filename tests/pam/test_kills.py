"""kill -9 of the application, the helper, its back end in PostgreSQL, and all of PostgreSQL, at each step of a login: no
code is accepted twice, nothing stays locked, nothing that counted is missing from the audit trail.

A step is held by an advisory lock that its SQL function asks for; then comes the kill; then the lock is given back."""

import concurrent.futures
import contextlib
import os
import pathlib
import signal

import psycopg2
import pytest
import world as worlds

GATE = 4711
ASK = f"PERFORM pg_advisory_xact_lock({GATE});"
# What stands where the transaction has done its work and is still open, unless it is the end of the function.
LATE = {"challenge_begin": "PERFORM factors_claim(p_caller, v_who, account_id, p_policy);"}
STEPS = [(function, place) for function in ("login_begin", "login_finish", "challenge_begin", "challenge_finish")
         for place in ("before", "uncommitted")] + [("challenge_finish", "committed, reply unread")]


@contextlib.contextmanager
def gate_in(staff, function, place):
    """FUNCTION waits at PLACE for as long as somebody holds the gate."""
    [[plain]] = staff.query("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s", (function,))
    if place == "before":
        gated = plain.replace("\nBEGIN\n", f"\nBEGIN\n{ASK}\n", 1)
    elif function in LATE:
        gated = plain.replace(LATE[function], LATE[function] + ASK, 1)
    else:
        gated = f"{ASK}\nEND".join(plain.rsplit("END", 1))
    assert gated.count(ASK) == 1
    staff.query(gated)
    holder = psycopg2.connect(staff.postgres.url(staff.installation.database))
    holder.autocommit = True
    holder.cursor().execute("SELECT pg_advisory_lock(%s)", (GATE,))
    try:
        yield holder.close
    finally:
        holder.close()
        staff.query(plain)


def waiting(staff):
    """The back end that waits at the gate."""
    return [pid for pid, in staff.query("SELECT pid FROM pg_stat_activity WHERE usename = 'counterfoil_pam' AND datname = "
                                        "current_database() AND wait_event = 'advisory'")]


def helpers(staff):
    """The helpers of this host: {pid: its parent's}."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(staff.helper_conf).encode() in (folder / "cmdline").read_bytes().split(b"\0")[1:]:
                found[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
    return {pid: parent for pid, parent in found.items() if parent not in found}


def kill(staff, victim, helper, parent, back_end):
    if victim == "PostgreSQL":
        staff.postgres.kill()
    else:
        os.kill({"application": parent, "helper": helper, "back end": back_end}[victim], signal.SIGKILL)


def answers_again(staff, victim, mark):
    """PostgreSQL starts again by itself after a back end was killed, and by the operator after the whole was.  Until it has
    noticed the kill it goes on answering: its log since MARK says when it has."""
    def answers():
        try:
            return staff.query("SELECT 1")
        except psycopg2.Error:
            return None
    if victim == "back end":
        worlds.wait_until(lambda: any("reinitializing" in text for _, text in staff.postgres.log_since(mark)),
                          "PostgreSQL to notice", timeout_s=60)
    if staff.postgres.pid() is None:
        staff.postgres.start()
    worlds.wait_until(answers, "PostgreSQL to answer", timeout_s=60)


def interrupted(staff, person, answers, step, victim):
    """A login that is held at STEP, where VICTIM is killed.  Was it let in?"""
    before = used(staff, person)
    with concurrent.futures.ThreadPoolExecutor(1) as pool, gate_in(staff, *step) as open_gate:
        login = pool.submit(staff.run, "auth", user=person.login, answers=answers)
        [back_end] = worlds.wait_until(lambda: waiting(staff), f"the login to stand at {step}")
        [[helper, parent]] = helpers(staff).items()
        if "unread" in step[1]:
            os.kill(helper, signal.SIGSTOP)
            open_gate()
            worlds.wait_until(lambda: used(staff, person) > before, "the commit")
        mark = staff.postgres.log_mark()
        kill(staff, victim, helper, parent, back_end)
        open_gate()
        if "unread" in step[1] and victim not in ("helper", "application"):
            os.kill(helper, signal.SIGCONT)
        answers_again(staff, victim, mark)
        failed = login.exception(60)
        assert failed is None or victim == "application", failed
        worlds.wait_until(lambda: not helpers(staff), "the helper to end")
        worlds.wait_until(lambda: no_connection(staff), "its connection to end")
        return failed is None and login.result()["auth"] == "SUCCESS"


def no_connection(staff):
    return staff.query("SELECT count(*) FROM pg_stat_activity WHERE usename = 'counterfoil_pam' AND datname = "
                       "current_database()") == [(0,)]


def used(staff, person):
    """How many codes of this person a login has used up."""
    return staff.query("SELECT (SELECT count(*) FROM counterfoil.factor WHERE account_id = a.id AND last_request IS NOT NULL) "
                       "+ (SELECT count(*) FROM counterfoil.recovery_code WHERE account_id = a.id AND used_at IS NOT NULL) "
                       "FROM (SELECT %s::uuid AS id) a", (person.id,))[0][0]


def granted(staff, person):
    return staff.query("SELECT count(*) FROM counterfoil.event WHERE account_id = %s AND kind = 'login_code' "
                       "AND outcome = 'granted'", (person.id,))[0][0]


def opened(staff, person):
    """Challenges of this person, and events that tell of one."""
    return staff.query(
        "SELECT (SELECT count(*) FROM counterfoil.challenge WHERE account_id = a.id), (SELECT count(*) FROM counterfoil.event "
        "WHERE account_id = a.id AND kind = 'login_password' AND outcome = 'challenge') FROM (SELECT %s::uuid AS id) a",
        (person.id,))[0]


def survive(staff, person, answers, step, victim):
    """Kill VICTIM at STEP and look at what is left; in the end the code is used up, by one sign-in."""
    print(victim, step)
    before = used(staff, person), granted(staff, person)
    let_in = interrupted(staff, person, answers, step, victim)
    was_used = used(staff, person) - before[0]
    assert let_in <= was_used <= 1 and (not was_used or step[0] == "challenge_finish")
    assert not let_in or (victim not in ("helper", "application") and "unread" in step[1])
    staff.query("DELETE FROM counterfoil.budget")
    assert staff.run("auth", user=person.login, answers=answers)["auth"] == ("AUTH_ERR" if was_used else "SUCCESS")
    assert staff.run("auth", user=person.login, answers=answers)["auth"] == "AUTH_ERR"
    assert (used(staff, person), granted(staff, person)) == (before[0] + 1, before[1] + 1)
    challenges, told = opened(staff, person)
    assert challenges == told
    assert staff.query("SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE d.datname = "
                       "current_database() AND l.pid <> pg_backend_pid()") == [(0,)]


@pytest.fixture
def staff(staff):
    staff.configure(timeout_total=30)
    staff.write_helper_conf({("database", "statement_timeout_ms"): 30000})
    yield staff
    staff.configure()
    staff.write_helper_conf()


def hire(staff):
    person = staff.hire()
    person.id = staff.account_id(person)
    return person


@pytest.mark.parametrize("victim", ["application", "helper", "back end", "PostgreSQL"])
def test_a_kill_at_any_step_accepts_no_code_twice_locks_nothing_and_loses_no_event(staff, victim):
    person = hire(staff)
    # an application that dies takes its helper with it, so half of the steps tell it all
    for step, code in zip(STEPS[::2] if victim == "application" else STEPS, person.recovery_codes):
        survive(staff, person, [person.password, code], step, victim)


def test_nor_does_it_accept_a_code_of_an_authenticator_twice(staff):
    for step in STEPS[-3:]:
        person = hire(staff)
        survive(staff, person, person.answers, step, "helper")


def test_a_database_that_does_not_use_codes_up_is_found_out(staff):
    """The judge itself."""
    [[plain]] = staff.query("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'recovery_consume'")
    staff.query(plain.replace("SET used_at = now_utc(),", "SET used_at = NULL,"))
    person = hire(staff)
    with pytest.raises(AssertionError):
        survive(staff, person, [person.password, person.recovery_codes[0]], STEPS[0], "helper")
    staff.query(plain)
