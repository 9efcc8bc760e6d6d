"""The life of an account through the API: create, look, lock, change the password."""

import secrets
import uuid

import pytest
import world as worlds
from raw_http import expect

PASSWORD = "seven lanterns by the harbour"


def fresh_login():
    return f"kunde-{secrets.token_hex(6)}@example.com"


# --- create ----------------------------------------------------------------------------------------------------------

def test_a_new_account_is_as_it_was_ordered_and_can_be_looked_at(world):
    login = fresh_login()
    made = world.api().create_account(f"  {login.upper()} ", PASSWORD, external_id="customer-4711")
    account = made.json()
    assert made.status_code == 201 and made.headers["Location"] == f"/v1/accounts/{account['id']}"
    assert (account["login"], account["external_id"], account["state"]) == (login, "customer-4711", "active")
    assert (account["has_password"], account["must_change"], account["second_factor"]) == (True, False, False)
    assert uuid.UUID(account["id"]).version == 4
    assert world.api().get(made.headers["Location"]).json() == account


def test_an_account_without_a_password_signs_nobody_in(world):
    made = world.api().post("/v1/accounts", {"login": fresh_login()}).json()
    assert made["has_password"] is False and made["password_changed_at"] is None
    expect(world.api().login(made["login"], PASSWORD), 403, "denied")


def test_R195_one_login_is_one_account_however_it_is_written(world):
    account = world.create_account(fresh_login())
    wide = "".join(chr(ord(c) + 0xfee0) for c in account.login)
    for other in (account.login, account.login.upper(), " " + account.login, wide):
        expect(world.api().create_account(other, PASSWORD), 409, "conflict")


@pytest.mark.parametrize("login", ["", " ", "a b", "a\tb", "a\nb", "\u200b", "a\u0007b", "l" * 255, "\u00e4" * 128])
def test_a_login_without_canonical_form_is_refused(world, login):
    expect(world.api().create_account(login, PASSWORD), 422, "invalid", field="login")


@pytest.mark.parametrize("login", ["l" * 254, "\u00e4" * 127, "o'neill\"<script>@example.com", "\u674e\u660e@example.com"])
def test_a_login_may_be_any_text_of_254_bytes(world, login):
    made = world.api().create_account(login, PASSWORD)
    assert made.status_code == 201 and made.json()["login"] == login
    assert world.api().login(login, PASSWORD).status_code == 200


@pytest.mark.parametrize("external_id", ["a\nb", "a\u0000b".replace("\u0000", "\u0001"), "\u007f"])
def test_an_external_id_that_does_not_print_is_refused(world, external_id):
    expect(world.api().create_account(fresh_login(), PASSWORD, external_id=external_id), 422, "invalid",
           field="external_id")


# --- the same request again ------------------------------------------------------------------------------------------

def create(world, key, login, number=0, **members):
    return world.api(number).post("/v1/accounts", {"login": login, "password": PASSWORD, **members},
                                  headers={"Idempotency-Key": key})


def test_the_same_request_with_the_same_key_makes_one_account(world):
    key, login = secrets.token_hex(8), fresh_login()
    first, again = create(world, key, login), create(world, key, login)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json() and first.headers["Location"] == again.headers["Location"]


def test_another_request_with_that_key_is_a_conflict(world):
    key, login = secrets.token_hex(8), fresh_login()
    assert create(world, key, login).status_code == 201
    expect(create(world, key, fresh_login()), 409, "conflict")
    expect(create(world, key, login, external_id="customer-1"), 409, "conflict")
    expect(create(world, secrets.token_hex(8), login), 409, "conflict")


def test_a_key_belongs_to_the_client_that_used_it(world):
    key, other = secrets.token_hex(8), world.installation.make_client("another shop")
    assert create(world, key, fresh_login()).status_code == 201
    made = world.api(key=other).post("/v1/accounts", {"login": fresh_login()}, headers={"Idempotency-Key": key})
    assert made.status_code == 201


@pytest.mark.parametrize("key", ["", "k" * 129, "a\tb", "sch\u00f6n".encode()])
def test_a_key_out_of_bounds_is_refused(world, key):
    expect(create(world, key, fresh_login()), 422, "invalid", field="Idempotency-Key")


# --- passwords -------------------------------------------------------------------------------------------------------

ACCEPTED = {
    "a pass phrase": PASSWORD, "lower case only": "hafenlichtundebbe", "digits": "847261950384726195", "blanks": "a b c d e f g h i j",
    "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467 am Hafen sieben", "right to left": "\u05e9\u05dc\u05d5\u05dd " * 5,
    "15 emoji": "\U0001f600\U0001f680\U0001f308\U0001f40b\U0001f34e" * 3, "64 characters": "Hafenlicht-" * 5 + "abcdefghi",
    "256 characters": "Hafen!+7" * 32, "256 of two bytes": "\u00e4\u00f6\u00fc\u00df" * 64,
}


@pytest.mark.parametrize("password", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_any_long_text_is_a_password(world, password):
    login = fresh_login()
    made = world.api().create_account(login, password)
    assert made.status_code == 201, made.text
    assert world.api().login(login, password).status_code == 200


@pytest.mark.parametrize("password, reason", [("short one", "too_short"), ("\u00e4" * 14, "too_short"),
                                              ("a\u0301" * 14, "too_short"), ("x" * 257, "too_long")])
def test_a_password_out_of_bounds_is_refused_with_the_reason_and_never_quoted(world, password, reason):
    """Counted in code points after NFC; 15 where the password may be the only factor."""
    refusal = world.api().create_account(fresh_login(), password)
    if refusal.json()["type"].endswith("/invalid"):     # beyond any password's form
        expect(refusal, 422, "invalid", field="password")
    else:
        expect(refusal, 422, "password-rejected", reason=reason, minimum=15)
    assert password not in refusal.text


@pytest.mark.parametrize("password", ["with a \u0000 in it, long enough", "with a \u0007 in it, long enough"])
def test_a_password_with_control_characters_is_refused(world, password):
    assert world.api().create_account(fresh_login(), password).status_code in (400, 422)


def change(world, account, current, new):
    return world.api().put(f"/v1/accounts/{account.id}/password", {"current": current, "new": new})


def test_after_a_change_the_new_password_counts_and_the_old_one_is_dead(world):
    account = world.create_account()
    before = world.api().get(f"/v1/accounts/{account.id}").json()["password_changed_at"]
    world.advance(1)
    assert change(world, account, account.password, "three ferries before breakfast").status_code == 204
    expect(world.api().login(account.login, account.password), 403, "denied")
    assert world.api().login(account.login, "three ferries before breakfast").status_code == 200
    assert world.api().get(f"/v1/accounts/{account.id}").json()["password_changed_at"] > before


def test_a_change_keeps_the_second_factor(world):
    account = world.customer()
    assert change(world, account, account.password, "three ferries before breakfast").status_code == 204
    account.password = "three ferries before breakfast"
    assert world.sign_in(account).json()["aal"] == 2


def test_a_change_ends_every_session_and_challenge(world):
    account = world.customer()
    session = world.sign_in(account).json()
    world.advance(worlds.PERIOD_S)
    challenge = world.challenge(account)
    assert change(world, account, account.password, "three ferries before breakfast").status_code == 204
    expect(world.api().code(challenge, world.code(account)), 403, "denied")
    [[ended]] = world.query("SELECT ended_at IS NOT NULL FROM counterfoil.session WHERE id = %s", (session["session_id"],))
    assert ended


def test_a_wrong_current_password_changes_nothing_and_counts_as_an_attempt(world):
    account = world.create_account()
    for _ in range(5):
        expect(change(world, account, "not this one at all", "three ferries before breakfast"), 403, "denied")
    refused = change(world, account, account.password, "three ferries before breakfast")
    expect(refused, 429, "throttled")
    world.advance(int(refused.headers["Retry-After"]) + 1)
    assert change(world, account, account.password, "three ferries before breakfast").status_code == 204


def test_a_refused_new_password_leaves_the_old_one(world):
    account = world.create_account()
    expect(change(world, account, account.password, "short"), 422, "password-rejected", reason="too_short")
    assert world.api().login(account.login, account.password).status_code == 200


# --- lock ------------------------------------------------------------------------------------------------------------

def test_a_key_lets_nobody_back_in_whom_an_operator_has_disabled(world):
    account = world.create_account()
    world.query("UPDATE counterfoil.account SET state = 'disabled' WHERE id = %s", (account.id,))
    for verb in ("unlock", "lock", "unlock"):
        reply = world.api().post(f"/v1/accounts/{account.id}/{verb}")
        assert (reply.status_code, reply.json()["state"]) == (200, "disabled")
    world.counterfoil("account", "unlock", account.login)
    assert world.api().login(account.login, account.password).status_code == 200


def test_lock_and_unlock_may_be_said_twice(world):
    account = world.create_account()
    path = f"/v1/accounts/{account.id}"
    for verb, state in (("lock", "locked"), ("lock", "locked"), ("unlock", "active"), ("unlock", "active")):
        reply = world.api().post(f"{path}/{verb}")
        assert reply.status_code == 200 and reply.json()["state"] == state
        assert world.api().get(path).json()["state"] == state


def test_R085_a_lock_ends_the_sessions_of_this_account_alone(world):
    account, other = world.create_account(), world.create_account()
    sessions = [world.api().login(who.login, who.password).json()["session_id"] for who in (account, account, other)]
    assert world.api().post(f"/v1/accounts/{account.id}/lock", {"reason": "reported stolen"}).status_code == 200
    ended = dict(world.query("SELECT id::text, ended_at IS NOT NULL FROM counterfoil.session WHERE id::text = ANY(%s)",
                             (sessions,)))
    assert [ended[session] for session in sessions] == [True, True, False]
    expect(world.api().login(account.login, account.password), 403, "denied")
    world.api().post(f"/v1/accounts/{account.id}/unlock")
    assert world.api().login(account.login, account.password).status_code == 200


def test_a_reason_that_does_not_print_is_refused(world):
    account = world.create_account()
    expect(world.api().post(f"/v1/accounts/{account.id}/lock", {"reason": "a\nb"}), 422, "invalid", field="reason")
    assert world.api().get(f"/v1/accounts/{account.id}").json()["state"] == "active"


# --- who learns that there is an account

def test_R078_a_login_that_is_taken_is_told_to_a_key_that_may_create_accounts_and_to_nobody_else(world):
    account = world.create_account()
    fresh = [f"customer-{secrets.token_hex(6)}@example.com" for _ in range(4)]

    def create(login, key):
        reply = world.api(key=key).post("/v1/accounts", {"login": login, "password": account.password})
        return reply.status_code, {name: value for name, value in reply.json().items() if name != "instance"}
    keys = [None, "cf_0123456789abcdef_" + "A" * 43, world.installation.make_client("reader", scopes=["login", "events"])]
    for login, key in zip(fresh, keys):
        assert create(account.login, key) == create(login, key)
    status, problem = create(account.login, world.api_key)
    assert status == 409 and account.id not in str(problem) and account.login not in str(problem)
    assert create(fresh[3], world.api_key)[0] == 201
