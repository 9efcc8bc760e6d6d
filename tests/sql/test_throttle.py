"""Budgets: an attempt is claimed and committed before anything is verified.  Standards R033, R034, R062 to R068, R072."""

import concurrent.futures

import pytest

import house as houses
import world as worlds


@pytest.fixture(autouse=True)
def still(house):
    """No delay ends while a test is under way, unless it says so."""
    with house.standstill():
        yield


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
        house.advance(waits[-1])
        assert wrong(authd, person.digest)["verdict"] == "denied"
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


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


def test_a_source_that_did_not_sign_in_for_thirty_days_is_a_stranger_again(house, authd):
    person = authd.customer()
    authd.sign_in(person)
    house.advance(31 * 86400)
    strangers = [authd.from_source(f"10.11.0.{number}") for number in range(20)]
    assert [stranger.password(person.digest, False)["verdict"] for stranger in strangers] == ["denied"] * 20
    assert authd.password(person.digest, True)["verdict"] == "throttled"
    house.advance(3600)
    authd.sign_in(person)
    assert authd.familiar(person) == "known"


def test_R067_one_client_s_failures_are_stopped_and_neither_another_client_nor_a_known_source_pays_for_them(house):
    """A shop's key in wrong hands: each guess at another login, from another source."""
    narrow = houses.THROTTLE.but(client_limit=32, forget_s=864000)
    with house.desk(caller=house.make_client(name="stolen")) as stolen, house.desk(caller=house.make_client()) as other:
        stolen.throttle = other.throttle = narrow
        owner = other.customer()
        other.sign_in(owner)

        def guess(desk, number):
            return desk.from_source(f"10.12.{number // 250}.{number % 250}").password(
                houses.digest(f"guess {number}"), False)["verdict"]
        verdicts = [guess(stolen, number) for number in range(200)]
        assert verdicts.count("denied") == 32 and verdicts[-20:] == ["throttled"] * 20
        assert guess(other, 999) == "denied"
        assert stolen.password(owner.digest, True)["verdict"] == "challenge", "from where its owner signs in"


def test_R072_what_fails_at_authd_counts_at_a_pam_host_and_the_other_way_round(house):
    with house.desk(caller=house.make_client(realm=houses.STAFF, name="intranet")) as intranet, house.host() as host:
        for first, second in ((intranet, host), (host, intranet)):
            person = intranet.person(realm=houses.STAFF)
            assert wrong(first, person.digest, 5)["verdict"] == "denied"
            assert second.password(person.digest, True)["verdict"] == "throttled"


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
        assert wrong(host, person.digest)["throttled_s"] == 1800
        house.advance(1799)
        assert host.password(person.digest, True)["verdict"] == "throttled"
        house.advance(1)
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


BUDGETS = ["pair", "account", "source", "client"]        # the order in which everybody locks them


def budget_keys(house, attempt):
    rows = dict(house.query("SELECT kind, key FROM counterfoil.budget WHERE claimed_by = %s", (attempt,)))
    return [bytes(rows[kind]) for kind in BUDGETS]


def person_in_disorder(house, desk):
    """Somebody whose budgets lie in another order than they are locked in, by key and in the table: neither may decide."""
    desk.password(houses.digest(f"first from {desk.caller['source']}"), False)       # source and client come first in the table
    while True:
        person = desk.person()
        begun = desk.begin(person.digest)
        desk.call("login_abandon", person.digest, begun["attempt"], begun["familiar"], desk.throttle)
        keys = budget_keys(house, begun["attempt"])
        if keys != sorted(keys) and keys != sorted(keys, reverse=True):
            return person


def locked_when_waiting_for(house, key, keys, desk, work):
    """The kinds of budget that WORK holds while it waits for KEY, which somebody else has."""
    pid = desk.connection.get_backend_pid()
    with house.connect() as holder, holder.cursor() as cursor, concurrent.futures.ThreadPoolExecutor(1) as pool:
        cursor.execute("BEGIN; SELECT FROM counterfoil.budget WHERE key = %s FOR UPDATE", (key,))
        running = pool.submit(work)
        try:
            worlds.wait_until(lambda: running.done() or holder.get_backend_pid() in house.one(
                "SELECT pg_blocking_pids(%s)", (pid,)), "the other to wait for this budget", 60)
            assert not running.done(), running.result()
            free = {bytes(row[0]) for row in house.query("SELECT key FROM counterfoil.budget WHERE key = ANY (%s) "
                                                         "FOR UPDATE SKIP LOCKED", (keys,))}
        finally:
            cursor.execute("ROLLBACK")
        running.result(60)
    return [kind for kind, other in zip(BUDGETS, keys) if other not in free and other != key]


@pytest.mark.parametrize("step", ["begin", "right", "abandon"])
def test_whoever_claims_budgets_or_gives_them_back_locks_them_in_one_order(house, step):
    """Or two who sign in at once from one source, or by one client, would wait for each other in a circle."""
    client = house.make_client(name="ordered")
    with house.desk(caller=client.but(source=f"10.77.0.{len(step)}")) as desk:
        desk.throttle = houses.THROTTLE.but(pair_limit=1000, account_limit=1000)
        person = person_in_disorder(house, desk)
        for number in range(len(BUDGETS)):
            begun = desk.begin(person.digest)
            keys = budget_keys(house, begun["attempt"])
            work = {"begin": lambda: desk.begin(person.digest),
                    "right": lambda: desk.finish(person.digest, begun, True),
                    "abandon": lambda: desk.call("login_abandon", person.digest, begun["attempt"], begun["familiar"],
                                                 desk.throttle)}[step]
            assert locked_when_waiting_for(house, keys[number], keys, desk, work) == BUDGETS[:number]
            house.query("DELETE FROM counterfoil.known_source WHERE account_id = %s", (person.id,))         # a stranger again


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


def told(house, person, kind):
    """How often the outbox has it."""
    return sum(event[3] for event in house.events(person.id, kind))


def test_R074_an_owner_is_told_of_the_third_wrong_code_behind_the_right_password_once_until_a_right_one(house, authd):
    person = authd.customer()
    authd.throttle = houses.THROTTLE.but(code_limit=1000)
    for _ in range(2):
        authd.code(authd.challenge(person))
    assert house.events(person.id, "codes_failing") == []
    for _ in range(8):
        authd.code(authd.challenge(person))
    assert house.events(person.id, "codes_failing") == [("codes_failing", "ok", "password_right", True)]
    authd.sign_in(person)
    for _ in range(2):
        authd.code(authd.challenge(person))
    assert told(house, person, "codes_failing") == 1
    authd.code(authd.challenge(person))
    assert told(house, person, "codes_failing") == 2


def test_R074_who_goes_on_for_a_day_is_told_of_again_and_fifty_at_once_are_told_of_once(house, authd, shop):
    person = authd.customer()
    wide = houses.THROTTLE.but(code_limit=1000)
    authd.throttle = wide
    challenges = [authd.challenge(person) for _ in range(50)]

    def guess(number):
        with house.desk(caller=shop) as desk:
            desk.throttle = wide
            return desk.code(challenges[number])["reason"]
    assert houses.in_parallel(50, guess).count("wrong_code") == 50
    assert told(house, person, "codes_failing") == 1
    house.advance(23 * 3600)
    authd.code(authd.challenge(person))
    assert told(house, person, "codes_failing") == 1
    house.advance(3600)
    authd.code(authd.challenge(person))
    assert told(house, person, "codes_failing") == 2


@pytest.mark.parametrize("what", ["code", "recovery_code"])
def test_R044_a_used_code_from_a_strange_source_is_told_once_a_day_and_a_form_sent_twice_is_not(house, authd, what):
    person = authd.customer()
    authd.sign_in(person)
    used = {"step": person.step}
    if what == "recovery_code":
        used = {"recovery": person.recovery[0]}
        assert authd.code(authd.challenge(person), **used)["verdict"] == "granted"
    before = told(house, person, "login_code")
    assert authd.code(authd.challenge(person), **used)["reason"] == "code_replayed"
    assert told(house, person, "login_code") == before      # from where its owner has just signed in
    onlooker = authd.from_source("203.0.113.9")
    for _ in range(3):
        assert onlooker.code(onlooker.challenge(person), **used)["reason"] == "code_replayed"
    assert house.events(person.id, "login_code")[-3:] == [("login_code", "denied", "code_replayed", True),
                                                         ("login_code", "denied", "code_replayed", False),
                                                         ("login_code", "denied", "code_replayed", False)]
    house.advance(86400)
    onlooker.code(onlooker.challenge(person), **used)
    assert told(house, person, "login_code") == before + 2


# --- what costs much, or writes to somebody


def export(desk, person, limit=5, client_limit=1000):
    return desk.call("account_export", person.id, limit, client_limit, desk.throttle)["throttled_s"]


def start(desk, person):
    """An authenticator that is never confirmed."""
    return desk.call("totp_start", person.id, None, houses.Person().id, b"seed", 1, None, None, 600, 8, None, False, 10,
                     desk.throttle)["throttled_s"]


def reset(desk, person):
    return desk.call("password_reset", person.id, houses.digest(houses.Person().id), 1800, 5, desk.throttle)["throttled_s"]


@pytest.mark.parametrize("use,limit,kind", [(start, 10, "factor_started"), (reset, 5, "password_reset_started"),
                                            (export, 5, "account_exported")])
def test_R071_enrollments_resets_and_exports_have_each_a_budget_of_their_own(house, authd, use, limit, kind):
    person = authd.person()
    assert [use(authd, person) for _ in range(limit)] == [0] * limit
    assert [use(authd, person) for _ in range(3)] == [30, 30, 30]
    assert [event[1] for event in house.events(person.id, kind)].count("throttled") == 1
    assert [event[1] for event in house.events(person.id, kind)].count("ok") == limit
    for other in {start, reset, export} - {use}:
        assert other(authd, person) == 0
    assert use(authd, authd.person()) == 0
    assert authd.password(person.digest, True)["verdict"] == "granted"
    house.advance(31)
    assert use(authd, person) == 0 and use(authd, person) == 60
    house.advance(86401)
    assert [use(authd, person) for _ in range(limit)] == [0] * limit


def test_R071_a_client_exports_so_many_accounts_a_day_and_another_client_as_many(house, authd):
    people = [authd.person() for _ in range(4)]
    with house.desk(caller=house.make_client(name="one")) as one, house.desk(caller=house.make_client(name="two")) as two:
        assert [export(one, person, client_limit=3) for person in people] == [0, 0, 0, 30]
        assert export(two, people[3], client_limit=3) == 0


def test_R071_parallel_exports_stay_within_the_budget(house, authd):
    person, client = authd.person(), house.make_client(name="flood")

    def flood(_):
        with house.desk(caller=client) as desk:
            return export(desk, person)
    assert houses.in_parallel(40, flood).count(0) == 5


def test_R071_a_confirmed_authenticator_clears_the_starts_and_the_operator_is_not_held_up(house, authd, operator):
    person = authd.person()
    assert [start(authd, person) for _ in range(9)] == [0] * 9
    authd.enroll(person)
    assert [start(authd, person) for _ in range(2)] == [0, 0]
    assert [export(operator, person) for _ in range(7)] == [0] * 7


def test_R056_a_flood_of_resets_leaves_the_owner_the_newest_ticket_until_there_may_be_another(house, authd):
    person = authd.person()
    waits = []
    for _ in range(100):
        waits.append(reset(authd, person))
        house.advance(waits[-1])
    assert max(waits) == 1800       # no longer than the last ticket lives
    assert authd.password(person.digest, True)["verdict"] == "granted"
    assert sum(told for *_, told in house.events(person.id, "password_reset_started")) <= 100


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
    of_today = ("SELECT count(*) FROM counterfoil.budget WHERE kind = 'client' AND failures > 0 "
                "AND updated_at > counterfoil.now_utc() - interval '1 day'")
    kept = house.one(of_today)
    house.query("""INSERT INTO counterfoil.budget SELECT substring(sha256(n::text::bytea) FROM 1 FOR 16), 'pair', 1,
        '-infinity', counterfoil.now_utc() - n * interval '1 ms', gen_random_uuid() FROM generate_series(1, 1000000) n""")
    rounds = 0
    while authd.raw("maintain", 950000, 86400, 2592000, 40000)[0]["removed"] >= 40000:
        rounds += 1
        assert rounds < 10
    assert 940000 <= house.one("SELECT count(*) FROM counterfoil.budget") <= 950000
    assert house.one(of_today) == kept
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


def test_invented_challenges_fill_no_disk_from_many_sources_either_and_hold_up_nobody_else(house):
    with house.desk(caller=house.make_client(name="flooded")) as flooded, house.desk(
            caller=house.make_client(name="other")) as other:
        flooded.throttle = other.throttle = houses.THROTTLE.but(client_limit=64)
        person = flooded.customer()
        before = house.one("SELECT count(*) FROM counterfoil.event")
        told = [flooded.from_source(f"10.78.{number // 250}.{number % 250}").code(houses.digest(f"invented {number}"))
                for number in range(300)]
        assert [done["verdict"] for done in told] == ["denied"] * 64 + ["throttled"] * 236
        assert house.one("SELECT count(*) FROM counterfoil.event") - before == 65
        assert other.code(houses.digest("invented elsewhere"))["verdict"] == "denied"
        person.step += 1
        assert flooded.code(flooded.challenge(person), step=person.step)["verdict"] == "granted"
