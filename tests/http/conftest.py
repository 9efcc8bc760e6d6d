"""conftest.py: whatever the tests of this folder call, every reply is held against docs/http-api.yaml."""

import pytest
import world as worlds
from contract import Contract

SEEN = set()            # (operation, status) of the replies so far


@pytest.fixture(scope="session")
def contract():
    return Contract((worlds.TOP / "docs/http-api.yaml").read_text())


@pytest.fixture(scope="session", autouse=True)
def every_reply_keeps_the_contract(contract):
    """Any call through world.Api is judged, in the thread that made it."""
    plain = worlds.Api.call

    def call(self, method, path, body=None, timeout=30, **options):
        reply = plain(self, method, path, body, timeout, **options)
        operation = contract.check(method, path, reply.status_code, reply.headers, reply.content)
        SEEN.add((repr(operation), reply.status_code))
        return reply

    worlds.Api.call = call
    yield
    worlds.Api.call = plain
