"""Reset tickets: a new password for its owner, and nothing more."""

import pytest
from raw_http import expect
from test_race import together

NEW = "three ferries before breakfast"


def ticket_for(world, account):
    reply = world.api().post(f"/v1/accounts/{account.id}/password-reset")
    assert reply.status_code == 201, reply.text
    return reply.json()["ticket"]


def use(world, account, ticket, new=NEW):
    return world.api().put(f"/v1/accounts/{account.id}/password", {"ticket": ticket, "new": new})


def test_a_ticket_sets_a_new_password_once(world):
    account = world.create_account()
    ticket = ticket_for(world, account)
    assert world.api().login(account.login, account.password).status_code == 200, "the present one works until then"
    assert use(world, account, ticket).status_code == 204
    expect(use(world, account, ticket, "yet another pass phrase"), 403, "denied")
    expect(world.api().login(account.login, account.password), 403, "denied")
    assert world.api().login(account.login, NEW).status_code == 200


def test_R051_a_reset_keeps_the_second_factor_and_signs_nobody_in(world):
    account = world.customer()
    reply = use(world, account, ticket_for(world, account))
    assert reply.status_code == 204 and not reply.content
    account.password = NEW
    assert world.sign_in(account).json()["aal"] == 2


def test_R016_a_ticket_ends_after_half_an_hour(world):
    account = world.create_account()
    ticket = ticket_for(world, account)
    world.advance(1801)
    expect(use(world, account, ticket), 403, "denied")


def told(world, path, method="POST", body=None, key=""):
    """Status and body of a reply, without what differs between any two."""
    reply = world.api(key=key).call(method, path, body)
    return reply.status_code, {name: value for name, value in reply.json().items() if name != "instance"}


def test_R053_a_reset_tells_whether_there_is_an_account_to_nobody_but_the_shop_s_own_key(world):
    there, nobody = (f"/v1/accounts/{number}/password-reset" for number in
                     (world.create_account().id, "00000000-0000-4000-8000-00000000abcd"))
    keys = {"none": None, "made up": "cf_0123456789abcdef_" + "A" * 43,
            "without the scope": world.installation.make_client("reader", scopes=["events", "login"]),
            "of another realm": world.installation.make_client("intranet", realm="staff")}
    for what, key in keys.items():
        assert told(world, there, key=key) == told(world, nobody, key=key), what
    assert told(world, there)[0] == 201 and told(world, nobody)[0] == 404


def test_R017_whoever_starts_a_reset_learns_a_ticket_and_no_key_sets_a_password_without_a_proof(world):
    account = world.create_account()
    reply = world.api().post(f"/v1/accounts/{account.id}/password-reset").json()
    assert sorted(reply) == ["expires_at", "ticket"]
    where = f"/v1/accounts/{account.id}/password"       # the world's key has every scope
    for proof, status, problem in (({}, 422, "invalid"), ({"current": "guessed by an administrator"}, 403, "denied"),
                                   ({"ticket": "A" * 43}, 403, "denied"), ({"must_change": True}, 422, "invalid")):
        expect(world.api().put(where, {"new": NEW, **proof}), status, problem)
    assert world.api().login(account.login, account.password).status_code == 200
    with world.connect("counterfoil_authd") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT has_function_privilege(p.oid, 'EXECUTE') FROM pg_proc p WHERE proname = 'password_set'")
        assert cursor.fetchall() == [(False,)], "the operator's way is no way of the service's"


def test_the_newest_ticket_alone_counts(world):
    account = world.create_account()
    old, new = ticket_for(world, account), ticket_for(world, account)
    expect(use(world, account, old), 403, "denied")
    assert use(world, account, new).status_code == 204


def test_a_ticket_belongs_to_its_account(world):
    account, other = world.create_account(), world.create_account()
    ticket = ticket_for(world, account)
    expect(use(world, other, ticket), 403, "denied")
    assert use(world, account, ticket).status_code == 204


def test_a_password_that_is_not_taken_leaves_the_ticket_good(world):
    account = world.create_account()
    ticket = ticket_for(world, account)
    expect(use(world, account, ticket, "short"), 422, "password-rejected", reason="too_short")
    assert use(world, account, ticket).status_code == 204


def test_a_password_or_a_ticket_never_both_and_never_none(world):
    account = world.create_account()
    path, ticket = f"/v1/accounts/{account.id}/password", ticket_for(world, account)
    for body in ({"new": NEW}, {"new": NEW, "current": account.password, "ticket": ticket}):
        expect(world.api().put(path, body), 422, "invalid")
    assert use(world, account, ticket).status_code == 204


@pytest.mark.parametrize("ticket", ["A" * 43])
def test_a_ticket_that_was_never_made_is_denied(world, ticket):
    expect(use(world, world.create_account(), ticket), 403, "denied")


def test_R016_a_ticket_is_neither_a_session_nor_a_challenge_nor_a_password(world):
    account = world.customer()
    ticket = ticket_for(world, account)
    assert world.api().post("/v1/sessions/introspect", {"token": ticket}).json() == {"active": False}
    expect(world.api().code(ticket, world.code(account)), 403, "denied")
    expect(world.api().login(account.login, ticket), 403, "denied")


def test_a_locked_account_has_no_reset_and_its_ticket_is_dead(world):
    account = world.create_account()
    ticket = ticket_for(world, account)
    world.api().post(f"/v1/accounts/{account.id}/lock")
    expect(world.api().post(f"/v1/accounts/{account.id}/password-reset"), 409, "conflict")
    expect(use(world, account, ticket), 403, "denied")


def test_must_change_limits_a_login_to_the_change(world):
    """The operator has set a password: it opens nothing but the way to another one."""
    account = world.create_account()
    world.counterfoil("account", "set-password", account.login, "--password-stdin", input="a password of the help desk\n")
    refused = expect(world.api().login(account.login, "a password of the help desk"), 403, "password-change-required")
    assert refused["account_id"] == account.id
    assert world.api().get(f"/v1/accounts/{account.id}").json()["must_change"] is True
    assert use(world, account, refused["ticket"]).status_code == 204
    assert world.api().login(account.login, NEW).status_code == 200
    assert world.api().get(f"/v1/accounts/{account.id}").json()["must_change"] is False


def test_must_change_with_a_wrong_password_tells_nothing(world):
    account = world.create_account()
    world.counterfoil("account", "set-password", account.login, "--password-stdin", input="a password of the help desk\n")
    expect(world.api().login(account.login, account.password), 403, "denied")


def test_R054_of_ten_uses_of_one_ticket_at_once_one_counts(world):
    account = world.create_account()
    path, ticket = f"/v1/accounts/{account.id}/password", ticket_for(world, account)
    callers = [world.api() for _ in range(10)]
    statuses = together([lambda caller=caller, number=number: caller.put(
        path, {"ticket": ticket, "new": f"pass phrase number {number}"}).status_code
        for number, caller in enumerate(callers)])
    assert sorted(statuses) == [204] + [403] * 9


def test_no_ticket_stands_in_the_database_or_a_log(world):
    account = world.create_account()
    ticket = ticket_for(world, account)
    assert use(world, account, ticket).status_code == 204
    assert ticket not in world.authd.log_text() + world.postgres.log.read_text(errors="replace")
    assert not world.query("SELECT 1 FROM counterfoil.ticket t WHERE t::text LIKE %s", (f"%{ticket}%",))
