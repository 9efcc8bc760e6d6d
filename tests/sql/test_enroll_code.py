"""Enrolment codes: with one that an operator issued, a PAM host binds somebody's first authenticator, and nothing else."""

import secrets
import uuid

import pytest

import house as houses

DAY_S = 86400


@pytest.fixture
def chief(house):
    """The operator of realm staff."""
    with house.operator(houses.STAFF) as desk:
        yield desk


@pytest.fixture
def bob(chief):
    return chief.person(realm=houses.STAFF)


def issue(chief, person, ttl_s=DAY_S):
    code = secrets.token_bytes(32)
    chief.call("enroll_code_issue", person.id, code, ttl_s)
    return code


def check(host, person, code, **throttle):
    return host.call("enroll_code_check", person.id, code, houses.STAFF_THROTTLE.but(**throttle))["reason"]


def start(person, code, factor=None):
    return ("totp_start", person.id, code, factor or str(uuid.uuid4()), secrets.token_bytes(60), 1, None, None, 600, 8, None,
            True, 10, houses.STAFF_THROTTLE)


def begin(person, code, factor):
    return "totp_confirm_begin", person.id, code, factor, houses.STAFF_THROTTLE


def finish(person, code, factor, step=1000):
    return "totp_confirm_finish", person.id, code, factor, step, secrets.token_bytes(320)


def bind(host, person, code):
    factor = str(uuid.uuid4())
    host.call(*start(person, code, factor))
    host.call(*begin(person, code, factor))
    return host.call(*finish(person, code, factor))


def test_a_code_binds_one_authenticator_and_is_used_up(house, chief, host, bob):
    code = issue(chief, bob)
    assert check(host, bob, code) == "granted"
    assert bind(host, bob, code) == {"verdict": "granted", "recovery_issued": True}
    assert check(host, bob, code) == "enrolled_meanwhile"
    assert host.refusal(*start(bob, code)) == "CF409"
    assert house.one("SELECT count(*) FROM counterfoil.ticket WHERE account_id = %s", (bob.id,)) == 0
    kinds = [event[:3] for event in house.events(bob.id)]
    assert ("enroll_code_issued", "ok", None) in kinds and ("login_code", "granted", "enrolled") in kinds


def test_without_a_code_a_host_binds_nothing(chief, host, bob):
    issue(chief, bob)
    for code in (None, secrets.token_bytes(32)):
        assert check(host, bob, code) == "wrong_enroll_code"
        assert host.refusal(*start(bob, code)) == "CF409"


def test_a_code_is_for_one_account_at_a_time_for_the_newest_and_for_its_time(house, chief, host, bob):
    eve, first = chief.person(realm=houses.STAFF), issue(chief, bob)
    assert check(host, eve, first) == "wrong_enroll_code"
    second = issue(chief, bob)
    assert check(host, bob, first) == "wrong_enroll_code" and check(host, bob, second) == "granted"
    house.advance(DAY_S + 1)
    assert check(host, bob, second) == "wrong_enroll_code" and host.refusal(*start(bob, second)) == "CF409"


def test_a_code_that_ends_during_an_enrolment_ends_it(house, chief, host, bob):
    code, factor = issue(chief, bob), str(uuid.uuid4())
    host.call(*start(bob, code, factor))
    host.call(*begin(bob, code, factor))
    issue(chief, bob)
    assert host.refusal(*finish(bob, code, factor)) == "CF409"
    assert house.one("SELECT state FROM counterfoil.factor WHERE id = %s", (factor,)) == "pending"


def test_a_lock_a_new_password_and_offboarding_end_the_code(chief, host):
    ends = (("account_set_state", "locked", "why"), ("password_set", secrets.token_bytes(100), 1, "weak", True), ("offboard", "left"))
    for function, *arguments in ends:
        person = chief.person(realm=houses.STAFF)
        code = issue(chief, person)
        chief.call(function, person.id, *arguments)
        if function == "account_set_state":
            chief.call(function, person.id, "active", None)
        assert check(host, person, code) != "granted", function
        assert host.refusal(*start(person, code)) == "CF409", function


def test_who_has_an_authenticator_gets_no_code_and_no_second_one_by_a_code(house, chief, host, bob):
    code = issue(chief, bob)
    chief.enroll(bob)
    assert chief.refusal("enroll_code_issue", bob.id, secrets.token_bytes(32), DAY_S) == "CF409"
    house.query("UPDATE counterfoil.factor SET state = 'disabled' WHERE account_id = %s", (bob.id,))
    assert chief.refusal("enroll_code_issue", bob.id, secrets.token_bytes(32), DAY_S) == "CF409"
    assert check(host, bob, code) == "enrolled_meanwhile"


def test_an_enrolment_that_another_way_overtook_binds_nothing(chief, host, bob):
    code, factor = issue(chief, bob), str(uuid.uuid4())
    host.call(*start(bob, code, factor))
    chief.enroll(bob)
    assert host.refusal(*begin(bob, code, factor)) == "CF409"
    assert host.refusal(*finish(bob, code, factor)) == "CF409"


def test_of_ten_confirmations_at_once_one_binds(house, chief, host, bob):
    code, factor = issue(chief, bob), str(uuid.uuid4())
    host.call(*start(bob, code, factor))

    def confirm(number):
        with house.host() as desk:
            try:
                return desk.call(*finish(bob, code, factor, 1000 + number))["verdict"]
            except houses.psycopg2.Error as error:
                return error.pgcode
    assert sorted(houses.in_parallel(10, confirm)) == ["CF409"] * 9 + ["granted"]


# --- the page that a host with a key shows beside its prompt -----------------------------------------------------------

@pytest.fixture
def keyed(house):
    with house.desk(caller=house.make_client(realm=houses.STAFF, scopes=64).but(kind="host")) as desk:
        yield desk


def page_of(house, keyed, person, code, factor):
    """A page behind a link of this host: its token."""
    link, page = secrets.token_bytes(32), secrets.token_bytes(32)
    keyed.call("link_create_at_host", person.id, code, factor, link)
    with house.desk(caller=houses.caller(kind="page")) as desk:
        desk.call("link_exchange", link, "enrollment", page, 600)
    return page


def test_of_ten_confirmations_at_prompt_and_page_one_binds(house, chief, keyed, bob):
    code, factor = issue(chief, bob), str(uuid.uuid4())
    keyed.call(*start(bob, code, factor))
    page = page_of(house, keyed, bob, code, factor)

    def confirm(number):
        who = keyed.caller if number % 2 else houses.caller(kind="page")
        with house.desk(caller=who) as desk:
            try:
                return desk.call(*finish(bob, code if number % 2 else page, factor, 1000 + number))["verdict"]
            except houses.psycopg2.Error as error:
                return error.pgcode
    assert sorted(houses.in_parallel(10, confirm)) == ["CF409"] * 9 + ["granted"]
    assert house.one("SELECT count(*) FROM counterfoil.recovery_code WHERE account_id = %s", (bob.id,)) == 10
    assert house.one("SELECT state FROM counterfoil.link WHERE account_id = %s", (bob.id,)) == "done"


def test_a_host_makes_a_link_for_what_it_began_and_its_code_alone(house, authd, chief, host, keyed, bob):
    code, factor, link = issue(chief, bob), str(uuid.uuid4()), secrets.token_bytes(32)
    keyed.call(*start(bob, code, factor))
    for person, ticket, pending in ((bob, None, factor), (bob, secrets.token_bytes(32), factor),
                                    (chief.person(realm=houses.STAFF), code, factor)):
        assert keyed.refusal("link_create_at_host", person.id, ticket, pending, link) == "CF409"
    assert keyed.refusal("link_create_at_host", bob.id, code, str(uuid.uuid4()), link) == "CF404"
    assert host.refusal("link_create_at_host", bob.id, code, factor, link) == "42501", "a database's host has no key for one"
    operator = chief.caller
    assert chief.refusal("link_create_at_host", bob.id, code, factor, link, who=operator) == "CF403"
    with house.desk(caller=house.make_client(realm=houses.STAFF)) as desk:
        assert desk.refusal("link_create_at_host", bob.id, code, factor, link) == "CF403"
    assert authd.refusal("link_create_at_host", bob.id, code, factor, link) in ("CF403", "CF404")
    house.advance(601)
    assert keyed.refusal("link_create_at_host", bob.id, code, factor, link) == "CF409"


def test_a_page_of_a_host_holds_to_its_code_and_binds_no_further_authenticator(house, chief, keyed, bob):
    code, factor = issue(chief, bob), str(uuid.uuid4())
    keyed.call(*start(bob, code, factor))
    page = page_of(house, keyed, bob, code, factor)
    chief.enroll(bob)
    with house.desk(caller=houses.caller(kind="page")) as desk:
        assert desk.refusal(*start(bob, page)) == "CF409"
        assert desk.refusal(*begin(bob, page, factor)) == "CF409" == desk.refusal(*finish(bob, page, factor))


def test_wrong_codes_are_counted_like_wrong_codes_and_a_right_one_clears_the_count(house, chief, host, bob):
    code = issue(chief, bob)
    for _ in range(2):
        for _ in range(4):
            assert check(host, bob, secrets.token_bytes(32)) == "wrong_enroll_code"
        assert check(host, bob, code) == "granted"
    for _ in range(5):
        assert check(host, bob, secrets.token_bytes(32)) == "wrong_enroll_code"
    assert check(host, bob, code) == "throttled"
    house.advance(31)
    assert check(host, bob, code) == "granted"


def test_codes_are_issued_by_operators_for_active_staff_and_used_by_hosts_alone(house, authd, chief, host, bob):
    customer = authd.person()
    with house.operator() as desk:
        assert desk.refusal("enroll_code_issue", customer.id, secrets.token_bytes(32), DAY_S) == "CF409"
    assert authd.refusal("enroll_code_issue", customer.id, secrets.token_bytes(32), DAY_S) == "42501"
    assert host.refusal("enroll_code_issue", bob.id, secrets.token_bytes(32), DAY_S) == "42501"
    assert host.refusal("enroll_code_check", customer.id, secrets.token_bytes(32), houses.THROTTLE) == "CF404"


def test_a_code_sets_no_password(house, chief, bob):
    code = issue(chief, bob)
    with house.desk(caller=house.make_client(realm=houses.STAFF)) as desk:
        assert not desk.call("ticket_look", bob.id, code)["live"]
        assert desk.call("ticket_use", bob.id, code, secrets.token_bytes(100), 1, "weak")["verdict"] == "denied"
