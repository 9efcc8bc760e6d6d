"""pamtester, a PAM application that others wrote, with what it can set, and the module between others of a stack."""

import pytest
import staff_machine

PASSWORD, CODE = "Password: ?$", "Verification code: ?$"
REST = "account required pam_counterfoil.so\nsession required pam_counterfoil.so\n"
STACKS = {
    "behind pam_unix": "auth required pam_unix.so\nauth required pam_counterfoil.so use_first_pass\n",
    "behind pam_unix, asking where it has to": "auth required pam_unix.so\nauth required pam_counterfoil.so try_first_pass\n",
    "before pam_unix": "auth required pam_counterfoil.so forward_pass\nauth required pam_unix.so use_first_pass\n",
}


@pytest.fixture
def alice(machine):
    """One password, known to the host and to Counterfoil."""
    return machine.hire(password="one for both of them", unix_password="one for both of them")


def pamtester(machine, person, *operations):
    items = ["-I", "rhost=203.0.113.7", "-I", "ruser=root", "-I", "tty=tty9"]
    return machine.spawn_inside("pamtester", *items, "desk", person.login, *operations)


@pytest.mark.parametrize("stack", STACKS)
def test_one_password_serves_the_module_and_pam_unix(machine, alice, stack):
    machine.stack_file("desk", text=STACKS[stack] + REST)
    mark = machine.syslog.mark()
    shown = staff_machine.converse(pamtester(machine, alice, "authenticate(PAM_SILENT|PAM_DISALLOW_NULL_AUTHTOK)", "acct_mgmt",
                                             "open_session", "close_session"),
                                   [(PASSWORD, alice.password), (CODE, alice.code())])
    assert "successfully authenticated" in shown and "sucessfully opened a session" in shown.replace("successfully", "sucessfully")
    entries = machine.entries(mark, 4)
    assert [entry["event"] for entry in entries[:4]] == ["auth", "account", "session_open", "session_close"]
    assert (entries[0]["rhost"], entries[0]["tty"]) == ("203.0.113.7", "tty9")


@pytest.mark.parametrize("stack", STACKS)
def test_a_wrong_password_or_code_fails_in_each(machine, alice, stack):
    machine.stack_file("desk", text=STACKS[stack] + REST)
    for password, code in (("wrong", alice.code()), (alice.password, alice.wrong_code())):
        shown = staff_machine.converse(pamtester(machine, alice, "authenticate"), [(PASSWORD, password), (CODE, code)])
        assert "Authentication failure" in shown
