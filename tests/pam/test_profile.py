"""The profile for pam-auth-update, and pamtester through the service files that it makes."""

import shutil

import staff_machine
import world as worlds


def common(machine, name):
    return machine.path(f"/etc/pam.d/common-{name}").read_text()


def test_the_profile_is_off_until_it_is_turned_on_and_then_asks_for_a_code_behind_the_password(machine):
    shutil.copy(worlds.TOP / "packaging/pam-configs/counterfoil", machine.path("/usr/share/pam-configs/counterfoil"))
    machine.run_inside("pam-auth-update", "--package")
    assert "pam_counterfoil" not in common(machine, "auth") + common(machine, "account")
    machine.run_inside("pam-auth-update", "--package", "--enable", "counterfoil")
    try:
        assert "pam_counterfoil.so factors=otp" in common(machine, "auth")
        machine.stack_file("desk", text="".join(f"@include common-{name}\n" for name in ("auth", "account", "session")))
        alice = machine.hire(unix_password="unix password")
        mark, code = machine.syslog.mark(), alice.code()
        spawned = machine.spawn_inside("pamtester", "-I", "rhost=203.0.113.7", "-I", "tty=tty7", "desk", alice.login,
                                       "authenticate", "acct_mgmt", "open_session", "close_session")
        staff_machine.converse(spawned, [("Password: $", "unix password"), ("code: $", code)], "successfully been closed")
        spawned.close(force=True)
        events = machine.entries(mark, 4)
        assert [entry["event"] for entry in events] == ["auth", "account", "session_open", "session_close"]
        assert (events[0]["rhost"], events[0]["tty"], events[0]["service"]) == ("203.0.113.7", "tty7", "desk")
        spawned = machine.spawn_inside("pamtester", "desk", alice.login, "authenticate")
        staff_machine.converse(spawned, [("Password: $", "unix password"), ("code: $", code)],
                               "Authentication failure")        # the code is used
        spawned.close(force=True)
    finally:
        machine.run_inside("pam-auth-update", "--package", "--disable", "counterfoil")
    assert "pam_counterfoil" not in common(machine, "auth")
