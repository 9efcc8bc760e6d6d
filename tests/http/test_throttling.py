"""Guessing, spraying, stuffing: budgets hold, and the owner still gets in.  Standards R031 to R035 and R062 to R074."""

import concurrent.futures
import secrets

import pytest
import world as worlds
from raw_http import expect

WRONG = "not the password at all"
HASHES = "counterfoil_password_hashes_total"


@pytest.fixture(scope="module")
def world(cluster):
    """Two authd over one database."""
    made = worlds.World(cluster, "throttle", {("workers", "queue_wait_ms"): 60000,
                                              ("database", "statement_timeout_ms"): 60000})
    try:
        yield made.start(count=2)
    finally:
        made.stop()


def login(world, name, password=WRONG, ip="192.0.2.10", number=0, **members):
    return world.api(number).post("/v1/logins", {"login": name, "password": password, "source": {"ip": ip}, **members})


def fresh_source():
    return f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"


def hashes(world):
    return sum(authd.metric(HASHES) for authd in world.authds)


def many(world, count, request, threads=16):
    """The statuses of COUNT requests, from THREADS callers that keep their connections."""
    callers = [world.api(number % len(world.authds)) for number in range(threads)]

    def run(thread):
        return [request(callers[thread], number).status_code for number in range(thread, count, threads)]
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return [status for part in pool.map(run, range(threads)) for status in part]


def evaluated_codes(world, account):
    return world.query("SELECT count(*) FROM counterfoil.event WHERE account_id = %s AND kind = 'login_code' AND reason = "
                       "'wrong_code'", (account.id,))[0][0]


# --- the delay -------------------------------------------------------------------------------------------------------

def test_R063_R070_the_delay_begins_at_the_fifth_failure_and_doubles_to_an_hour(world):
    account, source, delays = world.create_account(), fresh_source(), []
    with world.standstill():
        for _ in range(5):
            expect(login(world, account.login, ip=source), 403, "denied")
        for _ in range(9):
            refused = login(world, account.login, ip=source)
            expect(refused, 429, "throttled")
            delays.append(int(refused.headers["Retry-After"]))
            world.advance(delays[-1])
            expect(login(world, account.login, ip=source), 403, "denied")
    assert delays == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_R063_an_attempt_during_the_delay_is_neither_looked_at_nor_counted(world):
    account, source = world.create_account(), fresh_source()
    with world.standstill():
        for _ in range(5):
            login(world, account.login, ip=source)
        before = hashes(world)
        for number in range(20):
            expect(login(world, account.login, account.password, source, number % 2), 429, "throttled")
    assert hashes(world) == before, "Argon2 ran for an attempt that was refused"
    world.advance(31)
    assert login(world, account.login, account.password, source).status_code == 200


def test_R064_a_success_clears_what_it_proved_and_nothing_else(world):
    """Wrong codes stay counted when the password is right."""
    account = world.customer()
    for _ in range(4):
        expect(world.api().code(world.challenge(account), "000000"), 403, "denied")
    expect(world.api().code(world.challenge(account), "000000"), 403, "denied")
    expect(world.api().code(world.challenge(account), world.code(account)), 429, "throttled")
    world.advance(worlds.PERIOD_S + 1)
    assert world.sign_in(account).status_code == 200
    world.advance(worlds.PERIOD_S)
    expect(world.api().code(world.challenge(account), "000000"), 403, "denied")
    assert world.sign_in(account).status_code == 200, "the success did not clear the codes"


def test_a_right_password_clears_the_wrong_ones_before_it(world):
    account, source = world.create_account(), fresh_source()
    for _ in range(3):
        for _ in range(4):
            expect(login(world, account.login, ip=source), 403, "denied")
        assert login(world, account.login, account.password, source).status_code == 200


# --- nobody is told more -----------------------------------------------------------------------------------------------

def test_R068_an_unknown_login_is_throttled_at_the_same_attempt_as_a_known_one(world):
    account, unknown = world.create_account(), f"{secrets.token_hex(8)}@example.com"
    locked = world.create_account()
    world.api().post(f"/v1/accounts/{locked.id}/lock")

    def story(name):
        source, told = fresh_source(), []
        for _ in range(8):
            reply = login(world, name, ip=source)
            told.append((reply.status_code, reply.json()["type"], reply.headers.get("Retry-After")))
            if reply.status_code == 429:
                world.advance(int(reply.headers["Retry-After"]))
        return told
    with world.standstill():
        assert story(account.login) == story(unknown) == story(locked.login)


def test_R069_a_caller_cannot_name_the_source_in_a_header(world):
    account = world.create_account()
    for number in range(5):
        headers = {"X-Forwarded-For": f"198.51.100.{number}", "Forwarded": f"for=198.51.100.{number}",
                   "X-Real-IP": f"198.51.100.{number}"}
        reply = world.api().post("/v1/logins", {"login": account.login, "password": WRONG, "source": {"ip": "192.0.2.66"}},
                                 headers=headers)
        expect(reply, 403, "denied")
    expect(login(world, account.login, ip="192.0.2.66"), 429, "throttled")


def test_R067_an_ipv6_network_is_one_source(world):
    account = world.create_account()
    for number in range(5):
        expect(login(world, account.login, ip=f"2001:db8:7:8::{number + 1}"), 403, "denied")
    expect(login(world, account.login, ip="2001:db8:7:8:ffff::1"), 429, "throttled")
    expect(login(world, account.login, ip="2001:db8:7:9::1"), 403, "denied")


def test_ipv4_inside_ipv6_is_ipv4(world):
    account = world.create_account()
    for number in range(5):
        expect(login(world, account.login, ip="::ffff:192.0.2.99" if number % 2 else "192.0.2.99"), 403, "denied")
    expect(login(world, account.login, ip="::ffff:192.0.2.99"), 429, "throttled")


# --- attacks ---------------------------------------------------------------------------------------------------------

def test_R033_a_thousand_wrong_codes_over_a_hundred_challenges_are_looked_at_five_times(world):
    account = world.customer()
    challenges = [world.challenge(account, number % 2) for number in range(100)]
    with world.standstill():
        statuses = many(world, 1000, lambda api, number: api.code(challenges[number % 100], "000000"))
    assert evaluated_codes(world, account) <= 5
    assert statuses.count(429) + statuses.count(403) == 1000 and statuses.count(403) <= 5


def test_R034_a_new_challenge_does_not_give_new_tries(world):
    account = world.customer()
    with world.standstill():
        statuses = [world.api().code(world.challenge(account), "000000").status_code for _ in range(8)]
    assert statuses == [403] * 5 + [429] * 3


def test_parallel_wrong_passwords_are_looked_at_five_times(world):
    account, source, before = world.create_account(), fresh_source(), hashes(world)
    body = {"login": account.login, "password": WRONG, "source": {"ip": source}}
    with world.standstill():
        statuses = many(world, 200, lambda api, number: api.post("/v1/logins", body))
    assert statuses.count(403) == 5 and statuses.count(429) == 195
    assert hashes(world) - before == 5


def test_R067_one_password_against_a_thousand_logins_from_one_source_is_stopped(world):
    """Spraying: half of the logins exist nowhere."""
    owner, source, before = world.create_account(), fresh_source(), hashes(world)
    home = fresh_source()
    assert login(world, owner.login, owner.password, home).status_code == 200
    names = [f"{secrets.token_hex(8)}@example.com" for _ in range(998)] + [owner.login, world.create_account().login]
    before = hashes(world)
    with world.standstill():
        statuses = many(world, 1000, lambda api, number: api.post("/v1/logins", {
            "login": names[number], "password": WRONG, "source": {"ip": source}}))
        assert statuses.count(403) <= 50 and statuses.count(403) + statuses.count(429) == 1000
        assert hashes(world) - before <= 50
        expect(login(world, world.create_account().login, ip=source), 429, "throttled")
    assert login(world, owner.login, owner.password, home).status_code == 200, "the owner is kept out"
    expect(login(world, world.create_account().login, ip=fresh_source()), 403, "denied")


def test_R067_one_login_from_a_thousand_sources_is_stopped_while_its_owner_still_signs_in(world):
    """Stuffing: the owner has signed in from home before."""
    owner, home = world.create_account(), fresh_source()
    assert login(world, owner.login, owner.password, home).status_code == 200
    before = hashes(world)
    with world.standstill():
        statuses = many(world, 1000, lambda api, number: api.post("/v1/logins", {
            "login": owner.login, "password": WRONG, "source": {"ip": f"10.77.{number // 250}.{number % 250 + 1}"}}))
        assert statuses.count(403) <= 20 and statuses.count(403) + statuses.count(429) == 1000
        assert hashes(world) - before <= 20
        assert login(world, owner.login, owner.password, home).status_code == 200, "the owner is kept out"
        expect(login(world, owner.login, owner.password, fresh_source()), 429, "throttled")


def test_strangers_wrong_codes_do_not_keep_the_owner_out(world):
    """Somebody has the password: his wrong codes, from elsewhere, are not the owner's."""
    owner, home, elsewhere = world.customer(), fresh_source(), fresh_source()

    def code_from(source, code):
        challenge = login(world, owner.login, owner.password, source).json()["challenge"]
        return world.api().post(f"/v1/logins/{challenge}/code", {"code": code, "source": {"ip": source}})

    assert code_from(home, world.code(owner)).status_code == 200
    world.advance(worlds.PERIOD_S)
    with world.standstill():
        statuses = [code_from(elsewhere, "000000").status_code for _ in range(8)]
    assert statuses == [403] * 5 + [429] * 3
    assert code_from(home, world.code(owner)).status_code == 200, "the owner is kept out"


def test_a_trusted_device_is_not_kept_out_by_strangers(cluster):
    world = worlds.World(cluster, "trusted", {("realm store", "device_ttl_s"): 86400})
    try:
        owner = world.start().customer()
        device = world.api().post(f"/v1/logins/{world.challenge(owner)}/code", {
            "code": world.code(owner), "remember_device": True}).json()["trusted_device"]
        abroad = fresh_source()
        with world.standstill():
            for number in range(25):
                login(world, owner.login, ip=f"10.78.0.{number + 1}")
            expect(login(world, owner.login, owner.password, abroad), 429, "throttled")
        assert login(world, owner.login, owner.password, abroad, trusted_device=device).status_code == 200
    finally:
        world.stop()


# --- limits that end something ---------------------------------------------------------------------------------------

def test_R062_a_hundred_wrong_codes_in_a_row_disable_the_authenticator_until_it_is_bound_anew(cluster):
    world = worlds.World(cluster, "hundred", {("realm store", "throttle_code_limit"): 100,
                                              ("realm store", "challenge_tries"): 10})
    try:
        account = world.start().customer()
        challenge = None
        for number in range(100):
            challenge = world.challenge(account) if number % 10 == 0 else challenge
            expect(world.api().code(challenge, "000000"), 403, "denied")
        world.advance(86400 * 2)
        expect(world.sign_in(account), 403, "denied")
        factor = world.api().get(f"/v1/accounts/{account.id}/factors").json()["factors"][0]
        assert factor["state"] == "disabled"
        told = world.query("SELECT count(*) FROM counterfoil.event WHERE account_id = %s AND kind = 'factor_disabled' "
                           "AND notify", (account.id,))
        assert told == [(1,)], "the owner is told, once"
        world.advance(worlds.PERIOD_S)
        reply = world.api().login(account.login, account.password)
        challenge = expect(reply, 403, "second-factor-required", factors=["recovery_code"])["challenge"]
        expect(world.api().code(challenge, world.code(account)), 403, "denied")
        world.advance(7200)             # the wait that this one has earned
        assert world.sign_in(account, code=account.recovery_codes[0]).status_code == 200
        world.query("DELETE FROM counterfoil.recovery_code WHERE account_id = %s", (account.id,))
        expect(world.api().login(account.login, account.password), 403, "denied")
        world.enroll(account)
        world.advance(worlds.PERIOD_S)
        assert world.sign_in(account).status_code == 200, "bound anew"
    finally:
        world.stop()


def test_R065_a_staff_account_is_closed_for_half_an_hour_after_ten_failures(cluster):
    world = worlds.World(cluster, "staff")
    try:
        world.start()
        world.api_key = world.installation.make_client("intranet", realm="staff")
        account = world.enroll(world.create_account("alice"))
        stranger = fresh_source()
        with world.standstill():
            for number in range(10):
                expect(login(world, account.login, ip=f"10.79.0.{number + 1}"), 403, "denied")
            refused = login(world, account.login, account.password, stranger)
            expect(refused, 429, "throttled")
            assert int(refused.headers["Retry-After"]) == 1800
            world.advance(1799)
            expect(login(world, account.login, account.password, stranger), 429, "throttled")
        world.advance(1)
        assert "challenge" in login(world, account.login, account.password, stranger).json()
    finally:
        world.stop()


# --- what is remembered ----------------------------------------------------------------------------------------------

def test_R072_both_authd_count_together_and_a_kill_forgets_nothing(cluster):
    world = worlds.World(cluster, "killed")
    try:
        account, source = world.start(count=2).create_account(), fresh_source()
        with world.standstill():
            for number in range(5):
                expect(login(world, account.login, ip=source, number=number % 2), 403, "denied")
            for authd in world.authds:
                authd.kill()
                authd.start()
            for number in (0, 1):
                expect(login(world, account.login, account.password, source, number), 429, "throttled")
    finally:
        world.stop()


def test_failures_are_forgotten_after_a_day_without_one(world):
    account, source = world.create_account(), fresh_source()
    for _ in range(4):
        expect(login(world, account.login, ip=source), 403, "denied")
    world.advance(86401)
    for _ in range(4):
        expect(login(world, account.login, ip=source), 403, "denied")
    assert login(world, account.login, account.password, source).status_code == 200


def test_R073_what_was_throttled_is_counted_for_the_operator(world):
    account, source = world.create_account(), fresh_source()
    before = world.authd.metric('counterfoil_verdicts_total{verdict="throttled"}')
    with world.standstill():
        for _ in range(7):
            login(world, account.login, ip=source)
    assert world.authd.metric('counterfoil_verdicts_total{verdict="throttled"}') - before == 2


# --- what costs much, or writes to somebody

def started(world, account):
    return world.api().post(f"/v1/accounts/{account.id}/totp")


def exported(world, account):
    return world.api().get(f"/v1/accounts/{account.id}/export")


def was_reset(world, account):
    return world.api().post(f"/v1/accounts/{account.id}/password-reset")


@pytest.mark.parametrize("use,limit", [(started, 10), (was_reset, 5), (exported, 5)])
def test_R071_a_flood_of_enrollments_resets_or_exports_ends_in_429_and_leaves_all_else_as_it_was(world, use, limit):
    account = world.create_account()
    with world.standstill():
        for _ in range(limit):
            assert use(world, account).status_code in (200, 201)
        refused = use(world, account)
        expect(refused, 429, "throttled")
        assert int(refused.headers["Retry-After"]) == 30
    for other in {started, was_reset, exported} - {use}:
        assert other(world, account).status_code in (200, 201)
    assert use(world, world.create_account()).status_code in (200, 201)
    assert login(world, account.login, account.password).status_code == 200
    world.advance(int(refused.headers["Retry-After"]))
    assert use(world, account).status_code in (200, 201), "after the wait that it named"


def test_R071_one_client_exports_so_many_accounts_a_day(cluster):
    world = worlds.World(cluster, "exports", {("realm store", "throttle_client_export_limit"): 3})
    try:
        accounts = [world.start().create_account()] + [world.create_account() for _ in range(3)]
        assert [exported(world, account).status_code for account in accounts] == [200, 200, 200, 429]
        another = world.api(key=world.installation.make_client("another"))
        assert another.get(f"/v1/accounts/{accounts[3].id}/export").status_code == 200
    finally:
        world.stop()
