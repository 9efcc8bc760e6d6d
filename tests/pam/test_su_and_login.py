"""su and the console with the shipped stacks to the letter."""

import contextlib
import os
import shutil

import psycopg2
import pytest

import breakglass_host
import pam_world
import qr_reader
import staff_machine
import world as worlds

PASSWORD, CODE = "Password: $", "Verification code: $"
UNIX = "unix password of the host"


@pytest.fixture
def machine(machine):
    for service in ("su", "su-l"):
        machine.stack_file(service, "su")
    machine.stack_file("login", "login")
    return machine


def su(machine, caller, *arguments):
    return machine.spawn_inside("runuser", "-u", caller, "--", "su", *arguments)


# --- su ---------------------------------------------------------------------------------------------------------------

def test_the_way_to_root_takes_the_factors_of_who_goes_it(machine):
    alice = machine.hire()
    mark = machine.syslog.mark()
    shown = staff_machine.converse(su(machine, alice.login, "-c", "id -un"), [(PASSWORD, alice.password), (CODE, alice.code())])
    assert shown.endswith("root\r\n")
    auth = machine.entries(mark, event="auth")[0]
    assert (auth["user"], auth["identity"], auth["result"]) == (alice.login, "caller", "allow")
    opened = machine.entries(mark, event="session_open")[0]
    assert (opened["user"], opened["target"]) == (alice.login, "root")


def test_the_way_to_somebody_else_takes_theirs(machine):
    alice, bob = machine.hire(), machine.hire()
    shown = staff_machine.converse(su(machine, alice.login, "-c", "id -un", bob.login),
                                   [(PASSWORD, bob.password), (CODE, bob.code())])
    assert shown.endswith(f"{bob.login}\r\n")
    mark = machine.syslog.mark()
    shown = staff_machine.converse(su(machine, alice.login, "-c", "id -un", bob.login),
                                   [(PASSWORD, alice.password), (CODE, alice.code())])
    assert "Authentication failure" in shown
    assert machine.entries(mark, event="auth")[0]["user"] == bob.login


def test_a_login_shell_takes_the_same_factors(machine):
    alice = machine.hire()
    shown = staff_machine.converse(su(machine, alice.login, "-", "-c", "id -un"), [(PASSWORD, alice.password), (CODE, alice.code())])
    assert shown.endswith("root\r\n")


def test_root_is_asked_for_nothing(machine):
    alice = machine.hire()
    with machine.database_stopped():
        assert machine.run_inside("su", "-c", "id -un", alice.login).stdout == f"{alice.login}\n"


def test_runuser_asks_nobody_and_waits_for_nobody(machine):
    """root's own tool, for scripts: of a stack it runs the session alone."""
    for service in ("runuser", "runuser-l"):
        machine.stack_file(service, text="".join(f"{kind} required pam_counterfoil.so\n" for kind in ("auth", "account", "session")))
    machine.configure(account="status")
    alice = machine.hire()
    machine.lock(alice)
    mark = machine.syslog.mark()
    with machine.database_stopped():
        assert machine.run_inside("runuser", "-u", alice.login, "--", "id", "-un").stdout == f"{alice.login}\n"
        assert machine.run_inside("runuser", "-l", alice.login, "-c", "id -un").stdout == f"{alice.login}\n"
    entries = machine.entries(mark, 4)
    assert [(entry["service"], entry["event"]) for entry in entries] == [
        (service, event) for service in ("runuser", "runuser-l") for event in ("session_open", "session_close")]
    assert {entry["reason"] for entry in entries} == {"session"}        # not "not_in_trail": nobody was asked for it


def test_a_caller_cannot_make_an_outage_into_a_way_in(machine):
    """su is set-uid: who starts it can slow it, so ignore_unavailable does not hold there."""
    machine.configure(fail="ignore_unavailable")
    machine.stack_file("su", text="auth required pam_counterfoil.so\nauth required pam_permit.so\naccount required pam_permit.so\n"
                                  "session required pam_permit.so\n")
    alice = machine.hire()
    mark = machine.syslog.mark()
    with machine.database_stopped():
        shown = staff_machine.converse(su(machine, alice.login, "-c", "id -un"),
                                       [(PASSWORD, alice.password), (CODE, alice.code())])
    assert "root\r\n" not in shown
    assert machine.entries(mark, event="auth")[0]["pam"] == "AUTHINFO_UNAVAIL"


# --- the console ------------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def console(machine, name="tty9", arguments=""):
    """login on a terminal that the machine takes for NAME."""
    script = (f"umount -q /dev/{name}; touch /dev/{name}; mount --bind $(tty) /dev/{name} && "
              f"exec setsid -c login {arguments} </dev/{name} >/dev/{name} 2>&1")
    spawned = machine.spawn_inside("bash", "-c", script)
    try:
        yield spawned
    finally:
        spawned.close(force=True)


def log_in(spawned, login, steps):
    spawned.expect("login: $")
    spawned.sendline(login)
    for pattern, text in steps:
        staff_machine.answer(spawned, pattern, text)


def gets_a_shell(spawned, login):
    spawned.sendline("echo granted-$(whoami)-on-$(tty)")
    return spawned.expect([rf"granted-{login}-on-/dev/\w+", "login: $", "Login incorrect", staff_machine.pexpect.EOF]) == 0


def test_password_and_code_at_the_console(machine):
    alice = machine.hire()
    mark = machine.syslog.mark()
    with console(machine) as spawned:
        log_in(spawned, alice.login, [(PASSWORD, alice.password), (CODE, alice.code())])
        assert gets_a_shell(spawned, alice.login)
    assert machine.entries(mark, event="auth")[0]["tty"].endswith("tty9")


def test_a_second_name_after_a_wrong_code_proves_its_own(machine):
    alice, bob = machine.hire(), machine.hire()
    mark = machine.syslog.mark()
    with console(machine) as spawned:
        log_in(spawned, alice.login, [(PASSWORD, alice.password), (CODE, alice.wrong_code())])
        spawned.expect("Login incorrect")
        log_in(spawned, bob.login, [(PASSWORD, bob.password), (CODE, bob.code())])
        assert gets_a_shell(spawned, bob.login)
    assert [entry["user"] for entry in machine.entries(mark, 2, event="auth")] == [alice.login, bob.login]


@contextlib.contextmanager
def login_defs(machine, **settings):
    """login's own settings, for a while."""
    path = machine.path("/etc/login.defs")
    plain = path.read_text()
    kept = [line for line in plain.splitlines() if (line.split() or [""])[0] not in settings]
    path.write_text("\n".join([*kept, *(f"{name} {value}" for name, value in settings.items())]) + "\n")
    try:
        yield
    finally:
        path.write_text(plain)


def test_whatever_names_come_before_it_at_the_console_a_name_has_its_own_factors_to_prove(machine):
    """login gives the module a handle without a user and keeps it for all tries."""
    alice, locked = machine.hire(), machine.hire()
    stranger = machine.hire_elsewhere()         # has an account of Counterfoil and none on the host
    machine.lock(locked)
    shipped = (staff_machine.PACKAGING / "login").read_text()
    machine.stack_file("login", text=shipped.replace("pam_faildelay.so delay=3000000", "pam_permit.so"))
    expected = {name: "unknown_login" for name in ("-x", "+x", "a/b", "../x", "a b", "x" * 256, "émile", alice.login.upper(), "bin")}
    expected |= {"x" * 257: "decoy", locked.login: "locked", stranger.login: "wrong_password"}
    mark = machine.syslog.mark()
    with login_defs(machine, LOGIN_RETRIES=len(expected) + 1, LOGIN_TIMEOUT=600), console(machine) as spawned:
        for name in expected:
            log_in(spawned, name, [(PASSWORD, alice.password if name != locked.login else locked.password), (CODE, alice.code())])
            spawned.expect("Login incorrect")
        log_in(spawned, alice.login, [(PASSWORD, alice.password), (CODE, alice.code())])
        assert gets_a_shell(spawned, alice.login)
    entries = machine.entries(mark, len(expected) + 1, event="auth")
    assert [entry["reason"] for entry in entries] == [*expected.values(), "granted"]
    assert [entry.fields.get("user") for entry in entries if "user" in entry.fields] == ["bin", locked.login, alice.login]


def test_a_name_that_counterfoil_alone_knows_opens_no_console_with_the_right_factors(machine):
    stranger = machine.hire_elsewhere()
    with console(machine) as spawned:
        log_in(spawned, stranger.login, [(PASSWORD, stranger.password), (CODE, stranger.code())])
        assert not gets_a_shell(spawned, stranger.login)


def alone(machine):
    """Neither login nor the module's helper runs on the machine."""
    return not {"login", "pam-helper"} & set(machine.run_inside("ps", "-e", "-o", "comm=").stdout.split())


def test_a_console_that_waits_too_long_for_an_answer_is_over_and_signs_nobody_in(machine):
    alice = machine.hire()
    mark, events = machine.syslog.mark(), len(machine.events())
    with login_defs(machine, LOGIN_TIMEOUT=1), console(machine, arguments=f"-- {alice.login}") as spawned:
        spawned.expect("timed out after 1 seconds")
        spawned.expect(staff_machine.pexpect.EOF)
    worlds.wait_until(lambda: alone(machine), "login to end")
    assert len(machine.events()) == events and not any("pam_counterfoil" in line for line in machine.syslog.since(mark))


def test_the_alarm_of_the_console_ends_a_verification_and_its_helper(machine):
    """The alarm comes from the test, for it has to meet the helper at work."""
    alice = machine.hire()
    mark = machine.syslog.mark()
    with contextlib.closing(psycopg2.connect(machine.postgres.url(machine.installation.database))) as holder:
        holder.cursor().execute("LOCK TABLE counterfoil.account IN ACCESS EXCLUSIVE MODE")
        with console(machine) as spawned:
            log_in(spawned, alice.login, [(PASSWORD, alice.password), (CODE, alice.code())])
            worlds.wait_until(lambda: machine.run_inside("pgrep", "-x", "pam-helper", check=False).stdout, "the helper")
            machine.run_inside("pkill", "-ALRM", "-x", "login")
            spawned.expect("timed out after")
            spawned.expect(staff_machine.pexpect.EOF)
        worlds.wait_until(lambda: alone(machine), "login and helper to end")
    assert not [line for line in machine.syslog.since(mark) if "event=session_open" in line]
    machine.forget_step(alice)
    with console(machine) as spawned:
        log_in(spawned, alice.login, [(PASSWORD, alice.password), (CODE, alice.code())])
        assert gets_a_shell(spawned, alice.login)


def test_break_glass_opens_the_console_for_its_group_during_an_outage_and_at_no_other_time(machine):
    if "breakglass" not in machine.path("/etc/group").read_text():
        machine.run_inside("groupadd", "--system", "breakglass")
    eve = machine.hire(unix_password=UNIX, groups=["breakglass"])
    alice = machine.hire(unix_password=UNIX)
    with console(machine) as spawned:           # the back end answers: the host's password is no way in
        log_in(spawned, eve.login, [(PASSWORD, UNIX), (CODE, eve.code())])
        spawned.expect("Login incorrect")
    with machine.database_stopped():
        with console(machine) as spawned:
            log_in(spawned, eve.login, [(PASSWORD, eve.password), (CODE, eve.code()), (PASSWORD, UNIX)])
            assert gets_a_shell(spawned, eve.login)
        with console(machine) as spawned:
            log_in(spawned, eve.login, [(PASSWORD, UNIX), (CODE, eve.code()), (PASSWORD, "wrong")])
            spawned.expect("Login incorrect")
        with console(machine) as spawned:       # not in the group
            log_in(spawned, alice.login, [(PASSWORD, UNIX), (CODE, alice.code())])
            spawned.expect("Login incorrect")
        with console(machine, "pseudo9") as spawned:       # not a console
            log_in(spawned, eve.login, [(PASSWORD, UNIX), (CODE, eve.code())])
            spawned.expect("Login incorrect")


@pytest.fixture
def glass(machine):
    """The machine with its tool for break-glass codes, and a helper whose clock the test moves."""
    folder = machine.path("/usr/libexec/counterfoil")
    made = breakglass_host.Breakglass(machine)
    shutil.copy(pam_world.BUILT / "pam-helper-testclock", folder / "pam-helper-testclock")
    (folder / "pam-helper").unlink()
    (folder / "pam-helper").write_text(f"#!/bin/sh\nexec env COUNTERFOIL_TEST_CLOCK={made.clock} "
                                       f'/usr/libexec/counterfoil/pam-helper-testclock "$@"\n')
    (folder / "pam-helper").chmod(0o755)
    machine.stack_file("login", "login-breakglass")
    machine.configure('[service "login"]', "factors = otp", "offline = recovery", account="status")
    made.clear()
    yield made
    made.clear()
    (folder / "pam-helper").unlink()
    shutil.copy(pam_world.BUILT / "pam-helper", folder / "pam-helper")


def test_a_break_glass_code_behind_the_hosts_password_opens_the_console_in_an_outage_once(machine, glass):
    eve = machine.hire(unix_password=UNIX)
    codes = breakglass_host.issue_on(machine, eve)
    with console(machine) as spawned:           # the service is there: its code does, and a break-glass code does not
        log_in(spawned, eve.login, [(PASSWORD, UNIX), (CODE, codes[0])])
        spawned.expect("Login incorrect")
        log_in(spawned, eve.login, [(PASSWORD, UNIX), (CODE, glass.code(eve))])
        assert gets_a_shell(spawned, eve.login)
    with machine.database_stopped():
        with console(machine) as spawned:       # login tries three times; the third is old enough
            for _ in range(2):
                log_in(spawned, eve.login, [(PASSWORD, UNIX), (CODE, codes[0])])
                spawned.expect("Login incorrect")
                glass.advance(40)
            mark = machine.syslog.mark()
            log_in(spawned, eve.login, [(PASSWORD, UNIX), (CODE, codes[0])])
            assert gets_a_shell(spawned, eve.login)
        entry = machine.entries(mark, event="auth")[0]
        assert (entry.priority, entry["result"], entry["offline"]) == ("ALERT", "allow", "yes")
        assert machine.entries(mark, event="account")[0]["result"] == "allow"
        assert any("breakglass_used" in line and line.startswith("1 ") for line in machine.syslog.since(mark))
        with console(machine) as spawned:       # used up; and a wrong password of the host is asked for no code
            log_in(spawned, eve.login, [(PASSWORD, UNIX), (CODE, codes[0])])
            spawned.expect("Login incorrect")
            log_in(spawned, eve.login, [(PASSWORD, "wrong")])
            spawned.expect("Login incorrect")
        assert glass.codes.left(eve.login) == 7
    machine.run_inside("/usr/libexec/counterfoil/pam-breakglass", "sync")
    assert [event[1] for event in machine.events("breakglass_used")] == ["ok"]


def test_somebody_without_an_authenticator_scans_one_off_the_console(machine, tmp_path):
    machine.configure('[service "login"]', "unenrolled = enroll", "enroll_cidrs = 127.0.0.1/32")
    bob = machine.hire(enrolled=False)
    code, mark = machine.issue(bob), machine.syslog.mark()
    with console(machine) as spawned:
        log_in(spawned, bob.login, [(PASSWORD, bob.password), (CODE, code)])
        spawned.expect("Scan the picture with your authenticator app, or give it this key:\r\n  ((?:[A-Z2-7]{4} ?){8})\r\n")
        key = spawned.match[1].replace(" ", "")
        lines = [line for line in spawned.before.split("\r\n") if line.startswith("\x1b[38;5;16;48;5;231m")]
        assert 20 <= len(lines) <= 28
        uri = qr_reader.decode(qr_reader.picture(lines, tmp_path / "console.png"))
        assert uri.startswith("otpauth://totp/") and f"secret={key}" in uri
        bob.seed = key
        first, second = bob.code(worlds.PERIOD_S), bob.code()
        staff_machine.answer(spawned, "the code that it shows: $", first)
        staff_machine.answer(spawned, "type that code: $", second)
        spawned.expect("press Enter: $")
        spawned.sendline("")
        assert gets_a_shell(spawned, bob.login)
    assert machine.entries(mark, event="auth")[0]["reason"] == "enrolled"


def test_no_configuration_is_no_break_glass(machine):
    if "breakglass" not in machine.path("/etc/group").read_text():
        machine.run_inside("groupadd", "--system", "breakglass")
    eve = machine.hire(unix_password=UNIX, groups=["breakglass"])
    machine.helper_conf.unlink()
    mark = machine.syslog.mark()
    with console(machine) as spawned:
        log_in(spawned, eve.login, [(PASSWORD, UNIX), (CODE, eve.code())])
        assert machine.entries(mark, event="auth")[0]["pam"] == "SERVICE_ERR"
        assert spawned.expect(["System error|Login incorrect|service module", staff_machine.pexpect.EOF]) in (0, 1)
