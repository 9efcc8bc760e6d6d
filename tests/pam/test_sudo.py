"""sudo with the shipped stack to the letter: the password of the host, then a one-time code."""

import pytest

import staff_machine

PASSWORD = r"\[sudo\] password for \S+: $"
CODE = "Verification code: $"
UNIX = "unix password of the host"


@pytest.fixture(scope="module")
def admin(a_machine):
    """Somebody who may use sudo."""
    a_machine.stack_file("sudo", "sudo")
    a_machine.path("/etc/sudoers").write_text("Defaults !fqdn\nDefaults passwd_tries=3\n"
                                              "%sudo ALL=(ALL:ALL) ALL\n")
    return a_machine.hire(unix_password=UNIX, groups=["sudo"])


@pytest.fixture
def sudo(machine, admin):
    """Run sudo as the admin, on a terminal; its memory of earlier sign-ins is wiped."""
    machine.stack_file("sudo", "sudo")
    machine.run_inside("rm", "-rf", "/run/sudo/ts")
    machine.forget_step(admin)
    machine.query("DELETE FROM counterfoil.budget")

    def start(*arguments, shell=None):
        command = shell or " ".join(["sudo", *arguments])
        return machine.spawn_inside("runuser", "-u", admin.login, "--", "sh", "-c", command)
    return start


def test_password_and_code_make_root_and_the_event_names_both(machine, sudo, admin):
    mark = machine.syslog.mark()
    spawned = sudo("id", "-un")
    assert staff_machine.converse(spawned, [(PASSWORD, UNIX), (CODE, admin.code())]).endswith("root\r\n")
    auth, account, opened = machine.entries(mark, 3)[:3]
    assert (auth["result"], auth["user"], auth["service"], auth["factors"]) == ("allow", admin.login, "sudo", "otp")
    assert (opened["event"], opened["user"], opened["target"]) == ("session_open", admin.login, "root")


def test_a_wrong_password_or_code_is_asked_for_three_times_and_nobody_learns_which(machine, sudo, admin):
    mark = machine.syslog.mark()
    shown = staff_machine.converse(sudo("id", "-un"), [(PASSWORD, "wrong"), (CODE, admin.code()),
                                                       (PASSWORD, UNIX), (CODE, admin.wrong_code()),
                                                       (PASSWORD, "wrong"), (CODE, "123456")])
    assert "3 incorrect password attempts" in shown and "root" not in shown.split("id -un")[-1]
    assert len(machine.entries(mark, 3, event="auth")) == 3


def test_the_ticket_is_sudos_and_minus_k_ends_it(machine, sudo, admin):
    spawned = sudo(shell="sudo id -un; sudo id -un; sudo -k; sudo id -un")
    shown = staff_machine.converse(spawned, [(PASSWORD, UNIX), (CODE, admin.code()), (PASSWORD, UNIX),
                                             (CODE, admin.recovery_codes[0])])
    assert shown.count("root\r\n") == 3


def test_sudo_that_may_not_ask_fails_at_once_and_counts_for_nothing(machine, sudo, admin):
    events = len(machine.events())
    shown = staff_machine.converse(sudo("-n", "id", "-un"), [])
    assert "a password is required" in shown and len(machine.events()) == events


@pytest.mark.parametrize("key", ["\x03", "\x04"])
@pytest.mark.parametrize("at", [PASSWORD, CODE])
def test_ctrl_c_and_ctrl_d_deny_at_every_prompt(machine, sudo, admin, at, key):
    events = len(machine.events("login_otp"))
    spawned = sudo("id", "-un")
    if at == CODE:
        staff_machine.answer(spawned, PASSWORD, UNIX)
    spawned.expect(at)
    spawned.waitnoecho(10)
    spawned.send(key)
    # sudo takes an empty answer for a wrong one and asks again; ^C ends that
    while spawned.expect([PASSWORD, CODE, staff_machine.pexpect.EOF]) != 2:
        spawned.waitnoecho(10)
        spawned.send("\x03")
    assert "root\r\n" not in spawned.before
    assert len(machine.events("login_otp")) == events


def test_one_combined_answer_serves_a_program_that_can_give_only_one(machine, sudo, admin):
    machine.stack_file("sudo", text="auth required pam_counterfoil.so factors=combined\naccount required pam_permit.so\n"
                                    "session required pam_permit.so\n")
    machine.path("/tmp/answer").write_text(f"{admin.password}{admin.code()}\n")
    shown = staff_machine.converse(sudo(shell="sudo -S -p '' id -un </tmp/answer"), [])
    assert shown == "root\r\n"
    machine.path("/tmp/answer").unlink()


def test_another_target_than_root_is_named_in_the_event(machine, sudo, admin):
    mark = machine.syslog.mark()
    shown = staff_machine.converse(sudo("-u", "daemon", "id", "-un"), [(PASSWORD, UNIX), (CODE, admin.code())])
    assert shown.endswith("daemon\r\n")
    opened = machine.entries(mark, 1, event="session_open")[0]
    assert (opened["user"], opened["target"]) == (admin.login, "daemon")


def test_an_outage_denies(machine, sudo, admin):
    mark = machine.syslog.mark()
    with machine.database_stopped():
        spawned = sudo("id", "-un")
        staff_machine.answer(spawned, PASSWORD, UNIX)
        staff_machine.answer(spawned, CODE, admin.code())
        assert spawned.expect([PASSWORD, "root\r\n"]) == 0
        spawned.close(force=True)
        assert machine.entries(mark, event="auth")[0]["pam"] == "AUTHINFO_UNAVAIL"


def test_sudo_shows_the_prompts_and_nothing_that_the_module_says(machine, sudo, admin):
    """sudo 1.9.13 asks for silence and knows no pam_silent to change that: the reason is in the log."""
    machine.write_helper_conf({("database", "url"): f"host=127.0.0.1 port={staff_machine.worlds.free_port()} dbname=none"})
    mark = machine.syslog.mark()
    spawned = sudo("id", "-un")
    staff_machine.answer(spawned, PASSWORD, UNIX)
    staff_machine.answer(spawned, CODE, admin.code())
    spawned.expect(PASSWORD)
    assert spawned.before == "\r\nSorry, try again.\r\n"
    spawned.close(force=True)
    assert machine.entries(mark, event="auth")[0]["reason"] == "unavailable"


def test_a_fresh_code_for_every_command_where_sudo_is_told_to_remember_nothing(machine, sudo, admin):
    sudoers = machine.path("/etc/sudoers")
    plain = sudoers.read_text()
    sudoers.write_text("Defaults timestamp_timeout=0\n" + plain)
    shown = staff_machine.converse(sudo(shell="sudo id -un; sudo id -un"), [
        (PASSWORD, UNIX), (CODE, admin.code()), (PASSWORD, UNIX), (CODE, admin.recovery_codes[1])])
    sudoers.write_text(plain)
    assert shown.count("root\r\n") == 2


def test_a_program_that_asks_in_sudos_place_is_told_what_for(machine, sudo, admin):
    asks = machine.path("/run/askpass")
    asks.write_text(f"#!/bin/sh\ncase $1 in *code*) echo {admin.code()} ;; *) echo '{UNIX}' ;; esac\n")
    asks.chmod(0o755)
    assert staff_machine.converse(sudo(shell="SUDO_ASKPASS=/run/askpass sudo -A id -un"), []) == "root\r\n"
    asks.unlink()
