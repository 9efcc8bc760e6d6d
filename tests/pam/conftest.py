"""conftest.py: what the tests of the PAM module share."""

import os
import pwd

import pytest

import pam_world
import staff_host


# A machine of the tests' own needs mounts and users: root's business.  All else runs for everybody.
collect_ignore = [] if os.geteuid() == 0 else ["test_sshd.py"]


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
