"""passwd, Debian's own, with the one line that the guide for a fleet gives it."""

import re

import pytest
import staff_machine
import world as worlds

FRESH = "twelve lanterns on the quay"
CHANGED = "password updated successfully"


@pytest.fixture
def alice(machine):
    guide = (worlds.TOP / "docs/man/counterfoil-pam.8.in").read_text()
    machine.stack_file("passwd", text=re.search(r"^(password +required +pam_counterfoil\.so)$", guide, re.MULTILINE)[1] + "\n")
    return machine.hire()


def passwd(machine, person, steps):
    return staff_machine.converse(machine.spawn_inside("runuser", "-u", person.login, "--", "passwd"), steps)


def change(machine, person, new, again=None, old=None):
    machine.forget_step(person)
    return passwd(machine, person, [("Password: $", old or person.password), ("code: $", person.code()),
                                    ("New password: $", new), ("New password again: $", again or new)])


def test_a_person_changes_their_own_password_and_the_old_one_is_dead(machine, alice):
    mark = machine.syslog.mark()
    assert CHANGED in change(machine, alice, FRESH)
    assert machine.entries(mark, 2, event="password")[-1]["result"] == "allow"
    shown = passwd(machine, alice, [("Password: $", alice.password), ("code: $", alice.recovery_codes[0])])
    assert "password unchanged" in shown and "New password" not in shown
    alice.password = FRESH
    assert CHANGED in change(machine, alice, "fourteen lanterns on the quay")


def test_a_password_that_the_policy_does_not_take_is_refused_with_the_rule(machine, alice):
    for new, rule in (("eleven char", "This password is too short: at least 12 characters."),
                      ("passwordpassword", "This password is one that attackers try first."),
                      (alice.login * 2, "This password contains your name or the name of this service."),
                      ("x" * 257, "This password is too long: at most 256 characters.")):
        shown = change(machine, alice, new)
        assert rule in shown and "password unchanged" in shown, new
    assert "not the same" in change(machine, alice, FRESH, again="another one altogether")
    assert CHANGED in change(machine, alice, FRESH)         # the password is still the one that it was
