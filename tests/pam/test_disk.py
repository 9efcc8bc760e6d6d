"""Disks that take nothing, and folders that are not there: nobody is kept out where nothing has to be written."""

import contextlib
import shutil
import subprocess

import pytest

import breakglass_host
import pam_world

RUN = "/run/counterfoil-pam"


@pytest.fixture
def machine(machine):
    machine.stack_file("desk", text="auth required pam_counterfoil.so\n")
    machine.write_helper_conf({("helper", "run_directory"): RUN})
    shutil.copy(pam_world.BUILT / "pam_driver", machine.path("/run/pam_driver"))
    machine.run_inside("rm", "-rf", RUN)
    yield machine
    machine.run_inside("mkdir", "-p", RUN)


def signs_in(machine, person, *answers):
    """The code that the application gets."""
    arguments = [part for answer in answers or [person.password, person.recovery_codes.pop()] for part in ("--answer", answer)]
    done = subprocess.run(machine.inside("/run/pam_driver", "--confdir", "/etc/pam.d", "--service", "desk", "--user", person.login,
                                         *arguments, "auth"), capture_output=True, text=True, timeout=60, check=True, env={}, cwd="/")
    return pam_world.Outcome(done.stdout.splitlines(), [])["auth"]


@contextlib.contextmanager
def small_disk(machine, folder, kib):
    """A file system of KIB at FOLDER; gives what fills it to the last byte."""
    machine.run_inside("mkdir", "-p", folder)
    machine.run_inside("mount", "-t", "tmpfs", "-o", f"size={kib}k,mode=700", "none", folder)
    try:
        yield lambda: machine.run_inside("dd", "if=/dev/zero", f"of={folder}/filling", "bs=1k", check=False)
    finally:
        machine.run_inside("umount", folder)


def test_a_root_that_is_read_only_keeps_nobody_out(machine):
    alice = machine.hire()
    with machine.read_only("/", "/etc", "/var/log", "/home", "/dev"):
        assert "Read-only" in machine.run_inside("touch", "/var/log/x", "/etc/x", check=False).stdout
        assert signs_in(machine, alice) == "SUCCESS"
        assert signs_in(machine, alice, "wrong", "123456") == "AUTH_ERR"


def test_where_helpers_cannot_be_counted_nobody_gets_in_and_the_log_says_why(machine):
    alice = machine.hire()
    machine.configure(fail="ignore_unavailable")
    mark = machine.syslog.mark()
    with machine.read_only("/run"):
        assert signs_in(machine, alice) == "SERVICE_ERR"
    [entry] = machine.entries(mark)
    assert (entry.priority, entry["reason"]) == ("CRIT", "misconfigured") and f"{RUN}: Read-only file system" in entry["detail"]
    assert signs_in(machine, alice) == "SUCCESS"


def test_a_full_disk_keeps_nobody_out_once_the_file_that_counts_helpers_is_there(machine):
    alice = machine.hire()
    with small_disk(machine, RUN, 4) as fill:
        fill()
        assert "No space left" in machine.run_inside("dd", "if=/dev/zero", f"of={RUN}/more", "count=1", check=False).stdout
        assert signs_in(machine, alice) == "SUCCESS"
        assert signs_in(machine, alice, "wrong", "123456") == "AUTH_ERR"


def test_neither_a_log_nor_the_folder_in_run_has_to_be_there(machine):
    alice = machine.hire()
    log, away = machine.path("/dev/log"), machine.path("/dev/log-away")
    assert not machine.path(RUN).exists()
    log.rename(away)
    try:
        assert signs_in(machine, alice) == "SUCCESS"
        assert signs_in(machine, alice, "wrong", "123456") == "AUTH_ERR"
    finally:
        away.rename(log)
    made = machine.path(RUN).stat()
    assert (made.st_uid, made.st_mode & 0o777) == (0, 0o750)


def test_a_break_glass_code_that_cannot_be_used_up_on_a_full_disk_lets_nobody_in(machine):
    alice = machine.hire(enrolled=False)
    glass = breakglass_host.Breakglass(machine)
    machine.write_helper_conf({("helper", "run_directory"): RUN})
    with small_disk(machine, glass.directory, 64) as fill:
        codes, inside = breakglass_host.issue_on(machine, alice), breakglass_host.Codes(machine.path(glass.directory))
        inside.pretend_outage()
        machine.configure(factors="otp", offline="recovery")
        with machine.database_stopped():
            fill()
            before, mark = inside.path.read_bytes(), machine.syslog.mark()
            assert signs_in(machine, alice, codes[0]) == "AUTHINFO_UNAVAIL"
            assert machine.entries(mark)[0]["reason"] == "breakglass_not_written" and inside.path.read_bytes() == before
            machine.path(f"{glass.directory}/filling").unlink()
            assert signs_in(machine, alice, codes[0]) == "SUCCESS"
            assert signs_in(machine, alice, codes[0]) == "AUTH_ERR"
    glass.clear()
