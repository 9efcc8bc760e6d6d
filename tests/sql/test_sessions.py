"""Sessions: a maximum that parallel sign-ins do not pass, limits, and ends that count at once.  Standards R080 to R094."""

import house as houses


def living(house, person):
    return house.one("SELECT count(*) FROM counterfoil.session WHERE account_id = %s AND ended_at IS NULL", (person.id,))


def introspect(desk, done):
    return desk.call("session_introspect", done["tokens"]["session"])


def test_a_further_session_ends_the_oldest_also_in_parallel(house, authd, shop):
    """R093."""
    person = authd.person()
    first = authd.password(person.digest, True)

    def sign_in(_):
        with house.desk(caller=shop) as desk:
            return desk.password(person.digest, True)["verdict"]
    assert set(houses.in_parallel(30, sign_in)) <= {"granted", "throttled"}
    while living(house, person) < 20:
        authd.password(person.digest, True)
    authd.password(person.digest, True)
    assert living(house, person) == 20 and not introspect(authd, first)["active"]


def test_idle_and_absolute_limits(house, authd):
    """R082."""
    person = authd.customer()
    done = authd.sign_in(person)
    assert introspect(authd, done)["active"] and introspect(authd, done)["aal"] == 2
    house.advance(3601)
    assert not introspect(authd, done)["active"]
    done = authd.sign_in(person)
    for _ in range(24):
        house.advance(3590)
        assert introspect(authd, done)["active"]
    house.advance(3590)
    assert not introspect(authd, done)["active"]


def test_a_lock_ends_every_session_at_once(authd):
    """R085."""
    person = authd.customer()
    done = authd.sign_in(person)
    authd.call("account_set_state", person.id, "locked", "test")
    assert not introspect(authd, done)["active"]
    authd.call("account_set_state", person.id, "active", None)
    assert not introspect(authd, done)["active"]
