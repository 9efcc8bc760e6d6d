"""conftest.py: houses for the tests of sql/: databases with the schema alone.  What they are made of is in house.py."""

import pathlib
import shutil
import tempfile

import house as houses
import pytest
import world as worlds


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL for the tests that need no program of ours."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="counterfoil-sql-"))
    made = worlds.Postgres(worlds.Postgres.place(directory / "postgres"))
    try:
        made.create().start()
        houses.House.lay(made)
        yield made
    finally:
        made.remove()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def house(postgres, request):
    """A database of its own for the tests of a file."""
    name = f"house_{request.module.__name__}"
    made = houses.House.copy(postgres, name)
    try:
        yield made
    finally:
        made.drop()


@pytest.fixture(scope="module")
def shop(house):
    """The caller that may do everything in the store."""
    return house.make_client()


@pytest.fixture
def authd(house, shop):
    with house.desk(caller=shop) as desk:
        yield desk


@pytest.fixture
def operator(house):
    with house.operator() as desk:
        yield desk


@pytest.fixture
def host(house):
    with house.host() as desk:
        yield desk
