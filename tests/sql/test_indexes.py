"""What a sign-in, a look at a session and a page of events read, beside a hundred thousand others: rows by index, and few."""

import pytest

import house as houses
import world as worlds

MANY = 100000
# filled in one statement each: what a shop of some years has
FILL = f"""
    SET session_replication_role = replica;     -- no foreign key is looked at: they are right
    INSERT INTO counterfoil.account (id, realm, login_digest, login_sealed, login_key_id, password_sealed, password_key_id,
        password_form, created_at)
    SELECT gen_random_uuid(), 1, sha256(n::text::bytea), 'login', 1, 'hash', 1, 'argon2id m=47104,t=' || 1 + n % 2, now()
    FROM generate_series(1, {MANY}) n;
    INSERT INTO counterfoil.session (id, digest, account_id, realm, aal, amr, auth_time, last_used_at, idle_s, expires_at)
    SELECT gen_random_uuid(), sha256(id::text::bytea), id, 1, 2, 'pwd otp mfa', now(), now(), 3600, now() + interval '1 day'
    FROM counterfoil.account;
    INSERT INTO counterfoil.factor (id, account_id, kind, state, seed_sealed, seed_key_id, created_at, bound_at)
    SELECT gen_random_uuid(), id, 'totp', 'active', 'seed', 1, now(), now() FROM counterfoil.account;
    CREATE TEMPORARY TABLE few AS SELECT id FROM counterfoil.account LIMIT {MANY // 5};
    INSERT INTO counterfoil.recovery_code (account_id, set_no, digest)
    SELECT id, 1, sha256(id::text::bytea) FROM few;
    INSERT INTO counterfoil.known_source SELECT id, '198.51.100.0/32', now() FROM few;
    INSERT INTO counterfoil.challenge (digest, account_id, realm, kind, created_at, expires_at)
    SELECT sha256(id::text::bytea), id, 1, 'login', now(), now() + interval '5 minutes' FROM few;
    INSERT INTO counterfoil.trusted_device (id, account_id, digest, rotated_at, created_at, last_used_at, expires_at)
    SELECT gen_random_uuid(), id, sha256(id::text::bytea), now(), now(), now(), now() + interval '1 day'
    FROM few;
    INSERT INTO counterfoil.ticket (digest, account_id, purpose, created_at, expires_at)
    SELECT sha256(id::text::bytea), id, 'reset', now(), now() + interval '1 day' FROM few;
    INSERT INTO counterfoil.budget SELECT substring(sha256(n::text::bytea) FROM 1 FOR 16), 'pair', 1, '-infinity', now(),
        gen_random_uuid() FROM generate_series(1, {MANY}) n;
    INSERT INTO counterfoil.event (at, realm, account_id, kind, outcome, notify)
    SELECT now(), 1, id, 'login_password', 'granted', false FROM counterfoil.account;
"""


@pytest.fixture(scope="module")
def crowd(postgres):
    """A house of its own, full, and its statistics as autovacuum would leave them."""
    made = houses.House.copy(postgres, "crowd")
    made.query(FILL)
    with made.connect() as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")
    yield made
    made.drop()


@pytest.fixture
def shop(crowd):
    with crowd.desk(caller=crowd.make_client()) as desk:
        yield desk


@pytest.fixture
def reads(crowd, shop):
    """A function: what a piece of work reads, (whole tables that were read, rows that were read by index)."""
    def counters():
        # a connection tells what it has read when it ends, and not yet when its client has gone
        worlds.wait_until(lambda: crowd.one("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                                            "backend_type = 'client backend' AND pid NOT IN (pg_backend_pid(), %s)",
                                            (shop.connection.info.backend_pid,)) == 0, "all others to end")
        with shop.connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute("SELECT 1")
        [[whole, rows]] = crowd.query(
            "SELECT sum(t.seq_scan) FILTER (WHERE t.n_live_tup > 1000), (SELECT sum(idx_tup_read) FROM "
            "pg_stat_user_indexes) FROM pg_stat_user_tables t")
        return whole, rows

    def measure(work):
        before = counters()
        work()
        after = counters()
        return after[0] - before[0], after[1] - before[1]
    shop.connection.autocommit = True
    return measure


def test_a_sign_in_reads_a_few_rows_by_index(shop, reads):
    person = shop.customer()
    shop.sign_in(person)
    whole, rows = reads(lambda: shop.sign_in(person))
    assert whole == 0 and 5 < rows < 100


def test_a_refused_sign_in_of_somebody_and_of_nobody_reads_a_few_rows_by_index(shop, reads):
    person = shop.customer()
    for login in (person.digest, houses.digest("nobody")):
        whole, rows = reads(lambda login=login: shop.password(login, False))
        assert whole == 0 and rows < 30
    whole, rows = reads(lambda: shop.code(shop.challenge(person)))
    assert whole == 0 and rows < 60


def test_a_look_at_a_session_reads_its_row_the_client_s_and_the_account_s(shop, reads):
    token = shop.sign_in(shop.customer())["tokens"]["session"]
    assert shop.call("session_introspect", token)["active"]
    whole, rows = reads(lambda: shop.call("session_introspect", token))
    assert whole == 0 and rows <= 3
    whole, rows = reads(lambda: shop.call("session_introspect", houses.digest("no session")))
    assert whole == 0 and rows <= 1


def test_a_change_a_reset_a_lock_and_an_export_read_what_is_the_account_s(crowd, shop, reads):
    person = shop.customer()
    shop.sign_in(person, remember=True)

    def change():
        begun = shop.call("password_begin", person.id, shop.throttle)
        shop.call("password_finish", person.id, begun["attempt"], begun["familiar"], True, begun["password_no"], b"new", 1,
                  houses.FORM, shop.throttle)
    works = [change, lambda: shop.call("password_reset", person.id, houses.digest("ticket"), 1800, 5, shop.throttle),
             lambda: shop.call("account_export", person.id, 5, 1000, shop.throttle),
             lambda: shop.call("account_set_state", person.id, "locked", None)]
    for number, work in enumerate(works):
        whole, rows = reads(work)
        assert whole == 0 and rows < 200, number


@pytest.mark.parametrize("account, notify", [(False, False), (True, False), (False, True), (True, True)])
def test_a_page_of_events_reads_no_more_than_it_gives(crowd, shop, reads, account, notify):
    person = shop.customer()
    start = crowd.one("SELECT max(id) FROM counterfoil.event") - 5
    shop.rows("event_list", start, 100, person.id if account else None, None, notify, None, None)
    whole, rows = reads(lambda: shop.rows("event_list", start, 100, person.id if account else None, None, notify, None, None))
    assert whole == 0 and rows < 200


def test_R025_counting_the_forms_of_hashes_reads_the_index_alone_and_no_more_than_it_may_count(crowd, shop, reads):
    found = []
    whole, rows = reads(lambda: found.extend(shop.raw("password_forms", 1000)))
    assert whole == 0 and rows < 2500
    assert {row["form"]: row["accounts"] for row in found} == {"argon2id m=47104,t=1": 1000, "argon2id m=47104,t=2": 1000}
    exact = {row["form"]: row["accounts"] for row in shop.raw("password_forms", 10 * MANY)}
    assert exact == dict(crowd.query("SELECT password_form, count(*) FROM counterfoil.account WHERE realm > 0 "
                                     "GROUP BY 1"))
