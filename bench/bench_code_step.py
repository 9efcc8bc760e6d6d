"""bench_code_step: code steps through TLS and authd, against pgbench making the same two SQL calls over as many connections.

Every one of both is granted: an account of its own, with an authenticator whose present time step is unused, and a challenge
that waits.  For authd they come from bench_code_step.c by COPY, sealed and digested as authd would; for pgbench, which opens
no seal, they are counted rows of the same sizes, and it computes the name of the next one: a hash or two, which PostgreSQL
makes in some microseconds and authd's calls do not pay.  The two take turns, and each round gives a ratio."""
import io
import json
import statistics
import subprocess
import time

import load

ROUNDS, SECONDS = 3, 2
RATE_MAX = 4000         # a second: what is prepared
PERIOD_S = 30           # codes of the present step are taken until the end of the next one

ACCOUNTS = """INSERT INTO counterfoil.account (id, realm, login_digest, created_at)
    SELECT account, 1, sha256(uuid_send(account)), now() FROM {rows}"""
FACTORS = """INSERT INTO counterfoil.factor (id, account_id, kind, state, seed_sealed, seed_key_id, created_at, bound_at)
    SELECT factor, account, 'totp', 'active', seed, key_id, now(), now() FROM {rows}"""
CHALLENGES = """INSERT INTO counterfoil.challenge (digest, account_id, realm, kind, client_id, source, created_at, expires_at)
    SELECT digest, account, 1, 'login', %s, '192.0.2.10', now(), now() + interval '10 minutes' FROM {rows}"""
COUNTED = """(SELECT md5('account' || n)::uuid account, md5('factor' || n)::uuid factor, sha256(int8send(n)) digest,
    decode(repeat('00', 60), 'hex') seed, 1 key_id FROM generate_series(%s, %s) n) rows"""


def client_id(made):
    return made.api_key.split("_")[1]


def insert(cursor, rows, client, parameters=()):
    cursor.execute(ACCOUNTS.format(rows=rows), parameters)
    cursor.execute(FACTORS.format(rows=rows), parameters)
    cursor.execute(CHALLENGES.format(rows=rows), (client, *parameters))


def prepare(made, count):
    """COUNT rows for authd: [(account, factor, digest, challenge, code)]."""
    out = subprocess.run([load.program("bench_code_step"), made.installation.keyring, str(count)], check=True,
                         capture_output=True, text=True).stdout
    with made.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE made (account uuid, factor uuid, seed bytea, key_id int, digest bytea,"
                       " challenge text, code text)")
        cursor.copy_expert("COPY made FROM STDIN", io.StringIO(out))
        insert(cursor, "made", client_id(made))
    rows = [line.split("\t") for line in out.splitlines()]
    return [(account, factor, digest[1:], challenge, code) for account, factor, _, _, digest, challenge, code in rows]


def prepare_counted(made, first, last):
    with made.connect() as connection, connection.cursor() as cursor:
        insert(cursor, COUNTED, client_id(made), (first, last))
        cursor.execute("ANALYZE counterfoil.account, counterfoil.factor, counterfoil.challenge")


def path(challenge):
    return f"/v1/logins/{challenge}/code"


def calls_of(made):
    """The calls of one code step, and what stands in them for pgbench in the place of each value of this one."""
    rows = prepare(made, 2)
    left = iter(rows)

    def request():
        *_, challenge, code = next(left)
        reply = made.api().post(path(challenge), {"code": code})
        if reply.status_code != 200:
            raise load.worlds.WorldError(f"a code step was answered {reply.status_code}: {reply.text}")

    calls = load.sql_of(made, request)
    account, factor, digest = rows[1][:3]
    (session, session_digest), = made.query("SELECT id::text, '\\x' || encode(digest, 'hex') FROM counterfoil.session"
                                            " WHERE account_id = %s", (account,))
    return calls, {
        account: "md5('account' || :n::text)::uuid", factor: "md5('factor' || :n::text)::uuid",
        digest: "sha256(int8send(:n))", session: "md5('session' || :n::text)::uuid",
        session_digest: "sha256(int8send(-:n::bigint))"}


def measure_http(made):
    time.sleep(max(0, 5 - (PERIOD_S - time.time() % PERIOD_S)))    # not across more than one end of a time step
    lines = [path(challenge) + "\t" + json.dumps({"code": code})
             for *_, challenge, code in prepare(made, RATE_MAX * SECONDS)]
    got = load.wrk(made, "/", lines, SECONDS)
    if got.refused or got.other or got.errors:
        raise load.worlds.WorldError(f"not every code step was granted: {got}")
    return got


def granted(made):
    return made.query("SELECT count(*) FROM counterfoil.session")[0][0]


def measure_sql(made, calls, fresh, number):
    """Each connection counts within its own stretch."""
    stretch = RATE_MAX * SECONDS
    first = 10 * stretch * number + 1
    prepare_counted(made, first, first + load.CONNECTIONS * stretch // 4)
    counter = f"\\if :n = 0\n\\set n {first} + :client_id * {stretch // 4}\n\\else\n\\set n :n + 1\n\\endif\n"
    before = granted(made)
    rate, rounds = load.pgbench_counted(made, calls, SECONDS, fresh=fresh, first=counter)
    if granted(made) - before != rounds:
        raise load.worlds.WorldError(f"pgbench made {rounds} calls, and {granted(made) - before} were granted")
    return rate


def run():
    rounds = []
    with load.world() as made:
        calls, fresh = calls_of(made)
        for number in range(ROUNDS):
            http = measure_http(made)
            rounds.append((http.served / http.seconds, measure_sql(made, calls, fresh, number), http.p99_ms))
    ratios = [("code_step.rate_vs_pgbench", statistics.median(http / sql for http, sql, _ in rounds), "0.8")]
    details = [("round", "connections", "SQL calls each", "HTTP a second", "HTTP p99 ms", "pgbench a second")]
    for number, (http, sql, p99) in enumerate(rounds, 1):
        details.append((str(number), str(load.CONNECTIONS), str(len(calls)), f"{http:.0f}", f"{p99:.2f}", f"{sql:.0f}"))
    return ratios, details
