"""conftest.py: the fixtures that every black-box suite shares.  What they are made of is in support/world.py."""

import contextlib
import fcntl
import os
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


# --- tests side by side -----------------------------------------------------------------------------------------------

@contextlib.contextmanager
def holding(lock, how):
    with open(worlds.TOP / "build/dev" / f"tests.{lock}", "a") as file:
        fcntl.flock(file, how)
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """Files run side by side in several processes; a test marked `alone` waits until no other runs, and keeps them out.

    Whoever wants to begin passes a gate, which the one that is to be alone keeps shut from the moment it waits."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    alone = item.get_closest_marker("alone") is not None
    with contextlib.ExitStack() as gate:
        gate.enter_context(holding("gate", fcntl.LOCK_EX))
        with holding("running", fcntl.LOCK_EX if alone else fcntl.LOCK_SH):
            gate.close()
            yield


# --- what they share --------------------------------------------------------------------------------------------------

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
