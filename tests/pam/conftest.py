"""conftest.py: what the tests of the PAM module share."""

import pathlib
import pwd
import os

import pytest

import pam_world


@pytest.fixture
def desk(tmp_path):
    """An application with a scripted helper, in a folder of its own."""
    return pam_world.Application(tmp_path / "desk")


@pytest.fixture(scope="session")
def me():
    """The user that runs the tests: NSS knows the name."""
    return pwd.getpwuid(os.getuid()).pw_name
