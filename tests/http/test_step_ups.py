"""Step-ups: a fresh factor for one purpose and one transaction."""

import pytest
import world as worlds
from raw_http import expect


def begin(world, account, purpose="checkout", digest=None):
    body = {"purpose": purpose, **({"digest": digest} if digest else {})}
    return world.api().post(f"/v1/accounts/{account.id}/step-ups", body)


def finish(world, challenge, code):
    return world.api().post(f"/v1/step-ups/{challenge}/code", {"code": code})


def test_R088_a_step_up_says_what_it_was_given_for(world):
    account = world.customer()
    challenge = begin(world, account, "checkout", "order-4711:EUR-19.90").json()["challenge"]
    done = finish(world, challenge, world.code(account)).json()
    assert (done["account_id"], done["purpose"], done["digest"]) == (account.id, "checkout", "order-4711:EUR-19.90")
    assert begin(world, account).status_code == 201


def test_R088_a_step_up_is_given_once(world):
    account = world.customer()
    challenge = begin(world, account).json()["challenge"]
    code = world.code(account)
    assert finish(world, challenge, code).status_code == 200
    expect(finish(world, challenge, code), 403, "denied")
    world.advance(worlds.PERIOD_S)
    expect(finish(world, challenge, world.code(account)), 403, "denied")
    another = begin(world, account).json()["challenge"]
    expect(finish(world, another, code), 403, "denied")


def test_a_code_used_for_a_step_up_signs_nobody_in_and_the_other_way_round(world):
    account = world.customer()
    code = world.code(account)
    assert finish(world, begin(world, account).json()["challenge"], code).status_code == 200
    expect(world.sign_in(account, code=code), 403, "denied")
    world.advance(worlds.PERIOD_S)
    code = world.code(account)
    assert world.sign_in(account, code=code).status_code == 200
    expect(finish(world, begin(world, account).json()["challenge"], code), 403, "denied")


def test_the_challenge_of_a_step_up_is_good_for_no_sign_in_and_the_other_way_round(world):
    account = world.customer()
    step_up, login = begin(world, account).json()["challenge"], world.challenge(account)
    expect(world.api().code(step_up, world.code(account)), 403, "denied")
    expect(finish(world, login, world.code(account)), 403, "denied")
    assert finish(world, step_up, world.code(account)).status_code == 200


def test_a_recovery_code_serves_too(world):
    account = world.customer()
    done = finish(world, begin(world, account).json()["challenge"], account.recovery_codes[0])
    assert done.json()["recovery_codes_left"] == 9


def test_a_step_up_ends_after_five_minutes(world):
    account = world.customer()
    challenge = begin(world, account).json()["challenge"]
    world.advance(301)
    expect(finish(world, challenge, world.code(account)), 403, "denied")


def test_wrong_codes_count_against_the_account_whichever_way_they_come(world):
    """Five through step-ups, and the sign-in waits too."""
    account = world.customer()
    for _ in range(5):
        expect(finish(world, begin(world, account).json()["challenge"], "000000"), 403, "denied")
    expect(world.sign_in(account), 429, "throttled")


@pytest.mark.parametrize("body, field", [
    ({"purpose": "check out"}, "purpose"), ({"purpose": "p" * 65}, "purpose"), ({"purpose": "A"}, "purpose"),
    ({"purpose": "pay", "digest": "a b"}, "digest"), ({"purpose": "pay", "digest": "d" * 129}, "digest"),
    ({"purpose": "pay", "digest": "\u00e4"}, "digest")])
def test_purpose_and_digest_are_plain_words(world, body, field):
    account = world.customer()
    expect(world.api().post(f"/v1/accounts/{account.id}/step-ups", body), 422, "invalid", field=field)


def test_an_account_without_a_second_factor_or_locked_has_no_step_up(world):
    account = world.create_account()
    expect(begin(world, account), 409, "conflict")
    account = world.customer()
    challenge = begin(world, account).json()["challenge"]
    world.api().post(f"/v1/accounts/{account.id}/lock")
    expect(begin(world, account), 409, "conflict")
    expect(finish(world, challenge, world.code(account)), 403, "denied")
