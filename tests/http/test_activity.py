"""The page of recent sign-ins over HTTP: what its owner sees, and what they can end."""

import pytest
import visitor as visitors
import world as worlds

COOKIE = "__Host-counterfoil-activity"
API = "/pages/v1/activity"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def problem_of(reply):
    assert reply.headers["Content-Type"] == "application/problem+json", reply.text
    return reply.status_code, reply.json()["type"].rsplit("/", 1)[1]


def link_for(world, account, **members):
    reply = world.api().post(f"/v1/accounts/{account.id}/activity-links", members or None)
    assert reply.status_code == 201, reply.text
    return reply.json()["url"]


def owner_of(world, account):
    """Somebody with an open page of ACCOUNT."""
    visitor = visitors.Visitor(world)
    reply = visitor.post(API + "/exchange", {"token": visitors.token_of(link_for(world, account))})
    assert reply.status_code == 204, reply.text
    return visitor


def sign_in(world, account, ip):
    """Both steps from IP; returns the session."""
    challenge = world.challenge(account, ip=ip, user_agent=FIREFOX)
    reply = world.api().post(f"/v1/logins/{challenge}/code", {
        "code": world.code(account), "source": {"ip": ip, "user_agent": FIREFOX}})
    assert reply.status_code == 200, reply.text
    world.advance(worlds.PERIOD_S)
    return reply.json()


def living(world, session):
    return world.query("SELECT ended_at IS NULL FROM counterfoil.session WHERE id = %s", (session["session_id"],))[0][0]


@pytest.fixture(scope="module")
def customer(world):
    return world.customer()


def test_a_link_for_recent_sign_ins_is_exchanged_once_for_a_cookie_of_its_own(world, customer):
    link = link_for(world, customer, return_to="https://shop.example/account")
    assert link.startswith(world.authd.pages_url + "/activity#")
    visitor = visitors.Visitor(world)
    reply = visitor.post(API + "/exchange", {"token": visitors.token_of(link)})
    cookie = visitors.cookie_of(reply, COOKIE)
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == \
        (True, True, "Strict", "/", "")
    assert problem_of(visitors.Visitor(world).post(API + "/exchange", {"token": visitors.token_of(link)})) == \
        (409, "conflict")
    assert visitor.get(API).json()["return_to"] == "https://shop.example/account"


def test_the_two_kinds_of_links_and_cookies_open_nothing_of_each_other(world, customer):
    visitor = visitors.Visitor(world)
    enrollment = visitors.token_of(visitors.make_link(world, world.create_account()))
    activity = visitors.token_of(link_for(world, customer))
    assert problem_of(visitor.post(API + "/exchange", {"token": enrollment})) == (404, "not-found")
    assert problem_of(visitor.exchange(activity)) == (404, "not-found")
    assert visitor.exchange(enrollment).status_code == 204
    token = visitor.session.cookies[visitors.COOKIE]
    assert problem_of(visitor.get(API, headers={"Cookie": f"{COOKIE}={token}"})) == (404, "not-found")


def test_the_owner_sees_sign_ins_sessions_and_where_they_came_from(world):
    account = world.customer()
    session = sign_in(world, account, "198.51.100.7")
    world.api().login(account.login, "wrong horse battery staple", ip="203.0.113.9")
    page = owner_of(world, account).get(API)
    assert page.status_code == 200
    seen = page.json()
    assert seen["login"] == account.login and seen["issuer"] == "Lantern Shop" and 0 < seen["expires_in"] <= 600
    assert [(one["id"], one["source"], one["user_agent"]) for one in seen["sessions"]] == \
        [(session["session_id"], "198.51.100.7", FIREFOX)]
    assert seen["devices"] == []
    events = [(one["kind"], one["outcome"], one["source"]) for one in seen["events"]]
    assert events[0] == ("login_password", "denied", "203.0.113.9")
    assert events[1:3] == [("login_code", "granted", "198.51.100.7"), ("login_password", "challenge", "198.51.100.7")]
    for private in (session["session_token"], account.seed, *account.recovery_codes):
        assert private not in page.text


def test_R086_one_session_ends_and_the_others_live(world):
    account = world.customer()
    first, second = sign_in(world, account, "198.51.100.7"), sign_in(world, account, "198.51.100.8")
    owner = owner_of(world, account)
    assert owner.post(API + "/end", {"session": first["session_id"]}).status_code == 204
    assert (living(world, first), living(world, second)) == (False, True)
    assert problem_of(owner.post(API + "/end", {"session": first["session_id"]})) == (404, "not-found")
    assert [one["id"] for one in owner.get(API).json()["sessions"]] == [second["session_id"]]


def test_everything_ends_at_once(world):
    account = world.customer()
    sessions = [sign_in(world, account, f"198.51.100.{number}") for number in (7, 8)]
    others, owner, binding = owner_of(world, account), owner_of(world, account), visitors.Visitor(world)
    assert binding.exchange(visitors.token_of(visitors.make_link(world, account))).status_code == 204
    assert owner.post(API + "/end", {"everything": True}).status_code == 204
    assert [living(world, session) for session in sessions] == [False, False]
    seen = owner.get(API).json()
    assert (seen["sessions"], seen["devices"]) == ([], [])
    assert problem_of(others.get(API)) == (409, "conflict"), "whoever has the other page reads on"
    assert problem_of(binding.start()) == (409, "conflict"), "whoever has the other page goes on"


def trust_a_device(world, account):
    """A trusted device as the database keeps it, with a session that it opened."""
    device, session = world.query("""
        WITH device AS (INSERT INTO counterfoil.trusted_device (id, account_id, digest, rotated_at, user_agent, created_at,
                last_used_at, expires_at)
            VALUES (gen_random_uuid(), %s, sha256(gen_random_uuid()::text::bytea), counterfoil.now_utc(), %s,
                counterfoil.now_utc(), counterfoil.now_utc(), counterfoil.now_utc() + interval '30 days') RETURNING *)
        INSERT INTO counterfoil.session (id, digest, account_id, realm, aal, amr, device_id, auth_time, last_used_at, idle_s,
            expires_at)
        SELECT gen_random_uuid(), sha256(gen_random_uuid()::text::bytea), account_id, 1, 1, 'pwd', id, counterfoil.now_utc(),
            counterfoil.now_utc(), 3600, counterfoil.now_utc() + interval '1 day' FROM device
        RETURNING device_id, id""", (account.id, FIREFOX))[0]
    return device, {"session_id": session}


def test_a_device_is_trusted_no_more_and_the_session_that_it_opened_ends(world):
    account = world.customer()
    device, session = trust_a_device(world, account)
    other, living_on = trust_a_device(world, account)
    owner = owner_of(world, account)
    assert {one["id"] for one in owner.get(API).json()["devices"]} == {device, other}
    assert owner.post(API + "/end", {"device": device}).status_code == 204
    assert (living(world, session), living(world, living_on)) == (False, True)
    assert [(one["id"], one["user_agent"]) for one in owner.get(API).json()["devices"]] == [(other, FIREFOX)]


def test_nobody_ends_what_is_anothers(world, customer):
    account = world.customer()
    session = sign_in(world, account, "198.51.100.7")
    device, _ = trust_a_device(world, account)
    stranger = owner_of(world, customer)
    assert problem_of(stranger.post(API + "/end", {"session": session["session_id"]})) == (404, "not-found")
    assert problem_of(stranger.post(API + "/end", {"device": device})) == (404, "not-found")
    assert stranger.post(API + "/end", {"everything": True}).status_code == 204
    assert living(world, session)


@pytest.mark.parametrize("body, status", [
    ({}, 422), ({"session": "x"}, 422), ({"session": 7}, 422), ({"device": "' OR 1=1 --"}, 422), ({"everything": False}, 422),
    ({"session": "00000000-0000-4000-8000-000000000000", "everything": True}, 422), ({"all": True}, 422),
    ({"session": "00000000-0000-4000-8000-000000000000"}, 404), ({"device": "00000000-0000-4000-8000-000000000000"}, 404),
])
def test_what_is_to_end_is_named_by_exactly_one_field(world, customer, body, status):
    assert owner_of(world, customer).post(API + "/end", body).status_code == status


def test_without_a_cookie_or_from_another_page_nothing_is_shown_or_ended_r092(world, customer):
    visitor = visitors.Visitor(world)
    assert problem_of(visitor.get(API)) == (404, "not-found")
    assert problem_of(visitor.post(API + "/end", {"everything": True})) == (404, "not-found")
    owner = owner_of(world, customer)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert problem_of(owner.post(API + "/end", {"everything": True}, headers=headers)) == (403, "cross-site")
    world.advance(601)
    assert problem_of(owner.get(API)) == (409, "conflict")
    assert problem_of(owner.post(API + "/end", {"everything": True})) == (409, "conflict")
