"""pamtester, a PAM application that others wrote, with what it can set, and the module between others of a stack."""

import pytest
import staff_machine

PASSWORD, CODE = "Password: ?$", "Verification code: ?$"
REST = "account required pam_counterfoil.so\nsession required pam_counterfoil.so\n"
MATRIX = "/usr/lib/x86_64-linux-gnu/pam_wrapper/pam_matrix.so passdb=/etc/matrix"
# The lines, and what is asked for: pam_matrix asks whatever was said before it.
STACKS = {
    "behind pam_unix": ("pam_unix.so nodelay", "pam_counterfoil.so use_first_pass", [PASSWORD, CODE]),
    "behind pam_unix, asking where it has to": ("pam_unix.so nodelay", "pam_counterfoil.so try_first_pass", [PASSWORD, CODE]),
    "before pam_unix": ("pam_counterfoil.so forward_pass", "pam_unix.so nodelay use_first_pass", [PASSWORD, CODE]),
    "before pam_matrix": ("pam_counterfoil.so forward_pass", MATRIX, [PASSWORD, CODE, PASSWORD]),
}


@pytest.fixture
def alice(machine):
    """One password, known to the host, to pam_matrix and to Counterfoil."""
    made = machine.hire(password="one for all of them", unix_password="one for all of them")
    machine.path("/etc/matrix").write_text(f"{made.login}:{made.password}:desk\n")
    return made


def put(machine, stack):
    first, second, prompts = STACKS[stack]
    machine.stack_file("desk", text=f"auth required {first}\nauth required {second}\n{REST}")
    return prompts


def replies(prompts, password, code):
    return [(prompt, code if prompt == CODE else password) for prompt in prompts]


def pamtester(machine, person, *operations):
    items = ["-I", "rhost=203.0.113.7", "-I", "ruser=root", "-I", "tty=tty9"]
    return machine.spawn_inside("pamtester", *items, "desk", person.login, *operations)


@pytest.mark.parametrize("stack", STACKS)
def test_one_password_serves_the_module_and_the_one_beside_it(machine, alice, stack):
    prompts = put(machine, stack)
    mark = machine.syslog.mark()
    shown = staff_machine.converse(pamtester(machine, alice, "authenticate(PAM_SILENT|PAM_DISALLOW_NULL_AUTHTOK)", "acct_mgmt",
                                             "open_session", "close_session"),
                                   replies(prompts, alice.password, alice.code()))
    assert "successfully authenticated" in shown and "sucessfully opened a session" in shown.replace("successfully", "sucessfully")
    entries = machine.entries(mark, 4)
    assert [entry["event"] for entry in entries[:4]] == ["auth", "account", "session_open", "session_close"]
    assert (entries[0]["rhost"], entries[0]["tty"]) == ("203.0.113.7", "tty9")


@pytest.mark.parametrize("stack", STACKS)
def test_a_wrong_password_or_code_fails_in_each(machine, alice, stack):
    prompts = put(machine, stack)
    for password, code in (("wrong", alice.code()), (alice.password, alice.wrong_code())):
        shown = staff_machine.converse(pamtester(machine, alice, "authenticate"), replies(prompts, password, code))
        assert "Authentication failure" in shown


@pytest.mark.parametrize("option", ["use_first_pass", "try_first_pass"])
def test_an_empty_password_that_a_module_leaves_is_refused_and_asked_about_nowhere(machine, alice, option):
    """pam_matrix hands on an empty one, whatever was typed."""
    machine.stack_file("desk", text=f"auth required {MATRIX}\nauth required pam_counterfoil.so {option}\n{REST}")
    mark, events = machine.syslog.mark(), len(machine.events())
    shown = staff_machine.converse(pamtester(machine, alice, "authenticate"), [(PASSWORD, alice.password)])
    assert "Authentication failure" in shown
    entry = machine.entries(mark, event="auth")[0]
    assert (entry["pam"], entry["reason"]) == ("AUTH_ERR", "empty_answer") and len(machine.events()) == events
