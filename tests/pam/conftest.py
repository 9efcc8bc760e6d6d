"""conftest.py: what the tests of the PAM module share."""

import os
import pwd
import subprocess

import pytest

import pam_world
import service_host
import staff_host
import staff_machine


# A machine of the tests' own needs mounts and users: root's business.  All else runs for everybody.
collect_ignore = [] if os.geteuid() == 0 else ["test_crowd.py", "test_pamtester.py", "test_sshd.py", "test_sshd_keys.py", "test_sudo.py", "test_su_and_login.py",
                                               "test_jobs.py", "test_lockers.py", "test_passwd.py", "test_profile.py", "test_upgrade.py", "test_disk.py", "test_clock.py"]


PROGRAMS = {"openssh-server": "sshd", "sudo": "sudo", "util-linux": "su and runuser", "login": "login", "passwd": "passwd",
            "cron": "cron", "at": "atd", "libpam0g": "libpam"}


def pytest_terminal_summary(terminalreporter):
    """What others wrote and these tests ran: how they treat a module changes with their versions."""
    found = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\\n", *PROGRAMS], capture_output=True, text=True,
                           check=False).stdout
    terminalreporter.write_line("with " + ", ".join(f"{PROGRAMS[package]} {version}" for package, version in
                                                    map(str.split, found.splitlines())))


@pytest.fixture
def desk(tmp_path):
    """An application with a scripted helper, in a folder of its own."""
    return pam_world.Application(tmp_path / "desk")


@pytest.fixture(scope="session")
def me():
    """The user that runs the tests: NSS knows the name."""
    return pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture(scope="module")
def staff(cluster):
    """A host that staff sign in to, with its own database; shared by the tests of a file, each with its own people."""
    host = staff_host.StaffHost(cluster)
    try:
        yield host
    finally:
        host.stop()


@pytest.fixture(scope="module")
def service(staff):
    """authd over that host's database, for hosts that ask it."""
    made = service_host.StaffService(staff)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def a_machine(cluster):
    """The machine that all tests with real programs share."""
    made = staff_machine.StaffMachine(cluster)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def machine(a_machine):
    """That machine with the plain configuration, whatever the test before did."""
    a_machine.configure()
    a_machine.write_helper_conf()
    return a_machine
