"""The trail: each decision is an event, none is lost to a reader, unknown logins stay digests.  Standards R139 to R149."""

import house as houses


def listed(desk, after=0, **filters):
    wanted = {"account_id": None, "kind": None, "notify": False, "since": None, "until": None, **filters}
    return desk.rows("event_list", after, 1000, *wanted.values())


def test_each_decision_of_a_sign_in_is_an_event(house, authd):
    person = authd.customer()
    authd.password(person.digest, False)
    authd.sign_in(person)
    kinds = [event[:3] for event in house.events(person.id)]
    assert kinds[-3:] == [("login_password", "denied", "wrong_password"), ("login_password", "challenge", "password_right"),
                          ("login_code", "granted", "granted")]


def test_an_unknown_login_is_in_the_trail_as_its_digest_alone(house, authd):
    """R142."""
    name = houses.digest("nobody whom we know")
    authd.password(name, True)
    assert house.query("SELECT account_id, reason, detail FROM counterfoil.event ORDER BY id DESC LIMIT 1") == [
        (None, "unknown_login", {"login": name.hex()})]


def test_the_outbox_has_what_owners_are_told_and_nothing_else(authd):
    person = authd.customer()
    authd.sign_in(person)
    told = listed(authd, account_id=person.id, notify=True)
    assert [event["kind"] for event in told] == ["factor_bound"] and all(event["notify"] for event in told)


def test_a_reader_never_goes_past_an_event_that_is_still_under_way(house, authd):
    """One writer has its number and not committed yet, the next has committed: the reader waits with both."""
    with house.connect() as slow, slow.cursor() as cursor:
        cursor.execute("BEGIN; SET search_path = counterfoil; SELECT record(NULL, (1, NULL, 'test')::admission, NULL, "
                       "'slow', 'ok')")
        authd.password(houses.digest("fast"), False)
        seen = [event["id"] for event in listed(authd)]
        cursor.execute("COMMIT")
    late = house.one("SELECT id FROM counterfoil.event WHERE kind = 'slow'")
    assert all(number < late for number in seen)
    assert late in [event["id"] for event in listed(authd, after=max(seen, default=0))]


def test_events_lie_in_the_partition_of_their_month_and_the_next_are_ready(house, authd):
    """R149."""
    assert house.one("SELECT count(*) FROM counterfoil.event_other") == 0
    before = house.one("SELECT count(*) FROM pg_inherits WHERE inhparent = 'counterfoil.event'::regclass")
    house.advance(40 * 86400)
    authd.raw("maintain", 1000000, 86400, 2592000, 1000)
    authd.person()
    assert house.one("SELECT count(*) FROM pg_inherits WHERE inhparent = 'counterfoil.event'::regclass") > before
    assert house.one("SELECT count(*) FROM counterfoil.event_other") == 0


def test_an_event_of_another_realm_is_not_shown(house, authd):
    with house.operator(houses.STAFF) as operator:
        person = operator.person(realm=houses.STAFF)
    assert listed(authd, account_id=person.id) == []


def test_an_erased_person_is_in_no_event_and_the_trail_stays(house, authd):
    """R178: and a copy of what was erased can still be proven."""
    person = authd.customer()
    authd.from_source("198.51.100.77", user_agent="a rare browser").sign_in(person)
    count = len(house.events(person.id))
    authd.call("account_erase", person.id)
    assert len(house.events(person.id)) == count + 1
    left = house.query("SELECT source, user_agent, salt, person_digest FROM counterfoil.event WHERE account_id = %s "
                       "ORDER BY id", (person.id,))
    assert all(row[:3] == (None, None, None) and len(row[3]) == 32 for row in left[:-1])
    assert house.query("SELECT login_digest, login_sealed, password_sealed, state FROM counterfoil.account WHERE id = %s",
                       (person.id,)) == [(None, None, None, "erased")]
    assert authd.password(person.digest, True)["reason"] == "unknown_login"
