"""Losing everything: two members of staff, a delay, and the owner's sign-in against it.  Standards R052."""

import uuid

import pytest

import house as houses

DELAY_S = 86400


@pytest.fixture(scope="module")
def staff(house):
    with house.operator(houses.STAFF) as desk:
        return [desk.person(realm=houses.STAFF) for _ in range(3)]


def ask(desk, person, by, who=None):
    return desk.call("reset_request", person.id, str(uuid.uuid4()), "lost the phone", by.id, DELAY_S, who=who)


def refused(desk, function, person, *arguments):
    return desk.refusal(function, person.id, *arguments)


def complete(person, by):
    return "reset_complete", person, houses.digest(person.login + "ticket"), 1800, 86400, by.id


def test_two_different_members_of_staff_and_a_delay(house, authd, operator, staff):
    person = authd.customer()
    assert ask(operator, person, staff[0])["state"] == "requested"
    assert operator.refusal("reset_request", person.id, str(uuid.uuid4()), "again", staff[0].id, DELAY_S) == "CF409"
    assert refused(operator, *complete(person, staff[0])) == "CF409"
    assert ask(operator, person, staff[1])["state"] == "approved"
    house.advance(DELAY_S - 60)
    assert refused(operator, *complete(person, staff[0])) == "CF409"
    house.advance(61)
    function, _, *arguments = complete(person, staff[0])
    operator.call(function, person.id, *arguments)
    assert authd.password(person.digest, True)["verdict"] == "denied"
    kinds = [event[0] for event in house.events(person.id) if event[3]]
    assert {"reset_requested", "reset_approved", "reset_done"} <= set(kinds)
    assert house.one("SELECT count(*) FROM counterfoil.factor WHERE account_id = %s AND seed_sealed IS NOT NULL",
                     (person.id,)) == 0


def test_of_two_who_approve_at_once_one_does(house, authd, operator, staff):
    person = authd.customer()
    ask(operator, person, staff[0])

    def approve(number):
        with house.operator() as desk:
            try:
                return ask(desk, person, staff[1 + number])["state"]
            except houses.psycopg2.Error as error:
                return error.pgcode
    assert sorted(houses.in_parallel(2, approve)) == ["CF409", "approved"]


def test_the_owners_sign_in_cancels_it(house, authd, operator, staff):
    person = authd.customer()
    ask(operator, person, staff[0])
    ask(operator, person, staff[1])
    assert [event[0] for event in house.events(person.id) if event[3]][-2:] == ["reset_requested", "reset_approved"], "at once"
    authd.sign_in(person)
    house.advance(DELAY_S + 1)
    assert refused(operator, *complete(person, staff[0])) == "CF404"
    assert ("reset_cancelled", "ok", "owner_signed_in", True) in house.events(person.id)


def test_customers_strangers_and_the_person_itself_are_no_staff(authd, operator, staff):
    person, other = authd.customer(), authd.customer()
    for by in (other.id, person.id, houses.NOBODY):
        assert operator.refusal("reset_request", person.id, str(uuid.uuid4()), "x", by, DELAY_S) == "CF403"
    assert authd.refusal("reset_request", person.id, str(uuid.uuid4()), "x", staff[0].id, DELAY_S) == "42501"
