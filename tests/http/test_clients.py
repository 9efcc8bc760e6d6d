"""Programs that call the API: their keys end at once, everywhere, and open nothing beyond their realm and scopes."""

import json

import pytest
import world as worlds
from raw_http import expect

PATH = "/v1/accounts/00000000-0000-4000-8000-000000000000"
DAY = 86400


@pytest.fixture(scope="module")
def world(cluster):
    """Two authd over one database."""
    made = worlds.World(cluster, "clients")
    try:
        yield made.start(count=2)
    finally:
        made.stop()


def make_client(world, *options, scopes=worlds.SCOPES):
    """(id, key) of a new client."""
    made = json.loads(world.counterfoil("client", "create", "shop", "--scopes", ",".join(scopes), "--json", *options))
    return made["id"], made["key"]


def both(world, key):
    """The replies of both authd to a request that a good key brings to a 404."""
    return [world.api(number, key).get(PATH) for number in (0, 1)]


def test_a_revoked_key_is_refused_at_once_by_every_authd(world):
    client, key = make_client(world)
    for reply in both(world, key):
        expect(reply, 404, "not-found")
    world.counterfoil("client", "revoke", client)
    for reply in both(world, key):
        expect(reply, 401, "unauthenticated")


def test_a_key_ends_by_itself_at_its_time(world):
    _, key = make_client(world, "--expires-in", "2")
    world.advance(2 * DAY - 60)
    for reply in both(world, key):
        expect(reply, 404, "not-found")
    world.advance(120)
    for reply in both(world, key):
        expect(reply, 401, "unauthenticated")


def test_a_key_revoked_between_the_two_steps_of_a_sign_in_ends_it(world):
    client, key = make_client(world)
    account = world.customer()
    challenge = world.api(0, key).login(account.login, account.password).json()["challenge"]
    world.counterfoil("client", "revoke", client)
    expect(world.api(1, key).code(challenge, world.code(account)), 401, "unauthenticated")


def test_R094_a_challenge_belongs_to_the_client_that_began_it(world):
    account = world.customer()
    _, other = make_client(world)
    challenge = world.challenge(account)
    expect(world.api(key=other).code(challenge, world.code(account)), 403, "denied")
    assert world.api().code(challenge, world.code(account)).status_code == 200


@pytest.mark.parametrize("header", [
    None, "", "Bearer", "Bearer ", "Basic dGVzdDp0ZXN0", "bearer", "Bearer cf_", "Bearer cf_0123456789abcdef",
    "Bearer cf_0123456789abcdef_", "Bearer cf_0123456789abcdef_" + "A" * 42, "Bearer cf_0123456789abcdef_" + "A" * 44,
    "Bearer cf_0123456789ABCDEF_" + "A" * 43, "Bearer cf_0123456789abcdef_" + "A" * 42 + "+",
    "Bearer xx_0123456789abcdef_" + "A" * 43, "Bearer " + "A" * 8000])
def test_what_is_no_key_is_refused_before_the_database_is_asked(world, header):
    mark = world.postgres.log_mark()
    headers = {} if header is None else {"Authorization": header}
    reply = world.api(key=None).get(PATH, headers=headers)
    expect(reply, 401, "unauthenticated")
    assert reply.headers["WWW-Authenticate"] == 'Bearer realm="counterfoil"'
    assert not [role for role, _ in world.postgres.log_since(mark) if role == "counterfoil_authd"]


def test_the_name_of_the_scheme_may_be_in_either_case(world):
    reply = world.api(key=None).get(PATH, headers={"Authorization": "bEARER " + world.api_key})
    expect(reply, 404, "not-found")


def test_the_secret_of_one_key_does_not_fit_the_id_of_another(world):
    (_, one), (_, other) = make_client(world), make_client(world)
    mixed = "_".join(one.split("_")[:2]) + other[len("cf_0123456789abcdef"):]
    expect(world.api(key=mixed).get(PATH), 401, "unauthenticated")


def test_R079_a_key_reaches_no_account_of_another_realm(world):
    """A staff member's account is not there for the shop's key, nor the other way round."""
    staff = world.installation.make_client("intranet", realm="staff")
    customer = world.create_account()
    made = world.api(key=staff).create_account("alice", "seven lanterns by the harbour")
    assert made.status_code == 201
    path = f"/v1/accounts/{made.json()['id']}"
    for key, mine, other in ((staff, path, f"/v1/accounts/{customer.id}"), ("", f"/v1/accounts/{customer.id}", path)):
        assert world.api(key=key).get(mine).status_code == 200
        for request in (lambda api: api.get(other), lambda api: api.post(other + "/lock"),
                        lambda api: api.get(other + "/factors"), lambda api: api.post(other + "/totp"),
                        lambda api: api.put(other + "/password", {"current": "a", "new": "three ferries at dawn"})):
            expect(request(world.api(key=key)), 404, "not-found")
    expect(world.api(key=staff).login(customer.login, customer.password), 403, "denied")


def test_no_key_stands_in_the_log_or_the_database(world):
    _, key = make_client(world)
    both(world, key)
    secret = key.split("_", 2)[2]
    for authd in world.authds:
        assert secret not in authd.log_text()
    assert secret not in world.postgres.log.read_text(errors="replace")
    assert not world.query("SELECT 1 FROM counterfoil.client WHERE client::text LIKE %s", (f"%{secret}%",))
