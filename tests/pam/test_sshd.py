"""A real sshd on loopback, Debian's own, with the shipped stacks to the letter."""

import pytest

import staff_machine
import world as worlds

SHELL = ["echo granted-$(whoami)"]


@pytest.fixture(scope="module")
def machine(cluster):
    made = staff_machine.StaffMachine(cluster)
    try:
        made.stack_file("sshd", "sshd-password-totp")
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def sshd(machine):
    made = staff_machine.Sshd(machine)
    yield made
    made.stop()


def talk(sshd, person, answers=None, **options):
    return staff_machine.Talk(sshd.ssh(person.login, SHELL, **options), person.answers if answers is None else answers)


def sshd_says(machine, mark, text):
    """sshd's own line, which comes when the module's is out."""
    return worlds.wait_until(lambda: any(text in line for line in machine.syslog.since(mark)),
                             f"sshd to say {text}: {machine.syslog.since(mark)}")


def refused(machine, sshd, person, answers, code, reason):
    mark = machine.syslog.mark()
    done = talk(sshd, person, answers)
    assert done.granted is None and done.status == 255
    entry = machine.entries(mark, event="auth")[0]
    assert (entry["pam"], entry["reason"]) == (code, reason), entry
    assert sshd_says(machine, mark, f"Failed keyboard-interactive/pam for {person.login}")
    return entry


def test_password_and_code_lead_to_a_shell(machine, sshd):
    alice = machine.hire()
    mark = machine.syslog.mark()
    done = talk(sshd, alice)
    assert done.granted == alice.login
    assert done.prompts == ["Password: ", "Verification code: "]
    auth, account, opened = machine.entries(mark, 3)[:3]
    assert (auth["result"], auth["reason"], auth.priority) == ("allow", "granted", "INFO")
    assert (auth["user"], auth["rhost"], auth["service"], auth["host"], auth["tty"]) == (
        alice.login, "127.0.0.1", "sshd", "web1", "ssh")
    assert (account["event"], account["result"]) == ("account", "off")
    assert (opened["event"], opened["user"]) == ("session_open", alice.login)
    assert [event[:3] for event in machine.events() if event[3] == auth["request_id"]] == [
        ("login_password", "challenge", "password_right"), ("login_code", "granted", "granted")]


def test_wrong_password_wrong_code_replayed_code_and_locked_account_are_refused(machine, sshd):
    alice = machine.hire()
    refused(machine, sshd, alice, ["not " + alice.password, alice.code()], "AUTH_ERR", "wrong_password")
    refused(machine, sshd, alice, [alice.password, alice.wrong_code()], "AUTH_ERR", "wrong_code")
    answers = alice.answers
    assert talk(sshd, alice, answers).granted == alice.login
    refused(machine, sshd, alice, answers, "AUTH_ERR", "code_replayed")
    assert talk(sshd, alice, [alice.password, alice.recovery_codes[0]]).granted == alice.login
    machine.lock(alice)
    machine.forget_step(alice)
    refused(machine, sshd, alice, alice.answers, "AUTH_ERR", "locked")


def test_nobody_gets_in_while_the_database_is_stopped_and_everybody_does_afterwards(machine, sshd):
    alice = machine.hire()
    with machine.database_stopped():
        entry = refused(machine, sshd, alice, alice.answers, "AUTHINFO_UNAVAIL", "unavailable")
        assert entry.priority == "ERR" and int(entry["ms"]) < 10000
    assert talk(sshd, alice).granted == alice.login
