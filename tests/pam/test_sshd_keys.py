"""An ssh key and a one-time code, with the shipped stack to the letter and the configuration that it asks for."""

import pytest

import staff_machine

SHELL = ["echo granted-$(whoami)"]
KEYS = {"AuthenticationMethods": "publickey,keyboard-interactive:pam"}


@pytest.fixture
def machine(machine):
    machine.stack_file("sshd", "sshd-publickey-totp")
    machine.configure('[service "sshd"]', "require_ssh_publickey = yes", "account = require_mfa")
    return machine


def sign_in(sshd, person, answers, key=None, methods="publickey,keyboard-interactive"):
    return staff_machine.Talk(sshd.ssh(person.login, SHELL, key=key, PreferredAuthentications=methods), answers)


def test_a_key_and_a_code_lead_to_a_shell(machine):
    alice = machine.hire()
    sshd = staff_machine.Sshd(machine, KEYS)
    key = sshd.key(alice)
    mark, code = machine.syslog.mark(), alice.code()
    done = sign_in(sshd, alice, [code], key)
    assert done.granted == alice.login and done.prompts == ["Verification code: "]
    auth, account = machine.entries(mark, 2)[:2]
    fingerprint = staff_machine.worlds.run("ssh-keygen", "-lf", f"{key}.pub").split()[1]
    assert (auth["result"], auth["factors"], auth["sshkey"]) == ("allow", "otp", fingerprint)
    assert (account["event"], account["result"]) == ("account", "allow")
    assert sign_in(sshd, alice, [code], key).granted is None       # the same code again
    sshd.stop()


def test_neither_is_enough_alone(machine):
    alice = machine.hire()
    sshd = staff_machine.Sshd(machine, KEYS)
    key = sshd.key(alice)
    mark = machine.syslog.mark()
    assert sign_in(sshd, alice, [alice.wrong_code()], key).granted is None
    assert machine.entries(mark, event="auth")[0]["reason"] == "wrong_code"
    assert sign_in(sshd, alice, [], key, methods="publickey").granted is None
    assert sign_in(sshd, alice, [alice.code()], None, methods="keyboard-interactive").granted is None
    sshd.stop()


def test_a_code_without_a_key_is_refused_even_where_sshd_would_take_it(machine):
    alice = machine.hire()
    sshd = staff_machine.Sshd(machine)
    mark = machine.syslog.mark()
    done = sign_in(sshd, alice, [alice.code()], None, methods="keyboard-interactive")
    assert done.granted is None and done.prompts == []
    assert machine.entries(mark, event="auth")[0]["reason"] == "no_publickey"
    sshd.stop()


def test_a_key_without_a_code_is_refused_even_where_sshd_would_take_it(machine):
    alice = machine.hire()
    sshd = staff_machine.Sshd(machine)
    key = sshd.key(alice)
    mark = machine.syslog.mark()
    assert sign_in(sshd, alice, [], key, methods="publickey").granted is None
    entry = machine.entries(mark, event="account")[0]
    assert (entry["pam"], entry["reason"]) == ("PERM_DENIED", "no_second_factor")
    machine.configure('[service "sshd"]', "require_ssh_publickey = yes")
    assert sign_in(sshd, alice, [], key, methods="publickey").granted == alice.login
    sshd.stop()


def test_a_locked_account_is_refused_whatever_key_its_owner_has(machine):
    machine.configure('[service "sshd"]', "account = status")
    alice = machine.hire()
    sshd = staff_machine.Sshd(machine)
    key = sshd.key(alice)
    assert sign_in(sshd, alice, [], key, methods="publickey").granted == alice.login
    machine.lock(alice)
    mark = machine.syslog.mark()
    assert sign_in(sshd, alice, [], key, methods="publickey").granted is None
    entry = machine.entries(mark, event="account")[0]
    assert (entry["pam"], entry["reason"]) == ("PERM_DENIED", "locked")
    sshd.stop()
