"""bench_introspect: sessions looked up through TLS and authd, against pgbench making the same SQL call over as many
connections.  The two take turns, and each round gives a ratio, so that what else the machine does weighs on both."""
import json
import statistics

import load

ROUNDS, SECONDS = 3, 3
PATH = "/v1/sessions/introspect"


def session(made):
    account = made.create_account()
    return {"token": made.api().login(account.login, account.password).json()["session_token"]}


def measure(made):
    body = session(made)
    calls = load.sql_of(made, lambda: made.api().post(PATH, body))
    rounds = []
    for _ in range(ROUNDS):
        http = load.wrk(made, PATH, [json.dumps(body)], SECONDS)
        if http.refused or http.other or http.errors:
            raise load.worlds.WorldError(f"not every look-up was answered: {http}")
        rounds.append((http.served / http.seconds, load.pgbench(made, calls, SECONDS), http.p99_ms))
    return calls, rounds


def run():
    with load.world() as made:
        calls, rounds = measure(made)
    ratios = [("introspect.rate_vs_pgbench", statistics.median(http / sql for http, sql, _ in rounds), "0.8")]
    details = [("round", "connections", "SQL calls each", "HTTP a second", "HTTP p99 ms", "pgbench a second")]
    for number, (http, sql, p99) in enumerate(rounds, 1):
        details.append((str(number), str(load.CONNECTIONS), str(len(calls)), f"{http:.0f}", f"{p99:.2f}", f"{sql:.0f}"))
    return ratios, details
