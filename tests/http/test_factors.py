"""Binding authenticators and recovery codes through the API, and letting go of them."""

import re
import urllib.parse

import pytest
import world as worlds
from raw_http import expect


def start(world, account, name=None, proof=None):
    body = {key: value for key, value in (("name", name), ("proof", proof)) if value}
    reply = world.api().post(f"/v1/accounts/{account.id}/totp", body or None)
    assert reply.status_code == 201, reply.text
    return reply.json()


def confirm(world, account, factor, code=None):
    return world.api().post(f"/v1/accounts/{account.id}/totp/{factor['factor_id']}/confirm",
                            {"code": code or worlds.totp(factor["secret"], world.now_s())})


def proof_of(world, account, factor):
    """A step-up with FACTOR, for one more authenticator."""
    world.advance(worlds.PERIOD_S)
    return world.step_up(account, "add_factor", code=worlds.totp(factor["secret"], world.now_s()))


def bound(world, account, name=None, by=None):
    """One more authenticator; BY: one that is bound already and has to prove it."""
    factor = start(world, account, name, proof_of(world, account, by) if by else None)
    assert confirm(world, account, factor).status_code == 200
    return factor


def factors(world, account):
    return world.api().get(f"/v1/accounts/{account.id}/factors").json()


def states(world, account):
    return [factor["state"] for factor in factors(world, account)["factors"]]


def wrong_for(world, secret):
    near = {worlds.totp(secret, world.now_s() + step * worlds.PERIOD_S) for step in (-2, -1, 0, 1, 2)}
    return next(code for code in (f"{number:06d}" for number in range(100)) if code not in near)


# --- binding ---------------------------------------------------------------------------------------------------------

def test_what_a_start_hands_out_fits_together(world):
    account = world.create_account()
    factor = start(world, account)
    uri = urllib.parse.urlsplit(factor["otpauth_uri"])
    query = urllib.parse.parse_qs(uri.query, strict_parsing=True)
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert urllib.parse.unquote(uri.path) == f"/Lantern Shop:{account.login}"
    assert query["secret"] == [factor["secret"]] and query["issuer"] == ["Lantern Shop"]
    assert "+" not in factor["otpauth_uri"] and "%20" in factor["otpauth_uri"]
    assert factor["qr_svg"].startswith("<svg") or factor["qr_svg"].startswith("<?xml")
    assert "http" not in re.sub(r'xmlns\S*="http://www\.w3\.org/[^"]*"', "", factor["qr_svg"]), "a foreign origin"


def test_R028_every_start_has_a_secret_of_its_own(world):
    account = world.create_account()
    assert start(world, account)["secret"] != start(world, account)["secret"]


def test_R039_a_pending_authenticator_satisfies_no_login_and_asks_for_nothing(world):
    account = world.create_account()
    factor = start(world, account)
    assert world.api().login(account.login, account.password).json()["aal"] == 1
    assert states(world, account) == ["pending"]
    assert not world.api().get(f"/v1/accounts/{account.id}").json()["second_factor"]
    assert confirm(world, account, factor).status_code == 200
    assert world.api().get(f"/v1/accounts/{account.id}").json()["second_factor"]


def test_R039_a_pending_authenticator_ends_after_ten_minutes(world):
    early, late = world.create_account(), world.create_account()
    factors_of = {account: start(world, account) for account in (early, late)}
    world.advance(560)
    assert confirm(world, early, factors_of[early]).status_code == 200
    world.advance(41)
    expect(confirm(world, late, factors_of[late]), 409, "conflict")


def test_a_start_replaces_the_one_that_was_not_confirmed(world):
    account = world.create_account()
    first, second = start(world, account), start(world, account)
    expect(confirm(world, account, first), 404, "not-found")
    assert confirm(world, account, second).status_code == 200
    assert states(world, account) == ["active"]


def test_a_wrong_code_binds_nothing_and_the_right_one_still_does(world):
    account = world.create_account()
    factor = start(world, account)
    expect(confirm(world, account, factor, wrong_for(world, factor["secret"])), 403, "denied")
    assert states(world, account) == ["pending"]
    assert confirm(world, account, factor).status_code == 200


def test_wrong_codes_at_a_confirmation_are_counted(world):
    account = world.create_account()
    factor = start(world, account)
    statuses = [confirm(world, account, factor, wrong_for(world, factor["secret"])).status_code for _ in range(8)]
    assert statuses[0] == 403 and statuses[-1] in (409, 429), statuses
    assert confirm(world, account, factor).status_code in (409, 429)


@pytest.mark.parametrize("code", ["12345", "1234567", "abcdef", "+12345", "\uff11\uff12\uff13\uff14\uff15\uff16"])
def test_what_is_no_code_is_named(world, code):
    account = world.create_account()
    expect(confirm(world, account, start(world, account), code), 422, "invalid", field="code")


def test_R032_the_code_of_the_confirmation_is_used_up_by_it(world):
    account = world.create_account()
    factor = start(world, account)
    code = worlds.totp(factor["secret"], world.now_s())
    assert confirm(world, account, factor, code).status_code == 200
    account.seed = factor["secret"]
    expect(world.sign_in(account, code=code), 403, "denied")
    world.advance(worlds.PERIOD_S)
    assert world.sign_in(account).status_code == 200


def test_a_factor_is_confirmed_once(world):
    account = world.create_account()
    factor = start(world, account)
    assert confirm(world, account, factor).status_code == 200
    world.advance(worlds.PERIOD_S)
    expect(confirm(world, account, factor), 409, "conflict")


def test_a_factor_belongs_to_its_account(world):
    account, other = world.create_account(), world.create_account()
    factor = start(world, account)
    expect(confirm(world, other, factor), 404, "not-found")
    expect(world.api().delete(f"/v1/accounts/{other.id}/factors/{factor['factor_id']}"), 404, "not-found")
    assert confirm(world, account, factor).status_code == 200


def test_recovery_codes_come_with_the_first_authenticator_alone(world):
    account = world.create_account()
    first = start(world, account)
    codes = confirm(world, account, first).json()["recovery_codes"]
    assert len(set(codes)) == 10
    assert factors(world, account)["recovery_codes_left"] == 10
    second = start(world, account, proof=proof_of(world, account, first))
    assert "recovery_codes" not in confirm(world, account, second).json()


def test_R061_R087_a_further_authenticator_needs_a_fresh_code_of_one_that_is_there(world):
    account = world.create_account()
    first, path = bound(world, account), f"/v1/accounts/{account.id}/totp"
    expect(world.api().post(path), 403, "step-up-required", purpose="add_factor")
    account.seed = first["secret"]
    world.advance(worlds.PERIOD_S)
    other = world.step_up(account, "checkout")
    stale = proof_of(world, account, first)
    world.advance(601)
    used = proof_of(world, account, first)
    assert world.api().post(path, {"proof": used}).status_code == 201
    pending = world.api().post(f"/v1/accounts/{account.id}/step-ups", {"purpose": "add_factor"}).json()["challenge"]
    stranger = world.customer()
    foreign = world.step_up(stranger, "add_factor")
    for proof in (other, stale, used, pending, foreign, "A" * 43):
        expect(world.api().post(path, {"proof": proof}), 403, "step-up-required")
    expect(world.api().post(path, {"proof": "short"}), 422, "invalid", field="proof")


def disabled_by_wrong_codes(world):
    """Somebody whose only authenticator is switched off, as a hundred wrong codes do it."""
    account = world.customer()
    world.query("UPDATE counterfoil.factor SET state = 'disabled' WHERE account_id = %s", (account.id,))
    return account


def test_R061_wrong_codes_spare_nobody_the_proof_while_a_recovery_code_is_left(world):
    account = disabled_by_wrong_codes(world)
    path, step_ups = f"/v1/accounts/{account.id}/totp", f"/v1/accounts/{account.id}/step-ups"
    expect(world.api().post(path), 403, "step-up-required", purpose="add_factor")
    expect(world.api().post(step_ups, {"purpose": "checkout"}), 409, "conflict")
    assert world.api().post(step_ups, {"purpose": "add_factor"}).json()["factors"] == ["recovery_code"]
    proof = world.step_up(account, "add_factor", code=account.recovery_codes[0])
    second = start(world, account, proof=proof)
    assert confirm(world, account, second).status_code == 200
    account.seed = second["secret"]
    world.advance(worlds.PERIOD_S)
    assert world.sign_in(account).status_code == 200


def test_who_has_neither_an_authenticator_that_counts_nor_a_recovery_code_binds_anew_on_the_shop_s_word(world):
    account = disabled_by_wrong_codes(world)
    world.query("UPDATE counterfoil.recovery_code SET used_at = counterfoil.now_utc() WHERE account_id = %s", (account.id,))
    expect(world.api().post(f"/v1/accounts/{account.id}/step-ups", {"purpose": "add_factor"}), 409, "conflict")
    assert confirm(world, account, start(world, account)).status_code == 200


def test_R060_either_of_two_authenticators_signs_in(world):
    account = world.create_account()
    one = bound(world, account, "telephone")
    other = bound(world, account, "tablet", by=one)
    for factor in (one, other, one):
        world.advance(worlds.PERIOD_S)
        account.seed = factor["secret"]
        assert world.sign_in(account).status_code == 200
    listed = {factor["id"]: factor for factor in factors(world, account)["factors"]}
    assert {factor["name"] for factor in listed.values()} == {"telephone", "tablet"}
    assert all(factor["last_used_at"] for factor in listed.values())


@pytest.mark.parametrize("name", ["a\nb", "n" * 65, "\u00e4" * 65, "\u202e\u0000".replace("\u0000", "\u0001")])
def test_a_name_that_does_not_print_or_is_too_long_is_refused(world, name):
    account = world.create_account()
    expect(world.api().post(f"/v1/accounts/{account.id}/totp", {"name": name}), 422, "invalid", field="name")


@pytest.mark.parametrize("name", ["n", "\u00e4" * 64, "\U0001f4f1" * 64, "Bob's \"telephone\" <b>"])
def test_a_name_is_any_text_of_64_characters(world, name):
    account = world.create_account()
    start(world, account, name)
    assert factors(world, account)["factors"][0]["name"] == name


def test_an_account_has_at_most_eight_authenticators(world):
    account = world.create_account()
    first = bound(world, account)
    for _ in range(7):
        bound(world, account, by=first)
    proof = proof_of(world, account, first)
    expect(world.api().post(f"/v1/accounts/{account.id}/totp", {"proof": proof}), 409, "conflict")


def test_an_account_that_is_locked_binds_nothing(world):
    account = world.create_account()
    factor = start(world, account)
    world.api().post(f"/v1/accounts/{account.id}/lock")
    expect(world.api().post(f"/v1/accounts/{account.id}/totp"), 409, "conflict")
    assert confirm(world, account, factor).status_code in (403, 409)
    assert "active" not in states(world, account)


# --- letting go ------------------------------------------------------------------------------------------------------

def test_R058_R059_a_revoked_authenticator_counts_no_longer_and_its_record_stays(world):
    account = world.create_account()
    kept = bound(world, account, "kept")
    lost = bound(world, account, "lost", by=kept)
    world.advance(worlds.PERIOD_S)
    assert world.api().delete(f"/v1/accounts/{account.id}/factors/{lost['factor_id']}").status_code == 204
    account.seed = lost["secret"]
    expect(world.sign_in(account), 403, "denied")
    account.seed = kept["secret"]
    assert world.sign_in(account).status_code == 200
    record = next(factor for factor in factors(world, account)["factors"] if factor["id"] == lost["factor_id"])
    assert record["state"] == "revoked" and record["bound_at"] and record["revoked_at"]
    [[seed]] = world.query("SELECT seed_sealed FROM counterfoil.factor WHERE id = %s", (lost["factor_id"],))
    assert seed is None


def test_R040_no_reply_shows_a_secret_a_second_time(world):
    account = world.customer()
    for path in ("", "/factors"):
        text = world.api().get(f"/v1/accounts/{account.id}{path}").text
        assert not [secret for secret in [account.seed, *account.recovery_codes] if secret in text]


def test_recovery_codes_need_an_authenticator(world):
    account = world.create_account()
    expect(world.api().post(f"/v1/accounts/{account.id}/recovery-codes"), 409, "conflict")


def test_R049_the_codes_that_are_left_are_told(world):
    account = world.customer()
    assert factors(world, account)["recovery_codes_left"] == 10
    world.sign_in(account, code=account.recovery_codes[3])
    assert factors(world, account)["recovery_codes_left"] == 9
    world.api().post(f"/v1/accounts/{account.id}/recovery-codes")
    assert factors(world, account)["recovery_codes_left"] == 10


# --- links to the hosted page ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("return_to", ["https://shop.example/", "https://shop.example/account/", "//shop.example/account",
                                       "https://shop.example/account?x", "https://SHOP.example/account", "javascript:x",
                                       "https://evil.example/https://shop.example/account"])
def test_a_way_back_that_is_not_on_the_list_is_refused(world, return_to):
    account = world.create_account()
    expect(world.api().post(f"/v1/accounts/{account.id}/enrollment-links", {"return_to": return_to}), 422, "invalid",
           field="return_to")


def test_a_link_leads_to_the_configured_page_with_the_token_behind_the_hash(world):
    account = world.create_account()
    link = world.api().post(f"/v1/accounts/{account.id}/enrollment-links",
                            headers={"Host": "evil.example"}).json()
    assert link["url"].startswith(world.authd.pages_url + "/enroll#")
    assert link["url"].rsplit("#", 1)[1] not in world.authd.log_text()
