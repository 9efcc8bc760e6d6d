"""Trusted devices: what spares the code, and when it no longer does."""

import pytest
import world as worlds
from raw_http import expect

DAY = 86400


@pytest.fixture(scope="module")
def world(cluster):
    """A shop that has turned trusted devices on."""
    made = worlds.World(cluster, "devices", {("realm store", "device_ttl_s"): 30 * DAY})
    try:
        yield made.start()
    finally:
        made.stop()


def remember(world, account):
    """Sign in and have this device trusted; the whole reply."""
    world.advance(worlds.PERIOD_S)
    return world.api().post(f"/v1/logins/{world.challenge(account)}/code",
                            {"code": world.code(account), "remember_device": True}).json()


def sign_in(world, account, token, password=None):
    return world.api().post("/v1/logins", {"login": account.login, "password": password or account.password,
                                           "trusted_device": token, "source": {"ip": "192.0.2.10"}})


def is_asked_for_a_code(reply):
    return reply.status_code == 403 and reply.json()["type"].endswith("/second-factor-required")


def devices(world, account):
    return world.api().get(f"/v1/accounts/{account.id}/trusted-devices").json()["trusted_devices"]


def test_R089_R090_a_trusted_device_spares_the_code_and_the_session_says_so(world):
    account = world.customer()
    session = sign_in(world, account, remember(world, account)["trusted_device"]).json()
    assert (session["aal"], session["amr"]) == (1, ["pwd"])
    told = world.api().post("/v1/sessions/introspect", {"token": session["session_token"]}).json()
    assert told["trusted_device"] is True and told["aal"] == 1


def test_who_does_not_ask_is_not_remembered(world):
    account = world.customer()
    assert "trusted_device" not in world.sign_in(account).json()
    assert devices(world, account) == []


def test_a_recovery_code_makes_no_device_trusted(world):
    account = world.customer()
    reply = world.api().post(f"/v1/logins/{world.challenge(account)}/code",
                             {"code": account.recovery_codes[0], "remember_device": True})
    assert reply.status_code == 200 and "trusted_device" not in reply.json()


def test_the_token_is_new_at_every_use(world):
    account = world.customer()
    tokens = [remember(world, account)["trusted_device"]]
    for _ in range(3):
        tokens.append(sign_in(world, account, tokens[-1]).json()["trusted_device"])
    assert len(set(tokens)) == 4 and len(devices(world, account)) == 1


def test_the_old_token_counts_for_a_minute_for_a_reply_that_was_lost(world):
    account = world.customer()
    token = remember(world, account)["trusted_device"]
    assert sign_in(world, account, token).status_code == 200
    again = sign_in(world, account, token)
    assert again.status_code == 200
    world.advance(61)
    assert sign_in(world, account, again.json()["trusted_device"]).status_code == 200


def test_R090_an_old_token_shown_later_is_theft_and_ends_the_device_and_its_sessions(world):
    account = world.customer()
    stolen = remember(world, account)["trusted_device"]
    mine = sign_in(world, account, stolen).json()
    world.advance(61)
    assert is_asked_for_a_code(sign_in(world, account, stolen))
    assert is_asked_for_a_code(sign_in(world, account, mine["trusted_device"]))
    assert devices(world, account) == []
    assert world.api().post("/v1/sessions/introspect", {"token": mine["session_token"]}).json() == {"active": False}
    assert world.query("SELECT 1 FROM counterfoil.event WHERE account_id = %s AND kind = 'device_ended' AND notify",
                       (account.id,)), "the owner is told"


def test_R090_a_device_never_replaces_the_password(world):
    account = world.customer()
    token = remember(world, account)["trusted_device"]
    expect(sign_in(world, account, token, "not the password at all"), 403, "denied")
    assert sign_in(world, account, token).status_code == 200, "a wrong password used the token up"


def test_a_device_belongs_to_one_account(world):
    account, other = world.customer(), world.customer()
    assert is_asked_for_a_code(sign_in(world, other, remember(world, account)["trusted_device"]))


def test_a_device_is_forgotten_after_thirty_days(world):
    account = world.customer()
    token = remember(world, account)["trusted_device"]
    world.advance(29 * DAY)
    token = sign_in(world, account, token).json()["trusted_device"]
    world.advance(2 * DAY)
    assert is_asked_for_a_code(sign_in(world, account, token))


def test_a_revoked_device_is_asked_for_a_code_again(world):
    account = world.customer()
    kept, lost = remember(world, account)["trusted_device"], remember(world, account)["trusted_device"]
    opened = sign_in(world, account, lost).json()
    newest = devices(world, account)[0]["id"]
    path = f"/v1/accounts/{account.id}/trusted-devices"
    assert world.api().delete(f"{path}/{newest}").status_code == 204
    expect(world.api().delete(f"{path}/{newest}"), 404, "not-found")
    assert is_asked_for_a_code(sign_in(world, account, opened["trusted_device"]))
    assert world.api().post("/v1/sessions/introspect", {"token": opened["session_token"]}).json() == {"active": False}
    kept = sign_in(world, account, kept).json()["trusted_device"]
    assert world.api().delete(path).json() == {"ended": 1}
    assert is_asked_for_a_code(sign_in(world, account, kept))


@pytest.mark.parametrize("what", ["password", "factor"])
def test_R090_every_device_is_forgotten_with_a_change_of(world, what):
    account = world.customer()
    token, path = remember(world, account)["trusted_device"], f"/v1/accounts/{account.id}"
    if what == "password":
        new = "three ferries before breakfast"
        assert world.api().put(path + "/password", {"current": account.password, "new": new}).status_code == 204
        account.password = new
        assert is_asked_for_a_code(sign_in(world, account, token))
    else:
        assert world.api().delete(f"{path}/factors/{account.factor_id}").status_code == 204
    assert devices(world, account) == []


@pytest.mark.parametrize("token", ["A" * 42, "A" * 44, "A" * 42 + "+"])
def test_what_is_no_token_counts_like_none(world, token):
    account = world.customer()
    reply = sign_in(world, account, token)
    assert is_asked_for_a_code(reply) or reply.status_code == 422


def test_staff_have_no_trusted_devices(fresh_world):
    fresh_world.changes.update({("realm store", "device_ttl_s"): 30 * DAY})
    fresh_world.start()
    fresh_world.api_key = fresh_world.installation.make_client("intranet", realm="staff")
    account = fresh_world.enroll(fresh_world.create_account("alice"))
    assert "trusted_device" not in remember(fresh_world, account)
