"""Memory that runs out and random bytes that do not come: never a sign-in that was not earned, never a dead process."""

import mmap
import struct

import pytest
import requests
import world as worlds

PLAN = struct.Struct("<qqqqq")          # struct fault_plan of tests/support/fault_alloc.c
DEEPEST = 4000                          # allocations of one request; the walk ends where none failed any more


class FaultPlan:
    """The page that a test shares with authd."""

    def __init__(self, path):
        path.write_bytes(bytes(4096))
        with open(path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 4096)

    def arm(self, countdown, width=1):
        self.page[16:24] = bytes(8)
        self.page[0:8] = countdown.to_bytes(8, "little")
        self.page[8:16] = width.to_bytes(8, "little")

    def disarm(self):
        """How many allocations failed since arm()."""
        self.page[8:16] = bytes(8)
        return PLAN.unpack(self.page[:PLAN.size])[2]

    def entropy(self, works):
        self.page[32:40] = int(not works).to_bytes(8, "little")


@pytest.fixture(scope="module")
def faulty(cluster):
    """A world whose authd obeys a FaultPlan."""
    made = worlds.World(cluster, "faulty")
    plan_file = made.directory / "plan"
    made.plan = FaultPlan(plan_file)
    library = worlds.OBJ / "tests/support/.libs/fault_alloc.so"
    assert library.exists(), f"{library} is missing: make check builds it"
    try:
        made.add_authd(environment={"LD_PRELOAD": str(library), "COUNTERFOIL_FAULT_FILE": str(plan_file)})
        yield made
    finally:
        made.stop()


def attempt(request):
    """The status of a reply; None when the connection broke, which is a refusal too."""
    try:
        return request().status_code
    except requests.RequestException:
        return None


def depths():
    """Every one of the first hundred allocations, then ever wider steps: the request's own come first."""
    depth = 1
    while depth < DEEPEST:
        yield depth
        depth += 1 if depth < 100 else 1 + depth // 25


def walk(world, request):
    """REQUEST() once for each depth at which one of its allocations can fail; the statuses that came back.

    Its connection is kept from one to the next, so that what fails is the request and seldom the handshake."""
    statuses = []
    quiet = 0
    for depth in depths():
        world.plan.arm(depth)
        statuses.append(attempt(request))
        quiet = 0 if world.plan.disarm() else quiet + 1
        if quiet == 5:
            break
    assert len(statuses) > 20, "the faults never reached the request"
    assert world.authd.process.poll() is None, f"authd died:\n{world.authd.log_text()[-3000:]}"
    return statuses


def test_a_wrong_password_never_signs_in_whichever_allocation_fails(faulty):
    account = faulty.customer()
    api = faulty.api()
    statuses = walk(faulty, lambda: api.login(account.login, "not the password at all", ip="192.0.2.20"))
    assert not [status for status in statuses if status is not None and status < 400], statuses


def test_a_right_password_alone_never_signs_in_whichever_allocation_fails(faulty):
    account = faulty.customer()
    api = faulty.api()
    statuses = walk(faulty, lambda: api.login(account.login, account.password, ip="192.0.2.21"))
    assert not [status for status in statuses if status is not None and status < 400], statuses


def test_a_wrong_code_never_signs_in_whichever_allocation_fails(faulty):
    account = faulty.customer()
    wrong = f"{(int(faulty.code(account)) + 1) % 1000000:06d}"
    api = faulty.api()
    state = {"challenge": faulty.challenge(account), "used": 0}

    def request():
        state["used"] += 1
        if state["used"] % 3 == 0:      # a challenge takes a few wrong codes only
            armed = faulty.plan.page[0:16]
            faulty.plan.disarm()
            account_now = faulty.api().login(account.login, account.password, ip="192.0.2.22").json()
            state["challenge"] = account_now.get("challenge", state["challenge"])
            faulty.plan.page[0:16] = armed
        return api.code(state["challenge"], wrong)

    statuses = walk(faulty, request)
    assert not [status for status in statuses if status is not None and status < 400], statuses


def test_a_right_code_is_accepted_at_most_once_whichever_allocation_fails(faulty):
    account = faulty.customer()
    challenge = faulty.challenge(account)
    code = faulty.code(account)
    api = faulty.api()
    statuses = walk(faulty, lambda: api.code(challenge, code))
    assert statuses.count(200) <= 1, statuses


def test_after_all_of_that_the_service_is_the_same(faulty):
    faulty.plan.disarm()
    account = faulty.customer()
    assert faulty.sign_in(account).status_code == 200
    assert faulty.sign_in(account).status_code == 403, "the same code again"


def test_memory_that_stays_away_gives_refusals_and_comes_back(faulty):
    account = faulty.customer()
    for depth in (1, 10, 50):
        faulty.plan.arm(depth, width=100000)
        status = attempt(lambda: faulty.api().login(account.login, account.password, ip="192.0.2.23"))
        faulty.plan.disarm()
        assert status is None or status >= 400, status
    assert faulty.sign_in(account).status_code == 200


def test_R027_without_random_bytes_nobody_gets_a_token(faulty):
    account = faulty.customer()
    challenge = faulty.challenge(account)
    faulty.plan.entropy(False)
    try:
        password = attempt(lambda: faulty.api().login(account.login, account.password))
        code = attempt(lambda: faulty.api().code(challenge, faulty.code(account)))
        created = attempt(lambda: faulty.api().create_account("nobody@example.com", account.password))
    finally:
        faulty.plan.entropy(True)
    assert [status for status in (password, code, created) if status is not None and status < 500] == []
    assert faulty.authd.process.poll() is None, "authd died"
