"""A hundred sign-ins at once through a real sshd, while PostgreSQL holds all of them up."""

import os
import pathlib
import re

import psycopg2
import pytest
import staff_machine
import world as worlds

MANY, PARALLEL, HASH_KIB = 100, 4, 19456
PATIENCE_S = 100                # a busy machine starts a hundred of everything


@pytest.fixture
def sshd(machine):
    machine.stack_file("sshd", "sshd-password-totp")
    machine.configure(timeout_total=30, timeout_connect=10)
    machine.write_helper_conf({("helper", "parallel"): PARALLEL, ("database", "statement_timeout_ms"): 30000,
                               ("database", "connect_timeout_s"): 10, ("realm staff", "argon2_memory_kib"): HASH_KIB})
    made = staff_machine.Sshd(machine, {"MaxStartups": "200"})
    yield made
    made.stop()


class Crowd:
    """MANY clients of ssh, each for a sign-in of its own."""

    def __init__(self, machine, sshd):
        self.machine = machine
        people = [machine.hire() for _ in range(MANY // 10)]
        self.waiting = [(person, code, sshd.ssh(person.login, ["echo granted-$(whoami)"], ConnectTimeout="120"))
                        for person in people for code in person.recovery_codes[:10]]

    def type(self, pattern, which):
        for person, code, spawned in self.waiting:
            spawned.expect(pattern, timeout=PATIENCE_S)
            spawned.sendline(which(person, code))

    def outcomes(self):
        found = []
        for person, _, spawned in self.waiting:
            found.append(spawned.expect([f"granted-{person.login}", "denied"], timeout=PATIENCE_S))
            spawned.close(force=True)
        return ["granted" if which == 0 else "denied" for which in found]


def of_machine(machine, word):
    """{pid: its status} of the machine's processes with WORD in their command line."""
    found, space = {}, os.readlink(f"/proc/{machine.pid}/ns/pid")
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if word in (folder / "cmdline").read_bytes() and os.readlink(folder / "ns/pid") == space:
                found[int(folder.name)] = (folder / "status").read_text()
        except OSError:
            pass
    return found


def kib(status, name):
    match = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    return int(match[1]) if match else 0


def test_a_hundred_sign_ins_at_once_wait_their_turn_while_the_back_end_is_slow(machine, sshd):
    """A lock in PostgreSQL holds them up until all hundred stand there.  At no time more than PARALLEL are at work; each
    ends in order, let in or told that the service is out of reach; nobody's helper is left, and the next one gets in."""
    crowd = Crowd(machine, sshd)
    mark = machine.syslog.mark()
    crowd.type("Password: $", lambda person, code: person.password)
    for _, _, spawned in crowd.waiting:
        spawned.expect("code: $", timeout=PATIENCE_S)
    before = sum(kib(status, "RssAnon") for status in of_machine(machine, b"[pam]").values())
    with psycopg2.connect(machine.postgres.url(machine.installation.database)) as holder:
        holder.cursor().execute("LOCK TABLE counterfoil.account IN ACCESS EXCLUSIVE MODE")
        for _, code, spawned in crowd.waiting:
            spawned.sendline(code)
        worlds.wait_until(lambda: len(of_machine(machine, b"pam-helper")) == MANY, "a hundred helpers", 25, 0.2)
        worlds.wait_until(lambda: connections(machine) == PARALLEL, "as many connections as may be", 10)
        helpers = of_machine(machine, b"pam-helper")
        children = of_machine(machine, b"[pam]")
        assert len(children) == MANY
        assert sum(kib(status, "RssAnon") for status in children.values()) - before < MANY * 3 * 1024
        assert max(kib(status, "RssAnon") for status in helpers.values()) < 12 * 1024
        holder.rollback()
    largest = 0

    def all_have_ended():
        nonlocal largest
        left = of_machine(machine, b"pam-helper")
        largest = max([largest, *(kib(status, "VmHWM") for status in left.values())])
        assert connections(machine) <= PARALLEL
        return not left
    worlds.wait_until(all_have_ended, "the helpers to end", PATIENCE_S)
    assert largest < HASH_KIB + 24 * 1024
    outcomes = crowd.outcomes()
    entries = machine.entries(mark, MANY, event="auth")
    print(outcomes.count("granted"), "granted;", largest, "KiB was the largest helper")
    assert len(entries) == MANY and {entry["result"] for entry in entries} <= {"allow", "unavailable"}
    assert {entry["reason"] for entry in entries if entry["result"] == "unavailable"} <= {"overloaded", "unavailable"}
    assert outcomes.count("granted") == [entry["result"] for entry in entries].count("allow") >= PARALLEL
    assert not any("Timeout before authentication" in line for line in machine.syslog.since(mark))
    alice = machine.hire()
    assert staff_machine.Talk(sshd.ssh(alice.login, ["echo granted-$(whoami)"]), alice.answers).granted == alice.login


def connections(machine):
    return machine.query("SELECT count(*) FROM pg_stat_activity WHERE usename = 'counterfoil_pam' AND datname = "
                         "current_database()")[0][0]
