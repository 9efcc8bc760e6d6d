"""conftest.py: the fixtures that every black-box suite shares.  What they are made of is in support/world.py."""

import pathlib
import shutil
import signal
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

import world as worlds  # noqa: E402 the path above comes first


def pytest_configure(config):
    """A run that is told to end still ends its servers."""
    def leave(number, frame):
        raise SystemExit(128 + number)
    signal.signal(signal.SIGTERM, leave)


@pytest.fixture(scope="session")
def cluster():
    """One PostgreSQL with a migrated template database, for the whole run."""
    directory = tempfile.mkdtemp(prefix="counterfoil-tests-")
    made = worlds.Cluster(directory)
    try:
        yield made.start()
    finally:
        made.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def world(cluster):
    """One authd with a database of its own, shared by the tests of a file: each uses accounts of its own."""
    made = worlds.World(cluster)
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def fresh_world(cluster):
    """A world that one test may break: nothing is started yet, call start()."""
    made = worlds.World(cluster, "fresh")
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def api(world):
    """The shop's back end, with a key for everything."""
    return world.api()
