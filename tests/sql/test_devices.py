"""Trusted devices: the token rotates, one lost reply is forgiven, a copy is theft.  Standards R089, R090."""

import pytest

import house as houses


@pytest.fixture
def device(authd):
    """(person, token) of a device that is trusted."""
    person = authd.customer()
    return person, authd.sign_in(person, remember=True)["tokens"]["device"]


def use(desk, person, token):
    """The answer and the next token."""
    done = desk.password(person.digest, True, device=token)
    return done["verdict"], done["tokens"]["device"]


def ended(house, person):
    return house.query("SELECT end_reason FROM counterfoil.trusted_device WHERE account_id = %s AND ended_at IS NOT NULL",
                       (person.id,))


def test_a_device_spares_the_code_raises_nothing_and_rotates(house, authd, device):
    person, token = device
    done = authd.password(person.digest, True, device=token)
    assert (done["verdict"], done["aal"], done["amr"], done["device"]) == ("granted", 1, "pwd", True)
    for _ in range(40):
        verdict, token = use(authd, person, done["tokens"]["device"])
        assert verdict == "granted"
        done["tokens"]["device"] = token
    assert house.one("SELECT cardinality(spent) FROM counterfoil.trusted_device WHERE account_id = %s", (person.id,)) == 32


def test_one_lost_reply_is_forgiven_within_the_grace_and_no_second_one(house, authd, device):
    person, token = device
    assert use(authd, person, token)[0] == "granted"
    assert use(authd, person, token)[0] == "granted"
    assert use(authd, person, token)[0] == "challenge"
    assert ended(house, person) == [("token_reused",)]


def test_a_token_shown_again_after_the_grace_is_theft_and_ends_what_the_device_opened(house, authd, device):
    person, token = device
    _, fresh = use(authd, person, token)
    house.advance(61)
    assert use(authd, person, token)[0] == "challenge"
    assert use(authd, person, fresh)[0] == "challenge"
    assert ended(house, person) == [("token_reused",)]
    assert ("device_ended", "ok", "token_reused", True) in house.events(person.id)
    assert house.one("SELECT count(*) FROM counterfoil.session WHERE account_id = %s AND device_id IS NOT NULL "
                     "AND ended_at IS NULL", (person.id,)) == 0


def test_a_thief_who_goes_on_rotating_is_found_when_the_owner_comes_back(house, authd, device):
    person, copied = device
    stolen = copied
    for _ in range(5):
        _, stolen = use(authd, person, stolen)
    assert use(authd, person, copied)[0] == "challenge"
    assert use(authd, person, stolen)[0] == "challenge"
    assert ended(house, person) == [("token_reused",)]


def test_a_device_ends_with_the_password_and_with_a_factor(authd, operator, device):
    person, token = device
    operator.call("password_set", person.id, b"new", 1, houses.FORM, False)
    assert use(authd, person, token)[0] == "challenge"
    person.step += 10
    token = authd.sign_in(person, remember=True)["tokens"]["device"]
    authd.enroll(person)
    assert use(authd, person, token)[0] == "challenge"


def test_a_device_belongs_to_one_account_and_an_account_has_twenty(house, authd, device):
    person, token = device
    assert use(authd, authd.customer(), token)[0] == "challenge"
    for _ in range(25):
        authd.sign_in(person, remember=True)
    assert house.one("SELECT count(*) FROM counterfoil.trusted_device WHERE account_id = %s AND ended_at IS NULL",
                     (person.id,)) == 20
