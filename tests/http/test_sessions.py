"""Sessions: what a token is worth, how long, and who ends it; seen through two authd."""

import pytest
import world as worlds
from raw_http import expect

HOUR = 3600


@pytest.fixture(scope="module")
def world(cluster):
    """Two authd over one database."""
    made = worlds.World(cluster, "sessions")
    try:
        yield made.start(count=2)
    finally:
        made.stop()


def look(world, token, number=0, key=""):
    reply = world.api(number, key).post("/v1/sessions/introspect", {"token": token})
    assert reply.status_code == 200, reply.text
    return reply.json()


def open_session(world, account):
    """The reply of a sign-in, by password alone or with a code that is fresh."""
    if account.seed:
        world.advance(worlds.PERIOD_S)
        return world.sign_in(account).json()
    return world.api().login(account.login, account.password).json()


def is_over(world, session):
    """Over on both nodes, and nothing else is said."""
    answers = [look(world, session["session_token"], number) for number in (0, 1)]
    assert answers[0] == answers[1]
    return answers[0] == {"active": False}


def test_a_token_tells_who_signed_in_and_how(world):
    account = world.customer()
    session = open_session(world, account)
    for number in (0, 1):
        told = look(world, session["session_token"], number)
        assert told["active"] and told["account_id"] == account.id and told["session_id"] == session["session_id"]
        assert (told["aal"], sorted(told["amr"])) == (2, ["mfa", "otp", "pwd"])
        assert (told["auth_time"], told["expires_at"]) == (session["auth_time"], session["expires_at"])


def test_R089_a_session_never_exceeds_the_assurance_of_its_sign_in(world):
    account = world.create_account()
    session = open_session(world, account)
    world.enroll(account)
    assert look(world, session["session_token"]) == {"active": False} or look(world, session["session_token"])["aal"] == 1


@pytest.mark.parametrize("token", ["x", "A" * 43, "A" * 42, "A" * 44, "\u00e4" * 43, "../../etc", "A" * 256])
def test_what_was_never_a_token_is_inactive(world, token):
    assert look(world, token) == {"active": False}


def test_one_changed_letter_makes_it_worthless(world):
    token = open_session(world, world.create_account())["session_token"]
    for at in (0, 21, 42):
        other = token[:at] + ("A" if token[at] != "A" else "E") + token[at + 1:]
        assert look(world, other) == {"active": False}
    assert look(world, token)["active"]


def test_R082_an_unused_session_ends_after_an_hour_and_a_used_one_goes_on(world):
    used, unused = (open_session(world, world.create_account()) for _ in range(2))
    for _ in range(3):
        world.advance(HOUR // 2)
        assert look(world, used["session_token"])["active"]
    assert is_over(world, unused)


def test_R082_any_session_ends_after_a_day(world):
    session = open_session(world, world.create_account())
    for _ in range(47):
        world.advance(HOUR // 2)
        assert look(world, session["session_token"])["active"]
    world.advance(HOUR // 2)
    assert is_over(world, session)


def test_R083_a_staff_session_ends_after_a_quarter_of_an_hour_unused_and_after_twelve_hours_in_any_case(cluster):
    world = worlds.World(cluster, "staff")
    try:
        world.start()
        world.api_key = world.installation.make_client("intranet", realm="staff")
        account = world.enroll(world.create_account("alice"))
        used, unused = open_session(world, account), open_session(world, account)
        for _ in range(12 * 6 - 2):
            world.advance(600)
            assert look(world, used["session_token"])["active"]
        assert look(world, unused["session_token"]) == {"active": False}
        world.advance(1300)
        assert look(world, used["session_token"]) == {"active": False}
    finally:
        world.stop()


def test_R086_the_list_has_the_living_ones_newest_first_and_no_token(world):
    account = world.create_account()
    sessions = []
    for _ in range(3):
        sessions.append(open_session(world, account))
        world.advance(1)
    world.api().delete(f"/v1/sessions/{sessions[1]['session_id']}")
    reply = world.api(1).get(f"/v1/accounts/{account.id}/sessions")
    assert [item["id"] for item in reply.json()["sessions"]] == [sessions[2]["session_id"], sessions[0]["session_id"]]
    assert reply.json()["sessions"][0]["source"] == "192.0.2.10"
    assert not [session for session in sessions if session["session_token"] in reply.text]


def test_R084_one_session_is_ended_everywhere_and_the_others_stay(world):
    account = world.create_account()
    ended, kept = open_session(world, account), open_session(world, account)
    for _ in range(2):                  # twice is no fault
        assert world.api(1).delete(f"/v1/sessions/{ended['session_id']}").status_code == 204
    assert is_over(world, ended) and not is_over(world, kept)
    expect(world.api().delete("/v1/sessions/00000000-0000-4000-8000-000000000000"), 404, "not-found")


def test_all_sessions_of_an_account_are_ended_at_once(world):
    account, other = world.create_account(), world.create_account()
    sessions, stays = [open_session(world, account) for _ in range(3)], open_session(world, other)
    assert world.api(1).delete(f"/v1/accounts/{account.id}/sessions").json() == {"ended": 3}
    assert all(is_over(world, session) for session in sessions) and not is_over(world, stays)
    assert world.api().delete(f"/v1/accounts/{account.id}/sessions").json() == {"ended": 0}


def change_password(world, account):
    new = "three ferries before breakfast"
    reply = world.api(1).put(f"/v1/accounts/{account.id}/password", {"current": account.password, "new": new})
    assert reply.status_code == 204


def use_reset_ticket(world, account):
    ticket = world.api().post(f"/v1/accounts/{account.id}/password-reset").json()["ticket"]
    reply = world.api(1).put(f"/v1/accounts/{account.id}/password", {"ticket": ticket, "new": "a new one, long enough"})
    assert reply.status_code == 204


def lock(world, account):
    assert world.api(1).post(f"/v1/accounts/{account.id}/lock").status_code == 200


def revoke_factor(world, account):
    assert world.api(1).delete(f"/v1/accounts/{account.id}/factors/{account.factor_id}").status_code == 204


def erase(world, account):
    assert world.api(1).delete(f"/v1/accounts/{account.id}").status_code == 204


def bind_factor(world, account):
    proof = world.step_up(account, "add_factor", code=account.recovery_codes[0])
    started = world.api(1).post(f"/v1/accounts/{account.id}/totp", {"proof": proof}).json()
    assert world.api(1).post(f"/v1/accounts/{account.id}/totp/{started['factor_id']}/confirm", {
        "code": worlds.totp(started["secret"], world.now_s())}).status_code == 200


@pytest.mark.parametrize("event", [change_password, use_reset_ticket, lock, erase, revoke_factor, bind_factor])
def test_R057_R085_a_session_ends_at_once_with(world, event):
    account = world.customer()
    session = open_session(world, account)
    assert not is_over(world, session)
    event(world, account)
    assert is_over(world, session)
    if event is lock:
        world.api().post(f"/v1/accounts/{account.id}/unlock")
        assert is_over(world, session), "unlocking brought it back"


def test_R093_the_oldest_session_makes_room_for_the_one_too_many(cluster):
    world = worlds.World(cluster, "crowded", {("realm store", "sessions_max"): 3})
    try:
        account = world.start().create_account()
        sessions = []
        for _ in range(5):
            sessions.append(open_session(world, account))
            world.advance(1)
        assert [look(world, session["session_token"])["active"] for session in sessions] == [False, False, True, True, True]
        ended = world.api().get(f"/v1/events?account={account.id}&kind=session_ended").json()["events"]
        assert [(event["reason"], event["detail"]["session"]) for event in ended] == \
            [("evicted", session["session_id"]) for session in sessions[:2]]
    finally:
        world.stop()


def test_a_session_is_no_session_for_the_key_of_another_realm(world):
    session = open_session(world, world.create_account())
    staff = world.installation.make_client("intranet", realm="staff")
    assert look(world, session["session_token"], key=staff) == {"active": False}
    expect(world.api(key=staff).delete(f"/v1/sessions/{session['session_id']}"), 404, "not-found")
    assert look(world, session["session_token"])["active"]


def test_looking_costs_one_call_and_writes_seldom(world):
    token = open_session(world, world.create_account())["session_token"]
    look(world, token)
    mark = world.postgres.log_mark()
    for _ in range(5):
        look(world, token)
    calls = [text for role, text in world.postgres.log_since(mark) if role == "counterfoil_authd"]
    assert len(calls) == 5 and all("session_introspect" in call for call in calls)
    [[writes]] = world.query("SELECT count(DISTINCT xmin::text) FROM counterfoil.session WHERE id::text = %s", (
        look(world, token)["session_id"],))
    assert writes == 1


def test_R081_a_challenge_is_no_session(world):
    account = world.customer()
    challenge = world.challenge(account)
    assert look(world, challenge) == {"active": False}
    session = world.api().code(challenge, world.code(account)).json()
    assert session["session_token"] != challenge
    expect(world.api().code(session["session_token"], world.code(account, 30)), 403, "denied")


def test_R080_no_token_stands_in_the_database_or_a_log(world):
    token = open_session(world, world.create_account())["session_token"]
    look(world, token)
    assert token not in world.authds[0].log_text() + world.postgres.log.read_text(errors="replace")
    assert not world.query("SELECT 1 FROM counterfoil.session s WHERE s::text LIKE %s", (f"%{token}%",))
