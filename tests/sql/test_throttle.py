"""Budgets: an attempt is claimed and committed before anything is verified.  Standards R033, R034, R062 to R068, R072."""

import pytest

import house as houses


def wrong(desk, login_digest, count=1):
    """COUNT wrong passwords; what the last one came to."""
    for _ in range(count):
        done = desk.password(login_digest, False)
    return done


def test_the_delay_begins_at_the_fifth_doubles_to_an_hour_and_refused_attempts_do_not_count(house, authd):
    """R063."""
    person, waits = authd.person(), []
    wrong(authd, person.digest, 5)
    for _ in range(9):
        refused = [wrong(authd, person.digest) for _ in range(3)]
        assert {done["verdict"] for done in refused} == {"throttled"}
        waits.append(refused[0]["throttled_s"])
        house.advance(waits[-1] + 1)
        assert wrong(authd, person.digest)["verdict"] == "denied"
    expected = [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert all(0 <= due - wait <= 1 for due, wait in zip(expected, waits)), waits


def test_an_unknown_login_reaches_the_delay_at_the_same_attempt_with_as_many_budgets(house, authd):
    """R068."""
    def story(login_digest):
        desk = authd.from_source(f"10.1.{house.one('SELECT count(*) FROM counterfoil.budget') % 250}.7")
        before = house.one("SELECT count(*) FROM counterfoil.budget")
        told = [wrong(desk, login_digest)["verdict"] for _ in range(8)]
        return told, house.one("SELECT count(*) FROM counterfoil.budget") - before
    known, locked = authd.person(), authd.person()
    authd.call("account_set_state", locked.id, "locked", None)
    stories = [story(known.digest), story(locked.digest), story(houses.digest("nobody-at-all")),
               story(authd.person(password=False).digest)]
    assert stories[0][0] == ["denied"] * 5 + ["throttled"] * 3
    assert all(told == stories[0][0] for told, _ in stories), stories


def test_a_right_password_clears_its_own_budgets_and_no_wrong_code(house, authd):
    """R034, R064."""
    person = authd.customer()
    for _ in range(4):
        assert authd.code(authd.challenge(person))["reason"] == "wrong_code"
    assert authd.code(authd.challenge(person))["reason"] == "wrong_code"
    assert authd.code(authd.challenge(person), step=2000)["reason"] == "throttled"
    house.advance(31)
    assert authd.code(authd.challenge(person), step=2000)["verdict"] == "granted"
    wrong(authd, person.digest, 4)
    assert authd.password(person.digest, True)["verdict"] == "challenge"
    assert wrong(authd, person.digest, 5)["verdict"] == "denied"


def test_strangers_keep_out_neither_a_known_source_nor_a_trusted_device(authd):
    """R067: one account from a thousand sources is stopped, and the owner signs in."""
    person = authd.customer()
    device = authd.sign_in(person, remember=True)["tokens"]["device"]
    verdicts = [authd.from_source(f"10.9.{number // 250}.{number % 250}").password(person.digest, False)["verdict"]
                for number in range(1000)]
    assert verdicts.count("denied") == 20 and verdicts[-1] == "throttled"
    assert authd.password(person.digest, True)["verdict"] == "challenge"
    elsewhere = authd.from_source("10.8.0.1")
    assert elsewhere.password(person.digest, True)["verdict"] == "throttled"
    assert elsewhere.password(person.digest, True, device=device)["verdict"] == "granted"


def test_one_password_against_a_thousand_accounts_from_one_source_is_stopped(authd):
    """R067: and a right one for an account that knows the source is let through."""
    person = authd.customer()
    authd.from_source("10.7.0.1").sign_in(person)
    spray = authd.from_source("10.7.0.1")
    verdicts = [spray.password(houses.digest(f"sprayed-{number}"), False)["verdict"] for number in range(1000)]
    assert verdicts.count("denied") == 50 and verdicts[-1] == "throttled"
    assert spray.password(person.digest, True)["verdict"] == "challenge"


def test_a_source_that_is_full_opens_for_a_right_password_when_its_delay_is_over(house, authd):
    """A success lifts the delay that it claimed itself: those behind one address do not pay for each other for ever."""
    here = authd.from_source("10.6.0.1")
    for number in range(52):
        if here.password(houses.digest(f"full-{number}"), False)["verdict"] == "throttled":
            house.advance(200)
    house.advance(3601)
    for _ in range(3):
        assert here.password(authd.person().digest, True)["verdict"] == "granted"


def test_a_staff_account_waits_half_an_hour_after_ten(house):
    """R065."""
    with house.operator(houses.STAFF) as operator:
        person = operator.person(realm=houses.STAFF)
    with house.host() as host:
        host.throttle = houses.STAFF_THROTTLE.but(pair_limit=100)
        assert wrong(host, person.digest, 10)["verdict"] == "denied"
        assert 1799 <= wrong(host, person.digest)["throttled_s"] <= 1800
        house.advance(29 * 60)
        assert host.password(person.digest, True)["verdict"] == "throttled"
        house.advance(2 * 60)
        assert host.password(person.digest, True)["verdict"] == "granted"


def test_a_thousand_parallel_wrong_codes_over_a_hundred_challenges_are_looked_at_within_the_budget(house, authd, shop):
    """R033: claimed before they are verified, so none slips through beside another."""
    person = authd.customer()
    challenges = [authd.challenge(person) for _ in range(100)]

    def guess(number):
        with house.desk(caller=shop) as desk:
            return [desk.code(challenges[(number * 10 + turn) % 100])["verdict"] for turn in range(20)]
    verdicts = sum(houses.in_parallel(50, guess), [])
    assert len(verdicts) == 1000 and verdicts.count("denied") == 5 and verdicts.count("throttled") == 995


def test_parallel_wrong_passwords_are_looked_at_within_the_budget(house, authd, shop):
    person = authd.person()

    def guess(_):
        with house.desk(caller=shop) as desk:
            return desk.password(person.digest, False)["verdict"]
    assert houses.in_parallel(50, guess).count("denied") == 5


def test_a_hundred_wrong_codes_in_a_row_disable_the_authenticator_and_the_password_alone_opens_nothing(house, authd):
    """R062: a recovery code does."""
    person = authd.customer()
    wide = authd.throttle = houses.THROTTLE.but(code_limit=1000)
    for _ in range(100):
        assert authd.code(authd.challenge(person))["reason"] == "wrong_code"
    assert wide and authd.code(authd.challenge(person), step=9000)["verdict"] == "denied"
    assert house.one("SELECT state FROM counterfoil.factor WHERE id = %s", (person.factor,)) == "disabled"
    done = authd.password(person.digest, True)
    assert done["verdict"] == "challenge" and not done["has_totp"] and done["has_recovery"]
    assert authd.code(done["tokens"]["challenge"], recovery=person.recovery[0])["verdict"] == "granted"
    house.query("DELETE FROM counterfoil.recovery_code WHERE account_id = %s", (person.id,))
    assert authd.password(person.digest, True)["reason"] == "factor_disabled"


def test_an_owner_is_told_once_of_wrong_codes_behind_the_right_password(house, authd):
    """R074."""
    person = authd.customer()
    for _ in range(5):
        authd.code(authd.challenge(person))
    assert house.events(person.id, "codes_failing") == [("codes_failing", "ok", "password_right", True)]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_count_survives_the_end_of_the_server(postgres, house, shop, end):
    """R072: also one without warning."""
    with house.desk(caller=shop) as desk:
        person = desk.person()
        assert wrong(desk, person.digest, 5)["verdict"] == "denied"
    getattr(postgres, end)()
    postgres.start()
    with house.desk(caller=shop) as desk:
        assert wrong(desk, person.digest)["verdict"] == "throttled"


def test_a_million_invented_logins_stay_under_the_cap_and_the_counters_of_clients_stay(house, authd):
    """The cap that no attacker can push."""
    authd.password(houses.digest("invented-now"), False)
    kept = house.one("SELECT count(*) FROM counterfoil.budget WHERE kind = 'client'")
    house.query("""INSERT INTO counterfoil.budget SELECT substring(sha256(n::text::bytea) FROM 1 FOR 16), 'pair', 1,
        '-infinity', counterfoil.now_utc() - n * interval '1 ms', gen_random_uuid() FROM generate_series(1, 1000000) n""")
    rounds = 0
    while authd.raw("maintain", 950000, 86400, 2592000, 40000)[0]["removed"] >= 40000:
        rounds += 1
        assert rounds < 10
    assert 940000 <= house.one("SELECT count(*) FROM counterfoil.budget") <= 950000
    assert house.one("SELECT count(*) FROM counterfoil.budget WHERE kind = 'client'") == kept
    house.query("TRUNCATE counterfoil.budget")


def test_a_refusal_is_an_event_once_a_delay_and_invented_challenges_fill_no_disk(house, authd):
    """R139: who is refused cannot write without end."""
    person = authd.person()
    wrong(authd, person.digest, 25)
    assert [event[1] for event in house.events(person.id, "login_password")] == ["denied"] * 5 + ["throttled"]
    before = house.one("SELECT count(*) FROM counterfoil.event")
    invented = authd.from_source("10.5.0.1")
    for number in range(300):
        invented.code(houses.digest(f"challenge {number}"))
    assert house.one("SELECT count(*) FROM counterfoil.event") - before == 51
