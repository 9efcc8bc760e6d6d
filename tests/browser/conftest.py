"""conftest.py: one Chromium and one axe-core for the whole suite; each test begins as a stranger."""

import browser as browsers
import pytest


@pytest.fixture(scope="session")
def chromium(cluster):
    made = browsers.Browser(cluster.certificates.ca)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def browser(chromium):
    chromium.fresh()
    return chromium


@pytest.fixture(scope="session")
def axe():
    return browsers.Axe()
