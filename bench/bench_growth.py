"""bench_growth: what the two SQL calls of a login cost with 10^4, 10^6 and 10^7 accounts, side by side.

Each size is a database of its own in one PostgreSQL, filled by it: an account, a session of before, a known source and an
event for each, and an authenticator for every second one, so that half of the logins end with a challenge.  pgbench makes
the calls that authd made for one login, each time for another account, over one connection and without waiting for the
disk, which would hide a difference: login_sql is that alone, login_cost is that and the best hash.  The sizes take turns, and
a ratio is the median over the rounds.

10^7 accounts take 20 GB and some quarter of an hour: BENCH_GROWTH=1e6,1e7 in the environment."""
import math
import os
import re
import shutil
import statistics
import time

import bench_login
import load

ROUNDS, SECONDS, WARM_S = 5, 2, 3
SMALL = 10_000
BYTES_EACH = 2200       # on disk, with indexes and the log of writing them

ACCOUNT = "('00000000-0000-4000-8000-' || lpad(to_hex({n}::bigint), 12, '0'))::uuid"
DIGEST = "sha256(int8send({n}::bigint))"
FILL = [
    f"""INSERT INTO counterfoil.account (id, realm, login_digest, login_sealed, login_key_id, password_sealed,
        password_key_id, password_form, created_at)
    SELECT {ACCOUNT.format(n='n')}, 1, {DIGEST.format(n='n')}, {DIGEST.format(n='n')} || {DIGEST.format(n='-n')}, 1,
        {DIGEST.format(n='n')} || {DIGEST.format(n='-n')} || {DIGEST.format(n='n')} || {DIGEST.format(n='-n')}, 1, 'bench',
        now() FROM generate_series(%s, %s) n""",
    f"""INSERT INTO counterfoil.factor (id, account_id, kind, state, seed_sealed, seed_key_id, created_at, bound_at)
    SELECT md5('factor' || n)::uuid, {ACCOUNT.format(n='n')}, 'totp', 'active', {DIGEST.format(n='n')}, 1, now(), now()
    FROM generate_series(%s, %s) n WHERE n %% 2 = 0""",
    f"""INSERT INTO counterfoil.known_source (account_id, source, seen_at)
    SELECT {ACCOUNT.format(n='n')}, '192.0.2.10/32', now() FROM generate_series(%s, %s) n""",
    f"""INSERT INTO counterfoil.session (id, digest, account_id, realm, aal, amr, auth_time, last_used_at, idle_s, expires_at)
    SELECT md5('session' || n)::uuid, {DIGEST.format(n='n + (1::bigint << 40)')}, {ACCOUNT.format(n='n')}, 1, 1, 'pwd', now(),
        now(), 1800, now() + interval '1 day' FROM generate_series(%s, %s) n""",
    f"""INSERT INTO counterfoil.event (at, realm, account_id, kind, outcome)
    SELECT now(), 1, {ACCOUNT.format(n='n')}, 'login_password', 'ok' FROM generate_series(%s, %s) n""",
]
TABLES = "counterfoil.account, counterfoil.factor, counterfoil.known_source, counterfoil.session, counterfoil.event"


def sizes():
    return sorted({SMALL, *(int(float(size)) for size in os.environ.get("BENCH_GROWTH", "1e6").split(","))})


def exponent(size):
    return f"1e{round(math.log10(size))}"


def fill(made, database, size):
    """Seconds that it took."""
    free = shutil.disk_usage(made.directory).free
    if free < 2 * size * BYTES_EACH:
        raise load.worlds.WorldError(f"{size} accounts want {2 * size * BYTES_EACH >> 30} GiB of disk, {free >> 30} are free")
    start = time.monotonic()
    with made.postgres.connect(database, "postgres") as connection, connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET session_replication_role = replica")        # foreign keys hold by the making
        for statement in FILL:
            cursor.execute(statement, (1, size))
        cursor.execute(f"VACUUM ANALYZE {TABLES}")
    return time.monotonic() - start


def calls_of(made):
    """The calls of one login, and what stands in them for pgbench in the place of each value of this one."""
    account = made.create_account()
    replies = []
    calls = load.sql_of(made, lambda: replies.append(made.api().login(account.login, account.password)))
    (digest,), = made.query("SELECT '\\x' || encode(login_digest, 'hex') FROM counterfoil.account WHERE id = %s",
                            (account.id,))
    session = replies[-1].json()["session_id"]
    (_, begin), (_, finish) = calls
    fresh = {account.id: ACCOUNT.format(n=":n"), digest: DIGEST.format(n=":n"), session: "gen_random_uuid()"}
    for value in finish:
        if value in fresh or value in begin or value is None:
            continue
        if re.fullmatch(r"\\x[0-9a-f]{64}", value):            # of the session, and of what else might be opened
            fresh[value] = "sha256(uuid_send(gen_random_uuid()))"
        elif re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value):
            fresh[value] = ":attempt"                           # which begin gave
    return calls, fresh


def login_ms(made, calls, fresh, size, seconds):
    rate, _ = load.pgbench_counted(made, calls, seconds, 1, fresh, f"\\set n random(1, {size})\n", database(size))
    return 1000 / rate


def database(size):
    return f"bench_{size}"


def measure(made):
    """{size: [milliseconds of each round]}, {size: seconds of filling}."""
    calls, fresh = calls_of(made)
    took = {}
    for size in sizes():
        made.postgres.query("postgres", f"CREATE DATABASE {database(size)} TEMPLATE {made.cluster.TEMPLATE}")
        took[size] = fill(made, database(size), size)
        login_ms(made, calls, fresh, size, WARM_S)
    found = {size: [] for size in took}
    for _ in range(ROUNDS):
        for size, times in found.items():
            times.append(login_ms(made, calls, fresh, size, SECONDS))
    return found, took


def run():
    hash_ms, _ = bench_login.best_hash_ms()
    with load.world() as made:
        load.server_restart(made.postgres, shared_buffers="2GB", max_wal_size="8GB", synchronous_commit="off")
        made.authd.wait_ready()
        found, took = measure(made)
    ratios, details = [], [("accounts", "seconds to fill", "SQL of a login, ms", "the same with the hash, ms")]
    for size, times in found.items():
        median = statistics.median(times)
        details.append((f"{size:,}", f"{took[size]:.0f}", f"{median:.3f}", f"{median + hash_ms:.2f}"))
        if size > SMALL:
            name = f"{exponent(size)}_vs_{exponent(SMALL)}"
            pairs = list(zip(times, found[SMALL]))
            ratios += [(f"growth.login_cost_{name}", statistics.median(
                            (large + hash_ms) / (small + hash_ms) for large, small in pairs), "at most 1.15"),
                       (f"growth.login_sql_{name}", statistics.median(large / small for large, small in pairs), "")]
    return ratios, details
