"""What a sign-in costs the database: two calls a step, and no connection held while Argon2 runs."""

import re
import threading

import pytest
import world as worlds


def calls_of(world, request):
    """The statements that authd sent because of REQUEST(), and its reply."""
    mark = world.postgres.log_mark()
    reply = request()
    return [text.split(": ", 2)[1] + " " + re.sub(r".*FROM counterfoil\.(\w+)\(.*", r"\1", text)
            for role, text in world.postgres.log_since(mark)
            if role == "counterfoil_authd" and re.match(r"LOG:\s+(execute|statement)", text)], reply


def functions(calls):
    return [call.rsplit(" ", 1)[1] for call in calls]


@pytest.fixture
def account(world):
    """A customer who has signed in before, so that every statement is prepared."""
    made = world.customer()
    assert world.sign_in(made).status_code == 200
    world.advance(worlds.PERIOD_S)
    return made


def test_the_password_step_is_two_calls(world, account):
    calls, reply = calls_of(world, lambda: world.api().login(account.login, account.password))
    assert "challenge" in reply.json()
    assert functions(calls) == ["login_begin", "login_finish"]


def test_the_code_step_is_two_calls(world, account):
    challenge = world.challenge(account)
    calls, reply = calls_of(world, lambda: world.api().code(challenge, world.code(account)))
    assert reply.status_code == 200
    assert functions(calls) == ["challenge_begin", "challenge_finish"]


@pytest.mark.parametrize("what", ["wrong", "unknown", "locked"])
def test_a_refused_password_is_the_same_two_calls(world, account, what):
    if what == "locked":
        world.api().post(f"/v1/accounts/{account.id}/lock")
    login = "nobody@example.com" if what == "unknown" else account.login
    password = account.password if what == "locked" else "not the password at all"
    calls, reply = calls_of(world, lambda: world.api().login(login, password))
    assert reply.status_code == 403
    assert functions(calls) == ["login_begin", "login_finish"]


def test_a_refused_code_is_the_same_two_calls(world, account):
    challenge = world.challenge(account)
    wrong = f"{(int(world.code(account)) + 1) % 1000000:06d}"
    calls, reply = calls_of(world, lambda: world.api().code(challenge, wrong))
    assert reply.status_code == 403
    assert functions(calls) == ["challenge_begin", "challenge_finish"]


def test_a_request_that_is_refused_for_its_form_asks_for_the_key_alone(world):
    calls, reply = calls_of(world, lambda: world.api().post("/v1/logins", {"login": "bob"}))
    assert reply.status_code == 422
    assert functions(calls) == ["client_check"]


def test_a_request_without_a_key_asks_for_nothing(world):
    calls, reply = calls_of(world, lambda: world.api(key=None).login("bob", "any"))
    assert reply.status_code == 401
    assert calls == []


def test_while_argon2_runs_no_connection_is_held(cluster):
    """One connection to the database, and a password that takes long: a code step goes on beside it."""
    world = worlds.World(cluster, "narrow")
    try:
        account = world.start().customer()
        challenge = world.challenge(account)
        world.add_authd(changes={("database", "connections"): 1, ("hashing", "slots"): 1,
                                 ("realm store", "argon2_memory_kib"): 131072, ("realm store", "argon2_passes"): 16})
        hashing = threading.Thread(target=lambda: world.api(1).login("nobody@example.com", "not the password at all"))
        mark = world.postgres.log_mark()
        hashing.start()
        worlds.wait_until(lambda: any("login_begin" in text for _, text in world.postgres.log_since(mark)),
                          "the password step to begin")
        assert world.api(1).code(challenge, world.code(account)).status_code == 200
        assert not any("login_finish" in text for _, text in world.postgres.log_since(mark)), "the hash took no time"
        hashing.join(60)
    finally:
        world.stop()
