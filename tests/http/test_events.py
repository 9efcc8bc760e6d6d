"""The audit trail, the outbox in it, and the rights of the person it is about."""

import pytest
import world as worlds
from raw_http import expect
from test_factors import wrong_for


def kinds(reply):
    assert reply.status_code == 200, reply.text
    return [event["kind"] for event in reply.json()["events"]]


def test_the_trail_of_an_account_tells_its_story_in_order(world):
    api, account = world.api(), world.customer()
    assert world.sign_in(account).status_code == 200
    expect(api.login(account.login, "not the password"), 403, "denied")
    events = api.get(f"/v1/events?account={account.id}").json()["events"]
    assert [event["kind"] for event in events] == ["account_created", "factor_started", "factor_bound", "login_password",
                                                   "login_code", "login_password"]
    assert [event["outcome"] for event in events][-3:] == ["challenge", "granted", "denied"]
    assert events[-1]["reason"] == "wrong_password" and events[-1]["source"] == "192.0.2.10"
    assert events[-1]["actor"] == "client:" + world.api_key.split("_")[1]
    assert [event["id"] for event in events] == sorted(event["id"] for event in events)


def test_a_cursor_gives_what_came_since_and_nothing_twice(world):
    api, account = world.api(), world.create_account()
    start = api.get("/v1/events?limit=1000").json()
    while start["events"]:
        start = api.get(f"/v1/events?limit=1000&after={start['cursor']}").json()
    world.create_account(), world.create_account(), world.create_account()
    seen, cursor = [], start["cursor"]
    for _ in range(3):
        page = api.get(f"/v1/events?limit=2&after={cursor}").json()
        seen += [event["id"] for event in page["events"]]
        cursor = page["cursor"]
    assert len(seen) == len(set(seen)) == 3
    assert api.get(f"/v1/events?after={cursor}").json() == {"events": [], "cursor": cursor}
    assert account.id not in api.get(f"/v1/events?after={cursor}").text


def test_the_outbox_holds_what_an_owner_must_be_told_and_no_more(world):
    api, account = world.api(), world.customer()
    new = "three ferries before breakfast"
    assert api.put(f"/v1/accounts/{account.id}/password", {"current": account.password, "new": new}).status_code == 204
    assert api.post(f"/v1/accounts/{account.id}/recovery-codes").status_code == 201
    assert api.post(f"/v1/accounts/{account.id}/password-reset").status_code == 201
    assert api.delete(f"/v1/accounts/{account.id}/factors/{account.factor_id}").status_code == 204
    assert kinds(api.get(f"/v1/events?account={account.id}&notify=true")) == [
        "factor_bound", "password_changed", "recovery_codes_replaced", "password_reset_started", "factor_revoked"]


def test_filters_by_kind_and_time(fresh_world):
    world = fresh_world.start()
    api, account = world.api(), world.create_account()
    api.login(account.login, account.password)
    world.advance(3600)
    api.login(account.login, account.password)
    assert kinds(api.get("/v1/events?kind=login_password")) == ["login_password"] * 2
    first = api.get("/v1/events?kind=login_password").json()["events"][0]["at"]
    assert kinds(api.get(f"/v1/events?until={first}&kind=login_password")) == []
    assert len(kinds(api.get(f"/v1/events?since={first}&kind=login_password"))) == 2


def test_a_client_of_the_staff_realm_sees_nothing_of_a_customer(world):
    account = world.customer()
    staff = world.api(key=world.installation.make_client("staff", realm="staff"))
    assert kinds(staff.get(f"/v1/events?account={account.id}")) == []
    for path in ("", "/export"):
        expect(staff.get(f"/v1/accounts/{account.id}{path}"), 404, "not-found")
    expect(staff.delete(f"/v1/accounts/{account.id}"), 404, "not-found")


@pytest.fixture
def exported(world):
    """An account with a bit of everything, and its export."""
    api = world.api()
    account = world.create_account()
    factor = api.post(f"/v1/accounts/{account.id}/totp", {"name": "Bob's télephone"}).json()
    account.seed = factor["secret"]
    assert api.post(f"/v1/accounts/{account.id}/totp/{factor['factor_id']}/confirm",
                    {"code": world.code(account)}).status_code == 200
    world.advance(worlds.PERIOD_S)
    account.session = world.sign_in(account).json()
    reply = api.get(f"/v1/accounts/{account.id}/export")
    assert reply.status_code == 200, reply.text
    return account, reply


def test_an_export_has_everything_but_secrets(exported):
    account, reply = exported
    document = reply.json()
    assert document["account"]["login"] == account.login
    assert document["factors"][0]["name"] == "Bob's télephone"
    assert document["recovery_codes_left"] == 10
    assert [session["id"] for session in document["sessions"]] == [account.session["session_id"]]
    assert document["known_sources"][0]["source"] == "192.0.2.10/32"
    assert {"account_created", "factor_bound", "login_code"} <= {event["kind"] for event in document["events"]}
    for secret in (account.seed, account.password, account.session["session_token"], "sealed", "digest"):
        assert secret not in reply.text


def test_an_erased_account_is_gone_and_its_trail_names_nobody(world, exported):
    account, _ = exported
    api = world.api()
    assert api.delete(f"/v1/accounts/{account.id}").status_code == 204
    expect(api.get(f"/v1/accounts/{account.id}"), 404, "not-found")
    expect(api.delete(f"/v1/accounts/{account.id}"), 404, "not-found")
    assert api.post("/v1/sessions/introspect", {"token": account.session["session_token"]}).json() == {"active": False}
    expect(api.login(account.login, account.password), 403, "denied")
    trail = api.get(f"/v1/events?account={account.id}").json()["events"]
    assert trail[-1]["kind"] == "account_erased"
    assert all(event["source"] is None and event["user_agent"] is None for event in trail[:-1])
    assert api.create_account(account.login, account.password).status_code == 201


# --- what an owner is told

def outbox(world, account):
    return [(event["kind"], event["outcome"], event["reason"]) for event in
            world.api().get(f"/v1/events?account={account.id}&notify=true&limit=1000").json()["events"]]


def test_R074_three_wrong_codes_behind_the_right_password_are_told_once_until_a_right_one(world):
    account = world.customer()
    wrong = wrong_for(world, account.seed)
    told = ("codes_failing", "ok", "password_right")
    for number in range(5):
        assert outbox(world, account).count(told) == (number >= 3)
        expect(world.api().code(world.challenge(account), wrong), 403, "denied")
    assert outbox(world, account).count(told) == 1
    world.advance(worlds.PERIOD_S)
    assert world.sign_in(account).status_code == 200
    for _ in range(3):
        expect(world.api().code(world.challenge(account), wrong_for(world, account.seed)), 403, "denied")
    assert outbox(world, account).count(told) == 2


def test_R044_a_used_code_from_elsewhere_is_told_once_and_one_that_was_sent_twice_is_not(world):
    account = world.customer()
    code = world.code(account)
    assert world.sign_in(account, code=code).status_code == 200
    told = ("login_code", "denied", "code_replayed")
    expect(world.api().code(world.challenge(account), code), 403, "denied")
    assert told not in outbox(world, account), "its owner's form, sent twice"
    for _ in range(2):
        expect(world.api().code(world.challenge(account, ip="198.51.100.77"), code), 403, "denied")
    assert outbox(world, account).count(told) == 1
