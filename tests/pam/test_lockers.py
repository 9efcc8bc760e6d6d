"""A screen locker: the module in a program without privileges, and a helper that is set-gid."""

import os
import shutil

import breakglass_host
import pam_world
import pytest
import service_host

import world as worlds


@pytest.fixture(scope="module")
def locker(a_machine):
    """The machine as an operator sets it up for lockers; returns a function that unlocks somebody's screen."""
    machine = a_machine
    machine.configure()
    run = machine.run_inside
    run("groupadd", "--system", "-f", "counterfoil")
    helper = "/usr/libexec/counterfoil/pam-helper"
    run("chgrp", "counterfoil", helper)
    run("chmod", "2755", helper)
    keyring = machine.path("/etc/counterfoil/locker-keyring")
    keyring.write_bytes((machine.directory / "keyring").read_bytes())
    password = machine.installation.PASSWORDS["counterfoil_pam"]
    worlds.write_private(machine.path("/etc/counterfoil/pam-locker.conf"),
                         f"[database]\nurl = host=127.0.0.1 port={machine.postgres.port} "
                         f"dbname={machine.installation.database} password={password}\n"
                         "[keys]\nkeyring = /etc/counterfoil/locker-keyring\n"
                         "[realm staff]\nargon2_memory_kib = 19456\nargon2_passes = 2\n")
    machine.path("/run/counterfoil-pam").mkdir(mode=0o750, exist_ok=True)
    machine.path("/run/counterfoil-pam/locker-slots").touch()
    for path, mode in (("/etc/counterfoil/locker-keyring", "0640"), ("/etc/counterfoil/pam-locker.conf", "0640"),
                       ("/run/counterfoil-pam/locker-slots", "0660"), ("/run/counterfoil-pam", "0750")):
        run("chgrp", "counterfoil", path)
        run("chmod", mode, path)
    shutil.copy(pam_world.BUILT / "pam_driver", machine.path("/run/pam_driver"))
    machine.stack_file("locker", text="auth required pam_counterfoil.so\naccount required pam_counterfoil.so\n")

    def unlock(as_whom, about, answers, service="locker", options=()):
        mark = machine.syslog.mark()
        done = run("runuser", "-u", as_whom, "--", "/run/pam_driver", "--confdir", "/etc/pam.d", "--service", service,
                   "--user", about, *[part for answer in answers for part in ("--answer", answer)], *options, "auth")
        return pam_world.Outcome(done.stdout.splitlines(), machine.entries(mark, event="auth"))
    yield unlock
    run("chmod", "0755", helper)


def test_ones_own_screen_opens_with_password_and_code(machine, locker):
    alice = machine.hire()
    done = locker(alice.login, alice.login, alice.answers)
    assert done["auth"] == "SUCCESS", done.log
    assert locker(alice.login, alice.login, ["wrong", "123456"])["auth"] == "AUTH_ERR"


def test_nobody_can_try_anothers_password_through_it(machine, locker):
    alice, eve = machine.hire(), machine.hire()
    events = len(machine.events())
    done = locker(eve.login, alice.login, alice.answers)
    assert (done["auth"], done.entry["reason"]) == ("PERM_DENIED", "not_own_account")
    assert len(machine.events()) == events


def test_who_starts_it_can_neither_read_the_secrets_nor_choose_the_configuration(machine, locker):
    alice = machine.hire()
    for path in ("/etc/counterfoil/locker-keyring", "/etc/counterfoil/pam-locker.conf", "/etc/counterfoil/pam-helper.conf"):
        assert "Permission denied" in machine.run_inside("runuser", "-u", alice.login, "--", "cat", path, check=False).stdout
    machine.path("/run/evil").mkdir(exist_ok=True)
    worlds.write_private(machine.path("/run/evil/pam.conf"), "[default]\nfail_delay_ms = 0\n", 0o644)
    machine.stack_file("evil", text="auth required pam_counterfoil.so conf=/run/evil/pam.conf\n")
    done = locker(alice.login, alice.login, alice.answers, service="evil")
    assert (done["auth"], done.entry["reason"]) == ("AUTHINFO_UNAVAIL", "helper_broken")


def test_nobody_enrols_through_it(machine, locker):
    machine.configure(unenrolled="enroll", enroll_cidrs="192.0.2.0/24")
    bob = machine.hire(enrolled=False)
    events = len(machine.events("factor_started"))
    done = locker(bob.login, bob.login, [bob.password, machine.issue(bob)], options=["--item", "rhost=192.0.2.7"])
    assert (done["auth"], done.entry["reason"]) == ("PERM_DENIED", "not_own_account")
    assert len(machine.events("factor_started")) == events


def test_who_runs_a_locker_has_failures_counted_for_no_address_and_no_key_that_they_make_up(machine, locker):
    alice, mark = machine.hire(), len(machine.events())
    made_up = ["--item", "rhost=198.51.100.9", "--env", "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAA"]
    done = locker(alice.login, alice.login, ["wrong", "123456"], options=made_up)
    assert done["auth"] == "AUTH_ERR" and "sshkey=" not in done.entry.text, done.log
    assert {(event[1], event[4]) for event in machine.events()[mark:]} == {("denied", None)}


def test_who_stops_helpers_of_their_own_holds_no_slot_of_anybody_else(machine, locker):
    alice, eve = machine.hire(), machine.hire()
    machine.configure(timeout_total=4)
    with open(machine.path("/run/counterfoil-pam/locker-slots"), "r+b") as slots:
        breakglass_host.lock_byte(slots, 4096 + machine.path(f"/home/{eve.login}").stat().st_uid)      # one of eve's, stopped
        done = pam_world.itself(lambda: locker(eve.login, eve.login, eve.answers))
        assert (done["auth"], done.entry["reason"]) == ("AUTHINFO_UNAVAIL", "overloaded"), done.log
        machine.configure()
        assert locker(alice.login, alice.login, alice.answers)["auth"] == "SUCCESS"
    assert locker(eve.login, eve.login, eve.answers)["auth"] == "SUCCESS"


def test_root_is_served_by_the_same_helper(machine, locker):
    alice = machine.hire()
    done = locker("root", alice.login, alice.answers)
    assert done["auth"] == "SUCCESS", done.log


def test_a_screen_opens_through_the_service_with_a_key_that_its_owner_cannot_read(machine, locker):
    alice, eve = machine.hire(), machine.hire()
    service = service_host.StaffService(machine)
    conf = machine.path("/etc/counterfoil/pam-locker.conf")
    before = conf.read_text()
    machine.configure(backend="authd", timeout_total=20)
    worlds.write_private(machine.path("/etc/counterfoil/service-ca.pem"), service.certificates.ca.read_text(), 0o644)
    worlds.write_private(machine.path("/etc/counterfoil/locker.key"), service.key() + "\n", 0o640)
    worlds.write_private(conf, service_host.authd_section(url=service.host_url, ca_file="/etc/counterfoil/service-ca.pem",
                                                          host_key_file="/etc/counterfoil/locker.key"), 0o640)
    machine.run_inside("chgrp", "counterfoil", "/etc/counterfoil/locker.key", "/etc/counterfoil/pam-locker.conf")
    try:
        assert locker(alice.login, alice.login, alice.answers)["auth"] == "SUCCESS"
        assert locker(eve.login, alice.login, alice.answers).entry["reason"] == "not_own_account"
        done = machine.run_inside("runuser", "-u", alice.login, "--", "cat", "/etc/counterfoil/locker.key", check=False)
        assert "Permission denied" in done.stdout
        # who runs the application can tell it of any ssh key: so it neither gets a ticket nor uses one
        machine.stack_file("sshd", "sshd-publickey-totp")
        machine.configure('[service "sshd"]', "factors = otp", "offline = ticket", backend="authd", timeout_total=20)
        machine.forget_step(alice)
        done = locker(alice.login, alice.login, [alice.code()], service="sshd",
                      options=["--env", "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAA"])
        assert (done["auth"], done.entry["reason"]) == ("PERM_DENIED", "not_own_account")
    finally:
        service.stop()
        worlds.write_private(conf, before, 0o640)
        machine.run_inside("chgrp", "counterfoil", "/etc/counterfoil/pam-locker.conf")


def test_a_screen_opens_on_a_read_only_root_and_stays_locked_where_helpers_cannot_be_counted(machine, locker):
    alice = machine.hire()
    with machine.read_only("/", "/etc", "/home", "/dev"):
        assert locker(alice.login, alice.login, [alice.password, alice.recovery_codes[0]])["auth"] == "SUCCESS"
    with machine.read_only("/run"):
        done = locker(alice.login, alice.login, [alice.password, alice.recovery_codes[1]])
    assert (done["auth"], done.entry["reason"]) == ("SERVICE_ERR", "misconfigured"), done.log
    assert locker(alice.login, alice.login, [alice.password, alice.recovery_codes[1]])["auth"] == "SUCCESS"


def test_no_break_glass_code_opens_a_screen(machine, locker):
    """Not even one of a file that who starts the helper could have written: only root's helper takes such a code."""
    alice = machine.hire(enrolled=False)
    glass = breakglass_host.Breakglass(machine)
    glass.clear()
    codes = breakglass_host.issue_on(machine, alice)
    glass.codes.pretend_outage()
    own = machine.path("/run/own-codes")
    shutil.copytree(glass.directory, own)
    home = machine.path(f"/home/{alice.login}").stat()
    for path in (own, *own.iterdir()):
        os.chown(path, home.st_uid, home.st_gid)
    conf = machine.path("/etc/counterfoil/pam-locker.conf")
    before = conf.read_text()
    conf.write_text(before + "[breakglass]\ndirectory = /run/own-codes\n")
    machine.configure('[service "locker"]', "factors = otp", "offline = recovery")
    with machine.database_stopped():
        done = locker(alice.login, alice.login, [codes[0]])
        assert (done["auth"], done.entry["reason"]) == ("AUTHINFO_UNAVAIL", "unavailable")
        assert (own / "codes").read_bytes() == glass.codes.path.read_bytes()
        done = locker("root", alice.login, [codes[0]])
        assert (done["auth"], done.entry["offline"]) == ("SUCCESS", "yes")
    conf.write_text(before)
    glass.clear()
