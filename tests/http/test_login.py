"""Signing in: the two steps, and refusals that tell nothing."""

import re
import secrets
from email.utils import formatdate

import pytest
import world as worlds
from raw_http import Raw, expect, request

WRONG = "not the password at all"


def unused(world, account, ahead_s=0):
    """A code that is wrong now."""
    near = {worlds.totp(account.seed, world.now_s() + ahead_s + step * worlds.PERIOD_S) for step in (-2, -1, 0, 1, 2)}
    return next(code for code in (f"{number:06d}" for number in range(100)) if code not in near)


# --- the way in ------------------------------------------------------------------------------------------------------

def test_password_and_code_open_a_session_that_says_how_it_came_to_be(world):
    account = world.customer()
    first = world.api().login(account.login, account.password)
    problem = expect(first, 403, "second-factor-required", factors=["totp", "recovery_code"])
    session = world.api().code(problem["challenge"], world.code(account)).json()
    assert session["account_id"] == account.id
    assert (session["aal"], sorted(session["amr"])) == (2, ["mfa", "otp", "pwd"])
    assert session["auth_time"] < session["expires_at"]
    assert "recovery_codes_left" not in session


def test_R081_every_session_has_a_token_of_its_own(world):
    account, tokens = world.customer(), set()
    for _ in range(3):
        reply = world.sign_in(account).json()
        tokens |= {reply["session_token"], reply["session_id"]}
        world.advance(worlds.PERIOD_S)
    assert len(tokens) == 6


def test_the_password_alone_is_no_second_factor(world):
    account = world.create_account()
    session = world.api().login(account.login, account.password).json()
    assert (session["aal"], session["amr"]) == (1, ["pwd"])


def test_where_a_second_factor_is_required_nobody_signs_in_without(fresh_world):
    fresh_world.changes[("realm store", "second_factor_required")] = "yes"
    account = fresh_world.start().create_account()
    expect(fresh_world.api().login(account.login, account.password), 403, "denied")
    fresh_world.enroll(account)
    fresh_world.advance(worlds.PERIOD_S)
    assert fresh_world.sign_in(account).status_code == 200


@pytest.mark.parametrize("typed", ["{}", " {}\t", "{upper}", "{wide}"])
def test_a_login_is_the_same_however_it_is_typed(world, typed):
    name = secrets.token_hex(6)
    account = world.create_account(f"kunde-{name}@example.com")
    wide = "".join(chr(ord(c) + 0xfee0) for c in account.login)
    reply = world.api().login(typed.format(account.login, upper=account.login.upper(), wide=wide), account.password)
    assert reply.json()["account_id"] == account.id


def test_a_password_is_the_same_in_both_forms_of_unicode_and_in_no_other(world):
    account = world.create_account(password="caf\u00e9 am Hafen, 7 Laternen")
    assert world.api().login(account.login, "cafe\u0301 am Hafen, 7 Laternen").status_code == 200
    for other in (account.password.upper(), account.password + " ", account.password[:-1], "cafe am Hafen, 7 Laternen"):
        expect(world.api().login(account.login, other, ip="192.0.2.77"), 403, "denied")


def test_the_last_byte_of_a_long_password_counts(world):
    password = "p\u00e4ssw\u00f6rter " * 19 + "ende!"
    account = world.create_account(password=password)
    expect(world.api().login(account.login, password[:-1] + "?"), 403, "denied")
    assert world.api().login(account.login, password).status_code == 200


# --- codes -----------------------------------------------------------------------------------------------------------

def test_R031_a_code_counts_once(world):
    account = world.customer()
    code = world.code(account)
    assert world.sign_in(account, code=code).status_code == 200
    expect(world.sign_in(account, code=code), 403, "denied")
    world.advance(worlds.PERIOD_S)
    expect(world.sign_in(account, code=code), 403, "denied")
    assert world.sign_in(account).status_code == 200


def test_R031_the_code_before_the_last_one_used_is_dead_too(world):
    """T, once T+1 was used."""
    account = world.customer()
    earlier = world.code(account)
    world.advance(worlds.PERIOD_S)
    assert world.sign_in(account).status_code == 200
    expect(world.sign_in(account, code=earlier), 403, "denied")


@pytest.mark.parametrize("ahead_s, status", [(-60, 403), (-30, 200), (0, 200), (30, 403)])
def test_R030_this_step_and_the_one_before_are_good(world, ahead_s, status):
    account = world.customer()
    world.advance(3 * worlds.PERIOD_S)
    world.fresh_step()
    assert world.sign_in(account, code=world.code(account, ahead_s)).status_code == status


@pytest.mark.parametrize("spoil", [
    lambda code: code[:-1], lambda code: code + "0", lambda code: "+" + code[1:], lambda code: "-" + code[1:],
    lambda code: "".join(chr(ord(c) + 0xfee0) for c in code), lambda code: "0x" + code[2:], lambda code: code[:-1] + "O"])
def test_R035_what_is_no_code_burns_no_try(world, spoil):
    account = world.customer()
    challenge = world.challenge(account)
    for _ in range(6):
        expect(world.api().code(challenge, spoil(world.code(account))), 422, "invalid", field="code")
    assert world.api().code(challenge, world.code(account)).status_code == 200


def test_R047_a_recovery_code_counts_once_however_it_is_typed(world):
    account = world.customer()
    first, second, third = account.recovery_codes[:3]
    reply = world.sign_in(account, code=first)
    assert reply.status_code == 200 and reply.json()["recovery_codes_left"] == 9
    expect(world.sign_in(account, code=first), 403, "denied")
    assert world.sign_in(account, code=second.lower()).json()["recovery_codes_left"] == 8
    assert world.sign_in(account, code=third.replace("-", "")).json()["recovery_codes_left"] == 7
    expect(world.sign_in(account, code=third), 403, "denied")


def test_R049_a_new_set_of_recovery_codes_ends_the_old_one(world):
    account = world.customer()
    fresh = world.api().post(f"/v1/accounts/{account.id}/recovery-codes").json()["recovery_codes"]
    assert not set(fresh) & set(account.recovery_codes)
    expect(world.sign_in(account, code=account.recovery_codes[0]), 403, "denied")
    assert world.sign_in(account, code=fresh[0]).status_code == 200


def test_R050_the_recovery_code_of_one_account_opens_no_other(world):
    one, other = world.customer(), world.customer()
    expect(world.sign_in(one, code=other.recovery_codes[0]), 403, "denied")
    assert world.sign_in(other, code=other.recovery_codes[0]).status_code == 200


def test_R050_a_recovery_code_replaces_the_code_and_never_the_password(world):
    account = world.customer()
    reply = world.api().login(account.login, account.recovery_codes[0])
    assert "challenge" not in expect(reply, 403, "denied")
    assert world.sign_in(account, code=account.recovery_codes[0]).status_code == 200, "it was not used up by that"


def test_R048_recovery_codes_are_throttled_like_codes_and_with_them(world):
    account, other = world.customer(), world.customer()
    for code in [*other.recovery_codes[:3], unused(world, account), unused(world, account)]:
        expect(world.sign_in(account, code=code), 403, "denied")
    expect(world.sign_in(account, code=account.recovery_codes[0]), 429, "throttled")
    world.advance(31)
    assert world.sign_in(account, code=account.recovery_codes[0]).status_code == 200


def test_R036_nobody_tells_authd_what_time_it_is(world):
    account = world.customer()
    early = world.code(account, -4 * worlds.PERIOD_S)
    path, then = f"/v1/logins/{world.challenge(account)}/code", world.now_s() - 4 * worlds.PERIOD_S
    expect(world.api().post(path, {"code": early, "time": int(then)}), 422, "invalid", field="time")
    headers = {"Date": formatdate(then, usegmt=True), "X-Time": str(int(then))}
    expect(world.api().post(path, {"code": early}, headers=headers), 403, "denied")
    assert world.api().post(path, {"code": world.code(account)}, headers=headers).status_code == 200


# --- challenges ------------------------------------------------------------------------------------------------------

def test_a_challenge_ends_after_five_minutes(world):
    account = world.customer()
    early, late = world.challenge(account), world.challenge(account)
    world.advance(250)
    assert world.api().code(early, world.code(account)).status_code == 200
    world.advance(51)
    expect(world.api().code(late, world.code(account)), 403, "denied")


def test_R094_a_challenge_ends_with_its_sign_in(world):
    account = world.customer()
    challenge = world.challenge(account)
    assert world.api().code(challenge, world.code(account)).status_code == 200
    world.advance(worlds.PERIOD_S)
    expect(world.api().code(challenge, world.code(account)), 403, "denied")


def test_a_challenge_takes_five_codes(world):
    account = world.customer()
    challenge = world.challenge(account)
    for _ in range(5):
        expect(world.api().code(challenge, unused(world, account)), 403, "denied")
    world.advance(120)                  # past the delay that five wrong codes earn, before the challenge's own end
    expect(world.api().code(challenge, world.code(account)), 403, "denied")
    assert world.sign_in(account).status_code == 200


def test_a_used_code_does_not_use_up_the_challenge(world):
    account = world.customer()
    code = world.code(account)
    assert world.sign_in(account, code=code).status_code == 200
    challenge = world.challenge(account)
    expect(world.api().code(challenge, code), 403, "denied")
    world.advance(worlds.PERIOD_S)
    assert world.api().code(challenge, world.code(account)).status_code == 200


def test_a_lock_ends_the_challenges_that_are_open(world):
    account = world.customer()
    challenge = world.challenge(account)
    assert world.api().post(f"/v1/accounts/{account.id}/lock").status_code == 200
    expect(world.api().code(challenge, world.code(account)), 403, "denied")
    assert world.api().post(f"/v1/accounts/{account.id}/unlock").status_code == 200
    expect(world.api().code(challenge, world.code(account)), 403, "denied")
    assert world.sign_in(account).status_code == 200


def test_R094_the_code_step_needs_a_challenge(world):
    account = world.customer()
    expect(world.api().code("A" * 43, world.code(account)), 403, "denied")
    expect(world.api().code("short", world.code(account)), 422, "invalid", field="challenge")
    assert world.sign_in(account).status_code == 200, "the code was not used up by that"


# --- refusals that tell nothing --------------------------------------------------------------------------------------

def bytes_of(world, path, body):
    """The whole reply as it goes over the wire, without what differs between any two replies."""
    with Raw(world.authd.url, world.ca) as raw:
        raw.send(request("POST", path, ["Content-Type: application/json"], body.encode(), key=world.api_key))
        reply = raw.reply()
        assert reply is not None
        head = raw.last_head
    text = head.decode("latin-1") + "\n" + reply.body.decode()
    text = text.replace(reply.headers["x-request-id"], "ID")
    return re.sub(r"(?m)^Date: .*$", "Date: NOW", text)


def login_bytes(world, login, password):
    return bytes_of(world, "/v1/logins", f'{{"login":"{login}","password":"{password}","source":{{"ip":"192.0.2.50"}}}}')


def refused(world):
    """{what: (login, password)} of everybody who is to be told nothing."""
    wrong, enrolled, locked, disabled = world.create_account(), world.customer(), world.create_account(), world.customer()
    bare = world.api().post("/v1/accounts", {"login": f"{secrets.token_hex(6)}@example.com"}).json()
    world.api().post(f"/v1/accounts/{locked.id}/lock")
    world.query("UPDATE counterfoil.account SET state = 'disabled' WHERE id = %s", (disabled.id,))
    return {"unknown": (f"{secrets.token_hex(6)}@example.com", WRONG), "wrong": (wrong.login, WRONG),
            "wrong, with a second factor": (enrolled.login, WRONG), "locked, wrong": (locked.login, WRONG),
            "locked, right": (locked.login, locked.password), "disabled, right": (disabled.login, disabled.password),
            "without a password": (bare["login"], WRONG)}


def test_R076_wrong_unknown_locked_and_disabled_get_the_same_bytes(world):
    replies = {what: login_bytes(world, *who) for what, who in refused(world).items()}
    assert replies["unknown"].startswith("HTTP/1.1 403 ") and "problems/denied" in replies["unknown"]
    assert {what for what, reply in replies.items() if reply != replies["unknown"]} == set()


def test_R077_not_enrolled_where_it_is_required_gets_the_same_bytes(fresh_world):
    fresh_world.changes[("realm store", "second_factor_required")] = "yes"
    account = fresh_world.start().create_account()
    assert login_bytes(fresh_world, account.login, account.password) == login_bytes(fresh_world, "nobody", WRONG)


def test_wrong_unknown_locked_and_disabled_cost_one_hash_each(world):
    for what, (login, password) in refused(world).items():
        before = world.authd.metric("counterfoil_password_hashes_total")
        expect(world.api().login(login, password, ip="192.0.2.51"), 403, "denied")
        assert world.authd.metric("counterfoil_password_hashes_total") - before == 1, what


def test_every_refused_code_gets_the_same_bytes(world):
    def code_bytes(challenge, code):
        return bytes_of(world, f"/v1/logins/{challenge}/code", f'{{"code":"{code}"}}')

    wrong, used, late, locked, replay = (world.customer() for _ in range(5))
    challenges = {account: world.challenge(account) for account in (wrong, used, late, locked)}
    assert world.api().code(challenges[used], world.code(used)).status_code == 200
    world.api().post(f"/v1/accounts/{locked.id}/lock")
    replies = {"unknown": code_bytes("A" * 43, "000000"),
               "wrong": code_bytes(challenges[wrong], unused(world, wrong)),
               "used challenge": code_bytes(challenges[used], world.code(used)),
               "locked": code_bytes(challenges[locked], world.code(locked)),
               "recovery code of another": code_bytes(challenges[wrong], used.recovery_codes[0])}
    code = world.code(replay)
    assert world.sign_in(replay, code=code).status_code == 200
    replies["replayed"] = code_bytes(world.challenge(replay), code)
    world.advance(301)
    replies["expired"] = code_bytes(challenges[late], world.code(late))
    assert replies["unknown"].startswith("HTTP/1.1 403 ") and "problems/denied" in replies["unknown"]
    assert {what for what, reply in replies.items() if reply != replies["unknown"]} == set()


def test_R041_nothing_secret_stands_in_any_log(world):
    """Passwords, codes, seeds and tokens of a whole sign-in, looked for in the logs of authd and of PostgreSQL."""
    account = world.customer()
    challenge = world.challenge(account)
    session = world.api().code(challenge, world.code(account)).json()
    mistyped = "my other password " + secrets.token_hex(4)
    world.api().login(account.login, mistyped, user_agent="canary-agent\nlevel=critical")
    world.api().login(mistyped, account.password)       # people type passwords where the login belongs
    secret = [account.password, mistyped, account.seed, challenge, session["session_token"], account.recovery_codes[0],
              account.login]
    logs = world.authd.log_text() + world.postgres.log.read_text(errors="replace")
    assert [word for word in secret if word in logs] == []
    assert "\nlevel=critical" not in logs
